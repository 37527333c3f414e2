"""Reports on paper: what is said there is text, never markup, whatever it is; fonts stand in the file; time ends."""

import io
import re
import zlib
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app import texts
from app.reports.charts import Bar, bars
from app.reports.errors import PaperNotMade, TooManyRows
from app.reports.exports import pdf_files, words
from app.reports.exports.asking import Answered, Frame
from app.reports.exports.pdf_files import pdf_of
from app.reports.exports.sources import Highlight, Report
from app.reports.tables import Column, Figure, Table
from tests.escalations.story import march

ZONE = ZoneInfo("Europe/Berlin")
FRAME = Frame("Acme שלום", datetime(2026, 3, 6, 12, tzinfo=UTC), ZONE)
EVIL = [
    '#read("/etc/passwd")',
    "#panic()",
    "*bold* $x$ `raw` @ref <label> //",
    "= title",
    "\\",
    "]",
    '"',
    '#import "x"',
]
SCRIPTS = [
    "שלום עולם",
    "مرحبا بالعالم",
    "Łódź Αθήνα Ромашка",
    "ไทย दिल्ली",
    "🚀👩‍👩‍👧",
    "東京",
    "W" * 500,
    "\x07\u2028bell",
]


def answered(rows, *, charts=(), columns=None):
    columns = columns or [Column("text", "Text"), Column("n", "N", "number")]
    highlights = [Highlight("Open", Figure("number", 3), "of 4"), Highlight("Value", Figure("money", None), "EUR")]
    report = Report("Report *1*", [Table("t", "T #1", columns, rows)], "EUR", charts, highlights=highlights)
    return Answered(report, FRAME, ())


class Paper:
    """A PDF's pages and fonts, as its objects say."""

    def __init__(self, content):
        streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
        inflated = b"".join(self.inflate(stream) for stream in streams)
        self.content = content + inflated
        self.pages = len(re.findall(rb"/Type\s*/Page\b", self.content))
        self.fonts = set(re.findall(rb"/FontName\s*/[A-Z]{6}\+([\w-]+)", self.content))
        self.embedded = len(re.findall(rb"/FontFile\d", self.content))
        self.boxes = set(re.findall(rb"/MediaBox\s*\[([^\]]*)\]", self.content))

    @staticmethod
    def inflate(stream):
        try:
            return zlib.decompress(stream)
        except zlib.error:
            return b""


def test_whatever_is_said_stands_on_paper_with_its_fonts():
    chart = bars("load", title="Load שלום", text="#1 <b>", columns=["Who", "Load"], lines=[Bar("Ada & שלום", 3, "3")])
    rows = [{"text": text, "n": n} for n, text in enumerate([*EVIL, *SCRIPTS, None])]
    paper = Paper(pdf_of(answered(rows, charts=[chart])))
    assert paper.pages == 1
    expected = {b"NotoSans-Regular", b"NotoSans-Bold", b"NotoSansHebrew-Regular", b"NotoSansArabic-Regular",
                b"NotoSansThai-Regular", b"NotoSansDevanagari-Regular", b"NotoEmoji-Regular"}  # fmt: skip
    assert expected <= paper.fonts
    assert paper.embedded >= len(paper.fonts)


@pytest.mark.parametrize(("paper", "width"), [("a4", "595"), ("letter", "612")])
def test_a_wide_table_lies_and_goes_on_over_pages_of_the_size_asked_for(paper, width):
    columns = [Column(f"text{n}", f"Text {n}", path="text") for n in range(8)]
    made = Paper(pdf_of(answered([{"text": f"Row {n} of the table"} for n in range(80)], columns=columns), paper=paper))
    boxes = sorted(box.split()[2].decode().partition(".")[0] for box in made.boxes)
    assert width in boxes
    assert len(boxes) == 2
    assert made.pages >= 4


def test_more_rows_than_paper_takes_are_refused_in_words(monkeypatch):
    monkeypatch.setattr(pdf_files, "MOST_ROWS", 3)
    with pytest.raises(TooManyRows, match="Paper takes 3 rows"):
        pdf_of(answered([{"text": "x", "n": n} for n in range(4)]))


@pytest.mark.parametrize(("limit", "value"), [("SECONDS", 0.01), ("MEGABYTES", 64)])
def test_what_takes_too_long_or_too_much_is_ended(monkeypatch, limit, value):
    monkeypatch.setattr(pdf_files, limit, value)
    with pytest.raises(PaperNotMade):
        pdf_of(answered([{"text": "x", "n": 1}]))


@pytest.mark.parametrize(
    ("cell", "kind", "english", "german"),
    [
        (Decimal("-1234567.5"), "money", "-1,234,567.50", "-1.234.567,50"),
        (0.875, "share", "87.5%", "87,5 %"),
        (1234, "number", "1,234", "1.234"),
        (datetime(2026, 3, 2, 10, tzinfo=UTC), "moment", "2026-03-02 11:00", "2026-03-02 11:00"),
        (datetime(2026, 3, 2, tzinfo=UTC).date(), "month", "Mar 2026", "März 2026"),
        ("open_not_due", "word", "Open not due", "Open not due"),
        (None, "text", "–", "–"),
    ],
)
def test_cells_are_written_in_the_readers_language(cell, kind, english, german):
    assert words.spelt(cell, kind, ZONE) == english
    texts.set_language("de")
    try:
        assert words.spelt(cell, kind, ZONE) == german
    finally:
        texts.set_language("en")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short words stay", "short words stay"),
        ("a\tb\nc\x00d", "a b c d"),
        ("x" * 20, "xxxxxxxx\u200bxxxxxxxx\u200bxxxx"),
        ("e\u0301" * 10, "e\u0301" * 4 + "\u200b" + "e\u0301" * 4 + "\u200b" + "e\u0301" * 2),
        ("👩‍👩‍👧" * 4, "👩‍👩‍👧👩‍👩‍👧\u200b👩‍👩‍👧👩‍👩‍👧"),
        ("🇩🇪" * 9, "🇩🇪" * 9),
        ("y " * 400, "y " * 300 + "…"),
    ],
)
def test_a_long_word_may_break_between_its_letters_alone(text, shown):
    assert words.breakable(text) == shown


@pytest.mark.parametrize(
    ("text", "expected"), [("שלום (1)", True), ("12 مرحبا", True), ("ESC-1 שלום", False), ("", False), ("123", False)]
)
def test_the_first_letter_with_a_direction_decides(text, expected):
    assert words.is_right_to_left(text) is expected


def test_the_fonts_come_with_their_licence():
    folder = Path(pdf_files.__file__).parent / "fonts"
    assert "SIL OPEN FONT LICENSE Version 1.1" in (folder / "OFL.txt").read_text()
    assert sum(file.stat().st_size for file in folder.iterdir()) < 3_000_000


def test_the_summary_is_given_as_pdf(story, fold, company, as_user):
    story("2 10:00", title="#panic() שלום 🚀")
    fold("3 10:00")
    asked = {"as_of": march("2 12:00").isoformat(), "paper": "letter", "language": "de"}
    answer = as_user(company.boss).get("/api/v1/reports/summary.pdf", query_string=asked)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf"), answer.text
    assert answer.headers["Content-Disposition"] == "attachment; filename=firsthand-summary-2026-03-02.pdf"
    paper = Paper(answer.data)
    assert paper.pages >= 2
    assert b"NotoSansHebrew-Regular" in paper.fonts
    assert io.BytesIO(answer.data).read(5) == b"%PDF-"
