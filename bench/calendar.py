"""Business-time additions and spans per second, aware datetimes in and out, beside a bisect on ready-made epochs."""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
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
ROUNDS = 5


def run(operations: int = 200_000) -> dict[str, Any]:
    """Two years of starts in the customer's zone, spans of up to 30 business days; the median of five rounds."""
    began = time.perf_counter()
    calendar = compile_calendar(HOURS)
    calendar.between(FIRST, FIRST + timedelta(days=1200))
    compiling = time.perf_counter() - began
    random, zone = Random(1), ZoneInfo("America/New_York")
    starts = [(FIRST + timedelta(seconds=random.randrange(730 * 86_400))).astimezone(zone) for _ in range(operations)]
    spans = [random.randrange(1, 30 * 8 * 3600) for _ in range(operations)]
    ends = [calendar.add(start, span) for start, span in zip(starts, spans, strict=True)]
    adding = rate(lambda: [calendar.add(start, span) for start, span in zip(starts, spans, strict=True)], operations)
    between = rate(lambda: [calendar.between(a, b) for a, b in zip(starts, ends, strict=True)], operations)
    floor_adding, floor_between = floors(calendar, starts, spans, ends)
    return {
        "name": "calendar",
        "rate": round(adding),
        "unit": "additions/s",
        "floor_rate": round(floor_adding),
        "ratio": round(adding / floor_adding, 3),
        "spans_rate": round(between),
        "spans_floor_rate": round(floor_between),
        "spans_ratio": round(between / floor_between, 3),
        "data": {"operations": operations, "rounds": ROUNDS, "years_compiled_ms": round(compiling * 1000, 1)},
    }


def rate(work: Callable[[], object], operations: int) -> float:
    """Operations per second, the median of the rounds."""
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return operations / median(seconds)


def floors(
    calendar: Calendar, starts: Sequence[datetime], spans: Sequence[int], ends: Sequence[datetime]
) -> tuple[float, float]:
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

    assert [add(at, span) for at, span in zip(epochs, spans, strict=True)] == goals
    adding = rate(lambda: [add(at, span) for at, span in zip(epochs, spans, strict=True)], len(epochs))
    between = rate(lambda: [position(b) - position(a) for a, b in zip(epochs, goals, strict=True)], len(epochs))
    return adding, between
