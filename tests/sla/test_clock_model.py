"""The clock machine against a slow one: half an hour at a time, counting, without arithmetic on calendars."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.calendar import compile_calendar
from app.sla.clock import rebuild
from app.sla.hours import WEEKDAYS
from app.sla.ledger import Entry, EntryType, Target, in_order

START = datetime(2026, 1, 5, 9, tzinfo=UTC)  # a Monday
TICK = timedelta(minutes=30)
OFFICE = compile_calendar({"timezone": "UTC", "weekly": {day: [["09:00", "17:00"]] for day in WEEKDAYS[:5]}})


def is_open(at: datetime) -> bool:
    return at.weekday() < 5 and 9 <= at.hour < 17


@dataclass
class Slow:
    """A clock as the rules say it, moment by moment."""

    target: Target
    elapsed: int = 0  # seconds of open time that counted
    waited: int = 0
    closed: int = 0
    between: int = 0  # since it ended
    held: bool = False
    breached_at: datetime | None = None
    ended_at: datetime | None = None
    ended_as: str = ""
    extended_to: datetime | None = None
    flags: set[str] = field(default_factory=set)

    def pass_half_an_hour(self, at: datetime) -> None:
        seconds = 1800 if is_open(at) else 0
        if self.ended_at is not None:
            self.between += seconds
        elif self.held:
            self.waited += seconds
        else:
            self.elapsed += seconds

    def used_up(self, at: datetime) -> bool:
        """Whether what was promised is over at this moment."""
        if self.extended_to is not None and at < self.extended_to:
            return False
        if self.target.kind == "calendar_days":
            return at >= START + timedelta(days=self.target.value)
        return self.elapsed >= self.target.value

    def look(self, at: datetime) -> None:
        if self.ended_at is None and not self.held and self.breached_at is None and self.used_up(at):
            self.breached_at = at

    def late(self, at: datetime) -> bool:
        """Broken, or reopened when its day had passed and ended in that same moment."""
        return self.breached_at is not None or (self.target.kind == "calendar_days" and self.used_up(at - TICK))

    def apply(self, entry: Entry) -> None:
        getattr(self, entry.type)(entry)

    def reopen(self, entry: Entry) -> None:
        if self.ended_at is None:
            return
        if self.target.pauses:
            self.closed += self.between
        else:
            self.elapsed += self.between
        self.between, self.ended_at, self.held = 0, None, False
        self.flags.clear()

    def resume(self, entry: Entry) -> None:
        if self.ended_at is None:
            self.held = False

    def pause(self, entry: Entry) -> None:
        if self.ended_at is None and self.target.pauses:
            self.held = True

    def fulfil(self, entry: Entry) -> None:
        if self.ended_at is None:
            self.ended_at, self.ended_as = entry.at, "missed" if self.late(entry.at) else "met"
            if self.ended_as == "met" and self.target.pauses and self.waited * 4 > self.waited + self.elapsed:
                self.flags.add("long_pause")

    def cancel(self, entry: Entry) -> None:
        if self.ended_at is None:
            self.ended_at, self.ended_as = entry.at, "missed" if self.late(entry.at) else "cancelled"

    def retarget(self, entry: Entry) -> None:
        if self.ended_at is not None:
            return
        self.look(entry.at)
        if "due_at" in entry.data:
            self.extended_to = max(entry.data["due_at"], entry.at)
        else:
            self.target = Target.from_json(entry.data["target"])
            self.held = self.held and self.target.pauses
        if not self.used_up(entry.at):
            self.breached_at = None

    @property
    def state(self) -> str:
        if self.ended_at is not None:
            return self.ended_as
        return "breached" if self.breached_at else "paused" if self.held else "running"


def play(entries: list[Entry], until: datetime) -> Slow:
    first, *rest = in_order(entries)
    slow, at = Slow(Target.from_json(first.data["target"])), START
    while True:
        while rest and rest[0].at == at:
            slow.apply(rest.pop(0))
        slow.look(at)
        if at == until:
            return slow
        slow.pass_half_an_hour(at)
        at += TICK


def due_of(slow: Slow, at: datetime) -> datetime:
    """When it would break if nothing happened any more."""
    while slow.breached_at is None:
        slow.pass_half_an_hour(at)
        at += TICK
        slow.look(at)
    return slow.breached_at


CHANGES: tuple[EntryType, ...] = ("reopen", "resume", "pause", "pause", "resume", "fulfil", "cancel", "retarget")
targets = st.one_of(
    st.builds(lambda hours: Target("business_seconds", hours * 3600), st.integers(1, 30)),
    st.builds(lambda days: Target("calendar_days", days), st.integers(1, 9)),
)


@st.composite
def ledgers(draw: st.DrawFn) -> list[Entry]:
    """Any changes at half hours of ten days, many at one moment."""
    entries = [Entry("activate", START, START, 1, {"target": draw(targets).to_json()})]
    for seq in range(2, draw(st.integers(2, 9))):
        at = START + TICK * draw(st.one_of(st.integers(0, 20), st.integers(0, 480)))
        kind, data = draw(st.sampled_from(CHANGES)), {}
        if kind == "retarget":
            later: dict[str, Any] = {"due_at": START + TICK * draw(st.integers(0, 600)), "because": "extension"}
            data = later if draw(st.booleans()) else {"target": draw(targets).to_json(), "because": "severity"}
        entries.append(Entry(kind, at, at, seq, data))
    return entries


@settings(max_examples=400, deadline=None)
@given(ledgers(), st.integers(0, 500))
def test_the_machine_and_counting_by_half_hours_agree(entries: list[Entry], ticks: int) -> None:
    until = START + TICK * ticks
    state = rebuild(entries, calendar=OFFICE, zone=ZoneInfo("UTC"), as_of=until)
    slow = play([entry for entry in entries if entry.at <= until], until)
    assert (state.state, state.breached_at, state.ended_at) == (slow.state, slow.breached_at, slow.ended_at)
    assert state.paused_seconds == slow.waited + slow.closed
    if slow.target.pauses:
        assert state.elapsed_seconds == slow.elapsed
    assert ("long_pause" in state.flags) == ("long_pause" in slow.flags)
    if state.state == "running":
        assert state.due_at == due_of(slow, until)
