"""Inserting sets of rows: many tables in one statement, and arrays that cost the driver little."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    TextClause,
    text,
)

from app.db import Model, db


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, timedelta):
        return f"{value.total_seconds()} seconds"
    raise TypeError(f"{type(value).__name__} cannot be stored")


@dataclass(frozen=True)
class Draw:
    """A number for `column` of a table's first row: what `returning` is after an UPDATE that ends in its WHERE."""

    table: str
    column: str
    update: str
    returning: str


def insert_all(rows: Iterable[Model], *, draw: Draw | None = None) -> Any:
    """Insert new rows of any number of tables in one statement, so that a use case's statements stay few.

    The objects stay outside the session and can be read on. Each table's rows travel as one JSON array that
    PostgreSQL casts to the table's own types; foreign keys are checked at the end of the transaction. A number to
    `draw` is taken after every other table's rows, so that its row is locked as briefly as can be; it is the answer.
    """
    tables: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        tables.setdefault(row.__tablename__, []).append(_column_values(row))
    if not tables:
        return None
    values = {f"p{n}": json.dumps(table, default=_plain) for n, table in enumerate(tables.values())}
    return db.session.execute(_insertion(tuple(tables), draw), values).scalar()


@cache
def _insertion(tables: tuple[str, ...], draw: Draw | None) -> TextClause:
    """The statement for these tables; there are as many as use cases have outcomes."""
    parts, others = [], []
    for n, name in enumerate(tables):
        if draw is None or name != draw.table:
            parts.append(_insert_part(n, name, f"cast(:p{n} as jsonb)") + " returning 1)")
            others.append(f"exists (select from i{n})")
    if draw is None:
        return text(f"with {', '.join(parts)} select 1")
    n = tables.index(draw.table)
    # `exists` makes PostgreSQL insert the others first: a one-time filter comes before the row it filters is locked.
    parts.append(f"drawn as ({draw.update} and {' and '.join(others) or 'true'} returning {draw.returning})")
    drawn = f"(select to_jsonb({draw.returning}) from drawn)"  # noqa: S608 - the pieces are ours
    filled = f"jsonb_set(cast(:p{n} as jsonb), '{{0,{draw.column}}}', {drawn})"
    parts.append(_insert_part(n, draw.table, filled) + ")")
    return text(f"with {', '.join(parts)} select {draw.returning} from drawn")  # noqa: S608


def _insert_part(n: int, table: str, rows: str) -> str:
    return f'i{n} as (insert into "{table}" select * from jsonb_populate_recordset(null::"{table}", {rows})'  # noqa: S608


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
