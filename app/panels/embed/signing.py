"""From somebody whom a CRM has vouched for to a panel that opens for them, at the record they were looking at."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import structlog
from flask import current_app

from app import clock
from app.accounts.errors import AccountNotFound
from app.accounts.queries import account_facts
from app.auth import panel_sessions
from app.auth.models import User
from app.auth.panel_sessions import LAUNCH_LIFETIME
from app.auth.queries import find_user_by_email
from app.auth.service import can_own
from app.db import current_tenant
from app.errors import invalid
from app.panels.embed.errors import UserUnknown
from app.panels.embed.identities import find_user, own_form
from app.panels.embed.installations import allowed_origins, get_installation
from app.panels.embed.salesforce import long_id

log = structlog.get_logger()

WORK = "/mine"


def let_in(
    user: User,
    *,
    path: str = WORK,
    via: str,
    origin: str | None = None,
    renewal: panel_sessions.Renewal = "self",
    now: datetime,
) -> str:
    """A launch for this user, noted in the log by who vouched for them; the token itself stands nowhere."""
    log.info("panel_launched", tenant_id=str(current_tenant()), user_id=str(user.id), via=via, origin=origin)
    return panel_sessions.launch(user.id, path=path, origin=origin, renewal=renewal, now=now)


def path_of(source: str, external_id: str | None, *, raising: bool = False) -> str:
    """The panel's page of a CRM's record: its account's, or the one that says how it would get here; My work for none.

    With `raising` the page on which an escalation is raised there.
    """
    if external_id is None:
        return WORK
    account_id = find_account(source, external_id)
    if account_id is None:
        return f"/accounts/by/{quote(source, safe='')}/{quote(external_id, safe='')}"
    return f"/accounts/{account_id}/raise" if raising else f"/accounts/{account_id}"


def find_account(source: str, external_id: str) -> UUID | None:
    """Our account that a record is, or was before it was merged.

    Salesforce writes one id with 15 characters or with 18; accounts are kept as whatever feeds them writes it.
    """
    long = long_id(external_id)
    for form in dict.fromkeys((external_id, long, long[:15])) if long else (external_id,):
        try:
            return account_facts((source, form), now=clock.now(), rank=False).account.id
        except AccountNotFound:
            continue
    return None


def launch_for_backend(body: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    """A launch for a backend whose token may let people in: for `user`, at `account` or `escalation_id`. Real time."""
    origin = body["origin"]
    if origin is not None and not is_covered(origin, allowed_origins()):
        raise invalid("origin", "expected one of the tenant's embed_origins or of a connection's origins")
    user = _user_of(body["user"], now=now)
    token = let_in(user, path=_place_of(body), via="backend", origin=origin, renewal=body["renewal"], now=now)
    return told(token, now=now)


def told(token: str, *, now: datetime) -> dict[str, Any]:
    """A launch as its caller hears of it; the token stands in the fragment, which no server and no log sees."""
    address = f"{current_app.config['BASE_URL']}/panel/t/{current_tenant()}#t={token}"
    return {"launch_url": address, "token": token, "expires_at": now + LAUNCH_LIFETIME}


def _user_of(who: dict[str, Any], *, now: datetime) -> User:
    if "email" in who:
        user = find_user_by_email(who["email"])
        if user is None or not can_own(user):
            raise UserUnknown(crm_email=who["email"])
        return user
    installation = get_installation(who["installation_id"])
    return find_user(installation, own_form(installation, who["external_id"], "user.external_id"), None, now=now)


def _place_of(body: dict[str, Any]) -> str:
    if "escalation_id" in body:
        return f"/escalations/{body['escalation_id']}"
    account = body.get("account", {})
    return path_of(account.get("source", ""), account.get("external_id"))


def is_covered(origin: str, listed: Iterable[str]) -> bool:
    """Whether an origin is among those listed, of which `https://*.x` means every host below x."""
    return any(_covers(one, origin) for one in listed)


def _covers(listed: str, origin: str) -> bool:
    start, star, end = listed.partition("*")
    if not star:
        return listed == origin
    return origin.startswith(start) and origin.endswith(end) and len(origin) > len(start) + len(end)
