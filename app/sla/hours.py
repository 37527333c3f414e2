"""Opening hours as written: parsed, checked and turned into windows of real time."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIELDS = frozenset(
    ("timezone", "weekly", "holidays", "overrides", "breaks", "always_open", "day_seconds"),
)
SECOND = 1_000_000
DAY = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = EPOCH.toordinal()
_CLOCK_TIME = re.compile(r"([0-9]{2}):([0-5][0-9])(?::([0-5][0-9]))?")

Window = tuple[int, int]  # seconds since local midnight of its day; the end may lie on the next day
Interval = tuple[int, int]  # microseconds since the epoch, half-open


class CalendarError(ValueError):
    """A calendar or a question to it that has no meaning; says which field and what was expected."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail


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
        midnight = instant(self.zone, first, 0)
        for number in range(first.toordinal(), last.toordinal() + 1):
            day = date.fromordinal(number)
            following = instant(self.zone, date.fromordinal(number + 1), 0)
            if following > midnight:  # a day that its zone left out has no hours
                for start, end in self.special.get(day, self.weekly[day.weekday()]):
                    opens, closes = instant(self.zone, day, start), instant(self.zone, day, end)
                    if opens < closes:
                        yield opens, closes
            midnight = following


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


def parse_hours(definition: Mapping[str, Any]) -> Hours:
    """Opening hours from a definition as the API takes it; refuses what cannot be meant."""
    for name in definition:
        if name not in FIELDS:
            raise CalendarError(str(name), f"unknown field, expected one of {', '.join(sorted(FIELDS))}")
    zone = parse_zone(definition.get("timezone", "UTC"))
    always_open = definition.get("always_open") or False
    if not isinstance(always_open, bool):
        raise CalendarError("always_open", "expected true or false")
    special = _special_days(definition.get("overrides") or {}, definition.get("holidays") or [])
    return Hours(
        zone=zone,
        weekly=_weekly(definition.get("weekly") or {}, always_open=always_open),
        special=special,
        breaks=tuple(union(_breaks(definition.get("breaks") or [], zone))),
        day_seconds=_day_seconds(definition.get("day_seconds"), always_open=always_open),
    )


def parse_zone(name: object) -> ZoneInfo:
    """A time zone of the IANA database by its name."""
    try:
        return ZoneInfo(str(name))
    except (KeyError, ValueError, OSError) as error:
        raise CalendarError("timezone", f"unknown time zone {name!r}") from error


def _weekly(weekly: object, *, always_open: bool) -> tuple[tuple[Window, ...], ...]:
    if not isinstance(weekly, Mapping):
        raise CalendarError("weekly", "expected windows by day, mon to sun")
    for name in weekly:
        if name not in WEEKDAYS:
            raise CalendarError(f"weekly/{name}", f"unknown day, expected one of {', '.join(WEEKDAYS)}")
    days = tuple(_windows(weekly.get(name) or [], f"weekly/{name}") for name in WEEKDAYS)
    if not always_open:
        return days
    if any(days):
        raise CalendarError("weekly", "must be empty when always_open is true")
    return (((0, DAY),),) * 7


def _special_days(overrides: object, holidays: object) -> dict[date, tuple[Window, ...]]:
    if not isinstance(overrides, Mapping):
        raise CalendarError("overrides", "expected windows by date")
    special = {
        _date(day, f"overrides/{day}"): _windows(windows, f"overrides/{day}") for day, windows in overrides.items()
    }
    for index, day in enumerate(_list(holidays, "holidays")):
        special[_date(day, f"holidays/{index}")] = ()  # a holiday closes a day with hours of its own, too
    return special


def _windows(windows: object, field: str) -> tuple[Window, ...]:
    parsed = sorted(_window(pair, f"{field}/{n}") for n, pair in enumerate(_list(windows, field)))
    for (_, end), (start, _) in pairwise(parsed):
        if start < end:
            raise CalendarError(field, "windows of one day must not overlap")
    return tuple(parsed)


def _window(pair: object, field: str) -> Window:
    if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
        raise CalendarError(field, 'expected a pair of local times such as ["09:00", "17:00"]')
    start, end = _clock_time(pair[0], f"{field}/0"), _clock_time(pair[1], f"{field}/1")
    if start in (end, DAY):
        raise CalendarError(field, "a window must end at another time than it starts, and start before 24:00")
    return (start, end) if start < end else (start, end + DAY)


def _clock_time(value: object, field: str) -> int:
    match = _CLOCK_TIME.fullmatch(value) if isinstance(value, str) else None
    if match:
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        total = hours * 3600 + minutes * 60 + seconds
        if total <= DAY:
            return total
    raise CalendarError(field, f"expected a local time from 00:00 to 24:00, got {value!r}")


def _breaks(breaks: object, zone: ZoneInfo) -> Iterator[Interval]:
    for index, item in enumerate(_list(breaks, "breaks")):
        field = f"breaks/{index}"
        if not isinstance(item, Mapping):
            raise CalendarError(field, "expected date, start and end, or start_utc and end_utc")
        if set(item) == {"date", "start", "end"}:
            day = _date(item["date"], f"{field}/date")
            start, end = _window((item["start"], item["end"]), field)
            yield instant(zone, day, start), instant(zone, day, end)
        elif set(item) == {"start_utc", "end_utc"}:
            yield _utc_interval(item, field)
        else:
            raise CalendarError(field, "expected date, start and end, or start_utc and end_utc")


def _utc_interval(item: Mapping[str, Any], field: str) -> Interval:
    start, end = (_moment(item[name], f"{field}/{name}") for name in ("start_utc", "end_utc"))
    if end <= start:
        raise CalendarError(f"{field}/end_utc", "a break must end after it starts")
    return start, end


def _moment(value: object, field: str) -> int:
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise CalendarError(field, f"expected a moment in ISO 8601, got {value!r}") from error
    if at.tzinfo is None:
        raise CalendarError(field, "a time without offset is refused")
    return (at - EPOCH) // timedelta(microseconds=1)


def _date(value: object, field: str) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise CalendarError(field, f"expected a date such as 2026-12-25, got {value!r}") from error


def _day_seconds(value: object, *, always_open: bool) -> int:
    if value is None:
        return DAY if always_open else 8 * 3600
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= DAY:
        raise CalendarError("day_seconds", f"expected whole seconds from 1 to {DAY}")
    return value


def _list(value: object, field: str) -> Sequence[Any]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise CalendarError(field, "expected a list")
    return value
