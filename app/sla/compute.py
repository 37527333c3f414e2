"""Questions to a calendar that is not stored, as `POST /calendars/compute` asks them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.sla.calendar import Calendar, compile_calendar
from app.sla.hours import DAY, FIRST_YEAR, LAST_YEAR, CalendarError

MOST_WINDOWS = 1_000
MOST_WINDOWS_IN_ALL = 20_000
MOST_SECONDS = (LAST_YEAR - FIRST_YEAR + 1) * 366 * DAY  # more cannot lie between two moments a calendar knows
_FIRST, _AFTER = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)
_TAKES: Mapping[str, str | None] = {
    "add": "seconds",
    "subtract": "seconds",
    "between": "end",
    "is_open": None,
    "next_open": None,
    "next_close": None,
    "next_windows": "count",
}


def compute(definition: Mapping[str, Any], operations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Answers in the order of the operations; a CalendarError names `calendar/…` or `operations/n/…`."""
    try:
        calendar = compile_calendar(definition)
    except CalendarError as error:
        raise CalendarError(f"calendar/{error.field}", error.detail) from error
    _limit_windows(operations)
    return [_answer(calendar, operation, f"operations/{n}") for n, operation in enumerate(operations)]


def _limit_windows(operations: Sequence[Mapping[str, Any]]) -> None:
    """A window is asked for in a few bytes and answered in many."""
    asked = 0
    for n, operation in enumerate(operations):
        count = operation.get("count")
        asked += count if isinstance(count, int) else 0
        if asked > MOST_WINDOWS_IN_ALL:
            raise CalendarError(
                f"operations/{n}/count", f"expected at most {MOST_WINDOWS_IN_ALL} windows in one request"
            )


def _answer(calendar: Calendar, operation: Mapping[str, Any], where: str) -> dict[str, Any]:
    try:
        op = _checked(operation)
        return _ANSWERS[op](calendar, _moment(operation, "start"), operation)
    except CalendarError as error:
        raise CalendarError(f"{where}/{error.field}", error.detail) from error


def _checked(operation: Mapping[str, Any]) -> str:
    op = operation.get("op")
    if not isinstance(op, str) or op not in _TAKES:
        raise CalendarError("op", f"expected one of {', '.join(_TAKES)}, got {op!r}")
    for name in operation:
        if name not in ("op", "start", _TAKES[op]):
            raise CalendarError(str(name), f"unknown field for {op}")
    return op


def _moment(operation: Mapping[str, Any], field: str) -> datetime:
    value = operation.get(field)
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise CalendarError(field, f"expected a moment in ISO 8601 with offset, got {value!r}") from error
    if at.tzinfo is None:
        raise CalendarError(field, "a time without offset is refused")
    if not _FIRST <= at < _AFTER:
        raise CalendarError(field, f"expected a moment from {FIRST_YEAR} to {LAST_YEAR}")
    return at


def _whole(operation: Mapping[str, Any], field: str, *, least: int, most: int) -> int:
    value = operation.get(field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise CalendarError(field, f"expected a whole number, got {value!r}")
    if not least <= value <= most:
        raise CalendarError(field, f"expected a whole number from {least} to {most}")
    return value


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _windows(calendar: Calendar, start: datetime, operation: Mapping[str, Any]) -> dict[str, Any]:
    windows = calendar.next_windows(start, _whole(operation, "count", least=1, most=MOST_WINDOWS))
    return {"windows": [[_iso(opens), _iso(closes)] for opens, closes in windows]}


def _end(shift: Callable[[datetime, int], datetime], start: datetime, operation: Mapping[str, Any]) -> dict[str, Any]:
    return {"end": _iso(shift(start, _whole(operation, "seconds", least=0, most=MOST_SECONDS)))}


_Answer = Callable[[Calendar, datetime, Mapping[str, Any]], dict[str, Any]]
_ANSWERS: Mapping[str, _Answer] = {
    "add": lambda calendar, start, op: _end(calendar.add, start, op),
    "subtract": lambda calendar, start, op: _end(calendar.subtract, start, op),
    "between": lambda calendar, start, op: {"seconds": calendar.between(start, _moment(op, "end"))},
    "is_open": lambda calendar, start, op: {"open": calendar.is_open(start)},
    "next_open": lambda calendar, start, op: {"at": _iso(calendar.next_open(start))},
    "next_close": lambda calendar, start, op: {"at": _iso(calendar.next_close(start))},
    "next_windows": _windows,
}
