"""Doors of the API to connected CRMs and to who their users are here; beside them, those of the CRMs themselves."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app import clock
from app.auth.guards import requires
from app.http import ApiBlueprint, PageArguments, answer, check_if_match, page, require_if_match, transaction
from app.panels.embed import doors, hubspot_doors, identities, installations, pages, sessions
from app.panels.embed.models import EmbedInstallation
from app.panels.embed.schemas import (
    CrmUserBody,
    CrmUserPage,
    CrmUserSchema,
    InstallationBody,
    InstallationList,
    InstallationPage,
    InstallationPatch,
    InstallationSchema,
)


def guard_installation(installation_id: UUID, **others: Any) -> None:
    with transaction():
        installations.get_installation(installation_id)


bp = ApiBlueprint(
    "embed_installations", __name__, url_prefix="/api/v1/embed-installations", record_guard=guard_installation
)
known = ApiBlueprint(
    "crm_identities",
    __name__,
    url_prefix="/api/v1/embed-installations/<uuid:installation_id>",
    record_guard=guard_installation,
    versioned=False,
)
blueprints: list[Blueprint] = [bp, known, sessions.bp, doors.doors, hubspot_doors.card, pages.bp]

SHOWN = ("id", "kind", "name", "external_key", "account_source", "public_key", "origins", "created_at", "version")


def view(installation: EmbedInstallation) -> dict[str, Any]:
    """A connection as it is answered: that it has a secret, never which."""
    shown = {name: getattr(installation, name) for name in SHOWN}
    has_secret = installation.secret is not None
    return {**shown, "has_secret": has_secret, "address": installations.address_of(installation)}


@bp.get("")
@bp.arguments(InstallationList, location="query")
@bp.response(200, InstallationPage)
@requires("settings:write")
def list_installations(query: dict[str, Any]) -> Response:
    """What is connected, in the order in which it was."""
    with transaction():
        return page(
            InstallationPage,
            query,
            lambda after, limit: [
                view(one) for one in installations.list_installations(query.get("kind"), after=after, limit=limit)
            ],
            lambda one: [str(one["id"])],
        )


@bp.post("")
@bp.arguments(InstallationBody)
@bp.response(201, InstallationSchema)
@requires("settings:write")
def connect(body: dict[str, Any]) -> Response:
    """Connect an organisation of a CRM; the answer has the address to enter there."""
    with transaction():
        made = installations.connect(body, now=clock.real_now())
        location = {"Location": f"/api/v1/embed-installations/{made.id}"}
        return answer(InstallationSchema, view(made), 201, location)


@bp.get("/<uuid:installation_id>")
@bp.response(200, InstallationSchema)
@requires("settings:write")
def get_installation(installation_id: UUID) -> Response:
    """One connection."""
    with transaction():
        return answer(InstallationSchema, view(installations.get_installation(installation_id)))


@bp.patch("/<uuid:installation_id>")
@bp.arguments(InstallationPatch)
@bp.response(200, InstallationSchema)
@requires("settings:write")
def change_installation(body: dict[str, Any], installation_id: UUID) -> Response:
    """Change a connection; a new secret or key counts from the next request on."""
    with transaction():
        installation = installations.get_installation(installation_id, lock=True)
        require_if_match()
        check_if_match(installation)
        return answer(InstallationSchema, view(installations.change(installation, body)))


@bp.delete("/<uuid:installation_id>")
@bp.response(204)
@requires("settings:write")
def disconnect(installation_id: UUID) -> Response:
    """Disconnect: the address opens nothing from now on, and who its users were is forgotten."""
    with transaction():
        installation = installations.get_installation(installation_id, lock=True)
        check_if_match(installation)
        installations.disconnect(installation)
        return Response(status=204)


@known.get("/identities")
@known.arguments(PageArguments, location="query")
@known.response(200, CrmUserPage)
@requires("settings:write")
def list_identities(query: dict[str, Any], installation_id: UUID) -> Response:
    """Who the users of a connected CRM are here, by their id there."""
    with transaction():
        installations.get_installation(installation_id)
        return page(
            CrmUserPage,
            query,
            lambda after, limit: identities.list_identities(installation_id, after=after, limit=limit),
            lambda one: [one["external_id"]],
        )


@known.put("/identities/<external_id>")
@known.arguments(CrmUserBody)
@known.response(200, CrmUserSchema)
@requires("settings:write")
def say(body: dict[str, Any], installation_id: UUID, external_id: str) -> Response:
    """Say which of our users a CRM's user is; what was said or learnt before gives way."""
    with transaction():
        installation = installations.get_installation(installation_id)
        said = identities.say(installation, external_id, body["user_email"], now=clock.real_now())
        return answer(CrmUserSchema, said)


@known.delete("/identities/<external_id>")
@known.response(204)
@requires("settings:write")
def forget(installation_id: UUID, external_id: str) -> Response:
    """Forget who a CRM's user is; by e-mail they may be learnt again."""
    with transaction():
        identities.forget(installations.get_installation(installation_id), external_id)
        return Response(status=204)
