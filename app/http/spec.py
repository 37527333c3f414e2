"""The API's description, OpenAPI 3.1, which must not lie, and its reading page without outside assets."""

from http import HTTPStatus
from importlib.resources import files
from typing import Any

from apispec import APISpec
from flask import Response, current_app, render_template, send_from_directory

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
DOCS_ENDPOINTS = frozenset({"api-docs.openapi_json", "api_docs", "api_docs_asset"})
DOCS_ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js")
DOCS_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
)


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
