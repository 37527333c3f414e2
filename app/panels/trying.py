"""Trying the panel without a CRM: a page that stands for one, made for a tenant that holds only a sample.

Its address is signed and printed where the sample is made; who has it may sit at the panel as any of the sample's
colleagues. No other tenant has such an address.
"""

import hashlib
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, make_response, render_template, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import select

from app import clock
from app.accounts.models import Account
from app.auth import panel_sessions
from app.auth import queries as users
from app.auth.errors import LinkUnknown
from app.auth.guards import public
from app.auth.models import User
from app.db import db, transaction
from app.errors import NotFound
from app.http.panels import choose_language
from app.panels.shell import shell, told

bp = Blueprint("trying", __name__, url_prefix="/panel", template_folder="templates")

DAYS = 7
SHOWN = 12
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def try_address(tenant_id: UUID) -> str:
    """Where the panel of this sample can be tried, for seven days."""
    return f"{current_app.config['BASE_URL']}/panel/try/{_signer().dumps(tenant_id.hex)}"


@bp.get("/try/<token>")
@public
def choose(token: str) -> Response:
    """Whom to be, and which record of the make-believe CRM to stand at."""
    return _shown("panels/try.html", **_choices(_tenant(token)))


@bp.post("/try/<token>")
@public
def enter(token: str) -> Response:
    """The panel over the whole window, or beside the record of an account as in a CRM."""
    tenant_id = _tenant(token)
    account_id = request.form.get("account")
    path = f"/accounts/{_uuid(account_id)}" if account_id else "/mine"
    beside = request.form.get("beside") == "record" and account_id is not None
    launch = _launch(tenant_id, path, "host" if beside else "self")
    if not beside:
        return shell(tenant_id, launch=launch)
    with transaction(tenant=tenant_id):
        account = db.session.get(Account, _uuid(account_id))
    user_id = request.form["user"]
    return _shown("panels/record.html", account=account, tenant_id=tenant_id, launch=launch, user_id=user_id)


@bp.post("/try/<token>/launch")
@public
def renew(token: str) -> Response:
    """What a CRM's own server does when the panel asks its page for a new launch."""
    return told({"token": _launch(_tenant(token), "/mine", "host")})


def _launch(tenant_id: UUID, path: str, renewal: panel_sessions.Renewal) -> str:
    with transaction(tenant=tenant_id):
        user = users.get_user(_uuid(request.form.get("user")))
        origin = request.host_url.rstrip("/") if renewal == "host" else None
        return panel_sessions.launch(user.id, path=path, origin=origin, renewal=renewal, now=clock.real_now())


def _choices(tenant_id: UUID) -> dict[str, Any]:
    with transaction(tenant=tenant_id):
        people = select(User).where(User.active, User.role != "integration").order_by(User.role, User.name)
        accounts = select(Account).where(Account.gone_at.is_(None)).order_by(Account.name).limit(SHOWN)
        return {"people": db.session.scalars(people).all(), "accounts": db.session.scalars(accounts).all()}


def _shown(template: str, **values: Any) -> Response:
    choose_language()
    response = make_response(render_template(template, **values))
    response.headers["Content-Security-Policy"] = CSP
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _tenant(token: str) -> UUID:
    try:
        return UUID(hex=_signer().loads(token, max_age=DAYS * 86400))
    except (BadSignature, ValueError):
        raise LinkUnknown from None


def _uuid(value: str | None) -> UUID:
    try:
        return UUID(value or "")
    except ValueError:
        raise NotFound from None


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        current_app.config["SECRET_KEY"], salt="try", signer_kwargs={"digest_method": hashlib.sha256}
    )
