"""Opening hours: local windows, the days that differ and the breaks, turned into windows of real time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.errors import FieldFault

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST_YEAR, LAST_YEAR = 1970, 2100
SECOND = 1_000_000
DAY = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = EPOCH.toordinal()

Window = tuple[int, int]  # seconds since local midnight of its day; the end may lie on the next day
Interval = tuple[int, int]  # microseconds since the epoch, half-open


class CalendarError(FieldFault):
    """A calendar or a question to it that has no meaning; says which field and what was expected."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Weekly windows of a zone, the days that differ, and the breaks taken out."""

    zone: ZoneInfo
    weekly: tuple[tuple[Window, ...], ...]
    special: Mapping[date, tuple[Window, ...]]
    breaks: tuple[Interval, ...]
    day_seconds: int

    @property
    def never_closes(self) -> bool:
        """Every day of the week is open from midnight to midnight and nothing is taken out."""
        return not self.special and not self.breaks and all(day == ((0, DAY),) for day in self.weekly)

    def intervals(self, first: date, last: date) -> Iterator[Interval]:
        """Windows of the local days `first` to `last`, breaks not yet taken out; they may overlap."""
        for number in range(first.toordinal(), last.toordinal() + 1):
            day = date.fromordinal(number)
            windows = self.special.get(day, self.weekly[day.weekday()])
            if not windows or not self._exists(day):
                continue
            for start, end in windows:
                opens, closes = instant(self.zone, day, start), instant(self.zone, day, end)
                if opens < closes:
                    yield opens, closes

    def _exists(self, day: date) -> bool:
        """False for a day that its zone left out, as Samoa did when it crossed the date line."""
        return instant(self.zone, day, 0) < instant(self.zone, day + timedelta(days=1), 0)


def instant(zone: ZoneInfo, day: date, seconds: int) -> int:
    """Microseconds since the epoch; a skipped local time moves on by the gap, a doubled one is the first."""
    wall = datetime(day.year, day.month, day.day) + timedelta(seconds=seconds)  # noqa: DTZ001 - a wall time
    offset = zone.utcoffset(wall)
    shift = (offset.days * DAY + offset.seconds) if offset else 0
    return ((day.toordinal() - _EPOCH_ORDINAL) * DAY + seconds - shift) * SECOND


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Sorted intervals without overlap; those that touch become one."""
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def without(intervals: Iterable[Interval], breaks: Sequence[Interval]) -> Iterator[Interval]:
    """What remains of sorted intervals when sorted breaks are taken out, in one pass over both."""
    first = 0
    for start, end in intervals:
        while first < len(breaks) and breaks[first][1] <= start:
            first += 1
        at = first
        while at < len(breaks) and breaks[at][0] < end:
            if start < breaks[at][0]:
                yield start, breaks[at][0]
            start = max(start, breaks[at][1])
            at += 1
        if start < end:
            yield start, end


def parse_zone(name: object) -> ZoneInfo:
    """A time zone of the IANA database by its name."""
    try:
        return ZoneInfo(str(name))
    except (KeyError, ValueError, OSError) as error:
        raise CalendarError("timezone", f"unknown time zone {name!r}") from error
