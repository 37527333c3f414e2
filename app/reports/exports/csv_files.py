"""CSV that a spreadsheet opens as it is meant (RFC 4180): every text in quotes, UTF-8 with its mark, nothing that runs.

A text in which a spreadsheet would see a formula gets an apostrophe before it (OWASP, "CSV Injection"); numbers are
not texts, so a negative one stays a number. Dates and moments are ISO 8601, moments in UTC.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache, partial

from app.reports.tables import Cell, Column, Figure, Kind, Plain

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"
MARK = b"\xef\xbb\xbf"  # without it Excel reads UTF-8 as the machine's own code page
CENT = Decimal("0.01")
# Where a spreadsheet begins to read a cell: at the start of a text, and after what some countries' settings take for
# the end of a cell or a line.
FORMULA = re.compile(r"(^|[;\t\r\n])(?=[\s\"']*[=+\-@＝＋－＠]|[\t\r])")
HARMLESS = re.compile(r"(?![\s\"']*[=+\-@＝＋－＠])[^;\t\r\n]*")  # nearly every text is, and one look tells
NUMBER = re.compile(r"-?\d+(\.\d+)?")


def csv_pieces(columns: Iterable[Column], rows: Iterable[list[Cell]]) -> Iterator[bytes]:
    """The file piece by piece: the columns' keys, then a line for each row."""
    columns = list(columns)
    yield MARK + _line(_quoted(column.key) for column in columns)
    writers = [_writer(column.kind) for column in columns]
    for row in rows:
        yield _line([write(cell) for write, cell in zip(writers, row, strict=True)])


def _writer(kind: Kind) -> Callable[[Cell], str]:
    """How the cells of a column are written; its words are few and come again."""
    return cache(partial(written, kind=kind)) if kind == "word" else partial(written, kind=kind)


def written(cell: Cell, kind: Kind) -> str:
    """A cell as it stands in the file."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return _quoted(harmless(cell))
    if isinstance(cell, Figure):
        return written(cell.value, cell.kind)
    return str(Decimal(str(cell)).quantize(CENT, ROUND_HALF_EVEN)) if kind == "money" else _plain(cell)


def harmless(text: str) -> str:
    """The text with an apostrophe wherever a formula could begin; a plain number is none."""
    if HARMLESS.fullmatch(text) or NUMBER.fullmatch(text):
        return text
    return FORMULA.sub(r"\1'", text)


def _plain(cell: Plain) -> str:
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _line(cells: Iterable[str]) -> bytes:
    return (",".join(cells) + "\r\n").encode()
