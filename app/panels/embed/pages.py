"""Pages for admins about connected CRMs: what is entered here and there, and who their users are."""

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from app import clock
from app.auth import queries
from app.auth.guards import requires
from app.auth.schemas import origin
from app.db import transaction as reading
from app.http import Body, transaction
from app.http.forms import Lines, check_version, load_form
from app.http.paging import part
from app.http.panels import PanelBlueprint, go, page
from app.http.schemas import words
from app.panels.embed import identities, installations
from app.panels.embed.kinds import KINDS
from app.panels.embed.schemas import CrmUserBody, InstallationBody, InstallationPatch
from app.texts import noted

bp = PanelBlueprint("admin_crm", __name__)

SHOWN = 50
CALLED = {"salesforce": "Salesforce", "hubspot": "HubSpot", "zendesk": "Zendesk", "generic": noted("A backend of ours")}
LABELS = {"name": noted("Name"), "account_source": noted("Source of its accounts"), "origins": noted("Its pages")}


def origin_lines() -> Lines:
    return Lines(fields.String(validate=origin), validate=validate.Length(max=20))


class InstallationForm(InstallationBody):
    origins = origin_lines()


class ChangeForm(InstallationPatch):
    version = fields.Integer(required=True)
    origins = origin_lines()


class VersionForm(Body):
    version = fields.Integer(required=True)


class ForgetForm(Body):
    external_id = fields.String(required=True, validate=words(1, 200))


class UserForm(ForgetForm, CrmUserBody):
    """A CRM's user, and ours."""


@bp.get("/admin/crm")
@requires("settings:write")
def list_installations() -> Response:
    """What is connected, in the order in which it was."""
    with reading():
        found, cursor = part(
            lambda after, limit: installations.list_installations(None, after=after, limit=limit),
            lambda one: [str(one.id)],
            limit=SHOWN,
        )
        return page("panels/embed/admin.html", found=found, cursor=cursor, called=CALLED, kinds=KINDS)


@bp.post("/admin/crm")
@requires("settings:write")
def connect() -> Response:
    """Connect an organisation; its page has the address to enter there."""
    with transaction():
        body = load_form(InstallationForm)
        if not body.get("origins"):
            body.pop("origins", None)
        made = installations.connect(body, now=clock.real_now())
        return go(f"/admin/crm/{made.id}")


@bp.get("/admin/crm/<uuid:installation_id>")
@requires("settings:write")
def show_installation(installation_id: UUID) -> Response:
    """One connection, and who its users are here."""
    with reading():
        one = installations.get_installation(installation_id)
        users, cursor = part(
            lambda after, limit: identities.list_identities(installation_id, after=after, limit=limit),
            lambda user: [user["external_id"]],
            limit=SHOWN,
        )
        values: dict[str, Any] = {"one": one, "address": installations.address_of(one), "users": users}
        values |= {"cursor": cursor, "called": CALLED, "proof": KINDS[one.kind].proof}
        return page("panels/embed/installation.html", **values, colleagues=queries.list_colleagues())


@bp.post("/admin/crm/<uuid:installation_id>")
@requires("settings:write")
def change_installation(installation_id: UUID) -> Response:
    """Change a connection; a blank secret or key stays."""
    with transaction():
        one = installations.get_installation(installation_id, lock=True)
        present = {name: getattr(one, name) for name in LABELS}
        installations.change(one, check_version(one.version, load_form(ChangeForm), present, LABELS))
        return go(f"/admin/crm/{installation_id}")


@bp.post("/admin/crm/<uuid:installation_id>/disconnect")
@requires("settings:write")
def disconnect(installation_id: UUID) -> Response:
    """Its address opens nothing from now on."""
    with transaction():
        one = installations.get_installation(installation_id, lock=True)
        check_version(one.version, load_form(VersionForm), {}, LABELS)
        installations.disconnect(one)
        return go("/admin/crm")


@bp.post("/admin/crm/<uuid:installation_id>/identities")
@requires("settings:write")
def say(installation_id: UUID) -> Response:
    """Say which of our users a CRM's user is."""
    with transaction():
        body = load_form(UserForm)
        one = installations.get_installation(installation_id)
        identities.say(one, body["external_id"], body["user_email"], now=clock.real_now())
        return go(f"/admin/crm/{installation_id}")


@bp.post("/admin/crm/<uuid:installation_id>/identities/forget")
@requires("settings:write")
def forget(installation_id: UUID) -> Response:
    """Forget who a CRM's user is."""
    with transaction():
        external_id = load_form(ForgetForm)["external_id"]
        identities.forget(installations.get_installation(installation_id), external_id)
        return go(f"/admin/crm/{installation_id}")
