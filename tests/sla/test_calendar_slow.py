"""Business time against a second, slow reckoning that walks the minutes and shares no code with the first."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.sla.calendar import compile_calendar
from app.sla.hours import WEEKDAYS

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# Each zone with a local day on which its clocks change, or, the last, which it left out.
PLACES = (
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Europe/London", "2026-03-29"),
    ("Europe/London", "2026-10-25"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Asia/Kathmandu", "2026-03-08"),
    ("Pacific/Kiritimati", "2026-12-31"),
    ("Pacific/Apia", "2011-12-30"),
)


@lru_cache
def walls(zone: str, day: str) -> tuple[list[datetime], dict[datetime, int], datetime]:
    """What the clock on the wall shows each minute for two weeks around the day, and when it first shows it."""
    begins = datetime.fromisoformat(f"{day}T00:00Z") - 7 * DAY
    there = ZoneInfo(zone)
    shown = [(begins + n * MINUTE).astimezone(there).replace(tzinfo=None, fold=0) for n in range(14 * 1440)]
    first: dict[datetime, int] = {}
    for n, wall in enumerate(shown):
        first.setdefault(wall, n)
    return shown, first, begins


def minute_of(zone: str, day: str, wall: datetime) -> int:
    """The minute at which the wall shows this; what is skipped is shown as much later as was skipped."""
    shown, first, _ = walls(zone, day)
    if wall in first:
        return first[wall]
    after = next(n for n, other in enumerate(shown) if other > wall)
    return first[wall + (shown[after] - shown[after - 1] - MINUTE)]


class Slow:
    """The open minutes of two weeks, each asked of the definition's words."""

    def __init__(self, zone: str, day: str, definition: dict[str, Any]) -> None:
        shown, _, self.begins = walls(zone, day)
        self.open = [False] * len(shown)
        dates = sorted({wall.date().isoformat() for wall in shown})[1:-2]
        for date in dates:
            for start, end in self._windows(definition, date):
                self._mark(zone, day, date, start, end, True)
        for item in definition["breaks"]:
            self._mark(zone, day, item["date"], item["start"], item["end"], False)

    @staticmethod
    def _windows(definition: dict[str, Any], date: str) -> list[list[str]]:
        if date in definition["holidays"]:
            return []
        name = WEEKDAYS[datetime.fromisoformat(date).weekday()]
        found: list[list[str]] = definition["overrides"].get(date, definition["weekly"].get(name, []))
        return found

    def _mark(self, zone: str, day: str, date: str, start: str, end: str, value: bool) -> None:
        midnight = datetime.fromisoformat(date)
        opens, closes = (midnight + timedelta(hours=int(at[:2]), minutes=int(at[3:])) for at in (start, end))
        closes += DAY if closes <= opens else timedelta()
        for n in range(minute_of(zone, day, opens), minute_of(zone, day, closes)):
            self.open[n] = value

    def at(self, minute: int, seconds: int = 0) -> datetime:
        return self.begins + minute * MINUTE + timedelta(seconds=seconds)

    def add(self, start: int, seconds: int) -> datetime:
        ahead = [n for n in range(start, len(self.open)) if self.open[n]]
        whole, rest = divmod(seconds, 60)
        assume(whole < len(ahead))
        if rest:
            return self.at(ahead[whole], rest)
        return self.at(ahead[whole - 1] + 1) if whole else self.at(ahead[0])

    def subtract(self, end: int, seconds: int) -> datetime:
        behind = [n for n in range(end - 1, -1, -1) if self.open[n]]
        whole, rest = divmod(seconds, 60)
        assume(whole < len(behind))
        if rest:
            return self.at(behind[whole] + 1, -rest)
        if whole:
            return self.at(behind[whole - 1])
        return self.at(end) if self.open[end] else self.at(behind[0] + 1)

    def next(self, at: int, *, opening: bool) -> datetime:
        changes = (
            n for n in range(at + 1, len(self.open)) if self.open[n] is opening and self.open[n - 1] is not opening
        )
        found = next(changes, None)
        assume(found is not None and found < len(self.open) - 3 * 1440)  # later, this reckoning knows too little
        return self.at(found or 0)


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@st.composite
def windows(draw: st.DrawFn) -> list[list[str]]:
    edges = sorted(draw(st.lists(st.integers(0, 96), max_size=4, unique=True)))
    pairs = [[clock(15 * a), clock(15 * b)] for a, b in zip(edges[::2], edges[1::2], strict=False)]
    if draw(st.booleans()):
        late, early = draw(st.integers(88, 95)), draw(st.integers(0, 30))
        if not pairs or 15 * late >= int(pairs[-1][1][:2]) * 60 + int(pairs[-1][1][3:]):
            pairs.append([clock(15 * late), clock(15 * early)])
    return pairs


@st.composite
def questions(draw: st.DrawFn) -> tuple[str, str, dict[str, Any], int, int]:
    zone, day = draw(st.sampled_from(PLACES))
    near = st.integers(-3, 3).map(lambda n: (datetime.fromisoformat(day) + n * DAY).date().isoformat())
    existing = near.filter(lambda date: (zone, date) != ("Pacific/Apia", "2011-12-30"))
    weekly = {name: draw(windows()) for name in WEEKDAYS}
    assume(any(weekly.values()))
    definition = {
        "timezone": zone,
        "weekly": weekly,
        "holidays": draw(st.lists(near, max_size=2)),
        "overrides": draw(st.dictionaries(near, windows(), max_size=2)),
        "breaks": [
            {"date": date, "start": clock(15 * start), "end": clock(15 * end)}
            for date, start, end in draw(
                st.lists(st.tuples(existing, st.integers(0, 95), st.integers(0, 96)), max_size=2)
            )
            if start != end
        ],
    }
    return zone, day, definition, draw(st.integers(4 * 1440, 10 * 1440)), draw(st.integers(0, 3 * 86_400))


@settings(max_examples=120, deadline=None)
@given(questions())
def test_every_answer_is_that_of_walking_the_minutes(asked: tuple[str, str, dict[str, Any], int, int]) -> None:
    zone, day, definition, minute, seconds = asked
    calendar, slow = compile_calendar(definition), Slow(zone, day, definition)
    at, other = slow.at(minute), slow.at(7 * 1440)
    assert calendar.is_open(at) == slow.open[minute]
    low, high = sorted((minute, 7 * 1440))
    counted = 60 * sum(slow.open[low:high])
    assert calendar.between(at, other) == (counted if minute <= 7 * 1440 else -counted)
    assert calendar.add(at, seconds) == slow.add(minute, seconds)


@settings(max_examples=120, deadline=None)
@given(questions())
def test_every_answer_backwards_and_every_edge_is_that_of_walking_the_minutes(
    asked: tuple[str, str, dict[str, Any], int, int],
) -> None:
    zone, day, definition, minute, seconds = asked
    calendar, slow = compile_calendar(definition), Slow(zone, day, definition)
    at = slow.at(minute)
    assert calendar.subtract(at, seconds) == slow.subtract(minute, seconds)
    assert calendar.next_open(at) == slow.next(minute, opening=True)
    closes = slow.next(minute, opening=False)
    assert calendar.next_close(at) == closes
    until = opens = (closes - slow.begins) // MINUTE
    while slow.open[opens - 1]:
        opens -= 1
    # what ends exactly at closing is due at closing, and what began exactly at opening began at opening
    assert calendar.add(at, 60 * sum(slow.open[minute:until])) == closes
    assert calendar.subtract(closes, 60 * (until - opens)) == slow.at(opens)
