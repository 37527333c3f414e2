"""Lists of SCIM (RFC 7644 §3.4.2): filtered, sorted, and paged by a 1-based index with the number of all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func

from app.db import db
from app.integrations.scim.attributes import Kind
from app.integrations.scim.errors import InvalidValue
from app.integrations.scim.filters import Filter, parse_filter
from app.integrations.scim.projection import Projection
from app.integrations.scim.questions import Book

SCHEMA = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SEARCH_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
DEFAULT_COUNT = 100
MOST = 1_000
FURTHEST = 10**9


@dataclass(frozen=True)
class Query:
    """What a list asks for, within its limits."""

    projection: Projection
    filter: Filter | None = None
    sort_by: str | None = None
    descending: bool = False
    start_index: int = 1
    count: int = DEFAULT_COUNT


@dataclass(frozen=True)
class Found:
    """A part of a list, and how many there are in all."""

    total: int
    rows: Sequence[Any]


def read_query(kind: Kind, given: Mapping[str, Any], *, most: int = MOST) -> Query:
    """The parameters of a list, or the body of a search; those of others' making are passed over."""
    sort_by, order = _text(given, "sortBy"), (_text(given, "sortOrder") or "ascending").lower()
    if order not in ("ascending", "descending"):
        raise InvalidValue("sortOrder: expected ascending or descending")
    asked = _text(given, "filter")
    return Query(
        projection=read_projection(kind, given),
        filter=None if asked is None else parse_filter(asked),
        sort_by=sort_by,
        descending=order == "descending",
        start_index=min(max(_whole(given, "startIndex", 1), 1), FURTHEST),
        count=min(max(_whole(given, "count", DEFAULT_COUNT), 0), most),
    )


def read_projection(kind: Kind, given: Mapping[str, Any]) -> Projection:
    return Projection.of(kind, _names(given, "attributes"), _names(given, "excludedAttributes"))


def _names(given: Mapping[str, Any], name: str) -> str | None:
    """Names parted by commas, as a parameter has them, or a list of them, as a search does."""
    value = given.get(name)
    return ",".join(map(str, value)) if isinstance(value, list) else _text(given, name)


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidValue(f"{name}: expected a text")
    return value


def _whole(given: Mapping[str, Any], name: str, default: int) -> int:
    value = given.get(name, default)
    try:
        if isinstance(value, int | str) and not isinstance(value, bool) and len(str(value)) < 20:
            return int(value)
    except ValueError:
        pass
    raise InvalidValue(f"{name}: expected a whole number")


def find(statement: Select[*tuple[Any, ...]], book: Book, query: Query, *, last: Any) -> Found:
    """The rows asked for, in two statements; `last` breaks ties. Nothing asked for is not read."""
    if query.filter is not None:
        statement = statement.where(book.condition(query.filter))
    total = db.session.scalar(statement.with_only_columns(func.count(), maintain_column_froms=True)) or 0
    if not query.count or query.start_index > total:
        return Found(total, ())
    sorting = [book.order(query.sort_by, descending=query.descending)] if query.sort_by else []
    page = statement.order_by(*sorting, last).offset(query.start_index - 1).limit(query.count)
    return Found(total, db.session.execute(page).all())


def list_response(found: Found, query: Query, resources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "schemas": [SCHEMA],
        "totalResults": found.total,
        "startIndex": query.start_index,
        "itemsPerPage": len(resources),
        "Resources": [query.projection.cut(resource) for resource in resources],
    }
