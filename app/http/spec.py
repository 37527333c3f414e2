"""The API's description, OpenAPI 3.1, which must not lie, and its reading page without outside assets."""

from collections.abc import Callable
from http import HTTPStatus
from importlib.resources import files
from threading import Lock
from typing import Any

from apispec import APISpec
from flask import Response, current_app, jsonify, render_template, send_from_directory

from app.errors import NotFound
from app.http.schemas import Money

IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "description": "The ETag of the record as it was read; 428 without, 412 when it has changed since.",
    "schema": {"type": "string"},
}
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "The same key and body within 24 hours gives the same answer and is done once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}

# The API's description says nothing of any tenant, so it is open.
OPENAPI_ENDPOINT = "api-docs.openapi_json"
DOCS_ENDPOINTS = frozenset({OPENAPI_ENDPOINT, "api_docs", "api_docs_asset"})
DOCS_ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js")
DOCS_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
)


class Description:
    """An application's description, made when it is first asked for: most processes never are, and it is a good part of
    what a start costs."""

    def __init__(self, spec: APISpec) -> None:
        self.spec = spec
        self._waiting: list[Callable[[], None]] = []
        self._lock = Lock()
        self._fault: Exception | None = None

    def add(self, describe: Callable[[], None]) -> None:
        self._waiting.append(describe)

    def answer(self) -> Response:
        """All of it or none: what cannot be described is a fault each time it is asked for."""
        with self._lock:
            if self._fault is not None:
                raise self._fault
            try:
                while self._waiting:
                    self._waiting.pop(0)()
            except Exception as fault:
                self._fault = fault
                raise
            return jsonify(self.spec.to_dict())


def money_property(self: Any, field: Any, **kwargs: Any) -> dict[str, Any]:
    if not isinstance(field, Money):
        return {}
    return {"type": ["string", "null"] if field.allow_none else "string", "pattern": r"^-?\d+(\.\d{1,2})?$"}


def describe(spec: APISpec) -> None:
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer", "bearerFormat": "fh_…"})
    spec.components.schema(
        "Problem",
        {
            "type": "object",
            "required": ["title", "status", "detail", "code"],
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "code": {"type": "string"},
                "request_id": {"type": ["string", "null"]},
                "errors": {"type": "array", "items": {"type": "object"}},
            },
        },
    )
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    names = {status.name: status.phrase for status in HTTPStatus if status >= 400}
    for name, phrase in {**names, "DEFAULT_ERROR": "Any other refusal"}.items():
        spec.components.responses_lazy.pop(name, None)
        spec.components.responses[name] = {"description": phrase, "content": content}


def docs() -> Response:
    response = current_app.make_response(render_template("api_docs.html"))
    response.headers["Content-Security-Policy"] = DOCS_CSP
    return response


def docs_asset(name: str) -> Response:
    if name == "start.js":
        return current_app.response_class(render_template("api_docs.js"), mimetype="text/javascript")
    if name not in DOCS_ASSETS:
        raise NotFound
    return send_from_directory(str(files("flask_swagger_ui") / "dist"), name)
