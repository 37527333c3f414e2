"""Keyset lists: `{"items": [...], "next_cursor": …}` with opaque, signed cursors bound to their filters."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from flask import Response, current_app, request
from itsdangerous import BadSignature, URLSafeSerializer
from marshmallow import fields, validate

from app.errors import invalid_parameter
from app.http.etags import answer
from app.http.schemas import Query, Schema

Row = TypeVar("Row")


class PageArguments(Query):
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String()


def Page(item: type[Schema]) -> type[Schema]:  # noqa: N802
    """The schema of a list of `item`."""
    name = item.__name__.removesuffix("Schema") + "Page"
    members = {"items": fields.List(fields.Nested(item)), "next_cursor": fields.String(allow_none=True)}
    return type(name, (Schema,), members)


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="cursor")


def _filters(path: str | None = None) -> str:
    """A hash of path and filters: a cursor of one question does not answer another."""
    named = sorted((k, v) for k, v in request.args.items(multi=True) if k not in ("cursor", "limit"))
    asked = [path, []] if path else [request.path, named]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]


def encode_cursor(position: list[Any], *, path: str | None = None) -> str:
    """The sort values and id of the last row shown; `path` is where the list goes on, here unless said."""
    return _serializer().dumps([_filters(path), position])


def decode_cursor(cursor: str | None) -> list[Any] | None:
    """The position of a cursor; 422 when it is not ours or belongs to another list."""
    if not cursor:
        return None
    try:
        filters, position = _serializer().loads(cursor)
    except (BadSignature, ValueError):
        raise invalid_parameter("cursor", "expected the next_cursor of this list") from None
    if filters != _filters():
        raise invalid_parameter("cursor", "belongs to a list with other filters")
    return list(position)


def page(
    schema: type[Schema],
    query: Mapping[str, Any],
    read: Callable[[list[Any] | None, int], Sequence[Row]],
    position: Callable[[Row], list[Any]],
) -> Response:
    """The page that `query` asks for: `read(after, limit)` is asked for one row more, which tells of a next page."""
    limit = query["limit"]
    rows = read(decode_cursor(query.get("cursor")), limit + 1)
    shown = rows[:limit]
    next_cursor = encode_cursor(position(shown[-1])) if len(rows) > limit else None
    return answer(schema, {"items": shown, "next_cursor": next_cursor})


def part(
    read: Callable[[list[Any] | None, int], Sequence[Row]],
    position: Callable[[Row], list[Any]],
    *,
    limit: int = 50,
    path: str | None = None,
) -> tuple[Sequence[Row], str | None]:
    """The rows of a page of the panel from the request's cursor on, and the cursor of those that follow, at `path`."""
    rows = read(decode_cursor(request.args.get("cursor")), limit + 1)
    shown = rows[:limit]
    return shown, encode_cursor(position(shown[-1]), path=path) if len(rows) > limit else None
