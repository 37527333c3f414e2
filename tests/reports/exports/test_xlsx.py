"""Workbooks, read back as what they are: zipped XML. Texts stay texts, numbers and days are typed."""

import io
import re
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from xlsxwriter import Workbook

from app.reports.errors import TooManyRows
from app.reports.exports import xlsx_files, xlsx_rows
from app.reports.exports.asking import Answered, Frame
from app.reports.exports.sources import Report
from app.reports.tables import Column, Drawn, Table
from tests.escalations.story import march

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FRAME = Frame("Acme", datetime(2026, 3, 6, 12, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
LRM = "\u200e"


class Book:
    """A workbook's parts."""

    def __init__(self, content):
        self.parts = zipfile.ZipFile(io.BytesIO(content))
        names = ElementTree.fromstring(self.parts.read("xl/workbook.xml")).iter(f"{MAIN}sheet")
        self.names = [sheet.get("name") for sheet in names]
        styles = ElementTree.fromstring(self.parts.read("xl/styles.xml"))
        codes = {one.get("numFmtId"): one.get("formatCode") for one in styles.iter(f"{MAIN}numFmt")}
        self.codes = [codes.get(one.get("numFmtId"), one.get("numFmtId")) for one in styles.find(f"{MAIN}cellXfs")]

    def sheet(self, number=1):
        return ElementTree.fromstring(self.parts.read(f"xl/worksheets/sheet{number}.xml"))

    def cells(self, number=1):
        """Each cell's place, with its text, or its number and the number's format."""
        found = {}
        for cell in self.sheet(number).iter(f"{MAIN}c"):
            if cell.get("t") == "inlineStr":
                found[cell.get("r")] = "".join(cell.itertext())
            else:
                found[cell.get("r")] = (float(cell.find(f"{MAIN}v").text), self.codes[int(cell.get("s", 0))])
        return found


def workbook(*tables, seen=lambda rows: None):
    file = io.BytesIO()
    xlsx_files.write_workbook(file, Answered(Report("Rows: [all]", tables, "EUR"), FRAME, ()), seen=seen)
    return Book(file.getvalue())


EVIL = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "https://evil.example", "mailto:a@example.com", "{=1}", "0012"]
SCRIPTS = ["שלום עולם", "مرحبا", "🚀👩‍👩‍👧", "日本語", f"a{LRM}b", "<b>&amp;", " led ", "\x07bell"]


def test_texts_are_texts_whatever_they_begin_with():
    rows = [{"text": text} for text in (*EVIL, *SCRIPTS, "x" * 40_000)]
    book = workbook(Table("t", "Texts", [Column("text", "=Label")], rows))
    cells = book.cells()
    assert [cells[f"A{at}"] for at in range(1, 17)] == ["=Label", *EVIL, *SCRIPTS[:-1]]
    assert cells["A17"] == "_x0007_bell"
    assert (len(cells["A18"]), cells["A18"][-1]) == (32_767, "…")
    content = b"".join(book.parts.read(name) for name in book.parts.namelist())
    assert b"<f>" not in content
    assert b'ref="A1:A18"' in book.parts.read("xl/worksheets/sheet1.xml")
    assert b"hyperlink" not in content


def test_a_text_is_cut_by_what_a_spreadsheet_counts_and_no_letter_is_halved():
    """A rocket counts twice: 32,767 hold 16,383 of them and one letter more."""
    texts = ("🚀" * 16_383, "🚀" * 16_384, "<r>rich</r>", "_x0041_", "")
    cells = workbook(Table("t", "T", [Column("text", "T")], [{"text": text} for text in texts])).cells()
    assert [cells[f"A{at}"] for at in range(2, 7)] == [
        "🚀" * 16_383, "🚀" * 16_383 + "…", "<r>rich</r>", "_x005F_x0041_", ""
    ]  # fmt: skip


def test_rows_are_written_as_the_library_itself_would():
    texts = [*EVIL, *SCRIPTS, "a\r\n\tb", "_x0041_", "\ufffe", "\u00a0", "", '"quoted"', "x" * 32_767]
    numbers = [0, -3.5, 1 / 3, 10**17, 123456789.123456789]
    file = io.BytesIO()
    with Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, text in enumerate(texts):
            sheet.write_string(at, 0, text)
        for at, number in enumerate(numbers, len(texts)):
            sheet.write_number(at, 27, number)
    expected = zipfile.ZipFile(file).read("xl/worksheets/sheet1.xml")
    rows = [*([text, *[None] * 27] for text in texts), *([*[None] * 27, number] for number in numbers)]
    write = [xlsx_rows.writer("text", FRAME.zone)] * 27 + [xlsx_rows.writer("number", FRAME.zone)]
    found = re.sub(rb' s="\d+"', b"", b"".join(xlsx_rows.lines(rows, write, start=1)))
    assert b"<sheetData>" + found + b"</sheetData>" in expected


def test_a_library_that_numbers_styles_otherwise_is_refused(monkeypatch):
    monkeypatch.setitem(xlsx_rows.NUMBERS, "head", 2)
    with pytest.raises(RuntimeError, match="numbers a workbook's styles otherwise"):
        workbook(Table("t", "T", [Column("n", "N", "number")], []))


def test_an_amount_that_is_no_number_is_a_fault_of_the_program():
    with pytest.raises(ValueError, match="NaN is no number"):
        workbook(Table("t", "T", [Column("n", "N", "money")], [{"n": Decimal("NaN")}]))


def test_numbers_and_days_are_typed_and_moments_stand_in_the_tenants_zone():
    """A spreadsheet counts days since 30 December 1899: 46083 is 2 March 2026; 11:00 in Berlin is 10:00 UTC."""
    kinds = ("number", "money", "share", "days", "date", "moment")
    columns = [*(Column(kind, kind, kind) for kind in kinds), Column("value", "Value", "figure")]
    moment = datetime(2026, 3, 2, 10, tzinfo=UTC)
    whole = {
        "number": -3, "money": Decimal("-1234.56"), "share": 0.875, "days": 12, "date": date(2026, 3, 2),
        "moment": moment, "kind": "share", "value": Decimal("0.5"),
    }  # fmt: skip
    parts = {**dict.fromkeys(whole), "number": 2.5, "date": date(1900, 2, 28), "kind": "text", "value": "=1"}
    cells = workbook(Table("t", "T", columns, [whole, parts])).cells()
    assert [cells[f"{column}2"] for column in "ABCDEG"] == [
        (-3, "#,##0"), (-1234.56, "#,##0.00"), (0.875, "0.0%"), (12, "#,##0"), (46083, "yyyy-mm-dd"), (0.5, "0.0%")
    ]  # fmt: skip
    value, code = cells["F2"]
    assert (round((value - 46083) * 24, 6), code) == (11, "yyyy-mm-dd hh:mm")
    assert [cells.get(f"{column}3") for column in "ABEFG"] == [
        (2.5, "#,##0.0#"), None, "1900-02-28 00:00:00", None, "=1"
    ]  # fmt: skip


def test_a_sheet_has_a_frozen_header_a_filter_widths_and_a_chart():
    columns = [Column("month", "Month", "date"), Column("cases", "Cases", "number"), Column("text", "Text")]
    rows = [{"month": date(2026, month, 1), "cases": month, "text": "long " * 40} for month in (1, 2, 3)]
    drawn = Drawn("bars", "month", ["cases"])
    book = workbook(Table("one", "One/two", columns, rows, drawn), Table("two", "one-two", columns, [], drawn))
    sheet = book.sheet()
    pane = next(sheet.iter(f"{MAIN}pane"))
    assert (pane.get("state"), pane.get("ySplit"), pane.get("topLeftCell")) == ("frozen", "1", "A2")
    assert next(sheet.iter(f"{MAIN}autoFilter")).get("ref") == "A1:C4"
    widths = [round(float(column.get("width"))) for column in sheet.iter(f"{MAIN}col")]
    assert widths == [13, 10, 61]
    assert book.names == ["One-two", "one-two 1", "About these figures"]
    charts = [name for name in book.parts.namelist() if name.startswith("xl/charts/chart")]
    assert charts == ["xl/charts/chart1.xml"], "a table without rows has no chart"
    assert re.findall(r"<c:f>([^<]+)", book.parts.read(charts[0]).decode()) == [
        "'One-two'!$B$1", "'One-two'!$A$2:$A$4", "'One-two'!$B$2:$B$4"
    ]  # fmt: skip


def test_more_rows_than_a_sheet_holds_are_refused_in_words(monkeypatch):
    monkeypatch.setattr(xlsx_files, "MOST_ROWS", 3)
    columns = [Column("n", "N", "number")]
    assert len(workbook(Table("t", "T", columns, [{"n": n} for n in range(3)])).cells()) == 4
    with pytest.raises(TooManyRows, match="A sheet holds 3 rows"):
        workbook(Table("t", "T", columns, [{"n": n} for n in range(4)]))


def test_the_rows_of_a_long_table_are_taken_one_after_the_other_and_told_of():
    taken, told = [], []

    def rows():
        for n in range(6000):
            taken.append(n)
            yield {"n": n}

    book = workbook(Table("t", "T", [Column("n", "N", "number")], rows()), seen=lambda n: told.append((n, len(taken))))
    assert told == [(2500, 2500), (5000, 5000), (6000, 6000)]
    assert book.cells()["A6001"] == (5999, "#,##0")


def test_the_workbook_of_the_summary_says_what_the_json_says(story, fold, summary, company, as_user):
    story("2 10:00", title="=1+1")
    fold("3 10:00")
    asked = {"as_of": march("2 12:00").isoformat()}
    boss = as_user(company.boss)
    answer = boss.get("/api/v1/reports/summary.xlsx", query_string=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"] == "attachment; filename=firsthand-summary-2026-03-02.xlsx"
    book = Book(answer.data)
    cells, found = book.cells(), summary("2 12:00")
    rows = {cells[f"A{at}"]: at for at in range(2, 10)}
    assert cells[f"C{rows['open']}"] == (1, "#,##0")
    assert cells[f"C{rows['value_at_stake']}"] == (float(found["value_at_stake"]["amount"]), "#,##0.00")
    assert book.names[:2] == ["Figures", "Accounts by value at stake"]
    about = book.cells(len(book.names))
    assert (about["B2"], about["B3"][:19]) == ("Acme", "2026-03-02 12:00:00")
    german = Book(boss.get("/api/v1/reports/summary.xlsx", query_string={**asked, "language": "de"}).data)
    assert german.names[0] == "Kennzahlen"
