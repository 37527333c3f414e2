"""The fold: what was recorded becomes facts, in slices of whole transactions, each in one transaction of its own.

Entries are read by the number of the transaction that wrote them, below the oldest one still under way, so that none is
passed over. A fact known by `known_until` of the cursor is never changed again but to be closed: answers for such
moments are final. What was recorded before that moment and committed after it is known from then on, and that is kept.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from app.db import current_tenant, db, new_id
from app.escalations.timeline_models import WITHOUT_SNAPSHOT
from app.reports.folding import Known, Raised, fold, span_of
from app.reports.following import STEPS, Entry
from app.reports.models import CaseFact, LateEntry, ReportCursor
from app.reports.root_causes import NAME_OF_RESOLUTION
from app.reports.worth_sql import COMES_TO, HOLD, KEEP, SHARE, STAKE, WORTH_ID
from app.rows import array_of, fresh, insert_all

BATCH = 500
SETTLE = timedelta(seconds=2)  # what is recorded and committed within it is never late
TICK = timedelta(microseconds=1)
START = UUID(int=0)

HORIZON = text("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
# This transaction's number, and whether one that began to write before it still goes on.
UNDER_WAY = text(
    """
    select pg_current_xact_id()::text::bigint as own,
           pg_snapshot_xmin(pg_current_snapshot()) < pg_current_xact_id() as others
    """
)
TOUCHED = text(
    f"""
    select transaction_id, escalation_id from (
        select transaction_id, escalation_id from snapshot
        where transaction_id >= :since and transaction_id < :until
        union
        select transaction_id, escalation_id from event
        where {WITHOUT_SNAPSHOT} and transaction_id >= :since and transaction_id < :until
    ) touched order by transaction_id limit :limit
    """  # noqa: S608 - the part is ours
)
NEXT_CASES = text("select id from escalation where id > :after order by id limit :limit")
LIST_CASES = text(
    """
    select id, raised_at, day_raised, close_target_at from escalation where id = any(cast(:ids as uuid[])) order by id
    """
)
# Whether an acknowledgement came after its promise is in no event: of its clock's cycles up to then one was missed.
EVENTS = text(
    f"""
    select e.escalation_id, e.id, e.kind, e.at, e.recorded_at, e.transaction_id, l.known_from as late,
           case when e.kind = 'acknowledge' then e.facts || jsonb_build_object('late', exists (
               select from clock c where c.tenant_id = e.tenant_id and c.escalation_id = e.escalation_id
               and c.kind = 'acknowledge' and c.state = 'missed' and c.ended_at <= e.at))
           when e.kind = 'resolve' then e.facts || jsonb_build_object('root_cause', {NAME_OF_RESOLUTION})
           else e.facts end as facts
    from event e left join late_entry l on l.tenant_id = e.tenant_id and l.entry_id = e.id
    where e.escalation_id = any(cast(:ids as uuid[])) and e.kind = any(cast(:kinds as text[]))
    and e.transaction_id < :until
    order by e.escalation_id, e.seq
    """  # noqa: S608 - the part is ours
)
SNAPSHOTS = text(
    f"""
    select s.escalation_id, s.id, '' as kind, s.at, s.recorded_at, s.transaction_id, l.known_from as late,
           jsonb_build_object(
               'account_id', s.account_id, 'parents', s.parents, 'segment', s.segment, 'health', s.health,
               'severity', s.severity, 'renewal_on', s.renewal_on,
               'worth_id', w.id, {STAKE}) as facts
    from snapshot s left join late_entry l on l.tenant_id = s.tenant_id and l.entry_id = s.id
    left join worth w on w.id = {WORTH_ID} {COMES_TO}
    where s.escalation_id = any(cast(:ids as uuid[])) and s.transaction_id < :until
    """  # noqa: S608 - the part is ours
)
# What reports read beside the facts, and of which nothing else says when it was found.
LATE = """
    insert into late_entry (tenant_id, id, entry_id, known_from)
    select r.tenant_id, gen_random_uuid(), r.id, :known from {table} r
    where r.transaction_id >= :since and r.transaction_id < :until and r.recorded_at < :known {which}
