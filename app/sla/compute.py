"""Questions to a calendar that is not stored, as `POST /calendars/compute` asks them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.sla.calendar import Calendar, compile_calendar
from app.sla.hours import CalendarError

MOST_WINDOWS = 1000
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
    return [_answer(calendar, operation, f"operations/{n}") for n, operation in enumerate(operations)]


def _answer(calendar: Calendar, operation: Mapping[str, Any], where: str) -> dict[str, Any]:
    try:
        op = _checked(operation)
        return _ANSWERS[op](calendar, _moment(operation.get("start"), "start"), operation)
    except CalendarError as error:
        field = "start" if error.field == "at" else error.field
        raise CalendarError(f"{where}/{field}", error.detail) from error


def _checked(operation: Mapping[str, Any]) -> str:
    op = operation.get("op")
    if not isinstance(op, str) or op not in _TAKES:
        raise CalendarError("op", f"expected one of {', '.join(_TAKES)}, got {op!r}")
    for name in operation:
        if name not in ("op", "start", _TAKES[op]):
            raise CalendarError(str(name), f"unknown field for {op}")
    return op


def _moment(value: object, field: str) -> datetime:
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise CalendarError(field, f"expected a moment in ISO 8601 with offset, got {value!r}") from error
    if at.tzinfo is None:
        raise CalendarError(field, "a time without offset is refused")
    return at


def _whole(operation: Mapping[str, Any], field: str, *, least: int, most: int | None = None) -> int:
    value = operation.get(field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise CalendarError(field, f"expected a whole number, got {value!r}")
    if value < least or (most is not None and value > most):
        raise CalendarError(field, f"expected {least} or more" + (f", at most {most}" if most else ""))
    return value


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _windows(calendar: Calendar, start: datetime, operation: Mapping[str, Any]) -> dict[str, Any]:
    windows = calendar.next_windows(start, _whole(operation, "count", least=1, most=MOST_WINDOWS))
    return {"windows": [[_iso(opens), _iso(closes)] for opens, closes in windows]}


_Answer = Callable[[Calendar, datetime, Mapping[str, Any]], dict[str, Any]]
_ANSWERS: Mapping[str, _Answer] = {
    "add": lambda calendar, start, op: {"end": _iso(calendar.add(start, _whole(op, "seconds", least=0)))},
    "subtract": lambda calendar, start, op: {"end": _iso(calendar.subtract(start, _whole(op, "seconds", least=0)))},
    "between": lambda calendar, start, op: {"seconds": calendar.between(start, _moment(op.get("end"), "end"))},
    "is_open": lambda calendar, start, op: {"open": calendar.is_open(start)},
    "next_open": lambda calendar, start, op: {"at": _iso(calendar.next_open(start))},
    "next_close": lambda calendar, start, op: {"at": _iso(calendar.next_close(start))},
    "next_windows": _windows,
}
