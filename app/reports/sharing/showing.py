"""A report for people without the panel: its cells in words and numbers of their language."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent

from app import texts
from app.reports.tables import Cell, Figure

NONE = "–"
NUMBERS = ("number", "money", "share", "days")
FORMS: Mapping[str, Callable[[Any, ZoneInfo], str]] = {
    "text": lambda value, zone: str(value),
    "number": lambda value, zone: format_decimal(value, locale=texts.language()),
    "days": lambda value, zone: format_decimal(value, "#,##0.#", locale=texts.language()),
    "money": lambda value, zone: format_decimal(value, "#,##0.00", locale=texts.language()),
    "share": lambda value, zone: format_percent(value, "0.0%", locale=texts.language()),
    "date": lambda value, zone: day(value),
    "moment": lambda value, zone: moment(value, zone),
}


def in_words(cell: Cell, kind: str, zone: ZoneInfo) -> str:
    """What stands in a cell of this kind."""
    if isinstance(cell, Figure):
        kind, cell = cell
    return NONE if cell is None else FORMS[kind](cell, zone)


def is_number(cell: Cell, kind: str) -> bool:
    """Whether it stands on the right."""
    return (cell.kind if isinstance(cell, Figure) else kind) in NUMBERS


def day(value: date) -> str:
    return format_date(value, "d MMM y", locale=texts.language())


def moment(at: datetime, zone: ZoneInfo) -> str:
    """`Mon 2 Mar 2026, 08:00`, in the report's zone."""
    return format_datetime(at, "EEE d MMM y, HH:mm", tzinfo=zone, locale=texts.language())
