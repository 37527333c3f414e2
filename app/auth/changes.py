"""Changing a tenant's settings: what is named there must exist, and the last resort of routing is never empty."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.auth import queries
from app.auth.models import Tenant, User
from app.auth.reasons import check_details
from app.auth.settings import TenantSettings, check_calendar
from app.db import db, load_tenant
from app.errors import invalid

PEOPLE = ("duty_owner_email", "duty_deputy_email")


def update_settings(tenant: Tenant, changes: Mapping[str, Any]) -> TenantSettings:
    """Lay `changes` over the tenant's settings, `approval`, `priority_weights` and `reason_details` part by part."""
    stored = TenantSettings.of(tenant.settings).stored()
    merged = {**stored, **{name: _merged(stored[name], value) for name, value in changes.items()}}
    if "reasons" in changes or "reason_details" in changes:
        known = {"reasons": merged["reasons"], "reason_details": stored["reason_details"]}
        merged["reason_details"] = check_details(known, changes.get("reason_details", {}))
    _check_people(changes, merged)
    check_calendar(changes.get("calendar"))
    if sum(merged["priority_weights"].values()) != 100:
        raise invalid("priority_weights", "expected weights that add up to 100")
    settings = TenantSettings.of(merged)
    kept = {name: value for name, value in settings.stored().items() if name in changes or name in tenant.settings}
    tenant.settings = {**tenant.settings, **kept}
    db.session.flush()
    load_tenant(db.session())
    return settings


def _merged(old: Any, new: Any) -> Any:
    return {**old, **new} if isinstance(old, dict) and isinstance(new, dict) else new


def _check_people(changes: Mapping[str, Any], merged: dict[str, Any]) -> None:
    """Every address named by the change is an active colleague's; stored in lower case."""
    approvers = merged["approval"]["approvers"] if "approvers" in changes.get("approval", {}) else []
    named = {name: changes[name] for name in PEOPLE if changes.get(name)}
    users = queries.users_by_email([*named.values(), *approvers])
    for name, email in named.items():
        merged[name] = _active(users, email, name)
    if approvers:
        lowered = [_active(users, email, f"approval.approvers.{n}") for n, email in enumerate(approvers)]
        merged["approval"]["approvers"] = _distinct(lowered)
    if merged["duty_deputy_email"] and merged["duty_deputy_email"] == merged["duty_owner_email"]:
        raise invalid("duty_deputy_email", "expected somebody other than the duty owner")


def _active(users: Mapping[str, User], email: str, field: str) -> str:
    user = users.get(email.strip().lower())
    if user is None or not user.active or user.role == "integration":
        raise invalid(field, "expected the address of an active user of this tenant")
    return user.email


def _distinct(emails: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(emails))
