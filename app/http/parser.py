"""Reading queries and bodies: strict, in the order of answers, every fault named by its path."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Request, current_app
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import UnsupportedMediaType

from app.errors import AppError, Invalid
from app.http.etags import require_if_match

UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")


def flatten(messages: Any, path: str = "") -> list[tuple[str, str]]:
    """marshmallow's nested messages as (path, sentence) pairs."""
    if isinstance(messages, Mapping):
        pairs = []
        for key, value in messages.items():
            pairs += flatten(value, path if key == "_schema" else f"{path}/{key}")
        return pairs
    if isinstance(messages, list | tuple):
        return [pair for message in messages for pair in flatten(message, path)]
    return [(path, str(messages))]


def unstorable(value: Any) -> Iterator[str]:
    """Where a JSON value holds text that PostgreSQL and UTF-8 can't: NUL, or one half of a surrogate pair."""
    rest = [("", value)]
    while rest:
        path, here = rest.pop()
        if isinstance(here, dict):
            rest += [(f"{path}/{key}", item) for key, item in here.items()]
            rest += [(path, key) for key in here]
        elif isinstance(here, list):
            rest += [(f"{path}/{index}", item) for index, item in enumerate(here)]
        elif isinstance(here, str) and UNSTORABLE.search(here):
            yield UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", path) or "/"


class Parser(FlaskParser):
    """Refuses unknown parameters, answers 415 to a body that is not JSON, and checks the record before the body."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": RAISE, "json": RAISE}

    def load_json(self, req: Request, schema: Schema) -> Any:
        if not req.is_json and not (req.content_length in (None, 0) and not req.get_data(cache=True)):
            raise UnsupportedMediaType("Send application/json")
        body = req.get_data(cache=True)
        if not body:
            return {}
        try:
            loaded = super().load_json(req, schema)
        except RecursionError:
            check_record(req)
            raise AppError("The body is nested too deeply") from None
        if b"\\u" in body and (paths := list(unstorable(loaded))):
            check_record(req)
            errors = [{"pointer": path, "detail": "expected text without NUL or half a character"} for path in paths]
            raise Invalid("; ".join(f"{e['pointer']}: {e['detail']}" for e in errors[:3]), errors=errors)
        return loaded

    def handle_error(
        self,
        error: ValidationError,
        req: Request,
        schema: Schema,
        *,
        error_status_code: int | None,
        error_headers: Mapping[str, str] | None,
    ) -> Any:
        check_record(req)
        location, messages = next(iter(error.messages.items())) if isinstance(error.messages, dict) else ("json", {})
        member = "parameter" if location == "query" else "pointer"
        errors = [
            {member: path.lstrip("/") if member == "parameter" else path or "/", "detail": detail}
            for path, detail in flatten(messages)
        ]
        raise Invalid("; ".join(f"{e[member]}: {e['detail']}" for e in errors[:3]), errors=errors)

    def _handle_invalid_json_error(self, error: Any, req: Request, *args: Any, **kwargs: Any) -> Any:
        check_record(req)
        raise AppError("The body is not valid JSON")


def check_record(req: Request) -> None:
    """Before a faulty body is described: does the caller see the record at all, and did a change bring If-Match?

    Order of answers: 415, 401, 403, 404, 403 of this record, 428, 422, 412, 409.
    """
    blueprint = current_app.blueprints.get(req.blueprint or "")
    guard = getattr(blueprint, "record_guard", None)
    if guard is None:
        return
    if req.view_args or req.method in ("PUT", "PATCH"):
        guard(**(req.view_args or {}))
    if req.method in ("PUT", "PATCH") and getattr(blueprint, "versioned", True):
        require_if_match()
