"""Pages for admins about the identity provider at which people sign in outside a CRM, and whose pages may show ours."""

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import ValidationError, fields, validate

from app import clock
from app.auth import changes as settings_changes
from app.auth import oidc_check, oidc_settings, queries
from app.auth.guards import requires
from app.auth.models import VOUCHING
from app.auth.oidc_clients import get_client, redirect_uri
from app.auth.oidc_schemas import IdentityBody, ProviderBody
from app.auth.schemas import SettingsBody, origin
from app.auth.settings import TenantSettings
from app.db import transaction as reading
from app.http import Body, transaction
from app.http.forms import Lines, check_version, load_body, load_form
from app.http.paging import part
from app.http.panels import PanelBlueprint, go, page
from app.texts import noted

bp = PanelBlueprint("admin_sign_in", __name__)

SHOWN = 50
LABELS = {
    "embed_origins": noted("Pages that may show Firsthand"),
    "embed_match_email": noted("Known by the address that the CRM vouches for"),
    "issuer": noted("Address of the provider"),
    "client_id": noted("Client id"),
    "email_matches": noted("Known by a confirmed address"),
    "vouched_by": noted("The claim that confirms it"),
}


class EmbeddingForm(Body):
    """Two of the settings, with an origin a line."""

    version = fields.Integer(required=True)
    embed_origins = Lines(fields.String(validate=origin), load_default=list, validate=validate.Length(max=50))
    embed_match_email = fields.Boolean(required=True)


class Claims(fields.Field[dict[str, str]]):
    """`tid=…`, a claim a line."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, str]:
        claims = {}
        for line in filter(None, map(str.strip, str(value).splitlines())):
            name, _sign, said = (one.strip() for one in line.partition("="))
            if not (name and said):
                raise ValidationError(f"expected a claim such as hd=example.com a line, got {line!r}")
            claims[name] = said
        return claims


class ProviderForm(ProviderBody):
    """The API's body, with a claim a line; a blank secret stays, unless there is to be none."""

    version = fields.Integer(load_default=0)
    required_claims = Claims(load_default=dict)  # type: ignore[assignment]
    no_secret = fields.Boolean(load_default=False)


class VersionForm(Body):
    version = fields.Integer(required=True)


@bp.get("/admin/embedding")
@requires("settings:write")
def show_embedding() -> Response:
    """Which pages may show ours, and the ways to who connects a CRM or signs in without one."""
    with reading():
        tenant = queries.get_tenant()
        settings = TenantSettings.of(tenant.settings)
        return page("auth/embedding.html", settings=settings, version=tenant.version)


@bp.post("/admin/embedding")
@requires("settings:write")
def change_embedding() -> Response:
    """The same settings as the API's."""
    with transaction():
        tenant = queries.get_tenant(lock=True)
        present = TenantSettings.of(tenant.settings).stored()
        wanted = check_version(tenant.version, load_form(EmbeddingForm), present, LABELS)
        settings_changes.update_settings(tenant, load_body(SettingsBody, wanted))
        return go("/admin/embedding")


@bp.get("/admin/sign-in")
@requires("settings:write")
def show_provider() -> Response:
    """The provider, or the form that enters one; and who is known there."""
    with reading():
        found = oidc_settings.find_provider()
        identities, cursor = part(
            lambda after, limit: oidc_settings.list_identities(after=after, limit=limit),
            lambda one: [one["user_email"], str(one["id"])],
            limit=SHOWN,
        )
        values: dict[str, Any] = {"provider": oidc_settings.view(found) if found else None, "vouching": VOUCHING}
        values |= {"identities": identities, "cursor": cursor, "redirect_uri": redirect_uri()}
        return page("auth/provider.html", **values, colleagues=queries.list_colleagues())


@bp.post("/admin/sign-in")
@requires("settings:write")
def put_provider() -> Response:
    """Enter the provider, or change it."""
    with transaction():
        form = load_form(ProviderForm)
        found = oidc_settings.begin_change()
        if form.pop("no_secret"):
            form["client_secret"] = None
        present = oidc_settings.view(found) if found else {}
        wanted = check_version(found.version if found else 0, form, present, LABELS)
        oidc_settings.put_provider(found, wanted, now=clock.real_now())
        return go("/admin/sign-in")


@bp.post("/admin/sign-in/check")
@requires("settings:write")
def check() -> Response:
    """Ask the provider what a sign-in would ask; changes nothing."""
    with reading():
        client = get_client()
    findings = oidc_check.check(client, now=clock.real_now())
    with reading():
        return page("auth/provider_check.html", findings=findings)


@bp.post("/admin/sign-in/remove")
@requires("settings:write")
def remove_provider() -> Response:
    """Nobody signs in there any more."""
    with transaction():
        found = oidc_settings.get_provider(lock=True)
        check_version(found.version, load_form(VersionForm), {}, LABELS)
        oidc_settings.remove_provider(found)
        return go("/admin/sign-in")


@bp.post("/admin/sign-in/identities")
@requires("settings:write")
def add_identity() -> Response:
    """Say whose an account of the provider is."""
    with transaction():
        oidc_settings.add_identity(**load_form(IdentityBody), now=clock.real_now())
        return go("/admin/sign-in")


@bp.post("/admin/sign-in/identities/<uuid:user_identity_id>/remove")
@requires("settings:write")
def remove_identity(user_identity_id: UUID) -> Response:
    """The account no longer opens its colleague's panel."""
    with transaction():
        oidc_settings.remove_identity(user_identity_id)
        return go("/admin/sign-in")
