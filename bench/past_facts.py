"""Facts of a million copied cases, as the fold would make them from a timeline that was copied with them.

The timeline itself is copied for the cases of the accounts that are asked for, and the texts of root causes for all:
`check_sample` lets the product make the facts of some of those cases anew and finds them the same.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import DateTime, select, text

from app.db import Model, db, transaction
from app.escalations.course_models import Snapshot
from app.escalations.models import Escalation
from app.escalations.timeline_models import Event, EventText
from app.reports import making, sums, worth_sql
from app.reports.folding import ENDLESS, FOREVER
from app.reports.folding import WORTH as WORTH_OF_FACT
from app.reports.jobs import fold_tenant
from app.reports.models import CaseFact, ReportCursor
from app.sla.models import Clock, ClockEntry
from bench import past
from bench.loading import loading, without_indexes
from bench.stories import Teller

SAMPLE = 400
FILLED = ("escalation", "case_fact", "event", "event_text", "snapshot", "clock", "clock_entry")

PLAYED = """
create temp table played as
select f.*, e.raised_at as began, f.known_from - e.raised_at as since,
       case when f.known_until < %(forever)s then f.known_until - e.raised_at end as until
from case_fact f join escalation e on e.tenant_id = f.tenant_id and e.id = f.escalation_id
where f.tenant_id = %(tenant)s
"""
# What an account knows of its contracts and pipeline; in the years before it had the same, for terms a year earlier.
TOLD = """
create temp table told_of as
with line as (
    select c.account_id, y.years, 'contract' as kind, c.id, c.arr as amount, c.currency, '1' as weight,
           c.ends_on - 365 * y.years as ends_on
    from contract c cross join generate_series(0, 3) as y(years) where c.tenant_id = %(tenant)s
    union all
    select o.account_id, y.years, 'opportunity', o.id, o.amount, o.currency, o.probability::text, null
    from opportunity o cross join generate_series(0, 3) as y(years) where o.tenant_id = %(tenant)s
), renewing as (
    select account_id, years, min(ends_on) as ends_on from line where kind = 'contract' group by account_id, years
), told as (
    select * from line
    union all
    select l.account_id, l.years, 'renewal', l.id, l.amount, l.currency, l.weight, l.ends_on
    from line l join renewing r using (account_id, years, ends_on)
)
select t.account_id, t.years, a.segment, a.health, r.ends_on + 1 as renewal_on,
       jsonb_agg(jsonb_build_object('kind', t.kind, 'id', t.id, 'amount', round(t.amount, 2)::text,
                                    'currency', t.currency, 'weight', t.weight, 'ends_on', t.ends_on)
                 order by t.kind = 'renewal', t.kind, t.id) as lines,
       case when count(distinct t.currency) filter (where t.kind <> 'renewal') = 1 then
           sum(round(t.amount, 2) * t.weight::numeric) filter (where t.kind <> 'renewal') end as stake_amount,
       case when count(distinct t.currency) filter (where t.kind <> 'renewal') = 1 then
           min(t.currency) filter (where t.kind <> 'renewal') end as stake_currency,
       count(*) filter (where t.kind <> 'renewal') as stake_lines,
       min(t.ends_on) filter (where t.kind <> 'renewal') as stake_until
from told t join account a on a.tenant_id = %(tenant)s and a.id = t.account_id
left join renewing r on r.account_id = t.account_id and r.years = t.years
group by t.account_id, t.years, a.segment, a.health, r.ends_on
"""
# As the product keeps it: each content once.
NAMED = "alter table told_of add worth_id uuid generated always as (md5(lines::text)::uuid) stored"
WORTH = f"""
insert into worth (tenant_id, id, {", ".join(worth_sql.LISTS)})
select %(tenant)s, said.id, {worth_sql.LISTED}
from (select distinct worth_id as id, lines from told_of) said {worth_sql.UNPACKED}
where not exists (select from worth w where w.tenant_id = %(tenant)s and w.id = said.id) group by said.id
"""
HOLDERS = """
insert into line_holder (tenant_id, id, line_id, account_id, shared)
select %(tenant)s, uuidv7(), line_id, account_id, count(*) over (partition by line_id) > 1
from (select distinct t.account_id, unnest(w.ids) as line_id
      from told_of t join worth w on w.tenant_id = %(tenant)s and w.id = t.worth_id) held
