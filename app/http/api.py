"""flask-smorest with our rules: routes closed until opened, strict queries, headers described."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, request
from flask_smorest import Api
from flask_smorest import Blueprint as SmorestBlueprint

from app.errors import invalid_parameter
from app.http import idempotency, panels, problems
from app.http.parser import Parser, check_record
from app.http.schemas import the_one
from app.http.spec import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    OPENAPI_ENDPOINT,
    Description,
    describe,
    docs,
    docs_asset,
    money_property,
)

View = TypeVar("View", bound=Callable[..., Any])


class ApiBlueprint(SmorestBlueprint):  # type: ignore[misc]
    """A blueprint whose routes are closed until `requires` opens them.

    `record_guard(**view_args)` opens its own transaction and raises 404 or 403 for a record the caller may not see.
    Records without versions (`versioned=False`) are changed without If-Match.
    """

    ARGUMENTS_PARSER = Parser()

    def __init__(
        self,
        name: str,
        import_name: str,
        *,
        record_guard: Callable[..., None] | None = None,
        versioned: bool = True,
        **kw: Any,
    ):
        super().__init__(name, import_name, **kw)
        self.record_guard, self.versioned = record_guard, versioned
        self._prepare_doc_cbks.append(self._describe_headers)

    def _describe_headers(self, doc: dict[str, Any], doc_info: Any, *, method: str, **kw: Any) -> dict[str, Any]:
        """The headers that every route of this kind reads."""
        headers = []
        if method.upper() == "POST":
            headers.append(IDEMPOTENCY_KEY)
        if method.upper() in ("PUT", "PATCH") and self.record_guard and self.versioned:
            headers.append(IF_MATCH)
        if headers:
            doc.setdefault("parameters", []).extend(headers)
        return doc

    def register_views_in_doc(self, api: Api, app: Flask, spec: APISpec, **named: Any) -> None:
        app.extensions["description"].add(partial(super().register_views_in_doc, api, app, spec, **named))

    def arguments(self, schema: Any, *, location: str = "json", **options: Any) -> Callable[[View], View]:
        made = the_one(schema) if isinstance(schema, type) else schema
        inner = super().arguments(made, location=location, **options)

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

    def doc(self, **members: Any) -> Callable[[View], View]:
        decorator: Callable[[View], View] = super().doc(**members)
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
    converter.add_attribute_function(money_property)
    describe(api.spec)
    app.extensions["description"] = Description(api.spec)
    app.view_functions[OPENAPI_ENDPOINT] = app.extensions["description"].answer
    problems.init_app(app)
    panels.init_app(app)
    app.register_error_handler(idempotency.Replay, idempotency.render_replay)
    app.add_url_rule("/api/docs", "api_docs", docs)
    app.add_url_rule("/api/docs/<path:name>", "api_docs_asset", docs_asset)