"""
READ_BESIDE = tuple(
    text(LATE.format(table=table, which=which))
    for table, which in (
        ("rate_entry", ""),
        ("clock_entry", ""),
        ("event", "and r.kind in ('update', 'message')"),
    )
)
FORGET = text(
    """
    delete from case_fact where escalation_id = any(cast(:ids as uuid[]))
    and known_from > coalesce(cast(:final as timestamptz), '-infinity')
    """
)
CLOSE = text(
    """
    update case_fact f set known_until = i.known_until, span = i.span
    from jsonb_to_recordset(cast(:rows as jsonb))
        as i(escalation_id uuid, known_from timestamptz, known_until timestamptz, span smallint)
    where f.escalation_id = i.escalation_id and f.known_from = i.known_from and f.known_until <> i.known_until
    """
)
FORGET_ROOT_CAUSES = text(
    """
    update case_fact f set root_cause = null from event_text t
    where t.id = any(cast(:ids as uuid[])) and t.field = 'root_cause'
    and f.tenant_id = t.tenant_id and f.escalation_id = t.escalation_id and f.resolution_id = t.event_id
    """
)


@dataclass(frozen=True)
class Slice:
    """Cases to look at, and the entries that count: of transactions below `until`, those from `since` on are new."""

    ids: Collection[UUID]
    since: int
    until: int
    more: bool


def claim(*, wait: bool = False) -> ReportCursor | None:
    """The tenant's cursor, locked; None while another process folds, unless it is waited for. The first one begins with
    every case."""
    first = {"tenant_id": current_tenant(), "id": new_id(), "transaction_id": _horizon(), "after_id": START}
    db.session.execute(insert(ReportCursor).values(first).on_conflict_do_nothing(index_elements=["tenant_id"]))
    return db.session.scalars(select(ReportCursor).with_for_update(skip_locked=not wait)).one_or_none()


def forget_root_causes(event_text_ids: Sequence[UUID]) -> None:
    """Texts that were erased are told of no more, not about the past either. The cursor is held: facts are made either
    before, and lose them, or after, when there are none."""
    claim(wait=True)
    db.session.execute(FORGET_ROOT_CAUSES, {"ids": list(event_text_ids)})


def fold_slice(cursor: ReportCursor, now: datetime) -> bool:
    """Make the facts of the next slice; whether there is more to fold now."""
    making_anew, ahead = cursor.after_id is not None, db.session.execute(UNDER_WAY).one()
    found = _next_cases(cursor) if making_anew else _touched(cursor)
    fold_cases(found, None if making_anew else cursor.known_until)
    if making_anew:
        cursor.after_id = max(found.ids) if found.more else None
        return True
    if cursor.known_until is not None:
        values = {"since": found.since, "until": found.until, "known": cursor.known_until + TICK}
        for beside in READ_BESIDE:
            db.session.execute(beside, values)
    cursor.transaction_id = found.until
    settled = None if found.more else _settled(cursor, ahead, now)
    if settled is not None:
        cursor.known_until = max(settled - SETTLE, cursor.known_until or settled - SETTLE)
    return found.more


def _settled(cursor: ReportCursor, ahead: Any, now: datetime) -> datetime | None:
    """Up to when whatever was recorded is folded: now, if nobody else wrote just before; else the moment marked, if all
    who wrote then have ended. A long transaction holds answers up, and their lag says so; it never changes one."""
    if not ahead.others:
        cursor.marked_transaction = cursor.marked_at = None
        return now
    reached = cursor.marked_transaction is not None and cursor.marked_transaction <= cursor.transaction_id
    settled = cursor.marked_at if reached else None
    if settled is not None or cursor.marked_at is None:
        cursor.marked_transaction, cursor.marked_at = ahead.own, now
    return settled


def _horizon() -> int:
    horizon: int = db.session.scalar(HORIZON)
    return horizon


def _next_cases(cursor: ReportCursor) -> Slice:
    ids = db.session.scalars(NEXT_CASES, {"after": cursor.after_id, "limit": BATCH}).all()
    return Slice(ids, cursor.transaction_id, cursor.transaction_id, len(ids) == BATCH)


def _touched(cursor: ReportCursor) -> Slice:
    """Whole transactions only, so that the cursor stands between two of them."""
    since, until = cursor.transaction_id, max(_horizon(), cursor.transaction_id)
    values = {"since": since, "until": until, "limit": BATCH + 1}
    found = db.session.execute(TOUCHED, values).all()
    if len(found) <= BATCH:
        return Slice({row.escalation_id for row in found}, since, until, more=False)
    until = max(found[-1].transaction_id, found[0].transaction_id + 1)
    found = db.session.execute(TOUCHED, {**values, "until": until, "limit": None}).all()
    return Slice({row.escalation_id for row in found}, since, until, more=True)


def fold_cases(found: Slice, final: datetime | None) -> None:
    """The facts of these cases known after `final`, made from everything that counts; those before stay."""
    if not found.ids:
        return
    ids = array_of(sorted(found.ids))
    late: list[LateEntry] = []
    for kept in (KEEP, HOLD, SHARE):
        db.session.execute(kept, {"ids": ids, "until": found.until})
    events = _entries(EVENTS, {"ids": ids, "kinds": list(STEPS), "until": found.until}, found, final, late)
    snapshots = _entries(SNAPSHOTS, {"ids": ids, "until": found.until}, found, final, late)
    known = {
        row.id: fold(Raised(*row), events[row.id], snapshots[row.id])
        for row in db.session.execute(LIST_CASES, {"ids": ids})
    }
    _store(known, ids, final)
    insert_all(late)


def _entries(
    question: Any, values: Mapping[str, Any], found: Slice, final: datetime | None, late: list[LateEntry]
) -> Mapping[UUID, Sequence[Entry]]:
    """The entries of each case; a new one of a moment that has been answered for is known from just after it."""
    entries: dict[UUID, list[Entry]] = defaultdict(list)
    for row in db.session.execute(question, values):
        known = row.late or row.recorded_at
        if row.late is None and final is not None and known <= final and row.transaction_id >= found.since:
            known = final + TICK
            late.append(fresh(LateEntry, entry_id=row.id, known_from=known))
        entries[row.escalation_id].append(Entry(row.id, known, row.at, row.kind, row.facts))
    return entries


def _store(known: Mapping[UUID, Sequence[Known]], ids: Any, final: datetime | None) -> None:
    db.session.execute(FORGET, {"ids": ids, "final": final})
    closed, made = [], []
    for escalation_id, states in known.items():
        kept = [state for state in states if final is not None and state.known_from <= final]
        closed += [_bounds(escalation_id, state) for state in kept[-1:]]
        made += _rows(escalation_id, states[len(kept) :])
    if closed:
        db.session.execute(CLOSE, {"rows": orjson.dumps(closed).decode()})
    insert_all(made)


def _bounds(escalation_id: UUID, state: Known) -> dict[str, Any]:
    return {
        "escalation_id": escalation_id,
        "known_from": state.known_from,
        "known_until": state.known_until,
        "span": span_of(state.known_from, state.known_until),
    }


def _rows(escalation_id: UUID, states: Iterable[Known]) -> list[CaseFact]:
    return [fresh(CaseFact, **_bounds(escalation_id, state), **state.columns) for state in states]
