"""Cells as people read them on paper, in the language of the request."""

import unicodedata
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent

from app import texts
from app.reports.tables import Cell, Figure, Kind

MOST_LETTERS = 600  # of a cell: no row may be higher than a page
LONG_WORD, PIECE = 16, 8
BREAK = "\u200b"
JOINER = "\u200d"
RIGHT_TO_LEFT = ("R", "AL")


def spelt(cell: Cell, kind: Kind, zone: ZoneInfo) -> str:
    """A cell in words and figures of the language; nothing for what is not known."""
    if isinstance(cell, Figure):
        return spelt(cell.value, cell.kind, zone)
    if cell is None:
        return "–"
    if isinstance(cell, datetime):
        return format_datetime(cell.astimezone(zone), "yyyy-MM-dd HH:mm", locale=_locale(texts.language()))
    if isinstance(cell, date):
        return format_date(cell, "MMM yyyy" if kind == "month" else "yyyy-MM-dd", locale=_locale(texts.language()))
    if isinstance(cell, str):
        return breakable(worded(cell) if kind == "word" else cell)
    return number(cell, kind)


def worded(word: str) -> str:
    """One of our own words, such as `tier_1`, as people read it."""
    return texts.gettext(word.replace("_", " ").capitalize())


def large(figure: Figure) -> str:
    """A figure that stands by itself: an amount without its cents."""
    if figure.value is None or isinstance(figure.value, str | date):
        return "–" if figure.value is None else str(figure.value)
    return number(figure.value, figure.kind) if figure.kind == "share" else number(round(figure.value), "number")


def number(value: int | float | Decimal, kind: Kind) -> str:
    if kind == "share":
        return format_percent(value, "0.0 %" if texts.language() == "de" else "0.0%", locale=_locale(texts.language()))
    return format_decimal(value, "#,##0.00" if kind == "money" else "#,##0.##", locale=_locale(texts.language()))


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A moment with its zone, for the head of a report."""
    form = "d. MMMM yyyy, HH:mm" if texts.language() == "de" else "d MMMM yyyy, HH:mm"
    return f"{format_datetime(at.astimezone(zone), form, locale=_locale(texts.language()))} ({zone})"


def breakable(text: str) -> str:
    """One line of at most so many letters; a very long word may break, but never within a letter and its marks."""
    line = " ".join("".join(map(_shown, text)).split())
    short = line if len(line) <= MOST_LETTERS else f"{line[:MOST_LETTERS]}…"
    return " ".join(_with_breaks(word) if len(word) > LONG_WORD else word for word in short.split(" "))


def is_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction runs from right to left (Unicode Bidirectional Algorithm, P2)."""
    directions = (unicodedata.bidirectional(letter) for letter in text)
    return next((one in RIGHT_TO_LEFT for one in directions if one in ("L", *RIGHT_TO_LEFT)), False)


@cache
def _locale(language: str) -> Locale:
    """Reading a locale's name takes longer than writing a cell in it."""
    return Locale.parse(language)


def _shown(letter: str) -> str:
    return " " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter


def _with_breaks(word: str) -> str:
    made, since = "", 0
    for before, letter in zip(f"\0{word}", word, strict=False):
        if since >= PIECE and before != JOINER and not _belongs_to_before(letter):
            made, since = made + BREAK, 0
        made, since = made + letter, since + 1
    return made


def _belongs_to_before(letter: str) -> bool:
    is_tone = "\U0001f3fb" <= letter <= "\U0001f3ff"
    return is_tone or unicodedata.category(letter) in ("Mn", "Me", "Mc", "Cf") or "\U0001f1e6" <= letter <= "\U0001f1ff"
