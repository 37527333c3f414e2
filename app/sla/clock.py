"""The clock machine: state and due time as a pure function of ledger, calendar and target."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from app.sla.calendar import Calendar
from app.sla.cycle import Cycle
from app.sla.hours import SECOND
from app.sla.ledger import Entry, EntryType, LedgerError, State, known_by

_FAR = datetime.max.replace(tzinfo=UTC)


def rebuild(
    entries: Iterable[Entry],
    *,
    calendar: Calendar,
    zone: ZoneInfo,
    as_of: datetime | None = None,
    calendars: Mapping[str, Calendar] | None = None,
) -> State:
    """State and due time from the ledger alone, as known and reached at `as_of` (None: at the last entry).

    `calendars` are the later versions that entries name. Raises LedgerError if nothing was activated by then.
    """
    machine = _Machine(calendar, zone, calendars or {})
    for entry in known_by(entries, as_of):
        machine.apply(entry)
    return machine.state(as_of)


class _Machine:
    """Applies entries in order; each activation starts the next cycle."""

    def __init__(self, calendar: Calendar, zone: ZoneInfo, calendars: Mapping[str, Calendar]) -> None:
        self.calendar = calendar
        self.calendars = calendars
        self.zone = zone
        self.cycle: Cycle | None = None
        self.cycles = 0
        self.due_version = 0
        self.started_at: datetime | None = None
        self.void: list[int] = []

    def apply(self, entry: Entry) -> None:
        """One fact more; one that no longer has an effect is listed as void."""
        if entry.type in ("activate", "reopen", "resume", "retarget"):
            self.due_version += 1
        if entry.type == "activate":
            self._start(entry)
        elif self.cycle is None or not self._change(self.cycle, entry):
            self.void.append(entry.seq)

    def _start(self, entry: Entry) -> None:
        if self.cycle is not None:
            self.cycle.advance(entry.at)
            self.void += self.cycle.void_breaches
        self.calendar = self._calendar_of(entry)
        self.cycle = Cycle(entry, calendar=self.calendar, zone=self.zone)
        self.cycles += 1
        self.started_at = self.started_at or entry.at

    def _change(self, cycle: Cycle, entry: Entry) -> bool:
        cycle.advance(entry.at)
        if entry.type == "retarget":
            self.calendar = self._calendar_of(entry)
            return cycle.retarget(entry, self.calendar)
        changes: Mapping[EntryType, Callable[[Entry], bool]] = {
            "reopen": cycle.reopen,
            "resume": cycle.resume,
            "pause": cycle.pause,
            "fulfil": cycle.fulfil,
            "cancel": cycle.cancel,
            "breach": cycle.breach,
        }
        return changes[entry.type](entry)

    def _calendar_of(self, entry: Entry) -> Calendar:
        version = entry.data.get("calendar")
        if version is None:
            return self.calendar
        if version not in self.calendars:
            raise LedgerError(f"entry {entry.seq} names calendar {version!r}, which was not given")
        return self.calendars[version]

    def state(self, as_of: datetime | None) -> State:
        """The state reached at `as_of`."""
        cycle = self.cycle
        if cycle is None or self.started_at is None:
            raise LedgerError("no activation by then")
        if as_of is not None:
            cycle.advance(as_of, inclusive=True)
        elapsed = cycle.elapsed.business if cycle.target.pauses else cycle.elapsed.real
        paused = cycle.waited.business + cycle.closed.business
        return State(
            state=cycle.state(),
            cycle=self.cycles,
            due_version=self.due_version,
            target=cycle.target,
            started_at=self.started_at.astimezone(UTC),
            cycle_started_at=cycle.started_at.astimezone(UTC),
            due_at=None if cycle.standing else cycle.due_at,
            original_due_at=None if cycle.standing else cycle.computed_due,
            elapsed_seconds=elapsed // SECOND,
            paused_seconds=paused // SECOND,
            held=cycle.held,
            flags=tuple(sorted(cycle.flags)),
            breached_at=cycle.breached_at,
            ended_at=cycle.ended_at,
            not_before=cycle.not_before,
            moves=tuple(cycle.moves),
            breaches=cycle.breaches,
            void=tuple(sorted(self.void + cycle.void_breaches)),
        )


def due_breach(state: State, as_of: datetime) -> datetime | None:
    """The moment of a breach reached by `as_of` that the ledger does not hold yet."""
    if state.state not in ("running", "breached"):
        return None
    reached = state.breached_at
    if reached is None and state.due_at is not None:
        reached = max(state.due_at, state.not_before)
    return _unwritten(state, reached, as_of)


def due_original_breach(state: State, as_of: datetime) -> datetime | None:
    """The moment an extended clock passed its original due time, if the ledger does not hold it yet."""
    if state.state not in ("running", "breached") or state.original_due_at == state.due_at:
        return None
    return _unwritten(state, state.original_due_at, as_of)


def next_breach(state: State) -> datetime | None:
    """The first moment, reached or to come, at which the sweep has a breach to write if nothing else happens."""
    ahead = (due_breach(state, _FAR), due_original_breach(state, _FAR))
    return min((at for at in ahead if at is not None), default=None)


def _unwritten(state: State, reached: datetime | None, as_of: datetime) -> datetime | None:
    return reached if reached is not None and reached <= as_of and reached not in state.breaches else None
