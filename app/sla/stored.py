"""A clock's row and its ledger together: every change is an entry, and the row is derived from the entries anew."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from app.db import new_id
from app.rows import fresh
from app.sla.calendar import Calendar
from app.sla.clock import due_breach, due_original_breach, next_breach, rebuild
from app.sla.errors import ClockUnreadable
from app.sla.ladder import Ladder
from app.sla.ledger import (
    INSTANT,
    Entry,
    EntryType,
    Flag,
    LedgerError,
    State,
    StateName,
    Target,
    TargetKind,
    in_order,
    moment,
)
from app.sla.models import Clock, ClockEntry, StepLog
from app.sla.steps import Timing, find_timing, next_step, passed_over
from app.sla.versions import find_calendar, find_ladders

log = structlog.get_logger()


class StoredClock:
    """One cycle of one clock. `entries` is its whole ledger; `added` and `passed` wait for being saved."""

    def __init__(self, row: Clock, entries: Iterable[Entry], *, new: bool = False) -> None:
        self.row = row
        self.new = new
        self.entries: list[Entry] = list(entries)
        self.added: list[ClockEntry] = []
        self.passed: list[StepLog] = []
        self._state: State | None = None
        self._climbs_anew = False

    @property
    def state(self) -> State:
        """What the ledger amounts to as of when it was last written; ClockUnreadable when it cannot be counted."""
        if self._state is None:
            try:
                self._state = rebuild_ledger(self.entries, zone=self.row.zone, as_of=last_written(self.entries))
            except (LookupError, LedgerError) as error:
                raise self._unreadable(error) from error
        return self._state

    def _unreadable(self, error: Exception) -> ClockUnreadable:
        row = self.row
        log.error("clock_unreadable", clock_id=str(row.id), escalation_id=str(row.escalation_id), error=repr(error))
        return ClockUnreadable(
            f"The {row.kind.replace('_', ' ')} clock cannot be counted until an admin has mended this: {error!r}"
        )

    @property
    def ladder(self) -> Ladder:
        return find_ladders(self.row.ladder_number)[self.row.kind]

    def climb(self, ladder_number: int) -> None:
        """Take the steps of another ladder from the next entry on, from its start."""
        self._climbs_anew = self._climbs_anew or ladder_number != self.row.ladder_number
        self.row.ladder_number = ladder_number

    @property
    def running(self) -> bool:
        """Whether the promise still stands: running, paused or breached."""
        return self.row.ended_at is None

    @property
    def ended_because(self) -> str | None:
        """What the entry that ended it says was the occasion: `resolve`, `close`, …"""
        void = set(self.state.void)
        ends = [
            entry for entry in in_order(self.entries) if entry.type in ("fulfil", "cancel") and entry.seq not in void
        ]
        because: str | None = ends[-1].data.get("because") if ends else None
        return because

    def append(self, type_: EntryType, at: datetime, now: datetime, **facts: Any) -> None:
        """Note what happened at `at` and is known `now`; breaches reached before it and by `now` are noted as well."""
        if self.entries:
            self._note_breaches(at - INSTANT, now)
        self._add(type_, at, now, facts)
        self._note_breaches(now, now)
        self.derive(now)

    def _note_breaches(self, reached_by: datetime, now: datetime) -> None:
        for find in (due_original_breach, due_breach):
            reached = find(self.state, reached_by)
            if reached is not None:
                self._add("breach", reached, now, {})

    def _add(self, type_: EntryType, at: datetime, now: datetime, facts: dict[str, Any]) -> None:
        self._state = None
        seq = len(self.entries) + 1
        self.entries.append(Entry(type_, at, now, seq, facts))
        self.added.append(
            fresh(
                ClockEntry,
                clock_id=self.row.id,
                escalation_id=self.row.escalation_id,
                seq=seq,
                type=type_,
                at=at,
                recorded_at=now,
                facts=facts,
            )
        )

    def derive(self, now: datetime) -> None:
        """Make the row what the ledger says, and find the moment at which the sweep must look at it next."""
        row, state = self.row, self.state
        not_before = find_not_before(self.entries, state)
        # A breached clock that resumes is due as it was: its ladder goes on where it stands, and nothing fires again.
        moved = row.due_version != state.due_version and (row.due_at, row.not_before) != (state.due_at, not_before)
        timing = timing_of(self.entries, state, zone=row.zone)
        apply_state(row, state)
        row.not_before = not_before
        row.entries = len(self.entries)
        if moved or row.ended_at is not None:
            row.problem = None
        anew, self._climbs_anew = moved or self._climbs_anew, False
        if row.problem is None:  # else it stands aside as before, until somebody takes it up again
            self._schedule(state, timing, from_start=anew)
        if anew and timing is not None:
            self._log_passed_over(timing, now)

    def _schedule(self, state: State, timing: Timing | None, *, from_start: bool) -> None:
        row = self.row
        step = None
        if timing is not None and (from_start or row.next_step_at is not None):
            cursor = None if from_start or row.next_step_at is None else row.next_step_at - INSTANT
            step = next_step(self.ladder, timing, after=cursor)
        moments = (step.at if step else None, next_breach(state))
        row.next_step_at = min((at for at in moments if at is not None), default=None)
        falls = step is not None and step.at == row.next_step_at
        row.next_step, row.next_repeat = (step.index, step.repeat) if step is not None and falls else (None, 0)

    def _log_passed_over(self, timing: Timing, now: datetime) -> None:
        row = self.row
        for due in passed_over(self.ladder, timing):
            self.passed.append(
                fresh(
                    StepLog,
                    clock_id=row.id,
                    escalation_id=row.escalation_id,
                    kind=row.kind,
                    cycle=row.cycle,
                    due_version=row.due_version,
                    step=due.step.offset,
                    repeat=due.repeat,
                    action=due.step.action,
                    recipient="-",
                    roles=list(due.step.audience),
                    outcome="passed_over",
                    at=due.at,
                    fired_at=now,
                    recorded_at=now,
                )
            )


def apply_state(row: Clock, state: State) -> None:
    """The stored columns that the ledger decides."""
    row.state, row.flags = state.state, list(state.flags)
    row.started_at, row.ended_at, row.breached_at = state.cycle_started_at, state.ended_at, state.breached_at
    row.due_at, row.original_due_at = state.due_at, state.original_due_at
    row.target_kind, row.target_value = state.target.kind, state.target.value
    row.due_version = state.due_version
    row.elapsed_seconds, row.paused_seconds = state.elapsed_seconds, state.paused_seconds


def stored_state(row: Clock) -> State:
    """What the row itself says, for a ledger that cannot be counted: no moves, no breaches but the last."""
    return State(
        state=cast(StateName, row.state),
        cycle=row.cycle,
        due_version=row.due_version,
        target=Target(cast(TargetKind, row.target_kind), row.target_value),
        started_at=row.started_at,
        cycle_started_at=row.started_at,
        due_at=row.due_at,
        original_due_at=row.original_due_at,
        elapsed_seconds=row.elapsed_seconds,
        paused_seconds=row.paused_seconds,
        held=row.state == "paused",
        flags=tuple(cast(Flag, flag) for flag in row.flags),
        breached_at=row.breached_at,
        ended_at=row.ended_at,
        not_before=row.not_before,
        moves=(),
        breaches=(row.breached_at,) if row.breached_at else (),
        void=(),
    )


def last_written(entries: Sequence[Entry]) -> datetime:
    """The moment that a stored row speaks of: all its entries are known then."""
    return max(entry.recorded_at for entry in entries)


def rebuild_ledger(entries: Sequence[Entry], *, zone: str, as_of: datetime) -> State:
    """The state of a ledger, whose entries name their calendars, as of a moment."""
    calendars = {name: find_calendar(UUID(name)) for name in named_calendars(entries)}
    base = calendars[next(iter(calendars))]
    return rebuild(entries, calendar=base, zone=ZoneInfo(zone), as_of=as_of, calendars=calendars)


def timing_of(entries: Sequence[Entry], state: State, *, zone: str) -> Timing | None:
    """What the times of a clock's steps depend on, None while it has no due time."""
    return find_timing(state, calendar=present_calendar(entries), zone=ZoneInfo(zone), imported_at=find_import(entries))


