"""A calendar as the API takes it: parsed and checked, every fault named by its field."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from app.sla.hours import (
    DAY,
    EPOCH,
    FIRST_YEAR,
    LAST_YEAR,
    WEEKDAYS,
    CalendarError,
    Hours,
    Interval,
    Window,
    instant,
    parse_zone,
    union,
)

FIELDS = frozenset(
    ("timezone", "weekly", "holidays", "holidays_of", "overrides", "breaks", "always_open", "day_seconds"),
)
MOST_WINDOWS_OF_A_DAY = 12  # each costs memory for every day that is asked for, up to 131 years
_CLOCK_TIME = re.compile(r"([0-9]{2}):([0-5][0-9])(?::([0-5][0-9]))?")


def parse_hours(definition: Mapping[str, Any]) -> Hours:
    """Opening hours from a definition as the API takes it; refuses what cannot be meant."""
    for name in definition:
        if name not in FIELDS:
            raise CalendarError(str(name), f"unknown field, expected one of {', '.join(sorted(FIELDS))}")
    zone = parse_zone(definition.get("timezone", "UTC"))
    always_open = definition.get("always_open") or False
    if not isinstance(always_open, bool):
        raise CalendarError("always_open", "expected true or false")
    closed = {*_own_holidays(definition.get("holidays") or []), *_public_holidays(definition.get("holidays_of") or [])}
    return Hours(
        zone=zone,
        weekly=_weekly(definition.get("weekly") or {}, always_open=always_open),
        # a holiday closes a day with hours of its own, too
        special={**_overrides(definition.get("overrides") or {}), **dict.fromkeys(closed, ())},
        breaks=tuple(union(_breaks(definition.get("breaks") or [], zone))),
        day_seconds=_day_seconds(definition.get("day_seconds"), always_open=always_open),
    )


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


def _overrides(overrides: object) -> dict[date, tuple[Window, ...]]:
    if not isinstance(overrides, Mapping):
        raise CalendarError("overrides", "expected windows by date")
    return {
        parse_date(day, f"overrides/{day}"): _windows(windows, f"overrides/{day}") for day, windows in overrides.items()
    }


def _own_holidays(holidays: object) -> Iterator[date]:
    for index, day in enumerate(_list(holidays, "holidays")):
        yield parse_date(day, f"holidays/{index}")


def _public_holidays(countries: object) -> Iterator[date]:
    """The dates that publishing wrote to each country; which they are is not decided here."""
    for index, country in enumerate(_list(countries, "holidays_of")):
        field = f"holidays_of/{index}/dates"
        dates = country.get("dates") if isinstance(country, Mapping) else None
        if not isinstance(dates, Mapping):
            raise CalendarError(field, "expected names by date, as publishing writes them")
        for day in dates:
            yield parse_date(day, f"{field}/{day}")


def _windows(windows: object, field: str) -> tuple[Window, ...]:
    if len(_list(windows, field)) > MOST_WINDOWS_OF_A_DAY:
        raise CalendarError(field, f"expected at most {MOST_WINDOWS_OF_A_DAY} windows a day")
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
            day = parse_date(item["date"], f"{field}/date")
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


def parse_date(value: object, field: str) -> date:
    """A date of the years that calendars know."""
    try:
        day = value if isinstance(value, date) and not isinstance(value, datetime) else date.fromisoformat(str(value))
    except ValueError as error:
        raise CalendarError(field, f"expected a date such as 2026-12-25, got {value!r}") from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise CalendarError(field, f"expected a date from {FIRST_YEAR} to {LAST_YEAR}, got {day}")
    return day


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