on conflict (tenant_id, line_id, account_id) do nothing
"""
ASKED = """
create temp table asked as
select id from account where tenant_id = %(tenant)s order by external_id limit %(asked)s
"""
OF_YEAR = """
left join told_of w on w.account_id = m.account_id
                  and w.years = floor(extract(epoch from cast(%(now)s as timestamptz) - m.at) / 31536000)
"""
LATEST = """
cross join lateral (select * from played p where p.escalation_id = m.source and m.at + p.since <= %(now)s
                    order by p.since desc limit 1) p
"""
COPIED_ID = "md5(m.id::text || {of}::text)::uuid"
OWNER = "case when p.{name} = p.first_owner_id then m.owner_id when p.{name} is not null then m.other_id end"


def _shifted(model: type[Model], alias: str, began: str) -> dict[str, str]:
    """Every moment lies as long after the copy's raise as it did after the played one's."""
    columns = [column for column in model.__table__.columns if isinstance(column.type, DateTime)]
    return {column.name: f"m.at + ({alias}.{column.name} - {began})" for column in columns}


WORTHS = {"account_id": "m.account_id", **{name: f"w.{name}" for name in ("segment", "health", "renewal_on")}}
FACTS = past.copying(
    CaseFact,
    {
        **_shifted(CaseFact, "p", "p.began"),
        **WORTHS,
        "id": "uuidv7()",
        "escalation_id": "m.id",
        "group_id": "m.account_id",
        **{name: f"w.{name}" for name in WORTH_OF_FACT},
        "known_until": "case when m.at + p.until <= %(now)s then m.at + p.until else %(forever)s end",
        "span": f"case when m.at + p.until <= %(now)s then p.span else {ENDLESS} end",
        "day_raised": "(m.at at time zone 'UTC')::date",
        "owners": "case when p.owners = '[]' then p.owners else jsonb_build_array(m.owner_id, m.other_id) end",
        "resolution_id": COPIED_ID.format(of="p.resolution_id"),
        **{name: OWNER.format(name=name) for name in ("owner_id", "first_owner_id", "closer_id")},
    },
    f"from spread m join played p on p.escalation_id = m.source {OF_YEAR} where m.at + p.since <= %(now)s",
    alias="p",
)
STANDING = ("status", "outcome", "verification", "tier")
CASES = past.copying(
    Escalation,
    {
        **_shifted(Escalation, "e", "e.raised_at"),
        "id": "m.id",
        "number": "1000 + m.n",
        "account_id": "m.account_id",
        "title": "'Case ' || m.n",
        "day_raised": "(m.at at time zone 'UTC')::date",
        **{name: f"p.{name}" for name in STANDING},
        **{name: f"m.at + (p.{name} - p.began)" for name in ("resolved_at", "closed_at", "due_at")},
        **{name: OWNER.format(name=name) for name in ("owner_id", "first_owner_id")},
    },
    f"from spread m join escalation e on e.id = m.source {LATEST}",
    alias="e",
)
_OF_CASE = "from spread m join escalation e on e.id = m.source join {of} on v.escalation_id = m.source"
_KNOWN = "where m.at + (v.recorded_at - e.raised_at) <= %(now)s"
_ASKED = "m.account_id in (select id from asked)"
# Owners are others in every copy, and a granted time lies where the copy does.
EVENT_FACTS = """
(select case when v.kind = 'extend' then jsonb_set(said, '{until}', to_jsonb(to_char(
            (m.at + ((v.facts ->> 'until')::timestamptz - e.raised_at)) at time zone 'UTC',
            'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'))) else said end
 from (select replace(replace(v.facts::text, e.first_owner_id::text, m.owner_id::text), e.owner_id::text,
                      m.other_id::text)::jsonb as said) said)
