"""Workbooks: typed cells, a sheet for each table, charts that a spreadsheet draws itself, at constant memory.

The library makes the workbook without its rows; they are written beside it, and put in on the way into the file.
"""

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain, islice
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile

from xlsxwriter.utility import xl_rowcol_to_cell

from app.reports.definitions import READER
from app.reports.errors import TooManyRows
from app.reports.exports import xlsx_rows
from app.reports.exports.asking import AT_ONCE, Answered, Seen
from app.reports.exports.xlsx_frame import Sheet, local, write_frame
from app.reports.tables import Cell, Column, Figure, Kind, Table
from app.texts import gettext as _

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_048_576 - 1  # a sheet's own limit, under its header
SAMPLE = 200  # rows by which a column's width is chosen
WIDEST, NARROWEST = 60, 8
WIDTHS: Mapping[Kind, int] = {"moment": 17, "date": 12, "month": 12, "money": 16, "share": 10}
OF_ABOUT = (30, 80, 60)
PIECE_BYTES = 64 << 10
COMPRESSED = 5  # of 9; the usual 6 takes half as long again for a hundredth fewer bytes
BEYOND_ZIP = 2_000_000_000  # bytes of a part, from which on a zip counts with more digits
PART_OF_SHEET = re.compile(r"xl/worksheets/sheet(\d+)\.xml")
DIMENSION = re.compile(rb'(?<=<dimension ref=")[^"]*')


class Body(NamedTuple):
    """A sheet and its rows, header and all, on disk."""

    sheet: Sheet
    rows: IO[bytes]


def write_workbook(file: IO[bytes], answered: Answered, *, seen: Seen = lambda rows: None) -> None:
    """The whole workbook; `seen` hears how many rows were written."""
    with ExitStack() as kept:
        count = _Count(seen)
        bodies = [
            _table(table, answered, count, kept.enter_context(TemporaryFile())) for table in answered.report.tables
        ]
        bodies.append(_about(answered, kept.enter_context(TemporaryFile())))
        frame = kept.enter_context(TemporaryFile())
        write_frame(frame, answered, [body.sheet for body in bodies])
        _put_together(frame, bodies, file)
        seen(count.rows)


class _Count:
    """How many rows of all tables were written."""

    def __init__(self, seen: Seen) -> None:
        self.seen, self.rows = seen, 0

    def passing(self, rows: Iterable[list[Cell]]) -> Iterator[list[Cell]]:
        """The rows of one sheet, told of as they pass."""
        for at, row in enumerate(rows, 1):
            if at > MOST_ROWS:
                raise TooManyRows(f"A sheet holds {MOST_ROWS:,} rows and here are more; ask for CSV, or for fewer days")
            yield row
            self.rows += 1
            if self.rows % AT_ONCE == 0:
                self.seen(self.rows)


def _table(table: Table, answered: Answered, count: _Count, file: IO[bytes]) -> Body:
    """Header and rows."""
    before, rows = count.rows, table.cells()
    first = list(islice(rows, SAMPLE))
    widths = [_width(column, [row[number] for row in first]) for number, column in enumerate(table.columns)]
    head = [xlsx_rows.styled_text("head")] * len(widths)
    writers = [xlsx_rows.writer(column.kind, answered.frame.zone) for column in table.columns]
    file.writelines(xlsx_rows.lines([[column.label for column in table.columns]], head, start=1))
    file.writelines(xlsx_rows.lines(count.passing(chain(first, rows)), writers, start=2))
    return Body(Sheet(table.title, widths, count.rows - before, table), file)


def _about(answered: Answered, file: IO[bytes]) -> Body:
    """Whose figures, as of when, and what each means."""
    report, frame = answered.report, answered.frame
    zone = str(frame.zone)
    facts = [
        (_("Report"), report.title),
        (_("Organisation"), frame.tenant),
        (_("As of"), f"{local(frame.as_of, answered):%Y-%m-%d %H:%M:%S} {zone}"),
        (_("Period"), report.period),
        (_("Currency"), report.currency),
        (_("Times"), zone),
        (_("Reader"), _(READER)),
    ]
    said = [(*fact, None) for fact in facts if fact[1]]
    gap = [(None, None, None)] * (len(facts) - len(said) + 1)
    definitions = [(_(one.name), _(one.text), _(one.formula)) for one in report.definitions]
    lines = [*said, *gap, *definitions]
    file.writelines(xlsx_rows.lines(lines, [xlsx_rows.styled_text("wrapped")] * len(OF_ABOUT), start=1))
    return Body(Sheet(_("About these figures"), OF_ABOUT, len(lines) - 1), file)


def _put_together(frame: IO[bytes], bodies: Sequence[Body], file: IO[bytes]) -> None:
    """The frame's parts, each sheet's rows in their place."""
    with ZipFile(frame) as parts, ZipFile(file, "w", ZIP_DEFLATED, compresslevel=COMPRESSED) as made:
        for name in parts.namelist():
            found = PART_OF_SHEET.fullmatch(name)
            if found:
                _fill(made, name, parts.read(name), bodies[int(found[1]) - 1])
            else:
                with made.open(name, "w") as part:
                    part.write(parts.read(name))


def _fill(made: ZipFile, name: str, sheet: bytes, body: Body) -> None:
    head, found, tail = sheet.partition(xlsx_rows.pattern())
    if not found:
        raise RuntimeError("the library numbers a workbook's styles otherwise than in the order of their first use")
    last = xl_rowcol_to_cell(body.sheet.rows, len(body.sheet.widths) - 1)
    size = body.rows.tell()
    body.rows.seek(0)
    with made.open(name, "w", force_zip64=size > BEYOND_ZIP) as part:
        part.write(DIMENSION.sub(f"A1:{last}".encode(), head, count=1))
        shutil.copyfileobj(body.rows, part, PIECE_BYTES)
        part.write(tail)


def _width(column: Column, cells: Sequence[Any]) -> int:
    """Wide enough for the header and most of what was seen."""
    fixed = WIDTHS.get(column.kind, 0)
    texts = [len(str(cell.value if isinstance(cell, Figure) else cell)) for cell in cells if cell is not None]
    longest = 0 if fixed else max(texts, default=0)
    return min(WIDEST, max(NARROWEST, fixed, longest + 2, min(len(column.label) + 4, 24)))
