"""Workbooks: typed cells, a sheet for each table, charts that a spreadsheet draws itself, row after row at constant
memory. Texts are written as texts whatever they begin with: none is taken for a formula, a number or a link."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from itertools import chain, islice
from typing import IO, Any, TypeAlias

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from app.reports.definitions import READER
from app.reports.errors import TooManyRows
from app.reports.exports.asking import Answered, Seen
from app.reports.exports.words import worded
from app.reports.tables import Cell, Column, Drawn, Figure, Kind, Table
from app.texts import gettext as _

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_048_576 - 1  # a sheet's own limit, under its header
MOST_LETTERS = 32_767
# A spreadsheet counts days, right from March 1900 on: before, it has a 29 February 1900.
DAY_0, DAY, OLDEST = datetime(1899, 12, 30), timedelta(days=1), datetime(1900, 3, 1)  # noqa: DTZ001 - without a zone
SAMPLE = 200  # rows by which a column's width is chosen
WIDEST, NARROWEST = 60, 8
TOLD_EVERY = 1000
NO_NAME = str.maketrans("[]:*?/\\'", "()-..-- ")
FORMATS: Mapping[Kind, str] = {
    "number": "#,##0", "days": "#,##0", "money": "#,##0.00", "share": "0.0%", "date": "yyyy-mm-dd", "month": "mmm yyyy",
    "moment": "yyyy-mm-dd hh:mm",
}  # fmt: skip
PART = "#,##0.0#"  # of a number or a day
WIDTHS: Mapping[Kind, int] = {"moment": 17, "date": 12, "month": 12, "money": 16, "share": 10}
CHARTS = {
    "stacked": {"type": "column", "subtype": "stacked"}, "bars": {"type": "bar"}, "line": {"type": "line"},
    "area": {"type": "area"},
}  # fmt: skip
INK, HEAD = "#1f2933", "#e7ecf1"
CHART_SIZE = {"width": 640, "height": 320}
CHART_ROWS = 17  # of a sheet, for a chart's height

Write: TypeAlias = Callable[[Worksheet, int, int, Any], object]


def write_workbook(file: IO[bytes], answered: Answered, *, seen: Seen = lambda rows: None) -> None:
    """The whole workbook; `seen` hears how many rows were written."""
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
    }  # fmt: skip
    with Workbook(file, options) as book:
        book.use_zip64()
        title, frame = answered.report.title, answered.frame
        book.set_properties({"title": title, "company": frame.tenant, "created": _local(frame.as_of, answered)})
        _Writer(book, answered, seen).write()


class _Writer:
    """One workbook under way."""

    def __init__(self, book: Workbook, answered: Answered, seen: Seen) -> None:
        self.book, self.answered, self.seen = book, answered, seen
        self.head = book.add_format({"bold": True, "bg_color": HEAD, "font_color": INK, "bottom": 1, "valign": "top",
                                     "text_wrap": True})  # fmt: skip
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self.strong = book.add_format({"bold": True, "font_size": 14, "font_color": INK})
        self.formats = {kind: book.add_format({"num_format": code}) for kind, code in FORMATS.items()}
        self.part = book.add_format({"num_format": PART})
        self.names: set[str] = set()
        self.count = 0

    def write(self) -> None:
        tables = self.answered.report.tables
        sheets = {table.key: self.sheet(table.title) for table in tables}
        lengths = {table.key: self.table(sheets[table.key], table) for table in tables}
        self.about(self.sheet(_("About these figures")))
        self.charts(sheets, lengths)
        self.seen(self.count)

    def sheet(self, title: str) -> Worksheet:
        """A new sheet; its name is what a spreadsheet allows of the title, and no other's."""
        name = short = title.translate(NO_NAME)[:31].strip() or "-"
        while name.casefold() in self.names:
            number = len(self.names)
            name = f"{short[:27]} {number}"
        self.names.add(name.casefold())
        sheet: Worksheet = self.book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&A&R&P / &N")
        return sheet

    def table(self, sheet: Worksheet, table: Table) -> int:
        """Header and rows; answers how many rows."""
        rows = table.cells()
        first = list(islice(rows, SAMPLE))
        for number, column in enumerate(table.columns):
            sheet.set_column(number, number, _width(column, [row[number] for row in first]))
            sheet.write_string(0, number, column.label, self.head)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        at, writers = 0, [self.writer(column.kind) for column in table.columns]
        for at, row in enumerate(chain(first, rows), 1):
            self.row(sheet, at, writers, row)
        sheet.autofilter(0, 0, at, len(table.columns) - 1)
        return at

    def row(self, sheet: Worksheet, at: int, writers: Sequence[Write], row: Sequence[Any]) -> None:
        if at > MOST_ROWS:
            raise TooManyRows(f"A sheet holds {MOST_ROWS:,} rows and here are more; ask for CSV, or for fewer days")
        for number, (write, cell) in enumerate(zip(writers, row, strict=True)):
            if cell is not None:
                write(sheet, at, number, cell)
        self.count += 1
        if self.count % TOLD_EVERY == 0:
            self.seen(self.count)

    def writer(self, kind: Kind) -> Write:
        """How the cells of a column are written."""
        if kind == "figure":
            return self.write_figure
        if kind == "text":
            return lambda sheet, at, number, value: sheet.write_string(at, number, _cut(value))
        if kind == "word":
            return lambda sheet, at, number, value: sheet.write_string(at, number, worded(value))
        if kind in ("date", "month", "moment"):
            return partial(self.write_day, kind)
        return partial(self.write_number, kind)

    def write_figure(self, sheet: Worksheet, at: int, number: int, figure: Figure) -> None:
        if figure.value is not None:
            self.writer(figure.kind)(sheet, at, number, figure.value)

    def write_day(self, kind: Kind, sheet: Worksheet, at: int, number: int, value: date) -> None:
        """A spreadsheet counts days; one before it counts is written as a text."""
        day = _local(value, self.answered) if isinstance(value, datetime) else datetime.combine(value, time.min)
        if day < OLDEST:
            sheet.write_string(at, number, day.isoformat(" "))
        else:
            sheet.write_number(at, number, (day - DAY_0) / DAY, self.formats[kind])

    def write_number(self, kind: Kind, sheet: Worksheet, at: int, number: int, value: int | float | Decimal) -> None:
        is_part = kind in ("number", "days") and value != int(value)
        sheet.write_number(at, number, float(value), self.part if is_part else self.formats[kind])

    def about(self, sheet: Worksheet) -> None:
        """Whose figures, as of when, and what each means."""
        report, frame = self.answered.report, self.answered.frame
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 80)
        sheet.set_column(2, 2, 60)
        zone = str(frame.zone)
        facts = [
            (_("Report"), report.title),
            (_("Organisation"), frame.tenant),
            (_("As of"), f"{_local(frame.as_of, self.answered):%Y-%m-%d %H:%M:%S} {zone}"),
            (_("Period"), report.period),
            (_("Currency"), report.currency),
            (_("Times"), zone),
            (_("Reader"), _(READER)),
        ]
        self.lines(sheet, 0, [fact for fact in facts if fact[1]])
        self.lines(sheet, len(facts) + 1, [(_(one.name), _(one.text), _(one.formula)) for one in report.definitions])

    def lines(self, sheet: Worksheet, start: int, lines: Iterable[Sequence[str]]) -> None:
        for at, line in enumerate(lines, start):
            for number, text in enumerate(line):
                sheet.write_string(at, number, _cut(text), self.wrapped)

    def charts(self, sheets: Mapping[str, Worksheet], lengths: Mapping[str, int]) -> None:
        """On the first sheet, beside its table, each of what its own sheet holds."""
        tables = self.answered.report.tables
        drawn = [(table, table.drawn) for table in tables if table.drawn is not None and lengths[table.key]]
        for number, (table, chart) in enumerate(drawn):
            made = self.chart(table, chart, sheets[table.key].get_name(), lengths[table.key])
            sheets[tables[0].key].insert_chart(1 + number * CHART_ROWS, len(tables[0].columns) + 1, made)

    def chart(self, table: Table, drawn: Drawn, sheet: str, rows: int) -> Any:
        chart = self.book.add_chart(CHARTS[drawn.form])
        places = {column.key: number for number, column in enumerate(table.columns)}
        labels = {column.key: column.label for column in table.columns}
        for key in drawn.series:
            chart.add_series({
                "name": [sheet, 0, places[key]],
                "categories": [sheet, 1, places[drawn.category], rows, places[drawn.category]],
                "values": [sheet, 1, places[key], rows, places[key]],
            })  # fmt: skip
        chart.set_title({"name": table.title, "name_font": {"size": 12}})
        chart.set_x_axis({"name": labels[drawn.category]})
        if len(drawn.series) == 1:
            chart.set_legend({"none": True})
        chart.set_size(CHART_SIZE)
        return chart


def _local(moment: datetime, answered: Answered) -> datetime:
    """A spreadsheet's times have no zone: the tenant's, which the last sheet names."""
    return moment.astimezone(answered.frame.zone).replace(tzinfo=None)


def _cut(text: str) -> str:
    """What a cell holds of a text."""
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"


def _width(column: Column, cells: Sequence[Cell]) -> int:
    """Wide enough for the header and most of what was seen."""
    fixed = WIDTHS.get(column.kind, 0)
    texts = [len(str(cell.value if isinstance(cell, Figure) else cell)) for cell in cells if cell is not None]
    longest = 0 if fixed else max(texts, default=0)
    return min(WIDEST, max(NARROWEST, fixed, longest + 2, min(len(column.label) + 4, 24)))