"""
EVENTS = past.copying(
    Event,
    {
        **_shifted(Event, "v", "e.raised_at"),
        "id": COPIED_ID.format(of="v.id"),
        "escalation_id": "m.id",
        "facts": EVENT_FACTS,
    },
    f"{_OF_CASE.format(of='event v')} {_KNOWN} and {_ASKED}",
    alias="v",
)
TEXTS = past.copying(
    EventText,
    {"id": "uuidv7()", "escalation_id": "m.id", "event_id": COPIED_ID.format(of="v.id")},
    f"""{_OF_CASE.format(of="event v")} join event_text t on t.event_id = v.id
        {_KNOWN} and (t.field = 'root_cause' or {_ASKED})""",
    alias="t",
)
SNAPSHOTS = past.copying(
    Snapshot,
    {
        **_shifted(Snapshot, "v", "e.raised_at"),
        **WORTHS,
        "lines": "w.lines",
        "id": "uuidv7()",
        "escalation_id": "m.id",
        "owner_id": "m.owner_id",
    },
    f"{_OF_CASE.format(of='snapshot v')} {OF_YEAR} {_KNOWN} and {_ASKED}",
    alias="v",
)
CLOCKS = past.copying(
    Clock,
    {**_shifted(Clock, "v", "e.raised_at"), "id": COPIED_ID.format(of="v.id"), "escalation_id": "m.id"},
    f"{_OF_CASE.format(of='clock v')} where m.at + (v.started_at - e.raised_at) <= %(now)s and {_ASKED}",
    alias="v",
)
LEDGERS = past.copying(
    ClockEntry,
    {
        **_shifted(ClockEntry, "v", "e.raised_at"),
        "id": "uuidv7()",
        "escalation_id": "m.id",
        "clock_id": COPIED_ID.format(of="v.clock_id"),
    },
    f"{_OF_CASE.format(of='clock_entry v')} {_KNOWN} and {_ASKED}",
    alias="v",
)
BEGIN = """
update report_cursor set known_until = %(known)s, summed_until = null,
       transaction_id = pg_snapshot_xmin(pg_current_snapshot())::text::bigint
where tenant_id = %(tenant)s
"""


def tell(teller: Teller, began: datetime, now: datetime) -> list[UUID]:
    """Play the stories and let the product fold them."""
    sources = teller.tell(began)
    assert fold_tenant(teller.tenant_id, now) is False
    return sources


def copy(
    rows: psycopg.Connection, tenant_id: UUID, sources: list[UUID], *, count: int, now: datetime, asked: int
) -> dict[str, Any]:
    """The cases with their facts; how many rows that is."""
    values = {"tenant": tenant_id, "now": now, "forever": FOREVER, "asked": asked}
    with loading(rows), without_indexes(rows, FILLED):
        past.spread(rows, tenant_id, sources, count=count, now=now)
        for statement in (PLAYED, TOLD, NAMED, WORTH, HOLDERS, ASKED):
            rows.execute(statement.encode(), values)
        rows.execute("create index on told_of (account_id, years)")
        rows.execute("create index on played (escalation_id, since)")
        rows.execute(f"analyze played, told_of, asked, {', '.join(FILLED)}")
        for copied in (CASES, FACTS, EVENTS, TEXTS, SNAPSHOTS, CLOCKS, LEDGERS):
            rows.execute(copied, values)
    past.maintain(rows, *FILLED, "worth", "line_holder", '"user"')
    _sum(rows, tenant_id, now)
    counts = {table: past.ask(rows, f"select count(*) from {table}") for table in ("case_fact", "event", "cohort_day")}
    opened = past.ask(rows, f"select count(*) from case_fact where standing = 'open' and span = {ENDLESS}")
    return {**counts, "open": opened}


def _sum(rows: psycopg.Connection, tenant_id: UUID, now: datetime) -> None:
    """The product sums every day but the last one that is over."""
    rows.execute(b"delete from cohort_day where tenant_id = %(tenant)s", {"tenant": tenant_id})
    rows.execute(BEGIN.encode(), {"tenant": tenant_id, "known": now - timedelta(days=1)})
    with transaction(tenant=tenant_id):
        db.session.execute(text("set local statement_timeout = 0"))
        assert sums.sum_days(db.session.scalars(select(ReportCursor)).one(), ZoneInfo("UTC"))
    past.maintain(rows, "cohort_day", "cohort_month", "report_cursor")


def check_sample(tenant_id: UUID) -> int:
    """How many facts of cases of asked accounts are the same when made anew from their timelines: all of them."""
    with transaction(tenant=tenant_id):
        ids = list(db.session.scalars(text(f"select distinct escalation_id from snapshot limit {SAMPLE}")))
        before = _facts(ids)
        cursor = db.session.scalars(select(ReportCursor)).one()
        until = cursor.transaction_id
        making.fold_cases(making.Slice(ids, until, until, more=False), None)
        after = _facts(ids)
    assert len(ids) == SAMPLE
    assert before == after, [pair for pair in zip(before, after, strict=False) if pair[0] != pair[1]][:1]
    return len(after)


def _facts(ids: list[UUID]) -> list[tuple[Any, ...]]:
    columns = [column for column in CaseFact.__table__.columns if column.name != "id"]
    asked = select(*columns).where(CaseFact.escalation_id.in_(ids))
    return [tuple(row) for row in db.session.execute(asked.order_by(CaseFact.escalation_id, CaseFact.known_from))]
