"""Cells of a workbook as SpreadsheetML (ECMA-376 part 1, 18.3.1), written as text row by row: far less work than
calling the library for each. Texts are texts whatever they begin with: none is a formula, a number or a link."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, partial
from math import isfinite
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from xlsxwriter.utility import xl_col_to_name

from app.reports.exports.words import worded
from app.reports.tables import Figure, Kind

MOST_LETTERS = 32_767  # of a cell, in units of UTF-16
# A spreadsheet counts days, right from March 1900 on: before, it has a 29 February 1900.
DAY_0, DAY, OLDEST = datetime(1899, 12, 30), timedelta(days=1), datetime(1900, 3, 1)  # noqa: DTZ001 - without a zone
FORMATS: Mapping[Kind, str] = {
    "number": "#,##0", "days": "#,##0", "money": "#,##0.00", "share": "0.0%", "date": "yyyy-mm-dd", "month": "mmm yyyy",
    "moment": "yyyy-mm-dd hh:mm",
}  # fmt: skip
PART = "#,##0.0#"  # of a number or a day
INK, HEAD = "#1f2933", "#e7ecf1"
HEADING = {"bold": True, "bg_color": HEAD, "font_color": INK, "bottom": 1, "valign": "top", "text_wrap": True}
# A cell names its style by number: from 1 on in this order.
STYLES: Mapping[str, Mapping[str, Any]] = {
    "head": HEADING,
    "wrapped": {"text_wrap": True, "valign": "top"},
    **{code: {"num_format": code} for code in (*FORMATS.values(), PART)},
}
NUMBERS = {style: number for number, style in enumerate(STYLES, 1)}
SPECIAL = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9a-fA-F]{4}_")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9a-fA-F]{4}_)")

Write: TypeAlias = Callable[[str, Any], str]


def lines(rows: Iterable[Sequence[Any]], writers: Sequence[Write], *, start: int) -> Iterator[bytes]:
    """A row after the other from number `start` on; cells of None are left out, and rows of nothing else."""
    ways = [(xl_col_to_name(number), write) for number, write in enumerate(writers)]
    for at, row in enumerate(rows, start):
        cells = [write(f"{name}{at}", cell) for (name, write), cell in zip(ways, row, strict=True) if cell is not None]
        if cells:
            yield f'<row r="{at}">{"".join(cells)}</row>'.encode()


def writer(kind: Kind, zone: ZoneInfo) -> Write:
    """How the cells of a column are written; moments stand in this zone."""
    if kind == "figure":
        return partial(_figure, zone)
    if kind == "text":
        return text_cell
    if kind == "word":
        return _word_writer()
    if kind == "moment":
        return partial(_moment_cell, zone, NUMBERS[FORMATS[kind]])
    if kind in ("date", "month"):
        return partial(_day_cell, NUMBERS[FORMATS[kind]])
    whole = NUMBERS[FORMATS[kind]]
    return partial(_number_cell, whole, NUMBERS[PART] if kind in ("number", "days") else whole)


def text_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr">{_inline(text)}</c>'


def styled_text(style: str) -> Write:
    """Texts of one style."""
    number = NUMBERS[style]
    return lambda place, text: f'<c r="{place}" s="{number}" t="inlineStr">{_inline(text)}</c>'


def pattern() -> bytes:
    """The row of empty cells of every style, one after the other, as the library writes it."""
    cells = [f'<c r="{xl_col_to_name(number - 1)}1" s="{number}"/>' for number in NUMBERS.values()]
    return f'<row r="1">{"".join(cells)}</row>'.encode()


def _word_writer() -> Write:
    """There are few words, and all of a column in one language."""
    inline = cache(lambda word: _inline(worded(word)))
    return lambda place, word: f'<c r="{place}" t="inlineStr">{inline(word)}</c>'


def _figure(zone: ZoneInfo, place: str, figure: Figure) -> str:
    return "" if figure.value is None else writer(figure.kind, zone)(place, figure.value)


def _moment_cell(zone: ZoneInfo, style: int, place: str, value: datetime) -> str:
    """A spreadsheet counts days and knows no zones; what lies before its first is written as a text."""
    local = value.astimezone(zone).replace(tzinfo=None)
    if local < OLDEST:
        return text_cell(place, local.isoformat(" "))
    return f'<c r="{place}" s="{style}"><v>{(local - DAY_0) / DAY:.16G}</v></c>'


def _day_cell(style: int, place: str, value: date) -> str:
    day = datetime.combine(value, time.min)
    if day < OLDEST:
        return text_cell(place, day.isoformat(" "))
    return f'<c r="{place}" s="{style}"><v>{(day - DAY_0).days}</v></c>'


def _number_cell(whole: int, part: int, place: str, value: int | float | Decimal) -> str:
    number = float(value)
    if not isfinite(number):
        raise ValueError(f"{value} is no number that a cell could hold")
    return f'<c r="{place}" s="{whole if number.is_integer() else part}"><v>{number:.16G}</v></c>'


def _inline(text: str) -> str:
    """The text as a cell holds it; spaces at its ends are kept only where that is said."""
    cut = text if len(text) <= MOST_LETTERS // 2 else _cut(text)
    said = _escaped(cut) if SPECIAL.search(cut) else cut
    space = ' xml:space="preserve"' if cut and (cut[0].isspace() or cut[-1].isspace()) else ""
    return f"<is><t{space}>{said}</t></is>"


def _cut(text: str) -> str:
    """What a cell holds of a text, no letter halved."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * MOST_LETTERS:
        return text
    return units[: 2 * (MOST_LETTERS - 1)].decode("utf-16-le", "ignore") + "…"


def _escaped(text: str) -> str:
    """What XML cannot hold stands as `_x0007_`, and what only looks so begins with `_x005F_`."""
    said = CONTROL.sub(lambda found: f"_x{ord(found.group()):04X}_", text)
    return said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
