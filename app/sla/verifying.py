"""Stored clocks held against their ledgers: each row must be what rebuilding gives, and the sweep must wait for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from app.db import db
from app.sla.clock import next_breach
from app.sla.ledger import Entry, LedgerError, State
from app.sla.models import Clock
from app.sla.steps import next_step
from app.sla.stored import apply_state, find_not_before, last_written, named_calendars, rebuild_ledger, timing_of
from app.sla.versions import find_ladders, load_versions

DERIVED = (
    "state",
    "flags",
    "started_at",
    "due_at",
    "original_due_at",
    "breached_at",
    "ended_at",
    "target_kind",
    "target_value",
    "calendar_version_id",
    "due_version",
    "not_before",
    "elapsed_seconds",
    "paused_seconds",
    "entries",
)
# Row and ledger of a clock in one statement, so that a change between two does not look like a difference.
READ = text(
    f"""
    select c.id, c.kind, c.zone, c.ladder_number, c.next_step_at, c.problem,
           {", ".join(f"c.{name}" for name in DERIVED)},
           (select json_agg(json_build_array(e.type, e.at, e.recorded_at, e.seq, e.facts) order by e.seq)
            from clock_entry e where e.tenant_id = c.tenant_id and e.clock_id = c.id) as ledger,
           (select max(l.at) from step_log l
            where l.tenant_id = c.tenant_id and l.clock_id = c.id and l.outcome <> 'passed_over'
            and (l.at > c.not_before or l.due_version = c.due_version)) as fired_to
    from clock c where c.id > :after order by c.id limit :limit
    """  # noqa: S608 - column names are ours
)
FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of a stored clock that is not what its ledger says."""

    clock_id: UUID
    field: str
    stored: object
    rebuilt: object

    def __str__(self) -> str:
        return "\t".join((str(self.clock_id), self.field, _shown(self.stored), _shown(self.rebuilt)))


@dataclass(frozen=True, slots=True)
class Verified:
    """A batch: how many clocks were compared, the last one's id, and what differs."""

    count: int
    last: UUID
    differences: list[Difference]


def verify_batch(after: UUID = FIRST, *, limit: int = 500) -> Verified:
    """The next clocks of the tenant in scope by id, each rebuilt; at most two statements, and nothing is written."""
    db.session.execute(text("set transaction read only"))
    rows = db.session.execute(READ, {"after": after, "limit": limit}).all()
    ledgers = [_entries(row.ledger or ()) for row in rows]
    _load(rows, ledgers)
    differences = [one for row, entries in zip(rows, ledgers, strict=True) for one in compare(row, entries)]
    return Verified(len(rows), rows[-1].id if rows else after, differences)


def compare(row: Row[Any], entries: Sequence[Entry]) -> list[Difference]:
    """What of a stored clock is not what its ledger amounts to; a ledger that cannot be read differs as a whole."""
    try:
        rebuilt = _rebuilt(row, entries)
    except (LedgerError, LookupError, TypeError, ValueError) as error:
        return [Difference(row.id, "ledger", f"{len(entries)} entries", repr(error))]
    return [
        Difference(row.id, name, getattr(row, name), value)
        for name, value in rebuilt.items()
        if getattr(row, name) != value
    ]


def _rebuilt(row: Row[Any], entries: Sequence[Entry]) -> dict[str, Any]:
    if [entry.seq for entry in entries] != list(range(1, len(entries) + 1)) or not entries:
        raise LedgerError("entries are missing")
    state = rebuild_ledger(entries, zone=row.zone, as_of=last_written(entries))
    fresh = Clock(entries=len(entries), not_before=find_not_before(entries, state))
    apply_state(fresh, state)
    fresh.calendar_version_id = UUID(named_calendars(entries)[-1])
    rebuilt = {name: getattr(fresh, name) for name in DERIVED}
    if row.problem is None:  # a clock set aside waits for somebody to look at it
        rebuilt["next_step_at"] = _next_look(row, entries, state)
    return rebuilt


def _next_look(row: Row[Any], entries: Sequence[Entry], state: State) -> datetime | None:
    """When the sweep has to look: at the first step that has not fired or the first breach that is not written."""
    timing = timing_of(entries, state, zone=row.zone)
    step = next_step(find_ladders(row.ladder_number)[row.kind], timing, after=row.fired_to) if timing else None
    return min((at for at in (step.at if step else None, next_breach(state)) if at is not None), default=None)


def _load(rows: Sequence[Row[Any]], ledgers: Iterable[Sequence[Entry]]) -> None:
    """Every calendar that the ledgers name, and every ladder, in one statement."""
    calendars = {UUID(name) for entries in ledgers for name in named_calendars(entries)}
    load_versions(calendars, {row.ladder_number for row in rows})


def _entries(ledger: Iterable[Any]) -> list[Entry]:
    return [
        Entry(type_, datetime.fromisoformat(at), datetime.fromisoformat(recorded_at), seq, facts)
        for type_, at, recorded_at, seq, facts in ledger
    ]


def _shown(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else "-" if value is None else str(value)
