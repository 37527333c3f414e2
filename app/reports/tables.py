"""Tables of a report: what its files are made from, whatever the area. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple, TypeAlias, cast

Kind = Literal["text", "word", "number", "money", "share", "days", "date", "month", "moment", "figure"]
Plain: TypeAlias = str | int | float | Decimal | date | datetime | None
# What a cell of each kind holds. A share is of 1, an amount in a currency that a column beside it or its label names.
HELD: Mapping[Kind, tuple[type, ...]] = {
    "text": (str,),
    "word": (str,),  # one of our own, such as tier_1
    "number": (int, float, Decimal),
    "money": (Decimal,),
    "share": (int, float, Decimal),
    "days": (int, float, Decimal),
    "date": (date,),
    "month": (date,),  # its first day
    "moment": (datetime,),
}
# Of these exact types it is one, with nothing left to ask.
USUAL: Mapping[Kind, tuple[type, ...]] = {kind: held for kind, held in HELD.items() if kind != "moment"}


class Figure(NamedTuple):
    """A cell of a column of figures, where each row has its own kind."""

    kind: Kind
    value: Plain


Cell: TypeAlias = Plain | Figure


@dataclass(frozen=True)
class Column:
    """`key` is the column's name in CSV, the same in every language, `label` what people read.

    A row has its value under `path`, the key unless said; dots lead into records within it. In a column of figures the
    row says under `kind` what it holds. What is for programs alone, such as ids, is not on `paper`.
    """

    key: str
    label: str
    kind: Kind = "text"
    path: str = ""
    paper: bool = True

    def cell(self, row: Mapping[str, Any]) -> Cell:
        """The row's value here; None where a record on the way is None. A value of another kind is refused."""
        return self.reader()(row)

    def reader(self) -> Callable[[Mapping[str, Any]], Cell]:
        """`cell` for many rows: what all of them share is found out once."""
        *way, last = (self.path or self.key).split(".")
        kind, checked, usual = self.kind, self.checked, (type(None), *USUAL.get(self.kind, ()))

        def read(row: Mapping[str, Any]) -> Cell:
            record: Any = row
            for name in way:
                record = None if record is None else record[name]
            value = None if record is None else record[last]
            if kind == "figure":
                return Figure(row["kind"], checked(value, row["kind"]))
            return value if type(value) in usual else checked(value, kind)

        return read

    def checked(self, value: Any, kind: Kind) -> Plain:
        if value is None or type(value) in USUAL.get(kind, ()):
            return cast(Plain, value)
        if kind == "text" and not isinstance(value, bool | float | Decimal | date):
            return str(value)
        wrong = isinstance(value, bool) or (kind in ("date", "month") and isinstance(value, datetime))
        naive = isinstance(value, datetime) and value.tzinfo is None
        if wrong or naive or not isinstance(value, HELD[kind]):
            raise TypeError(f"column {self.key} holds a {kind}, not {value!r}")
        return cast(Plain, value)


@dataclass(frozen=True)
class Drawn:
    """The chart that a workbook shows of a table: columns by key, `category` along the axis, one series for each
    other."""

    form: Literal["stacked", "bars", "line", "area"]
    category: str
    series: Sequence[str]


@dataclass(frozen=True)
class Table:
    """Rows with the columns' values; those of a long table may come one after the other and only once. A table whose
    figures the highlights or a chart show already need not stand on `paper`."""

    key: str
    title: str
    columns: Sequence[Column]
    rows: Iterable[Mapping[str, Any]]
    drawn: Drawn | None = None
    paper: bool = True

    def cells(self) -> Iterator[list[Cell]]:
        """Each row's cells in the columns' order."""
        readers = [column.reader() for column in self.columns]
        for row in self.rows:
            yield [read(row) for read in readers]
