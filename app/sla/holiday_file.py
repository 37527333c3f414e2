"""Holidays from an iCalendar file (RFC 5545): whole days, of one day or several, once or every year."""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from icalendar import Calendar, Component

from app.errors import Invalid
from app.sla.hours import FIRST_YEAR, LAST_YEAR
from app.sla.yearly import Yearly, occurrences

MOST_EVENTS = 1_000
LONGEST = timedelta(days=366)
MOST_FAULTS = 100
_LINE_END = re.compile(r"\r?\n")
_OPENING = re.compile(r"\s*BEGIN:VEVENT\s*", re.IGNORECASE)
_PARTS = frozenset(("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYDAY", "WKST"))
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_ONE_DAY = timedelta(days=1)


class _Fault(ValueError):
    """What is wrong with one event."""


def read_holidays(content: bytes, *, first: date, last: date) -> list[date]:
    """The days of all events in order; what comes back every year is followed from `first` to `last`.

    Raises Invalid naming each event that is no whole-day holiday, with its line if that is sure; then none is taken.
    """
    text = _decode(content)
    lines = _openings(text)
    _limit(len(lines))
    events = _parse(text)
    _limit(len(events))
    moved = _moved(events)
    days: set[date] = set()
    errors: list[dict[str, str]] = []
    where = [{"line": str(line)} for line in lines] if len(lines) == len(events) else [{}] * len(events)
    for index, event in enumerate(events):
        try:
            days.update(_days(event, moved, first, last))
        except _Fault as fault:
            name = str(event.get("SUMMARY", ""))[:60]
            errors.append({"pointer": f"/events/{index}", **where[index], "detail": f"{name!r}: {fault}"})
    if errors:
        place = f"line {errors[0]['line']}" if "line" in errors[0] else f"event {errors[0]['pointer']}"
        raise Invalid(f"{place}: {errors[0]['detail']}", errors=errors[:MOST_FAULTS])
    return sorted(days)


def _openings(text: str) -> list[int]:
    """The line on which each event begins; a line that begins with a blank goes on from the one before it."""
    lines: list[tuple[int, list[str]]] = []
    for number, line in enumerate(_LINE_END.split(text), 1):
        if line[:1] in (" ", "\t") and lines:
            lines[-1][1].append(line[1:])
        elif line:
            lines.append((number, [line]))
    return [number for number, parts in lines if _OPENING.fullmatch("".join(parts))]


def _limit(events: int) -> None:
    if events > MOST_EVENTS:
        raise Invalid(f"expected at most {MOST_EVENTS} events, got {events}")


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"expected text in UTF-8, byte {error.start} is none") from error


def _parse(text: str) -> list[Component]:
    try:
        calendars = Calendar.from_ical(text, multiple=True)
    except ValueError as error:
        raise Invalid(f"expected an iCalendar file: {error}") from error
    events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    if not events:
        raise Invalid("expected an iCalendar file with at least one event")
    return events


def _moved(events: Iterable[Component]) -> dict[str, set[date]]:
    """By series, the days on which an event of its own stands instead."""
    moved: dict[str, set[date]] = {}
    for event in events:
        day = getattr(event.get("RECURRENCE-ID"), "dt", None)
        if isinstance(day, date):
            moved.setdefault(str(event.get("UID")), set()).add(day)
    return moved


def _broken(event: Component) -> str | None:
    """The first property that could not be read, in words."""
    return next((f"{name}: {complaint}" for name, complaint in event.errors), None)


def _days(event: Component, moved: dict[str, set[date]], first: date, last: date) -> Iterator[date]:
    if complaint := _broken(event):
        raise _Fault(complaint)
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return
    start = _date(_only(event, "DTSTART"), "DTSTART")
    length = _length(event, start)
    without = set(_dates(event, "EXDATE"))
    if "RECURRENCE-ID" in event:
        _date(_only(event, "RECURRENCE-ID"), "RECURRENCE-ID")
    else:
        without |= moved.get(str(event.get("UID")), set())
    for day in {*_starts(event, start, last), *_dates(event, "RDATE")} - without:
        if day == start or day + length > first:
            days = (day + timedelta(days=number) for number in range(length.days))
            yield from (found for found in days if found.year <= LAST_YEAR)


def _starts(event: Component, start: date, last: date) -> Iterable[date]:
    rules = _several(event.get("RRULE"))
    if not rules:
        return [start]
    return [day for rule in rules for day in occurrences(start, _rule(rule), last=last)]


def _length(event: Component, start: date) -> timedelta:
    length = _ONE_DAY
    if "DTEND" in event:
        length = _date(_only(event, "DTEND"), "DTEND") - start or _ONE_DAY  # some write the day itself as its end
    elif "DURATION" in event:
        length = _only(event, "DURATION")
    if not _ONE_DAY <= length <= LONGEST or length % _ONE_DAY:
        raise _Fault(f"expected one to {LONGEST.days} whole days")
    return length


def _only(event: Component, name: str) -> Any:
    """The value of a property that stands once."""
    value = event.get(name)
    if value is None or isinstance(value, list):
        raise _Fault(f"expected {name} once")
    return getattr(value, "dt", value)


def _date(value: object, name: str) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise _Fault(f"expected a whole day such as {name};VALUE=DATE:20261225, got {value}")
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise _Fault(f"{name}: expected a date from {FIRST_YEAR} to {LAST_YEAR}, got {value}")
    return value


def _dates(event: Component, name: str) -> Iterator[date]:
    for values in _several(event.get(name)):
        for value in values.dts:
            yield _date(value.dt, name)


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _rule(rule: Any) -> Yearly:
    if rule.get("FREQ") != ["YEARLY"] or not set(rule) <= _PARTS:
        raise _Fault("RRULE: expected FREQ=YEARLY with INTERVAL, COUNT, UNTIL, BYMONTH, BYMONTHDAY or BYDAY at most")
    if "BYMONTH" not in rule and ("BYDAY" in rule or "BYMONTHDAY" in rule):
        raise _Fault("RRULE: BYDAY and BYMONTHDAY need BYMONTH")
    until = rule.get("UNTIL", [None])[0]
    return Yearly(
        interval=_whole(rule, "INTERVAL", 1, 200)[0] if "INTERVAL" in rule else 1,
        months=_whole(rule, "BYMONTH", 1, 12),
        month_days=_whole(rule, "BYMONTHDAY", -31, 31),
        weekdays=tuple((day.relative or 0, _WEEKDAYS.index(day.weekday)) for day in rule.get("BYDAY", [])),
        count=_whole(rule, "COUNT", 1, 1000)[0] if "COUNT" in rule else None,
        until=until.date() if isinstance(until, datetime) else until,
    )


def _whole(rule: Any, name: str, least: int, most: int) -> tuple[int, ...]:
    values = tuple(int(value) for value in rule.get(name, []))
    if any(not least <= value <= most or value == 0 for value in values):
        raise _Fault(f"RRULE: expected {name} from {least} to {most}")
    return values
