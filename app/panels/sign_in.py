"""Doors for people who open our pages outside a CRM: to their identity provider, back from it, and out.

Whoever comes back proven gets a launch of the panel, as from a CRM; the browser is sent on to the panel's own address
with the launch in its fragment, so that neither the provider's code nor the launch stays in the address. Every refusal
is a page in plain words. What the cookie of a sign-in is for stands in `app.auth.oidc`.
"""

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

from authlib.common.urls import add_params_to_uri
from flask import Blueprint, Response, after_this_request, current_app, redirect, request, url_for
from werkzeug.exceptions import HTTPException

from app import clock
from app.auth import oidc, panel_sessions
from app.auth.errors import NoProvider, ProviderAway, SealBroken, SignInRefused
from app.auth.guards import public
from app.db import transaction
from app.errors import AppError
from app.http.panels import PanelBlueprint, choose_language
from app.panels.pages import page
from app.panels.refusals import refusal_words

bp = Blueprint("sign_in", __name__, url_prefix="/auth", template_folder="templates")

HOME = "/mine"
PATH = re.compile(r"/[A-Za-z0-9_~./-]{0,200}(\?[A-Za-z0-9_~.%=&+-]{0,500})?")
CHOOSE = "choose"


def answered(view: Callable[..., Response]) -> Callable[..., Response]:
    """An answer that no cache keeps and whose address goes to nobody; a refusal as a page."""

    @wraps(view)
    def answer(**named: Any) -> Response:
        choose_language()
        try:
            response = view(**named)
        except (SignInRefused, SealBroken) as refused:
            response = refusal(refused, named.get("tenant") or _tenant_in_state())
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return answer


@bp.get("/<tenant>/sign-in")
@public
@answered
def begin(tenant: str) -> Response:
    """On to the tenant's provider; `next` is the page of the panel to begin at, `account=choose` asks which account."""
    tenant_id, now = read_tenant(tenant), clock.real_now()
    with transaction(tenant=tenant_id):
        client = oidc.get_client()
    metadata = oidc.discover(client, now=now)
    choose = request.args.get("account") == CHOOSE
    with transaction(tenant=tenant_id):
        begun = oidc.begin_sign_in(client, metadata, path=own_path(request.args.get("next")), choose=choose, now=now)
    response = redirect(begun.url)
    age = int(oidc.LIFETIME.total_seconds())
    response.set_cookie(cookie_name(begun.state), begun.browser, max_age=age, **_cookie_kind())
    return _as_response(response)


@bp.get("/callback")
@public
@answered
def end() -> Response:
    """Back from the provider: proven, known, and on to the panel."""
    state, now = request.args.get("state", ""), clock.real_now()
    named = cookie_name(state)
    after_this_request(lambda response: forget_cookie(response, named))  # whatever comes of it
    tenant_id = oidc.tenant_of(state)
    with transaction(tenant=tenant_id):
        taken = oidc.take(state, request.cookies.get(named, ""), now=now)
    said = {name: request.args.get(name) for name in ("code", "error", "iss")}
    claims = oidc.read_person(taken, **said, now=now)
    with transaction(tenant=tenant_id):
        user = oidc.recognise(taken.client, claims, now=now)
        launch = panel_sessions.launch(user.id, path=taken.path, renewal="self", now=now)
    return _as_response(redirect(f"{url_for('shell.open_shell', tenant_id=tenant_id)}#t={quote(launch)}", 303))


@bp.get("/<tenant>/sign-out")
@public
@answered
def leave(tenant: str) -> Response:
    """The panel left behind is out, since its session was in its memory; how to sign out of the provider, too."""
    with transaction(tenant=read_tenant(tenant)):
        client = oidc.get_client()
    try:
        door = oidc.discover(client, now=clock.real_now()).end_session_endpoint
    except ProviderAway:
        door = None
    url = add_params_to_uri(door, [("client_id", client.client_id)]) if door else None
    return page("panels/signed_out.html", 200, tenant=tenant, url=url, host=urlsplit(client.issuer).hostname)


def read_tenant(tenant: str) -> UUID:
    """The tenant an address names; what is none has no sign-in, like one that does not exist."""
    try:
        return UUID(hex=tenant)
    except ValueError:
        raise NoProvider from None


def own_path(path: str | None) -> str:
    """`path` if it is one of the panel's own pages, else the first one: nobody is led elsewhere by a link to us."""
    if path is None or not PATH.fullmatch(path):
        return HOME
    try:
        endpoint, named = current_app.url_map.bind("").match(f"/panel{path.partition('?')[0]}", method="GET")
    except HTTPException:
        return HOME
    is_page = isinstance(current_app.blueprints.get(endpoint.rpartition(".")[0]), PanelBlueprint)
    return path if is_page and "rest" not in named else HOME  # the rest is what the panel has no page for


def cookie_name(state: str) -> str:
    """Each sign-in's own, so that several windows do not disturb each other; `__Host-` keeps subdomains out of it."""
    name = f"sign-in-{hashlib.sha256(state.encode()).hexdigest()[:12]}"
    return f"__Host-{name}" if _is_secure() else name


def forget_cookie(response: Response, name: str) -> Response:
    if name in request.cookies:
        response.delete_cookie(name, **_cookie_kind())
    return response


def _is_secure() -> bool:
    """Over http, in development, a browser takes no secure cookie."""
    return str(current_app.config["BASE_URL"]).startswith("https://")


def _cookie_kind() -> dict[str, Any]:
    return {"path": "/", "secure": _is_secure(), "httponly": True, "samesite": "Lax"}


def _tenant_in_state() -> str | None:
    try:
        return oidc.tenant_of(request.args.get("state", "")).hex
    except SignInRefused:
        return None


def refusal(refused: AppError, tenant: str | None) -> Response:
    """Why it did not work and what to do, with a way to begin again where that may help."""
    title, text, again = refusal_words(refused)
    choose = CHOOSE if again == "choose" else None
    url = url_for("sign_in.begin", tenant=tenant, account=choose) if again and tenant else None
    return page("panels/sign_in.html", refused.status, title=title, text=text, url=url)


def _as_response(response: Any) -> Response:
    made: Response = response
    return made
