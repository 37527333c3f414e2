"""PDF: a report typeset by Typst from what it says as JSON, with our fonts, in a process of bounded time and memory."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import structlog

from app import texts
from app.reports.definitions import READER
from app.reports.errors import PaperNotMade, TooManyRows
from app.reports.exports import words
from app.reports.exports.asking import Answered, Seen
from app.reports.exports.sources import Picture
from app.reports.tables import Column, Kind, Table
from app.texts import gettext as _

log = structlog.get_logger()

MEDIA_TYPE = "application/pdf"
HERE = Path(__file__).parent
FONT = "Noto Sans"
SECONDS, MEGABYTES = 60, 1024
MOST_ROWS = 2000
SAMPLE = 300
RIGHT: frozenset[Kind] = frozenset({"number", "money", "share", "days", "figure"})
# What a line of an upright and of a lying page holds, in letters of 8.5 points.
UPRIGHT = 105
LEAST, MOST = 5, 30


def write_pdf(file: IO[bytes], answered: Answered, *, paper: str = "a4", seen: Seen = lambda rows: None) -> None:
    """The report on paper (`a4` or `letter`), in the language that is set; refused beyond `MOST_ROWS` rows."""
    with TemporaryDirectory(prefix="report-") as name:
        folder = Path(name)
        content = _content(answered, paper, folder)
        (folder / "report.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        shutil.copy(HERE / "paper.typ", folder)
        _typeset(folder)
        with (folder / "paper.pdf").open("rb") as made:
            shutil.copyfileobj(made, file)
    seen(sum(len(table["rows"]) for table in content["tables"]))


def pdf_of(answered: Answered, *, paper: str = "a4") -> bytes:
    """The same as one piece, for a mail: no transaction may be open while the pages are set."""
    file = BytesIO()
    write_pdf(file, answered, paper=paper)
    return file.getvalue()


def _typeset(folder: Path) -> None:
    """In a process of its own, without our environment; what goes wrong there is logged and said in general."""
    program = [sys.executable, "-I", str(HERE / "typesetting.py"), str(folder), str(HERE / "fonts")]
    limits = [str(SECONDS), str(MEGABYTES)]
    try:
        done = subprocess.run([*program, *limits], capture_output=True, env={}, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as late:
        raise PaperNotMade(f"It took more than {SECONDS} seconds; ask for fewer days, or for XLSX") from late
    if done.returncode:
        log.error("paper_not_made", status=done.returncode, problem=done.stderr.decode(errors="replace")[-2000:])
        raise PaperNotMade


def _content(answered: Answered, paper: str, folder: Path) -> dict[str, Any]:
    report, frame = answered.report, answered.frame
    as_of = _("As of %(moment)s") % {"moment": words.moment(frame.as_of, frame.zone)}
    return {
        "paper": {"a4": "a4", "letter": "us-letter"}[paper],
        "language": texts.language(),
        "tenant": _said(frame.tenant),
        "title": report.title,
        "as_of": as_of,
        "facts": [fact for fact in (report.period, report.currency) if fact],
        "words": {"page": _("Page"), "of": _("of"), "nothing": _("Nothing"), "definitions": _("What the figures mean")},
        "highlights": [
            {"name": one.name, "value": words.large(one.value), "note": one.note} for one in report.highlights
        ],
        "charts": [_chart(chart, folder, number) for number, chart in enumerate(report.charts)],
        "tables": [_table(table, answered) for table in report.tables if table.paper],
        "reader": _(READER),
        "definitions": [
            {"name": _(one.name), "text": _(one.text), "formula": _(one.formula)} for one in report.definitions
        ],
    }


def _chart(chart: Picture, folder: Path, number: int) -> dict[str, Any]:
    """The same picture as on the page, beside its words; with nothing to draw, the words alone."""
    drawn, name = str(chart.svg_for_print(FONT)), f"chart-{number}.svg"
    if drawn:
        (folder / name).write_text(drawn, encoding="utf-8")
    return {"title": chart.title, "text": chart.text, "file": name if drawn else None}


def _table(table: Table, answered: Answered) -> dict[str, Any]:
    kept = [number for number, column in enumerate(table.columns) if column.paper]
    columns = [table.columns[number] for number in kept]
    rows = list(islice(_rows(table, kept, answered), MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise TooManyRows(f"Paper takes {MOST_ROWS:,} rows and here are more; ask for fewer days, or for XLSX or CSV")
    weights = [_weight(column, [row[number] for row in rows[:SAMPLE]]) for number, column in enumerate(columns)]
    wide = sum(weights) > UPRIGHT
    heads = [
        {"label": column.label, "right": column.kind in RIGHT, "weight": weight}
        for column, weight in zip(columns, weights, strict=True)
    ]
    said = [[_said(cell) for cell in row] for row in rows]
    return {
        "title": table.title,
        "wide": wide,
        "size": 7.5 if wide else 8.5,
        "columns": heads,
        "rows": said,
        "note": "",
    }


def _rows(table: Table, kept: Sequence[int], answered: Answered) -> Iterator[list[str]]:
    kinds, zone = [column.kind for column in table.columns], answered.frame.zone
    for row in table.cells():
        yield [words.spelt(row[number], kinds[number], zone) for number in kept]


def _said(text: str) -> str | Mapping[str, str]:
    """A text that begins in a script that runs from right to left is set so."""
    return {"text": text} if words.is_right_to_left(text) else text


def _weight(column: Column, cells: Sequence[str]) -> int:
    """How wide a column is beside the others: what most of its cells need, and the longest word of its head."""
    lengths = sorted(len(cell) for cell in cells) or [0]
    usual = lengths[int(len(lengths) * 0.9)] if column.kind == "text" else lengths[-1]
    head = max(map(len, column.label.split()), default=0)
    return min(MOST, max(LEAST, usual, head)) + 2
