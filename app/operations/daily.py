"""What each tenant needs once per day of its own time: rows say when, so that any number of workers share it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from app import clock, queue
from app.accounts.jobs import make_book
from app.auth import oidc, panel_sessions
from app.auth.settings import tenant_settings
from app.db import current_tenant, db, finding, new_id, transaction
from app.escalations.jobs import note_left_work, remind_prevention, seal_timelines
from app.http import idempotency
from app.integrations.webhooks.jobs import forget_deliveries
from app.notifications import enclosures
from app.operations.models import DailyJob
from app.panels.embed import used
from app.reports.jobs import note_accounts, want_forecast
from app.routing.jobs import want_model

log = structlog.get_logger()

RETRY = timedelta(minutes=5)


def forget_idempotency_keys(now: datetime) -> None:
    idempotency.forget_old(db.session())


def forget_panel_sessions(now: datetime) -> None:
    panel_sessions.forget_old(clock.real_now())
    used.forget_old(clock.real_now())
    oidc.forget_old(clock.real_now())


def forget_mail_files(now: datetime) -> None:
    enclosures.forget_old(clock.real_now())


# Each runs in a transaction of its own, together with the note that it ran: done exactly once, or again.
DAILY: Mapping[str, Callable[[datetime], object]] = {
    "book": make_book,  # what each account is worth, and its place among all
    "seal_timelines": seal_timelines,  # so that a tail that was cut off shows
    "note_left_work": note_left_work,  # what somebody was given in the moment they left
    "prevention": remind_prevention,  # what was promised so that a case does not happen again
    "suggestions": want_model,  # who closes what, learnt anew when cases were closed
    "note_accounts": note_accounts,  # what is known of each account, for early warning
    "forecast": want_forecast,  # how cases close, learnt anew when some were
    "forget_idempotency_keys": forget_idempotency_keys,
    "forget_panel_sessions": forget_panel_sessions,
    "forget_mail_files": forget_mail_files,
    "forget_webhook_deliveries": forget_deliveries,
}

FIND_DUE = text(
    """
    select t.id, n.name from tenant t cross join unnest(cast(:names as text[])) as n(name)
    left join daily_job d on d.tenant_id = t.id and d.name = n.name
    where d.name is null or (d.next_at <= :now + t.clock_offset and (d.retry_at is null or d.retry_at <= :now))
    order by random()
    """
)


def run_due() -> None:
    """Every tenant's jobs whose day has begun."""
    with finding() as session:
        due = session.execute(FIND_DUE, {"names": list(DAILY), "now": clock.real_now()}).all()
    for tenant_id, name in due:
        if queue.is_stopping():
            return
        run_safely(tenant_id, name)


def run_due_tenant(tenant_id: UUID, now: datetime | None = None) -> None:
    """The same for one tenant: a sandbox whose clock is being moved. `now` is the tenant's unless given."""
    with transaction(tenant=tenant_id) as session:
        later = set(session.scalars(select(DailyJob.name).where(DailyJob.next_at > (now or clock.now()))))
    for name in DAILY:
        if name not in later:
            run_safely(tenant_id, name, now)


def run_safely(tenant_id: UUID, name: str, now: datetime | None = None) -> None:
    """A job that fails is tried again later and holds up no other."""
    try:
        with transaction(tenant=tenant_id):
            run(name, now or clock.now())
    except Exception as error:
        log.exception("daily_job_failed", job=name, tenant_id=str(tenant_id))
        with transaction(tenant=tenant_id):
            _make_row(name, clock.now())
            _note(name, retry_at=clock.real_now() + RETRY, problem=f"{type(error).__name__}: {error}"[:500])


def run(name: str, now: datetime) -> bool:
    """Run a job unless it ran today or somebody else is running it; note that it did."""
    zone = ZoneInfo(tenant_settings().timezone)
    today = now.astimezone(zone).date()
    if not _claim(name, now):
        return False
    row = db.session.scalars(select(DailyJob).where(DailyJob.name == name)).one()
    if row.ran_on is None or row.ran_on < today:
        DAILY[name](now)
    _note(name, ran_on=max(today, row.ran_on or today), next_at=next_day(now, zone), retry_at=None, problem=None)
    return True


def next_day(now: datetime, zone: ZoneInfo) -> datetime:
    """When the tenant's next day begins; a midnight that DST skips moves forward by the gap."""
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(0), zone).astimezone(UTC)


def next_moment(*, after: datetime | None = None) -> datetime | None:
    """When (tenant time) the next daily job of the tenant in scope is due."""
    question = select(func.min(DailyJob.next_at)).where(DailyJob.problem.is_(None))
    return db.session.scalar(question.where(DailyJob.next_at > after) if after else question)


def _claim(name: str, now: datetime) -> bool:
    """Lock the job's row; False while another process holds it or when it is not due."""
    _make_row(name, now)
    due = select(DailyJob.id).where(DailyJob.name == name, DailyJob.next_at <= now)
    return db.session.scalar(due.with_for_update(skip_locked=True)) is not None


def _make_row(name: str, now: datetime) -> None:
    """A job's row is made when it is due for the first time."""
    first = {"tenant_id": current_tenant(), "id": new_id(), "name": name, "next_at": now}
    db.session.execute(insert(DailyJob).values(first).on_conflict_do_nothing(index_elements=["tenant_id", "name"]))


def _note(name: str, **values: object) -> None:
    db.session.execute(DailyJob.__table__.update().where(DailyJob.name == name).values(values))  # type: ignore[attr-defined]
