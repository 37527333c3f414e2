"""A tenant's settings in words: what each does, what it usually is, and the kinds of grievance."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from app.auth import changes as settings_changes
from app.auth import queries
from app.auth.guards import requires
from app.auth.models import Tenant
from app.auth.reasons import ALWAYS, list_reasons
from app.auth.schemas import ApprovalFields, SettingsBody
from app.auth.setting_words import GROUPS, LABELS, MODES, WEIGHTS
from app.auth.settings import ABSENCE_MODES, TenantSettings, current_version
from app.currencies import CODES
from app.db import transaction as reading
from app.http import Body, transaction
from app.http.forms import Lines, check_version, load_form
from app.http.panels import PanelBlueprint, go, page
from app.texts import gettext as _

bp = PanelBlueprint("admin_settings", __name__)


class ApprovalForm(ApprovalFields):
    approvers = Lines(fields.Email(), validate=validate.Length(max=50))


class SettingsForm(SettingsBody):
    version = fields.Integer(required=True)
    approval = fields.Nested(ApprovalForm)


class ReasonsForm(Body):
    version = fields.Integer(required=True)
    reasons: Schema | Any = SettingsBody().fields["reasons"]
    reason_details: Schema | Any = SettingsBody().fields["reason_details"]


@bp.get("/admin/settings")
@requires("settings:write")
def show() -> Response:
    """All of them with what they usually are."""
    with reading():
        tenant = queries.get_tenant()
        settings = TenantSettings.of(tenant.settings)
        return page(
            "auth/settings.html",
            version=tenant.version,
            settings=asdict(settings),
            usual=asdict(TenantSettings()),
            groups=GROUPS,
            weights=WEIGHTS,
            mode_pairs=[(mode, _(MODES[mode])) for mode in ABSENCE_MODES],
            currencies=[(code, code) for code in sorted(CODES)],
            calendar_pairs=[(name, name) for name in sorted(current_version("calendar") or {})],
            colleagues=queries.list_colleagues(),
        )


@bp.post("/admin/settings")
@requires("settings:write")
def change() -> Response:
    """Change them; open cases keep the targets they started with."""
    with transaction():
        tenant = queries.get_tenant(lock=True)
        changes = load_form(SettingsForm, blank_is_null=True)
        _check_version(tenant, changes)
        settings_changes.update_settings(tenant, changes)
        return go(None)


@bp.get("/admin/settings/reasons")
@requires("settings:write")
def show_reasons() -> Response:
    """The kinds of grievance: how each is called, whether it can mostly be prevented, whether it is in use."""
    with reading():
        tenant = queries.get_tenant()
        settings = TenantSettings.of(tenant.settings)
        return page("auth/reasons.html", version=tenant.version, reasons=list_reasons(settings), always=ALWAYS)


@bp.post("/admin/settings/reasons")
@requires("settings:write")
def change_reasons() -> Response:
    """Change them; cases that have a reason keep it."""
    with transaction():
        tenant = queries.get_tenant(lock=True)
        changes = load_form(ReasonsForm, blank_is_null=True)
        _check_version(tenant, changes)
        changes["reason_details"] = _changed_details(changes, TenantSettings.of(tenant.settings))
        settings_changes.update_settings(tenant, changes)
        return go(None)


def _check_version(tenant: Tenant, changes: dict[str, Any]) -> None:
    """412 with both versions of what differs, the parts of a setting each by itself."""
    sent = {**_flat(changes), "version": changes.pop("version")}
    check_version(tenant.version, sent, _flat(asdict(TenantSettings.of(tenant.settings))), LABELS)


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if name in ("approval", "priority_weights"):
            found |= {f"{name}.{part}": said for part, said in value.items()}
        else:
            found[name] = value
    return found


def _changed_details(changes: Mapping[str, Any], settings: TenantSettings) -> dict[str, Any]:
    """Of what the form says of each reason only what is not so already; of one that is taken away nothing."""
    present = {reason.name: asdict(reason) for reason in list_reasons(settings)}
    kept = {name for name, reason in present.items() if reason["built_in"]} | set(changes.get("reasons") or ())
    said = {name: details for name, details in (changes.get("reason_details") or {}).items() if name in kept}
    changed = {
        name: {key: value for key, value in (details or {}).items() if value != present.get(name, {}).get(key)}
        for name, details in said.items()
    }
    return {name: details for name, details in changed.items() if details}
