"""Lines as rows: CSV by its header, NDJSON one object per line; a broken row is refused, the rest goes on."""

import csv
import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.operations.imports.errors import WrongHeader
from app.operations.imports.lines import Line

MAX_LINES_OF_A_ROW = 200
MEDIA = ("text/csv", "application/x-ndjson")


@dataclass
class RawRow:
    """A row as it came; `faults` (field, complaint) when it could not be read. A CSV cell is a text."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[tuple[str | None, str]] = field(default_factory=list)


class BrokenLine(Exception):
    """A line without text in the middle of what csv reads."""

    def __init__(self, line: Line) -> None:
        super().__init__(line.fault)
        self.line = line


class Feed:
    """The lines that csv takes; those of a broken row but its first can be put back."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self.lines = lines
        self.waiting: deque[Line] = deque()
        self.taken: list[Line] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.waiting.popleft() if self.waiting else next(self.lines)
        if line.fault:
            raise BrokenLine(line)
        self.taken.append(line)
        if len(self.taken) > MAX_LINES_OF_A_ROW:
            raise csv.Error("a quote is opened and not closed")
        return line.text

    def put_back(self, lines: Sequence[Line]) -> None:
        self.waiting.extendleft(reversed(lines))


def read_header(lines: Iterator[Line]) -> tuple[list[str], Iterator[list[str]], Feed]:
    """The columns of a CSV file, its reader and its feed; WrongHeader names what is wrong with them."""
    feed = Feed(lines)
    reader = csv.reader(feed, strict=True)
    try:
        header = [name.strip() for name in next(reader)]
    except StopIteration:
        raise WrongHeader("the file is empty: expected a line of column names") from None
    except BrokenLine as broken:
        raise WrongHeader(f"line {broken.line.number}: {broken}") from None
    except csv.Error as error:
        raise WrongHeader(f"line 1: {error}") from None
    if "" in header:
        raise WrongHeader(f"column {header.index('') + 1} has no name")
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise WrongHeader(f"column {twice[0]!r} stands twice")
    return header, reader, feed


def csv_rows(header: list[str], reader: Iterator[list[str]], feed: Feed) -> Iterator[RawRow]:
    """One row for each record; an empty cell is None."""
    width = len(header)
    while True:
        feed.taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except BrokenLine as broken:
            yield RawRow(broken.line.number, faults=[(None, str(broken))])
            continue
        except csv.Error as error:
            yield _broken(feed, f"not a row of CSV: {error}")
            continue
        if len(cells) == width:
            yield RawRow(feed.taken[0].number, {name: cell or None for name, cell in zip(header, cells, strict=True)})
        elif cells:
            yield _broken(feed, f"expected {width} columns, found {len(cells)}")


def _broken(feed: Feed, complaint: str) -> RawRow:
    """Refuse the first line only: what a stray quote swallowed is read again."""
    first, *rest = feed.taken
    feed.put_back(rest)
    return RawRow(first.number, faults=[(None, complaint)])


def ndjson_rows(lines: Iterator[Line]) -> Iterator[RawRow]:
    """One row for each object; numbers are exact."""
    for line in lines:
        if line.fault:
            yield RawRow(line.number, faults=[(None, line.fault)])
        elif line.text.strip():
            yield _object(line)


def _object(line: Line) -> RawRow:
    try:
        values = json.loads(line.text, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        return RawRow(line.number, faults=[(None, f"expected a JSON object: {error}")])
    if not isinstance(values, dict):
        return RawRow(line.number, faults=[(None, "expected a JSON object")])
    return RawRow(line.number, values)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
