"""Business-time additions and spans per second, aware datetimes in and out, beside a bisect on ready-made epochs."""

import time
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import repeat
from random import Random
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from app.sla.calendar import Calendar, compile_calendar

HOURS = {
    "timezone": "America/New_York",
    "weekly": {day: [["09:00", "12:30"], ["13:15", "17:45"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "holidays": ["2026-01-01", "2026-07-03", "2026-11-26", "2026-12-25", "2027-01-01"],
}
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
FOUR_HOURS, TWENTY_DAYS = 4 * 3600, 20 * 8 * 3600
ROUNDS = 15

Work = Callable[[], Iterable[object]]


def run(operations: int = 50_000) -> dict[str, Any]:
    """Two years of starts in the customer's zone, spans of up to 30 business days; the median of the rounds."""
    began = time.perf_counter()
    calendar = compile_calendar(HOURS)
    calendar.between(FIRST, FIRST + timedelta(days=1200))
    compiling = time.perf_counter() - began
    random, zone = Random(1), ZoneInfo("America/New_York")
    starts = [(FIRST + timedelta(seconds=random.randrange(730 * 86_400))).astimezone(zone) for _ in range(operations)]
    spans = [random.randrange(1, 30 * 8 * 3600) for _ in range(operations)]
    ends = [calendar.add(start, span) for start, span in zip(starts, spans, strict=True)]
    floor_adding, floor_between = floors(calendar, starts, spans, ends)
    found = measure(
        {
            "adding": lambda: map(calendar.add, starts, spans),
            "floor_adding": floor_adding,
            "between": lambda: map(calendar.between, starts, ends),
            "floor_between": floor_between,
            "hours": lambda: map(calendar.add, starts, repeat(FOUR_HOURS)),
            "days": lambda: map(calendar.add, starts, repeat(TWENTY_DAYS)),
        }
    )
    wall = {name: operations / seconds for name, (seconds, _, _) in found.items()}
    cpu = {name: operations / seconds for name, (_, seconds, _) in found.items()}
    return {
        "name": "calendar",
        "rate": round(wall["adding"]),
        "unit": "additions/s",
        "floor_rate": round(wall["floor_adding"]),
        "ratio": round(wall["adding"] / wall["floor_adding"], 3),
        "cpu_rate": round(cpu["adding"]),
        "spans_rate": round(wall["between"]),
        "spans_floor_rate": round(wall["floor_between"]),
        "spans_ratio": round(wall["between"] / wall["floor_between"], 3),
        "spans_cpu_rate": round(cpu["between"]),
        "twenty_days_to_four_hours": round(found["days"][2] / found["hours"][2], 3),
        "data": {"operations": operations, "rounds": ROUNDS, "years_compiled_ms": round(compiling * 1000, 1)},
    }


def measure(works: Mapping[str, Work]) -> dict[str, tuple[float, float, float]]:
    """Median seconds by the wall, median and least of this process's own computing; each round takes every work in
    turn, so that what else the machine does falls on all of them alike."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            began, computed = time.perf_counter(), time.process_time()
            deque(work(), maxlen=0)
            taken[name].append((time.perf_counter() - began, time.process_time() - computed))
    return {
        name: (median(a for a, _ in pairs), median(b for _, b in pairs), min(b for _, b in pairs))
        for name, pairs in taken.items()
    }


def floors(
    calendar: Calendar, starts: Sequence[datetime], spans: Sequence[int], ends: Sequence[datetime]
) -> tuple[Work, Work]:
    """The same questions to plain lists of epoch seconds with prefix sums; the answers must be the same."""
    windows = [(a.timestamp(), b.timestamp()) for a, b in calendar.next_windows(FIRST, 2_500) if b is not None]
    opens, closes = [a for a, _ in windows], [b for _, b in windows]
    before = [0.0]
    for a, b in windows:
        before.append(before[-1] + b - a)
    epochs, goals = [at.timestamp() for at in starts], [at.timestamp() for at in ends]

    def position(at: float) -> float:
        index = bisect_right(opens, at) - 1
        return before[index] + min(at, closes[index]) - opens[index] if index >= 0 else 0.0

    def add(at: float, span: int) -> float:
        goal = position(at) + span
        index = bisect_left(before, goal) - 1
        return opens[index] + goal - before[index]

    def passed(start: float, end: float) -> float:
        return position(end) - position(start)

    assert [add(at, span) for at, span in zip(epochs, spans, strict=True)] == goals
    return lambda: map(add, epochs, spans), lambda: map(passed, epochs, goals)
