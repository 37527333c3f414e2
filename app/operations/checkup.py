"""What waits for a person, tenant by tenant: dead letters, clocks set aside, failed assignments, missing rates."""

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import text

from app import clock
from app.accounts.queries import tenant_today
from app.auth.settings import tenant_settings
from app.db import finding, tenant_row, transaction
from app.operations.findings import FULL, Finding, ok, share, warn, wrong
from app.sla.service import list_running_out

LAST_NUMBER = 2**31 - 1
NAMED = 5  # of what was set aside: the API lists all
HOLIDAYS_AHEAD = timedelta(days=30)
MAIL_LATE = timedelta(hours=1)  # a report by mail
TENANTS = text("select id from tenant order by id")
COUNT = text(
    """
    select (select count(*) from intent where state = 'dead') as dead_letters,
           (select count(*) from clock where problem is not null) as clocks,
           (select array_agg(named) from (
                select 'ESC-' || e.number || ' ' || c.kind || ': ' || c.problem as named
                from clock c join escalation e on e.tenant_id = c.tenant_id and e.id = c.escalation_id
                where c.problem is not null order by c.id limit :named) first) as problems,
           (select count(*) from escalation
            where assignment_failed and status in ('open', 'in_progress', 'waiting', 'resolved')) as unassigned,
           (select array_agg(name || ': ' || problem order by name) from daily_job where problem is not null) as jobs,
           (select array_agg(distinct currency order by currency) from contract
            where gone_at is null and starts_on <= :today and (ends_on is null or ends_on >= :today)
              and currency <> :reporting
              and currency not in (select currency from rate where on_date between :oldest and :today)) as unrated,
           (select array_agg(name order by name) from report_schedule
            where active and next_at < :mailed_by) as schedules,
           (select count(*) from report_delivery where state = 'waiting' and recorded_at < :made_by) as reports,
           (select min(last_error) from report_delivery
            where state = 'waiting' and recorded_at < :made_by) as report_error,
           (select max(number) from escalation) as number
    """
)


def check_tenants() -> Iterator[Finding]:
    """Each tenant on its own, as itself."""
    with finding() as session:
        tenants = list(session.scalars(TENANTS))
    wrongs = [found for tenant_id in tenants for found in check_tenant(tenant_id)]
    yield from wrongs or [ok(f"{len(tenants)} tenants: nothing waits for a person")]


def check_tenant(tenant_id: UUID) -> list[Finding]:
    with transaction(tenant=tenant_id) as session:
        settings, today = tenant_settings(), tenant_today(clock.now())
        days = {"today": today, "oldest": today - timedelta(days=settings.rate_max_age_days)}
        late = {"mailed_by": clock.now() - MAIL_LATE, "made_by": clock.real_now() - MAIL_LATE}
        values = {**days, **late, "reporting": settings.reporting_currency, "named": NAMED}
        row = session.execute(COUNT, values).one()
        who = f"{tenant_row().name} ({tenant_id})"
        ending = list_running_out(today + HOLIDAYS_AHEAD)
    return [*_judge(who, row._asdict()), *(_ending(who, name, last) for name, last in ending)]


def _ending(who: str, name: str, last: date) -> Finding:
    return warn(
        f"{who}: the last holiday that the calendar {name} knows is {last}",
        "publish it again: countries' holidays are looked up anew, and days or a calendar file can be added",
    )


def _judge(who: str, row: dict[str, object]) -> Iterator[Finding]:
    if row["dead_letters"]:
        yield wrong(
            f"{who}: {row['dead_letters']} messages were given up",
            "GET /api/v1/outbox?state=dead says why; correct the address or the server, then redeliver each",
        )
    if row["clocks"]:
        yield wrong(
            f"{who}: {row['clocks']} clocks were set aside and remind nobody: {'; '.join(row['problems'])}",  # type: ignore[arg-type]
            "correct the cause, then `firsthand sweep --retry-set-aside --tenant` with its id",
        )
    if row["unassigned"]:
        yield warn(
            f"{who}: {row['unassigned']} open escalations found no owner by rule and stand with the duty owner",
            "assign them, and add to the routing policy what their decision records say was missing",
        )
    for problem in row["jobs"] or ():  # type: ignore[attr-defined]
        yield wrong(f"{who}: the daily job {problem}", "it is tried again every 5 minutes; the worker's log has more")
    if row["schedules"]:
        yield wrong(
            f"{who}: reports by mail are more than an hour late: {', '.join(row['schedules'])}",  # type: ignore[arg-type]
            "start `python worker.py`, or look for reports_not_sent in its log",
        )
    if row["reports"]:
        yield wrong(
            f"{who}: {row['reports']} reports by mail wait for more than an hour: "
            f"{row['report_error'] or 'no worker made them, or the facts of reports are behind'}",
            "look for report_not_made and facts_not_made in the worker's log",
        )
    if row["unrated"]:
        currencies = ", ".join(row["unrated"])  # type: ignore[arg-type]
        yield wrong(
            f"{who}: no rate of the last days for {currencies}: values are incomplete",
            "PUT or import rates; each holds for 7 days unless the settings say otherwise",
        )
    if row["number"] and row["number"] >= FULL * LAST_NUMBER:  # type: ignore[operator]
        yield share(f"{who}: numbers of escalations", row["number"], LAST_NUMBER, "ask us for wider numbers")  # type: ignore[arg-type]
