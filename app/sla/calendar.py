"""Business time: real elapsed seconds inside opening hours, answered in O(log n) on prefix sums."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from app.sla.definition import parse_hours
from app.sla.hours import (
    EPOCH,
    FIRST_YEAR,
    LAST_YEAR,
    SECOND,
    CalendarError,
    Hours,
    Interval,
    union,
    without,
)

_MICROSECOND = timedelta(microseconds=1)  # multiplying and dividing by it is faster than any constructor, and exact


class BeyondCalendar(CalendarError):
    """The moment asked for, or the answer, lies outside the years calendars know."""


@dataclass(frozen=True, slots=True)
class _Table:
    """Open windows of whole UTC years and what of them is open and closed, in microseconds.

    Within a window, a moment less its `closed` is the open time up to it.
    """

    first: int
    last: int
    low: int
    high: int
    starts: Sequence[int]
    ends: Sequence[int]
    total: Sequence[int]  # open time before each window; one more at the end, after all of them
    closed: Sequence[int]  # the start of each window less its total


def _new_year(year: int) -> int:
    return (date(year, 1, 1).toordinal() - EPOCH.toordinal()) * 86_400 * SECOND


def _make_table(first: int, last: int, windows: Sequence[Interval]) -> _Table:
    starts, ends = [start for start, _ in windows], [end for _, end in windows]
    total = list(accumulate((end - start for start, end in windows), initial=0))
    closed = [start - before for start, before in zip(starts, total, strict=False)]
    return _Table(first, last, _new_year(first), _new_year(last + 1), starts, ends, total, closed)


class Calendar:
    """Opening hours compiled for arithmetic; years are compiled when first asked for and then kept."""

    def __init__(self, hours: Hours) -> None:
        self.hours = hours
        self.day_seconds = hours.day_seconds
        self._lock = Lock()
        self._table: _Table | None = None
        if hours.never_closes:
            whole = (_new_year(FIRST_YEAR), _new_year(LAST_YEAR + 1))
            self._table = _make_table(FIRST_YEAR, LAST_YEAR, [whole])
        elif not any(self._year(year) for year in range(FIRST_YEAR, LAST_YEAR + 1)):
            raise CalendarError("weekly", "a calendar that is never open is refused")

    def add(self, start: datetime, seconds: int) -> datetime:
        """The moment `seconds` of open time after `start`; a span that ends at closing is due at closing.

        From outside hours it begins at the next opening; zero from outside hours is the next opening.
        """
        return EPOCH + _MICROSECOND * self.add_exact(to_micros(start), seconds * SECOND)

    def subtract(self, end: datetime, seconds: int, *, at_closing: bool = False) -> datetime:
        """The latest moment from which `seconds` of open time lead to `end`; the earliest if `at_closing`.

        Zero from outside hours is the last closing.
        """
        return _datetime(self.subtract_exact(to_micros(end), seconds * SECOND, at_closing=at_closing))

    def between(self, start: datetime, end: datetime) -> int:
        """Whole seconds of open time from `start` to `end`; negative if `end` is the earlier."""
        first, last = to_micros(start), to_micros(end)
        if last < first:
            return -(self.between_exact(last, first) // SECOND)
        return self.between_exact(first, last) // SECOND

    def is_open(self, at: datetime) -> bool:
        """Windows are half-open: open at opening, closed at closing."""
        micros = to_micros(at)
        table = self._covering(micros)
        index = bisect_right(table.starts, micros) - 1
        return index >= 0 and micros < table.ends[index]

    def next_open(self, at: datetime) -> datetime | None:
        """The first opening after `at`, None if it never opens again."""
        micros = to_micros(at)
        while True:
            table = self._covering(micros)
            index = bisect_right(table.starts, micros)
            if index < len(table.starts):
                return _datetime(table.starts[index])
            if table.last == LAST_YEAR:
                return None
            self._grow(table, forward=True)

    def next_close(self, at: datetime) -> datetime | None:
        """The first closing after `at`, None if it never closes again."""
        micros = to_micros(at)
        while True:
            table = self._covering(micros)
            index = bisect_right(table.ends, micros)
            if index < len(table.ends) and table.ends[index] < table.high:
                return _datetime(table.ends[index])
            if table.last == LAST_YEAR:
                return None
            self._grow(table, forward=True)

    def prev_close(self, at: datetime) -> datetime | None:
        """The last closing at or before `at`, None if there is none."""
        micros = to_micros(at)
        while True:
            table = self._covering(micros)
            index = bisect_right(table.ends, micros) - 1
            if index >= 0:
                return _datetime(table.ends[index])
            if table.first == FIRST_YEAR:
                return None
            self._grow(table, forward=False)

    def state(self, at: datetime) -> tuple[bool, datetime | None]:
        """Whether it is open and until when, or when it opens next; None: never. Both answers at once."""
        micros = to_micros(at)
        table = self._covering(micros)
        index = bisect_right(table.starts, micros)
        if index and micros < table.ends[index - 1]:
            closes = table.ends[index - 1]
            return True, _datetime(closes) if closes < table.high else self.next_close(at)
        return False, _datetime(table.starts[index]) if index < len(table.starts) else self.next_open(at)

    def next_windows(self, start: datetime, count: int) -> list[tuple[datetime, datetime | None]]:
        """The first `count` open windows from `start` on, an open one cut at `start`; None: never closes."""
        windows: list[tuple[datetime, datetime | None]] = []
        opens: datetime | None = start.astimezone(UTC) if self.is_open(start) else self.next_open(start)
        while opens is not None and len(windows) < count:
            closes = self.next_close(opens)
            windows.append((opens, closes))
            opens = self.next_open(closes) if closes else None
        return windows

    def add_exact(self, start: int, span: int) -> int:
        """As `add`, in microseconds since the epoch."""
        if span <= 0:
            return self._opening(start, span)
        while True:
            table = self._table
            if table is None or not table.low <= start < table.high:
                table = self._covering(start)
            begun = bisect_right(table.starts, start)
            goal = span
            if begun:
                end = table.ends[begun - 1]
                goal += (start if start < end else end) - table.closed[begun - 1]
            found = bisect_left(table.total, goal, begun) - 1
            if found < len(table.closed):
                return goal + table.closed[found]
            self._grow(table, forward=True)

    def subtract_exact(self, end: int, span: int, *, at_closing: bool = False) -> int:
        """As `subtract`, in microseconds since the epoch."""
        if span < 0:
            raise CalendarError("seconds", "a duration must not be negative")
        while True:
            table = self._covering(end)
            index = bisect_right(table.starts, end) - 1
            if index >= 0 and span == 0:
                return min(end, table.ends[index])
            goal = _position(table, end) - span
            found = (bisect_left if at_closing else bisect_right)(table.total, goal) - 1
            if goal > 0 or (goal == 0 and index >= 0 and not at_closing):
                return goal + table.closed[found]
            if table.first == FIRST_YEAR and goal == 0 and index >= 0:
                return table.starts[0]
            self._grow(table, forward=False)

    def between_exact(self, start: int, end: int) -> int:
        """Open microseconds from `start` to a later `end`, both since the epoch."""
        while True:
            table = self._table
            if table is not None and table.low <= start and end < table.high:
                return _position(table, end) - _position(table, start)
            self._covering(end)
            self._covering(start)

    def _opening(self, at: int, span: int) -> int:
        """The end of a span of zero: the moment itself when open, else the next opening."""
        if span < 0:
            raise CalendarError("seconds", "a duration must not be negative")
        while True:
            table = self._covering(at)
            begun = bisect_right(table.starts, at)
            if begun and at < table.ends[begun - 1]:
                return at
            if begun < len(table.starts):
                return table.starts[begun]
            self._grow(table, forward=True)

    def _covering(self, micros: int) -> _Table:
        table = self._table
        if table is not None and table.low <= micros < table.high:
            return table
        if not _new_year(FIRST_YEAR) <= micros < _new_year(LAST_YEAR + 1):
            raise BeyondCalendar("at", f"expected a moment from {FIRST_YEAR} to {LAST_YEAR}")
        year = (EPOCH + timedelta(microseconds=micros)).year
        return self._compile(year, year)

    def _grow(self, table: _Table, *, forward: bool) -> None:
        """Compile as many more years as the table has; none left is an answer beyond the calendar."""
        years = table.last - table.first + 1
        if forward and table.last == LAST_YEAR:
            raise BeyondCalendar("seconds", f"no such open time up to {LAST_YEAR}")
        if not forward and table.first == FIRST_YEAR:
            raise BeyondCalendar("seconds", f"no such open time since {FIRST_YEAR}")
        if forward:
            self._compile(table.first, min(table.last + years, LAST_YEAR))
        else:
            self._compile(max(table.first - years, FIRST_YEAR), table.last)

    def _compile(self, first: int, last: int) -> _Table:
        """A table that covers these years and all compiled before; readers keep the one they hold."""
        with self._lock:
            table = self._table
            if table is None:
                windows = self._years(first, last)
            else:
                known = list(zip(table.starts, table.ends, strict=True))
                windows = self._years(first, table.first - 1) + known + self._years(table.last + 1, last)
                first, last = min(first, table.first), max(last, table.last)
            self._table = _make_table(first, last, union(windows))
            return self._table

    def _years(self, first: int, last: int) -> list[Interval]:
        return [window for year in range(first, last + 1) for window in self._year(year)]

    def _year(self, year: int) -> list[Interval]:
        low, high = _new_year(year), _new_year(year + 1)
        # two days on either side: overnight windows, and zones up to 14 hours from UTC
        raw = self.hours.intervals(date(year - 1, 12, 30), date(year + 1, 1, 2))
        opened = without(union(raw), self.hours.breaks)
        return [(max(start, low), min(end, high)) for start, end in opened if start < high and low < end]


def compile_calendar(definition: Mapping[str, Any]) -> Calendar:
    """The calendar of a definition as the API takes it; raises CalendarError naming field and expectation."""
    return Calendar(parse_hours(definition))


def local_days_later(at: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same local time `days` calendar days later; a time that DST skips moves forward by the gap."""
    if days == 0:  # also for the second of two equal local times
        return at.astimezone(UTC)
    local = at.astimezone(zone).replace(tzinfo=None, fold=0) + timedelta(days=days)
    return local.replace(tzinfo=zone).astimezone(UTC)


def _position(table: _Table, micros: int) -> int:
    begun = bisect_right(table.starts, micros)
    if not begun:
        return 0
    end = table.ends[begun - 1]
    return (micros if micros < end else end) - table.closed[begun - 1]


def to_micros(at: datetime) -> int:
    """Since the epoch."""
    try:
        return (at - EPOCH) // _MICROSECOND
    except TypeError as error:
        raise CalendarError("at", "a time without offset is refused") from error


def _datetime(micros: int) -> datetime:
    return EPOCH + _MICROSECOND * micros
