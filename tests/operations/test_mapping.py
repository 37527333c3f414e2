from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.operations.imports.errors import WrongHeader, WrongMapping
from app.operations.imports.mapping import load_mapping, parse_mapping
from app.operations.imports.rows import RawRow

TODAY = date(2026, 11, 21)
EXAMPLES = Path(__file__).parent.parent.parent / "examples"
TERM = {"start": "from", "by": "every", "terms": {"month": "P1M", "year": "P1Y"}, "after": "today"}


def mapped(content: dict[str, Any], *rows: dict[str, Any]) -> list[RawRow]:
    mapping = parse_mapping(content, today=TODAY)
    return list(mapping.rows(RawRow(n, dict(row)) for n, row in enumerate(rows, 2)))


def test_columns_constants_values_and_templates_make_our_row() -> None:
    content = {
        "columns": {"external_id": "id", "segment": "plan", "attributes.seats": "seats"},
        "constants": {"source": "billing"},
        "values": {"segment": {"Pro": "mid_market"}},
        "derive": {"title": {"template": "Ticket {id} ({seats})"}},
    }
    [row] = mapped(content, {"id": "7", "plan": "Pro", "seats": None, "other": "x"})
    assert row.values == {
        "external_id": "7",
        "segment": "mid_market",
        "attributes.seats": None,
        "source": "billing",
        "title": "Ticket 7 ()",
    }
    [refused] = mapped(content, {"id": "7", "plan": "Gold"})
    assert refused.faults == [("segment", "plan: 'Gold' has no value in [values.segment]")]


def test_rows_outside_where_are_passed_over() -> None:
    content = {"columns": {"name": "n"}, "where": {"end": "", "kind": ["a", "b"]}}
    rows = mapped(content, {"n": 1, "end": None, "kind": "a"}, {"n": 2, "end": "x", "kind": "a"}, {"n": 3, "kind": "c"})
    assert [row.values["name"] for row in rows] == [1]


def test_days_and_moments_are_read_as_they_are_written() -> None:
    content = {
        "columns": {"starts_on": "day", "raised_at": "at"},
        "dates": {"formats": ["%d-%m-%Y %H:%M", "%d-%m-%Y"], "timezone": "Europe/Berlin"},
    }
    [row] = mapped(content, {"day": "03-02-2026", "at": "01-07-2026 09:30"})
    assert row.values == {"starts_on": "2026-02-03", "raised_at": "2026-07-01T07:30:00+00:00"}
    [refused] = mapped(content, {"day": "2026-02-03", "at": None})
    assert refused.faults == [("starts_on", "day: expected a date written as %d-%m-%Y %H:%M or %d-%m-%Y")]


@pytest.mark.parametrize(
    ("start", "every", "renews", "lapsed", "end"),
    [
        ("2024-03-15", "year", "yes", "ended", "2027-03-14"),
        ("2024-11-22", "year", "yes", "ended", "2027-11-21"),
        ("2026-10-31", "month", "yes", "ended", "2026-11-29"),
        ("2026-10-22", "month", "yes", "ended", "2026-12-21"),
        ("2024-03-15", "year", "no", "ended", "2025-03-14"),
        ("2024-03-15", "year", "no", "open", None),
        ("2026-03-15", "year", "no", "open", "2027-03-14"),
    ],
)
def test_the_end_is_that_of_the_term_running_today(
    start: str, every: str, renews: str, lapsed: str, end: str | None
) -> None:
    content = {"derive": {"ends_on": {**TERM, "renews": {"auto": "yes"}, "lapsed": lapsed}}}
    [row] = mapped(content, {"from": start, "every": every, "auto": renews})
    assert row.values == {"ends_on": end}


def test_a_term_that_is_not_known_refuses_the_row() -> None:
    [row] = mapped({"derive": {"ends_on": TERM}}, {"from": "2026-01-01", "every": "week"})
    assert row.faults == [("ends_on", "every: expected one of month, year")]


def test_a_column_that_the_mapping_needs_and_the_file_lacks_is_named() -> None:
    mapping = parse_mapping({"columns": {"name": "n"}, "where": {"state": "open"}}, today=TODAY)
    with pytest.raises(WrongHeader, match="column 'state' of the mapping is missing"):
        mapping.columns_from(["n"])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"column": {}}, "unknown table [column]"),
        ({"columns": {"name": 1}}, "columns.name: expected a text"),
        ({"columns": []}, "[columns]: expected a table"),
        ({"dates": {"timezone": "Mars"}}, "dates.timezone"),
        ({"dates": {"format": "x"}}, "dates.format: expected formats or timezone"),
        ({"derive": {"ends_on": {"start": "s"}}}, "derive.ends_on: expected template"),
        ({"derive": {"ends_on": {**TERM, "terms": {"m": "1 month"}}}}, "derive.ends_on.terms.m: expected a term"),
        ({"derive": {"ends_on": {**TERM, "after": "soon"}}}, "derive.ends_on.after"),
        ({"derive": {"ends_on": {**TERM, "lapsed": "gone"}}}, "derive.ends_on: expected one column in renews"),
    ],
)
def test_a_faulty_mapping_is_refused_by_place(content: dict[str, Any], complaint: str) -> None:
    with pytest.raises(WrongMapping) as refused:
        parse_mapping(content, today=TODAY)
    assert complaint in refused.value.detail


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.toml")), ids=lambda path: path.stem)
def test_the_examples_are_mappings(path: Path) -> None:
    assert load_mapping(path, today=TODAY).columns


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text("columns = ")
    with pytest.raises(WrongMapping, match=r"m\.toml"):
        load_mapping(tmp_path / "m.toml", today=TODAY)
