"""Tables: what a cell may hold, and where in a row it is found."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from app.reports.tables import Column, Table

MOMENT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_a_row_is_read_by_the_columns_and_a_path_leads_into_its_records():
    columns = [Column("owner", "Owner", path="owner.name"), Column("value", "Value (EUR)", "money", "value.amount")]
    rows = [{"owner": {"name": "Ada"}, "value": {"amount": Decimal("-1.50")}}, {"owner": None, "value": None}]
    assert list(Table("t", "T", columns, rows).cells()) == [["Ada", Decimal("-1.50")], [None, None]]


@pytest.mark.parametrize(
    ("kind", "value", "cell"),
    [
        ("text", UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("text", 3, "3"),
        ("number", 3, 3),
        ("share", 0.25, 0.25),
        ("days", 12, 12),
        ("date", date(2026, 3, 2), date(2026, 3, 2)),
        ("moment", MOMENT, MOMENT),
        ("money", None, None),
    ],
)
def test_a_value_of_its_kind_is_taken(kind, value, cell):
    assert Column("c", "C", kind).cell({"c": value}) == cell


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", "3"),
        ("number", True),
        ("text", True),
        ("text", MOMENT),
        ("money", 1.5),
        ("date", MOMENT),
        ("moment", datetime(2026, 3, 2, 10)),  # noqa: DTZ001 - a moment without an offset is what is refused
        ("moment", date(2026, 3, 2)),
    ],
)
def test_a_value_of_another_kind_is_a_fault_of_the_program(kind, value):
    with pytest.raises(TypeError, match="column c"):
        Column("c", "C", kind).cell({"c": value})


def test_a_row_without_a_columns_value_is_a_fault_of_the_program():
    with pytest.raises(KeyError):
        Column("c", "C").cell({"d": 1})


def test_in_a_column_of_figures_each_row_says_what_it_holds():
    column = Column("value", "Value", "figure")
    assert column.cell({"kind": "share", "value": 0.5}) == ("share", 0.5)
    with pytest.raises(TypeError, match="holds a money"):
        column.cell({"kind": "money", "value": 0.5})
