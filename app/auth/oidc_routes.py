"""Doors for admins to the tenant's identity provider."""

from typing import Any
from uuid import UUID

from flask import Response

from app import clock
from app.auth import oidc_check, oidc_settings
from app.auth.guards import requires
from app.auth.oidc_clients import get_client
from app.auth.oidc_schemas import CheckSchema, IdentityBody, IdentityPage, IdentitySchema, ProviderBody, ProviderSchema
from app.http import ApiBlueprint, PageArguments, answer, check_if_match, page, require_if_match, transaction

bp = ApiBlueprint("identity_provider", __name__, url_prefix="/api/v1/identity-provider")


@bp.get("")
@bp.response(200, ProviderSchema)
@requires("settings:write")
def get_provider() -> Response:
    """The identity provider at which this tenant's people sign in; 404 while there is none."""
    with transaction():
        return answer(ProviderSchema, oidc_settings.view(oidc_settings.get_provider()))


@bp.put("")
@bp.arguments(ProviderBody)
@bp.response(200, ProviderSchema)
@bp.alt_response(201, schema=ProviderSchema)
@requires("settings:write")
def put_provider(body: dict[str, Any]) -> Response:
    """Enter the provider (201), or replace it (200, needs its ETag); a secret left out stays as it is."""
    with transaction():
        found = oidc_settings.begin_change()
        if found is not None:
            require_if_match()
            check_if_match(found)
        made = oidc_settings.put_provider(found, body, now=clock.real_now())
        return answer(ProviderSchema, oidc_settings.view(made), 200 if found else 201)


@bp.delete("")
@bp.response(204)
@requires("settings:write")
def remove_provider() -> Response:
    """Remove the provider: nobody signs in there any more, and who was known there is forgotten."""
    with transaction():
        found = oidc_settings.get_provider(lock=True)
        check_if_match(found)
        oidc_settings.remove_provider(found)
        return Response(status=204)


@bp.post("/check")
@bp.response(200, CheckSchema)
@requires("settings:write")
def check() -> Response:
    """Ask the provider what a sign-in would ask, and say what is wrong; changes nothing."""
    with transaction(answered_later=True):
        client = get_client()
    findings = oidc_check.check(client, now=clock.real_now())
    with transaction():
        return answer(CheckSchema, {"ok": all(finding.ok for finding in findings), "findings": findings})


@bp.get("/identities")
@bp.arguments(PageArguments, location="query")
@bp.response(200, IdentityPage)
@requires("settings:write")
def list_identities(query: dict[str, Any]) -> Response:
    """Who has signed in at the provider and is known since, by address."""
    with transaction():
        return page(
            IdentityPage,
            query,
            lambda after, limit: oidc_settings.list_identities(after=after, limit=limit),
            lambda identity: [identity["user_email"], str(identity["id"])],
        )


@bp.post("/identities")
@bp.arguments(IdentityBody)
@bp.response(201, IdentitySchema)
@requires("settings:write")
def add_identity(body: dict[str, Any]) -> Response:
    """Say whose an account of the provider is, where addresses are not asked or not vouched for."""
    with transaction():
        return answer(IdentitySchema, oidc_settings.add_identity(**body, now=clock.real_now()), 201)


@bp.delete("/identities/<uuid:user_identity_id>")
@bp.response(204)
@requires("settings:write")
def remove_identity(user_identity_id: UUID) -> Response:
    """Forget an account of the provider: it no longer opens its colleague's panel."""
    with transaction():
        oidc_settings.remove_identity(user_identity_id)
        return Response(status=204)
