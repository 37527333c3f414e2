"""Deny by default: a request passes only with a live token whose scopes hold what the route asks for."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import structlog
from flask import Flask, current_app, g, request
from sqlalchemy import text
from werkzeug.exceptions import UnsupportedMediaType

from app import clock
from app.auth import limits, panel_sessions, tokens
from app.auth.actor import Actor
from app.auth.errors import SessionEnded
from app.auth.roles import SCOPES, SCOPES_OF, held_scopes
from app.db import prepare, question, release_prepared, transaction
from app.errors import Forbidden, Unauthenticated
from app.http.panels import PanelBlueprint
from app.http.spec import DOCS_ENDPOINTS

F = TypeVar("F", bound=Callable[..., Any])

LAST_USE_SECONDS = 60
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
OPEN = "open to anybody"
STREAMED = ("text/csv", "application/x-ndjson")

FIND_TOKEN = question(
    """
    select t.id as token_id, t.scopes, t.expires_at, t.revoked_at, t.last_used_at,
           u.id as user_id, u.email, u.name, u.role, u.active,
           n.id as tenant_id, n.name as tenant_name, n.sandbox as tenant_sandbox, n.clock_offset as tenant_clock_offset,
           n.settings as tenant_settings, n.current as tenant_current
    from api_token t
    join "user" u on u.tenant_id = t.tenant_id and u.id = t.user_id
    join tenant n on n.id = t.tenant_id
    where t.secret_hash = :secret_hash
    """,
    """
    token_id scopes expires_at revoked_at last_used_at user_id email name role active
    tenant_id tenant_name tenant_sandbox tenant_clock_offset tenant_settings tenant_current
    """,
)

FIND_SESSION = question(
    """
    select s.id as session_id, s.expires_at,
           u.id as user_id, u.email, u.name, u.role, u.active, u.timezone,
           n.id as tenant_id, n.name as tenant_name, n.sandbox as tenant_sandbox, n.clock_offset as tenant_clock_offset,
           n.settings as tenant_settings, n.current as tenant_current
    from panel_session s
    join "user" u on u.tenant_id = s.tenant_id and u.id = s.user_id
    join tenant n on n.id = s.tenant_id
    where s.secret_hash = :secret_hash
    """,
    """
    session_id expires_at user_id email name role active timezone
    tenant_id tenant_name tenant_sandbox tenant_clock_offset tenant_settings tenant_current
    """,
)


def requires(scope: str) -> Callable[[F], F]:
    """Open a route to callers who hold `scope`."""
    if scope not in SCOPES:
        raise ValueError(f"{scope} is no scope")

    def mark(view: F) -> F:
        view._scope = scope  # type: ignore[attr-defined]
        return view

    return mark


def public(view: F) -> F:
    """Open a route to anybody: health, the API's description, signed links."""
    view._scope = OPEN  # type: ignore[attr-defined]
    return view


def scope_of(endpoint: str) -> str | None:
    """What an endpoint asks for; None means closed."""
    if endpoint in DOCS_ENDPOINTS:
        return OPEN
    scope: str | None = getattr(current_app.view_functions.get(endpoint), "_scope", None)
    return scope


def check_request() -> None:
    """Before every request: body type, token, rate limits, scope."""
    if request.endpoint is None:
        return
    scope = scope_of(request.endpoint)
    if scope == OPEN or (in_panel() and request.method == "OPTIONS"):
        return
    _check_body_type()
    actor = authenticate_panel() if in_panel() else authenticate()
    limits.count(actor)
    if scope is None or not actor.may(scope):
        raise Forbidden(f"This needs the scope {scope}" if scope else "This is closed", scope=scope)


def in_panel() -> bool:
    """Whether the request is for a page of the panel, which only a panel session opens."""
    return isinstance(current_app.blueprints.get(request.blueprint or ""), PanelBlueprint)


def _check_body_type() -> None:
    has_body = bool(request.content_length) or "Transfer-Encoding" in request.headers
    view = current_app.view_functions[request.endpoint or ""]
    taken = (*getattr(view, "_takes", ()), *(FORMS if in_panel() else ()))
    if getattr(view, "_uploaded", False):
        if has_body and request.mimetype not in taken:
            raise UnsupportedMediaType("Send the file's own type or application/octet-stream")
        return
    is_taken = request.is_json or request.mimetype in taken
    if request.method in ("POST", "PUT", "PATCH") and has_body and not is_taken:
        raise UnsupportedMediaType("Send application/json")
    if request.is_json:
        request.get_data(cache=True)  # a slow sender holds a thread, never a database transaction


def takes(*media: str) -> Callable[[F], F]:
    """A route whose body may be of these types instead of JSON."""

    def mark(view: F) -> F:
        view._takes = media  # type: ignore[attr-defined]
        return view

    return mark


def streamed(view: F) -> F:
    """A route that takes CSV or NDJSON as it flows in."""
    return takes(*STREAMED)(view)


def uploaded(*media: str) -> Callable[[F], F]:
    """A route whose body is a file of one of these types, JSON no exception: nothing of it is read before its view."""

    def mark(view: F) -> F:
        view._uploaded = True  # type: ignore[attr-defined]
        return takes(*media)(view)

    return mark


def authenticate() -> Actor:
    """The caller of a bearer token; its tenant is in scope from here on."""
    tenant_id, secret_hash = _bearer(tokens.PREFIX)
    row = prepare(tenant_id, FIND_TOKEN, {"secret_hash": secret_hash})
    now = clock.real_now()
    if row is None or row.revoked_at or not row.active or (row.expires_at and row.expires_at <= now):
        raise Unauthenticated
    scopes = held_scopes(row.role, row.scopes)
    structlog.contextvars.bind_contextvars(tenant=str(tenant_id), user=str(row.user_id))
    g.actor = Actor(row.user_id, row.email, row.name, row.role, scopes, row.token_id)
    if row.last_used_at is None or row.last_used_at < now - timedelta(seconds=LAST_USE_SECONDS):
        _note_use(row.token_id)
    actor: Actor = g.actor
    return actor


def authenticate_panel() -> Actor:
    """The person before a panel; its tenant is in scope from here on, and times are told in their zone."""
    tenant_id, secret_hash = _bearer(panel_sessions.SESSION)
    row = prepare(tenant_id, FIND_SESSION, {"secret_hash": secret_hash})
    if row is None or not row.active or row.expires_at <= clock.real_now():
        raise SessionEnded
    structlog.contextvars.bind_contextvars(tenant=str(tenant_id), user=str(row.user_id))
    g.zone = row.timezone
    g.actor = Actor(row.user_id, row.email, row.name, row.role, SCOPES_OF[row.role], row.session_id)
    actor: Actor = g.actor
    return actor


def _bearer(prefix: str) -> tuple[UUID, bytes]:
    """Tenant and secret's hash of the request's bearer, if it is of this kind."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    parsed = tokens.parse(token.strip(), prefix=prefix) if kind.lower() == "bearer" else None
    if parsed is None:
        raise Unauthenticated
    return parsed


def _note_use(token_id: Any) -> None:
    """At most once a minute, so that reads stay reads."""
    with transaction() as session:
        session.execute(
            text("update api_token set last_used_at = :now where id = :id"),
            {"now": clock.real_now(), "id": token_id},
        )


def init_app(app: Flask) -> None:
    app.before_request(check_request)
    app.after_request(limits.add_headers)
    app.teardown_request(lambda error: release_prepared())
