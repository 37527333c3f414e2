"""A workbook but for its rows, made by the library: sheets, styles, widths, charts, and how these hang together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from app.reports.exports.asking import Answered
from app.reports.exports.xlsx_rows import STYLES
from app.reports.tables import Drawn, Table

NO_NAME = str.maketrans("[]:*?/\\'", "()-..-- ")
CHARTS = {
    "stacked": {"type": "column", "subtype": "stacked"}, "bars": {"type": "bar"}, "line": {"type": "line"},
    "area": {"type": "area"},
}  # fmt: skip
CHART_SIZE = {"width": 640, "height": 320}
CHART_ROWS = 17  # of a sheet, for a chart's height


@dataclass(frozen=True)
class Sheet:
    """A sheet without its rows: a table with so many under its header, or words about the others."""

    title: str
    widths: Sequence[int]
    rows: int
    table: Table | None = None


def write_frame(file: IO[bytes], answered: Answered, sheets: Sequence[Sheet]) -> None:
    """The sheets in their order; where its rows belong each has one of empty cells, `xlsx_rows.pattern()`."""
    with Workbook(file, {"constant_memory": True}) as book:
        created = local(answered.frame.as_of, answered)
        book.set_properties({"title": answered.report.title, "company": answered.frame.tenant, "created": created})
        styles = [book.add_format(dict(style)) for style in STYLES.values()]
        names = _names([sheet.title for sheet in sheets])
        made = [_add(book, name, sheet, styles) for name, sheet in zip(names, sheets, strict=True)]
        _add_charts(book, made, sheets)


def local(moment: datetime, answered: Answered) -> datetime:
    """A spreadsheet's times have no zone: the tenant's, which the last sheet names."""
    return moment.astimezone(answered.frame.zone).replace(tzinfo=None)


def _names(titles: Sequence[str]) -> list[str]:
    """What a spreadsheet allows of each title, and no other's."""
    names: list[str] = []
    taken: set[str] = set()
    for title in titles:
        name = short = title.translate(NO_NAME)[:31].strip() or "-"
        while name.casefold() in taken:
            name = f"{short[:27]} {len(taken)}"
        names.append(name)
        taken.add(name.casefold())
    return names


def _add(book: Workbook, name: str, sheet: Sheet, styles: Sequence[Format]) -> Worksheet:
    made: Worksheet = book.add_worksheet(name)
    made.set_landscape()
    made.set_paper(9)  # A4
    made.fit_to_pages(1, 0)
    made.set_footer("&L&A&R&P / &N")
    for number, width in enumerate(sheet.widths):
        made.set_column(number, number, width)
    for number, style in enumerate(styles):
        made.write_blank(0, number, None, style)
    if sheet.table is not None:
        made.freeze_panes(1, 0)
        made.repeat_rows(0)
        made.autofilter(0, 0, sheet.rows, len(sheet.widths) - 1)
    return made


def _add_charts(book: Workbook, made: Sequence[Worksheet], sheets: Sequence[Sheet]) -> None:
    """On the first sheet, beside its table, each of what its own sheet holds."""
    beside, row = len(sheets[0].widths) + 1, 1
    for held, sheet in zip(made, sheets, strict=True):
        if sheet.table is not None and sheet.table.drawn is not None and sheet.rows:
            chart = _chart(book, sheet.table, sheet.table.drawn, held.get_name(), sheet.rows)
            made[0].insert_chart(row, beside, chart)
            row += CHART_ROWS


def _chart(book: Workbook, table: Table, drawn: Drawn, sheet: str, rows: int) -> Any:
    chart = book.add_chart(CHARTS[drawn.form])
    places: Mapping[str, int] = {column.key: number for number, column in enumerate(table.columns)}
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
