"""Inserting sets of rows: many tables in one statement, and arrays that cost the driver little."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import TextualSelect

from app.db import Model, db, question

M = TypeVar("M", bound=Model)


def _plain(value: Any) -> Any:
    """What JSON's library does not write itself; moments and identifiers it does."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, timedelta):
        return f"{value.total_seconds()} seconds"
    raise TypeError(f"{type(value).__name__} cannot be stored")


def fresh(model: type[M], **values: Any) -> M:
    """A row for `insert_all` that is written once and never changed: without what the session keeps of an object.

    What was given can be read; until it is written `amend` may change it; setting an attribute or adding it to the
    session fails. A use case makes twenty such rows, and the session's bookkeeping would cost more than the rows.
    """
    row = model.__new__(model)
    row.__dict__.update(values)
    return row


def amend(row: Model, **values: Any) -> None:
    """Change columns of a row that `insert_all` has not written yet."""
    row.__dict__.update(values)


@dataclass(frozen=True)
class Draw:
    """A number for `column` of a table's one row: what the SQL `expression` gives, drawn in the insert itself."""

    table: str
    column: str
    expression: str


def insert_all(rows: Iterable[Model], *, draw: Draw | None = None) -> Any:
    """Insert new rows of any number of tables in one statement, so that a use case's statements stay few.

    The objects stay outside the session and can be read on. Each table's rows travel as one JSON array that
    PostgreSQL casts to the table's own types; foreign keys are checked at the end of the transaction. The answer is
    the number drawn, if one was asked for.
    """
    tables: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        tables.setdefault(row.__tablename__, []).append(_column_values(row))
    if not tables:
        return None
    values = {f"p{n}": orjson.dumps(table, default=_plain).decode() for n, table in enumerate(tables.values())}
    return db.session.execute(_insertion(tuple(tables), draw), values).scalar()


@cache
def _insertion(tables: tuple[str, ...], draw: Draw | None) -> TextualSelect:
    """The statement for these tables; there are as many as use cases have outcomes."""
    parts, answer = [], "1"
    if draw is not None:
        parts.append(f"drawn as (select {draw.expression} as number)")
        answer = "(select number from drawn)"
    for n, name in enumerate(tables):
        rows = f"cast(:p{n} as jsonb)"
        if draw is not None and name == draw.table:
            rows = f"jsonb_set({rows}, '{{0,{draw.column}}}', (select to_jsonb(number) from drawn))"  # noqa: S608
        parts.append(_insert_part(n, name, rows))
    return question(f"with {', '.join(parts)} select {answer}", "number")


def _insert_part(n: int, table: str, rows: str) -> str:
    return f'i{n} as (insert into "{table}" select * from jsonb_populate_recordset(null::"{table}", {rows}))'  # noqa: S608


def array_of(values: Iterable[Any]) -> str:
    """Values as the text of a PostgreSQL array, for one `cast(:name as type[])`: the driver's lists cost ten times it.

    Text, numbers, identifiers, moments and None.
    """
    return "{" + ",".join([_ELEMENTS[type(value)](value) for value in values]) + "}"


def _quoted(value: str) -> str:
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


_ELEMENTS: dict[type, Callable[[Any], str]] = {
    str: _quoted,
    int: str,
    UUID: lambda value: f"{value.int:032x}",
    datetime: datetime.isoformat,
    type(None): lambda _: "NULL",
}


def _column_values(row: Model) -> dict[str, Any]:
    """What is set, by column; a default is made where nothing is, and can be read from the object afterwards."""
    held = row.__dict__
    values = {}
    for key, name, default in _columns(type(row)):
        value = held.get(key)
        if value is None and default is not None:
            value = held[key] = default.arg(None) if default.is_callable else default.arg
        if value is not None:
            values[name] = value
    return values


@cache
def _columns(model: type[Model]) -> list[tuple[str, str, Any]]:
    """(attribute, column, default) of each column."""
    return [(column.key, column.name, column.default) for column in model.__table__.columns]
