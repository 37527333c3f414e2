"""One cycle of a clock: what each entry does to it, from activation to its end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.sla.calendar import Calendar, local_days_later
from app.sla.hours import EPOCH, SECOND
from app.sla.ledger import Entry, Flag, Move, StateName, Target, moment

MICROSECOND = timedelta(microseconds=1)


@dataclass(slots=True)
class Span:
    """Time counted twice, in microseconds: as open hours, and as it passed."""

    business: int = 0
    real: int = 0

    def add(self, start: datetime, end: datetime, calendar: Calendar) -> None:
        """Count the time from `start` to `end`."""
        first, last = (start - EPOCH) // MICROSECOND, (end - EPOCH) // MICROSECOND
        self.business += calendar.between_exact(first, last)
        self.real += last - first


class Cycle:
    """One cycle of a clock while its entries are applied in order."""

    def __init__(self, entry: Entry, *, calendar: Calendar, zone: ZoneInfo) -> None:
        self.calendar = calendar
        self.zone = zone
        self.target = Target.from_json(entry.data["target"])
        self.started_at = self.counted_to = self.not_before = entry.at
        self.elapsed, self.waited, self.closed = Span(), Span(), Span()
        self.held = False
        self.breached_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.ended_as: StateName = "met"
        self.extended_to: datetime | None = None
        self.flags: set[Flag] = set()
        self.moves: list[Move] = []
        self.passed: set[datetime] = set()
        self.written: list[Entry] = []
        self.computed_due = self._due_from(entry.at)

    @property
    def due_at(self) -> datetime:
        """The due time that would hold if the clock were not paused: an extension never shortens."""
        return max(self.extended_to, self.computed_due) if self.extended_to else self.computed_due

    @property
    def standing(self) -> bool:
        """Paused and not breached: without a due time."""
        return self.held and self.breached_at is None

    def advance(self, to: datetime, *, inclusive: bool = False) -> None:
        """Count the time since the last entry; a due time passed on the way is a breach.

        Before an entry at the due moment itself the clock is not yet breached.
        """
        if self.ended_at is None:
            (self.waited if self.held else self.elapsed).add(self.counted_to, to, self.calendar)
            if self.breached_at is None and not self.held:
                due = max(self.due_at, self.not_before)
                if due < to or (inclusive and due == to):
                    self.breached_at = due
                    self.passed.add(due)
        self.counted_to = to

    def reopen(self, entry: Entry) -> bool:
        """Take up again in the same cycle; the time between counts as paused, but for wall-clock targets."""
        if self.ended_at is None:
            return False
        between = self.closed if self.target.pauses else self.elapsed
        between.add(self.ended_at, entry.at, self.calendar)
        self.ended_at, self.held = None, False
        self.flags.clear()
        self.not_before = entry.at
        self._go_on(entry.at, "reopen")
        return True

    def pause(self, entry: Entry) -> bool:
        """Stand still; what is breached stays so, and a wall-clock target never pauses."""
        if self.ended_at is not None or self.held or not self.target.pauses:
            return False
        self.held = True
        return True

    def resume(self, entry: Entry) -> bool:
        """Run on with what was left."""
        if self.ended_at is not None or not self.held:
            return False
        self.held = False
        if self.breached_at is None:
            self.not_before = entry.at
        self._go_on(entry.at, "resume")
        return True

    def fulfil(self, entry: Entry) -> bool:
        """Met up to and including the due moment, by when it happened; after it, missed."""
        if self.ended_at is not None:
            return False
        on_time = self.standing or (self.breached_at is None and entry.at <= self.due_at)
        self._end(entry.at, "met" if on_time else "missed")
        if on_time:
            self._flag(entry)
        return True

    def cancel(self, entry: Entry) -> bool:
        """End unmet: what was breached is missed, everything else is cancelled."""
        if self.ended_at is not None:
            return False
        late = self.breached_at is not None or (not self.held and entry.at > self.due_at)
        self._end(entry.at, "missed" if late else "cancelled")
        return True

    def breach(self, entry: Entry) -> bool:
        """A record of what timestamps say anyway; whether it holds is known when all entries are applied.

        A re-target at the same moment comes after it and may be what makes it true.
        """
        self.advance(entry.at, inclusive=True)
        self.written.append(entry)
        return True

    @property
    def breaches(self) -> tuple[datetime, ...]:
        """Moments of the breach entries that hold."""
        return tuple(entry.at for entry in self.written if self._holds(entry))

    @property
    def void_breaches(self) -> list[int]:
        """Breach entries that facts learnt later made untrue."""
        return [entry.seq for entry in self.written if not self._holds(entry)]

    def _holds(self, entry: Entry) -> bool:
        of_original = self.extended_to is not None and entry.at == self.computed_due
        return of_original or entry.at in self.passed

    def retarget(self, entry: Entry, calendar: Calendar) -> bool:
        """Change what was promised; elapsed and paused time survive, nothing is due before this moment."""
        if self.ended_at is not None:
            return False
        self.advance(entry.at, inclusive=True)  # a breach at this very moment comes before
        self.calendar = calendar
        was, standing = self.due_at, self.standing
        if "due_at" in entry.data:
            self.extended_to = max(moment(entry.data["due_at"]), entry.at)
        else:
            self._promise(entry)
        self.not_before = entry.at
        if self.due_at > entry.at:
            self.breached_at = None
        if not standing:
            self._note_move(entry.at, was, str(entry.data.get("because", "retarget")))
        return True

    def _promise(self, entry: Entry) -> None:
        """A held clock gets its due time on resuming; breached under both targets, it stays due as it was."""
        if "target" in entry.data:
            self.target = Target.from_json(entry.data["target"])
        self.held = self.held and self.target.pauses
        due = max(self._due_from(entry.at), entry.at)
        if self.held:
            self.breached_at = None if due > entry.at else self.breached_at
        elif self.breached_at is None or due > entry.at:
            self.computed_due = due

    def _due_from(self, at: datetime) -> datetime:
        """When the target is reached if the clock runs from `at`; used up, it is due at once."""
        if self.target.kind == "fixed":
            return EPOCH + timedelta(seconds=self.target.value)
        if self.target.kind == "calendar_days":
            return local_days_later(self.started_at, self.target.value, self.zone)
        left = self.target.value * SECOND - self.elapsed.business
        if left <= 0:
            return at
        return EPOCH + self.calendar.add_exact((at - EPOCH) // MICROSECOND, left) * MICROSECOND

    def _go_on(self, at: datetime, because: str) -> None:
        if self.target.pauses and self.breached_at is None:
            was = self.due_at
            self.computed_due = self._due_from(at)
            self._note_move(at, was, because)

    def _note_move(self, at: datetime, was: datetime, because: str) -> None:
        if not self.standing and self.due_at != was:
            self.moves.append(Move(at, was, self.due_at, because))

    def _end(self, at: datetime, state: StateName) -> None:
        self.ended_at, self.ended_as = at, state

    def _flag(self, entry: Entry) -> None:
        if self.waited.business * 4 > self.waited.business + self.elapsed.business and self.target.pauses:
            self.flags.add("long_pause")
        if not self.standing and entry.recorded_at > self.due_at:
            self.flags.add("logged_late")
        if not self.standing and entry.at > self.computed_due:
            self.flags.add("late_by_original")

    def state(self) -> StateName:
        """Where the clock stands now."""
        if self.ended_at is not None:
            return self.ended_as
        if self.breached_at is not None:
            return "breached"
        return "paused" if self.held else "running"
