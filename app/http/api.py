"""flask-smorest with our rules: strict queries and bodies, the order of answers, a spec that does not lie."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from http import HTTPStatus
from importlib.resources import files
from typing import Any, TypeVar

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Request, Response, current_app, render_template, request, send_from_directory
from flask_smorest import Api
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import UnsupportedMediaType

from app.errors import AppError, Invalid, NotFound, invalid_parameter
from app.http import idempotency, problems
from app.http.etags import require_if_match
from app.http.schemas import Money

View = TypeVar("View", bound=Callable[..., Any])

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
UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")
DOCS_ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js")
DOCS_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
)


def _flatten(messages: Any, path: str = "") -> list[tuple[str, str]]:
    """marshmallow's nested messages as (path, sentence) pairs."""
    if isinstance(messages, Mapping):
        pairs = []
        for key, value in messages.items():
            pairs += _flatten(value, path if key == "_schema" else f"{path}/{key}")
        return pairs
    if isinstance(messages, list | tuple):
        return [pair for message in messages for pair in _flatten(message, path)]
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
            for path, detail in _flatten(messages)
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
    if req.method in ("PUT", "PATCH"):
        require_if_match()


class ApiBlueprint(SmorestBlueprint):  # type: ignore[misc]
    """A blueprint whose routes are closed until `requires` opens them.

    `record_guard(**view_args)` opens its own transaction and raises 404 or 403 for a record the caller may not see.
    """

    ARGUMENTS_PARSER = Parser()

    def __init__(self, name: str, import_name: str, *, record_guard: Callable[..., None] | None = None, **kw: Any):
        super().__init__(name, import_name, **kw)
        self.record_guard = record_guard
        self._prepare_doc_cbks.append(self._describe_headers)

    def _describe_headers(self, doc: dict[str, Any], doc_info: Any, *, method: str, **kw: Any) -> dict[str, Any]:
        """The headers that every route of this kind reads."""
        headers = []
        if method.upper() == "POST":
            headers.append(IDEMPOTENCY_KEY)
        if method.upper() in ("PUT", "PATCH") and self.record_guard:
            headers.append(IF_MATCH)
        if headers:
            doc.setdefault("parameters", []).extend(headers)
        return doc

    def arguments(self, schema: Any, *, location: str = "json", **options: Any) -> Callable[[View], View]:
        inner = super().arguments(schema, location=location, **options)

        def mark(view: View) -> View:
            marked: View = inner(view)
            if location == "query":
                marked._reads_query = True  # type: ignore[attr-defined]
            return marked

        return mark

    def response(self, status_code: int, schema: Any = None, **options: Any) -> Callable[[View], View]:
        decorator: Callable[[View], View] = super().response(status_code, schema, **options)
        return decorator

    def alt_response(self, status_code: int, **options: Any) -> Callable[[View], View]:
        decorator: Callable[[View], View] = super().alt_response(status_code, **options)
        return decorator

    def get(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.route(rule, methods=["GET"], **options)

    def post(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.route(rule, methods=["POST"], **options)

    def put(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.route(rule, methods=["PUT"], **options)

    def patch(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.route(rule, methods=["PATCH"], **options)

    def delete(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.route(rule, methods=["DELETE"], **options)

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        """As Flask's, and a view that reads no query parameters refuses every one."""
        inner = super().route(rule, **options)
        return lambda view: inner(view if hasattr(view, "_reads_query") else refusing_query(view))


def refusing_query(view: View) -> View:
    @wraps(view)
    def refuse(*args: Any, **kwargs: Any) -> Any:
        if request.args:
            check_record(request)
            name = next(iter(request.args))
            raise invalid_parameter(name, "Unknown field.")
        return view(*args, **kwargs)

    return refuse  # type: ignore[return-value]


class FirsthandApi(Api):  # type: ignore[misc]
    """Errors are rendered by `app.http.problems`."""

    ERROR_SCHEMA = None

    def _register_error_handlers(self) -> None:
        """The application registers its own."""


def _money_property(self: Any, field: Any, **kwargs: Any) -> dict[str, Any]:
    if not isinstance(field, Money):
        return {}
    return {"type": ["string", "null"] if field.allow_none else "string", "pattern": r"^-?\d+(\.\d{1,2})?$"}


api = FirsthandApi()


def init_app(app: Flask) -> None:
    """Wire errors, the spec and its reading page."""
    app.config.update(
        API_TITLE="Firsthand",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api/v1",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "info": {"description": "Escalations linked to accounts, owned from the start, closed within 30 days."},
            "security": [{"token": []}],
        },
    )
    plugin = MarshmallowPlugin()
    api.init_app(app, spec_kwargs={"marshmallow_plugin": plugin})
    converter: Any = plugin.converter
    converter.add_attribute_function(_money_property)
    _describe(api.spec)
    problems.init_app(app)
    app.register_error_handler(idempotency.Replay, idempotency.render_replay)
    app.add_url_rule("/api/docs", "api_docs", _docs)
    app.add_url_rule("/api/docs/<path:name>", "api_docs_asset", _docs_asset)


def _describe(spec: APISpec) -> None:
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


def _docs() -> Response:
    response = current_app.make_response(render_template("api_docs.html"))
    response.headers["Content-Security-Policy"] = DOCS_CSP
    return response


def _docs_asset(name: str) -> Response:
    if name == "start.js":
        return current_app.response_class(render_template("api_docs.js"), mimetype="text/javascript")
    if name not in DOCS_ASSETS:
        raise NotFound
    return send_from_directory(str(files("flask_swagger_ui") / "dist"), name)
