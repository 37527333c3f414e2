"""A filter's tree as a condition of SQL, and what a list is sorted by."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, Text, and_, cast, false, func, not_, or_, true

from app.integrations.scim.attributes import Attribute, Kind
from app.integrations.scim.bodies import TRUTHS
from app.integrations.scim.errors import InvalidFilter, InvalidPath
from app.integrations.scim.filters import Comparison, Every, Filter, Not, Presence, Some, Within

Condition = ColumnElement[bool]
Column = ColumnElement[Any]
COMPARED: Mapping[str, Callable[[Any, Any], Condition]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
Leaf = Comparison | Presence | Within


class LowerText(Text):
    """Text that stands in the table in lower case, so that its index serves every comparison."""


@dataclass(frozen=True)
class Rows:
    """A list that stands in rows of its own: `exists` says whether one of them meets a condition on `columns`."""

    exists: Callable[[Condition], Condition]
    columns: Mapping[str, Column]


@dataclass(frozen=True)
class Book:
    """Where each attribute of a kind is found: columns by key (`name.givenName`), lists by attribute."""

    kind: Kind
    columns: Mapping[str, Column]
    lists: Mapping[str, Rows] = field(default_factory=dict)

    def condition(self, asked: Filter) -> Condition:
        """The filter as SQL. An attribute that is not kept has no value (RFC 7644 §3.4.2.2): nothing equals it."""
        return _fold(asked, self._ask)

    def _ask(self, leaf: Leaf) -> Condition:
        path = self.kind.find(leaf.path)
        if path is None:
            return false() if isinstance(leaf, Within) else _ask_column(None, None, leaf)
        if path.attribute.parts and path.part is None:
            return self._ask_whole(path.attribute, leaf)
        if isinstance(leaf, Within):
            raise InvalidFilter(f"{leaf.path}: has no parts to ask in brackets")
        if path.part and path.attribute.name in self.lists:
            return self._ask_parts(path.attribute, lambda ask: ask(path.part, leaf))
        return _ask_column(path.part or path.attribute, self.columns.get(path.key), leaf)

    def _ask_whole(self, attribute: Attribute, leaf: Leaf) -> Condition:
        """Of an attribute with parts: one of its values in brackets, whether there is any, or how `value` compares."""
        if isinstance(leaf, Within):
            return self._ask_parts(
                attribute, lambda ask: _fold(leaf.inner, lambda one: ask(_inner(attribute, one), one))
            )
        if isinstance(leaf, Presence):
            return self._ask_parts(attribute, lambda ask: or_(false(), *(ask(part, leaf) for part in attribute.parts)))
        value = attribute.part("value")
        if value is None:
            raise InvalidFilter(f"{attribute.name}: expected one of its parts, such as {attribute.parts[0].name}")
        return self._ask_parts(attribute, lambda ask: ask(value, leaf))

    def _ask_parts(self, attribute: Attribute, question: Callable[[Callable[..., Condition]], Condition]) -> Condition:
        """A question to the parts of one value: of a row of the list, else of the attribute's own columns."""
        rows = self.lists.get(attribute.name)

        def ask(part: Attribute | None, leaf: Comparison | Presence) -> Condition:
            name = part.name if part else ""
            column = rows.columns.get(name) if rows else self.columns.get(f"{attribute.name}.{name}")
            return _ask_column(part, column, leaf)

        return rows.exists(question(ask)) if rows else question(ask)

    def order(self, text: str, *, descending: bool) -> Column:
        """What `sortBy` asks for; an attribute with parts by its `value`."""
        path = self.kind.find(text)
        key = path.key if path else ""
        column = self.columns.get(key, self.columns.get(f"{key}.value"))
        if column is None:
            raise InvalidPath(f"sortBy: {text[:100]!r} is nothing to sort by")
        ordered = func.lower(column) if isinstance(column.type, String) else column
        return ordered.desc() if descending else ordered.asc()


def _fold(asked: Filter, ask: Callable[[Any], Condition]) -> Condition:
    match asked:
        case Every(parts):
            return and_(*(_fold(part, ask) for part in parts))
        case Some(parts):
            return or_(*(_fold(part, ask) for part in parts))
        case Not(part):
            return not_(func.coalesce(_fold(part, ask), False))
        case _:
            return ask(asked)


def _inner(attribute: Attribute, leaf: Leaf) -> Attribute | None:
    if isinstance(leaf, Within):
        raise InvalidFilter("expected no brackets within brackets")
    return attribute.part(leaf.path)


def _ask_column(attribute: Attribute | None, column: Column | None, asked: Comparison | Presence) -> Condition:
    """A column against a value; without a column there is no value."""
    if isinstance(asked, Presence):
        return false() if column is None else column.is_not(None)
    if asked.value is None:
        return _ask_for_null(column, asked)
    if attribute is None or column is None:
        return true() if asked.operator == "ne" else false()
    if attribute.type == "boolean":
        return _truth(attribute.name, column, asked)
    if attribute.type == "dateTime":
        return _moment(attribute.name, column, asked)
    if not isinstance(asked.value, str):
        raise InvalidFilter(f"{attribute.name}: expected a text to compare with")
    return _text(column, asked.operator, asked.value, exact=attribute.exact)


def _ask_for_null(column: Column | None, asked: Comparison) -> Condition:
    if asked.operator not in ("eq", "ne"):
        raise InvalidFilter(f"{asked.path}: {asked.operator} cannot be asked of null")
    if column is None:
        return true() if asked.operator == "eq" else false()
    return column.is_(None) if asked.operator == "eq" else column.is_not(None)


def _text(column: Column, op: str, value: str, *, exact: bool) -> Condition:
    if column.type.python_type is UUID:
        if op in ("eq", "ne"):
            return _compare(column, op, _identifier(value))
        column = cast(column, String)
    if not exact:
        column = column if isinstance(column.type, LowerText) else func.lower(column)
        value = value.lower()
    match op:
        case "co":
            return column.contains(value, autoescape=True)
        case "sw":
            return column.startswith(value, autoescape=True)
        case "ew":
            return column.endswith(value, autoescape=True)
        case _:
            return _compare(column, op, value)


def _identifier(value: str) -> UUID | None:
    """None for what no identifier of ours looks like."""
    try:
        return UUID(value)
    except ValueError:
        return None


def _compare(column: Column, op: str, value: Any) -> Condition:
    """`ne` also holds where there is no value."""
    if op == "ne":
        return column.is_distinct_from(value)
    if value is None:
        return false()
    return COMPARED[op](column, value)


def _truth(name: str, column: Column, asked: Comparison) -> Condition:
    value = TRUTHS.get(asked.value.lower()) if isinstance(asked.value, str) else asked.value
    if asked.operator not in ("eq", "ne") or not isinstance(value, bool):
        raise InvalidFilter(f"{name}: expected eq or ne, and true or false")
    return column.is_(value) if asked.operator == "eq" else column.is_not(value)


def _moment(name: str, column: Column, asked: Comparison) -> Condition:
    if asked.operator in ("co", "sw", "ew"):
        raise InvalidFilter(f"{name}: a moment is before, after or equal to another")
    try:
        moment = datetime.fromisoformat(str(asked.value))
        in_utc = moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        in_utc = None
    if in_utc is None:
        raise InvalidFilter(f"{name}: expected a moment with an offset, such as 2026-11-21T09:00:00Z")
    return _compare(column, asked.operator, in_utc)
