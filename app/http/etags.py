"""ETags are a row's `version`; `If-Match` is compared after the row is locked."""

from collections.abc import Sequence
from typing import Any, Protocol

from flask import Response, current_app, json, request
from marshmallow import Schema

from app.errors import MissingPrecondition, Stale
from app.http import idempotency
from app.http.schemas import the_one


class HasVersion(Protocol):
    version: int


def require_if_match() -> None:
    """PUT and PATCH of a single resource that exists need `If-Match` (428, RFC 6585)."""
    if not request.if_match and "If-Match" not in request.headers:
        raise MissingPrecondition("Send If-Match with the ETag of the record as you read it")


def check_if_match(record: HasVersion) -> None:
    """412 when the caller's ETag is not the record's; a weak one never matches (RFC 9110 §13.1.1)."""
    if "If-Match" in request.headers and not (
        request.if_match.star_tag or request.if_match.is_strong(str(record.version))
    ):
        raise Stale(version=record.version)


def answer(
    schema: type[Schema] | Schema,
    value: Any,
    status: int = 200,
    headers: dict[str, str] | None = None,
    *,
    once: Sequence[str] = (),
) -> Response:
    """The answer, made inside the transaction, with the record's ETag; kept under an Idempotency-Key.

    Fields named in `once` are secrets: shown now, null in the kept answer.
    """
    made = the_one(schema) if isinstance(schema, type) else schema
    content = made.dump(value)
    response: Response = current_app.response_class(json.dumps(content), status=status, mimetype="application/json")
    version = value.get("version") if isinstance(value, dict) else getattr(value, "version", None)
    if isinstance(version, int):
        response.set_etag(str(version))
    response.headers.extend(headers or {})
    idempotency.keep(response, json.dumps({**content, **dict.fromkeys(once)}) if once else None)
    return response
