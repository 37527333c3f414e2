"""CSV of reports: read back by the standard library, harmless in a spreadsheet, equal to the rows as JSON."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from app.reports.exports.csv_files import csv_pieces, harmless
from app.reports.tables import Column, Table
from tests.escalations.story import march


def read_back(content):
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1+2", "'+1+2"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        (" =1", "' =1"),
        ('"=1', "'\"=1"),
        ("\tx", "'\tx"),
        ("＝1", "'＝1"),
        ("a;=1", "a;'=1"),
        ("a\n=1", "a\n'=1"),
        ("-12.50", "-12.50"),
        ("a=b", "a=b"),
        ("me@example.com", "me@example.com"),
        ("Łódź 🚀 שלום", "Łódź 🚀 שלום"),
        ("", ""),
    ],
)
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text, shown):
    assert harmless(text) == shown


def test_every_kind_is_written_plainly_and_comes_back():
    columns = [Column(kind, kind, kind) for kind in ("text", "number", "money", "share", "days", "date", "moment")]
    columns.append(Column("figure", "Figure", "figure"))
    row = {
        "text": 'He said "no", then;\nleft', "number": -3, "money": Decimal("-1234.565"), "share": 0.5, "days": 12,
        "date": date(2026, 3, 2), "moment": datetime(2026, 3, 2, 10, tzinfo=UTC), "kind": "money",
        "figure": Decimal(7),
    }  # fmt: skip
    empty = {**dict.fromkeys(row), "kind": "text"}
    content = b"".join(csv_pieces(columns, Table("t", "T", columns, [row, empty]).cells()))
    header, *lines = read_back(content)
    assert header == [column.key for column in columns]
    # Half a cent goes to the even one.
    assert lines[0] == [
        'He said "no", then;\nleft', "-3", "-1234.56", "0.5", "12", "2026-03-02", "2026-03-02T10:00:00Z", "7.00"
    ]  # fmt: skip
    assert lines[1] == [""] * 8
    assert content.endswith(b"\r\n")


@pytest.fixture
def get(company, as_user):
    def ask(path, at="6 12:00", *, user=None, **query):
        asked = {"as_of": march(at).isoformat(), **query}
        return as_user(user or company.boss).get(f"/api/v1/reports/{path}", query_string=asked)

    return ask


def test_the_files_of_summary_and_rows_say_what_the_json_says(story, fold, get, company, make_user):
    for day, title in ((2, "=cmd|' /C calc'!A0"), (3, "Exports fail"), (4, "שלום 🚀")):
        story(f"{day} 10:00", title=title)
    fold("20 10:00")
    answer = get("rows.csv", figure="open")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["Content-Disposition"] == "attachment; filename=firsthand-rows-2026-03-06.csv"
    header, *lines = read_back(answer.data)
    titles = [line[header.index("title")] for line in lines]
    assert titles == ["'=cmd|' /C calc'!A0", "Exports fail", "שלום 🚀"]
    listed = get("rows", figure="open").json["items"]
    assert [line[header.index("escalation")] for line in lines] == [row["escalation"]["number"] for row in listed]
    assert [line[header.index("raised_at")] for line in lines] == [row["raised_at"] for row in listed]

    header, *lines = read_back(get("summary.csv").data)
    values = {line[header.index("figure")]: line[header.index("value")] for line in lines}
    summary = get("summary").json
    assert (values["open"], values["value_at_stake"]) == ("3", summary["value_at_stake"]["amount"])
    assert values["on_time_share"] == ""
    header, *lines = read_back(get("summary.csv", table="months").data)
    assert lines == [["2026-03-01", "3", "0", "0", "0", "0", "0", "3", "0", "0", "0", ""]]

    assert get("summary.csv", table="nonsense").json["errors"][0]["parameter"] == "table"
    assert get("rows.csv").json["errors"][0]["parameter"] == "figure"
    assert get("summary.csv", "6 12:00", user=make_user("csm")).status_code == 403