def present_calendar(entries: Sequence[Entry]) -> Calendar:
    """The calendar that counts since the last entry that named one."""
    return find_calendar(UUID(named_calendars(entries)[-1]))


def find_import(entries: Sequence[Entry]) -> datetime | None:
    """When a clock that began before we knew of it was taken in; steps up to then are passed over."""
    imported = entries[0].data.get("imported_at")
    return moment(imported) if imported else None


def find_not_before(entries: Sequence[Entry], state: State) -> datetime:
    """Steps up to this moment never fire."""
    imported = find_import(entries)
    return max(state.not_before, imported) if imported else state.not_before


def named_calendars(entries: Sequence[Entry]) -> list[str]:
    """By order of writing; a re-target with a calendar names the one that counts from then on."""
    return [entry.data["calendar"] for entry in entries if "calendar" in entry.data]


def new_clock_row(
    kind: str,
    *,
    escalation_id: UUID,
    calendar_version_id: UUID,
    zone: str,
    ladder_number: int,
    cycle: int,
    subject: str,
) -> Clock:
    """A row that its first entry will fill."""
    return Clock(
        id=new_id(),
        escalation_id=escalation_id,
        kind=kind,
        subject=subject,
        cycle=cycle,
        calendar_version_id=calendar_version_id,
        zone=zone,
        ladder_number=ladder_number,
        due_version=0,
        flags=[],
    )
