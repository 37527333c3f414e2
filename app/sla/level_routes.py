"""Doors to service levels."""

from typing import Any
from uuid import UUID

from flask import Response

from app import clock
from app.auth.guards import requires
from app.http import ApiBlueprint, PageArguments, answer, page, transaction
from app.sla import levels, schemas
from app.sla.history import list_history
from app.sla.models import ServiceLevel, ServiceLevelVersion

bp = ApiBlueprint("service_levels", __name__, url_prefix="/api/v1/service-levels")


@bp.get("")
@bp.arguments(PageArguments, location="query")
@bp.response(200, schemas.ServiceLevelPage)
@requires("settings:read")
def list_levels(query: dict[str, Any]) -> Response:
    """Service levels by name, each with its latest versions; retired ones say since when."""
    with transaction():
        return page(
            schemas.ServiceLevelPage,
            query,
            lambda after, limit: _views(
                levels.list_levels(after=(after[0], UUID(after[1])) if after else None, limit=limit)
            ),
            lambda view: [view["name"], str(view["id"])],
        )


@bp.post("")
@bp.arguments(schemas.ServiceLevelBody)
@bp.response(201, schemas.ServiceLevelSchema)
@requires("promises:write")
def publish_level(body: dict[str, Any]) -> Response:
    """Publish a service level, or the next version of a known one; open cases keep the version they started with."""
    with transaction():
        published = levels.publish_level(body.pop("name"), body, now=clock.now())
        location = {"Location": f"/api/v1/service-levels/{published.id}"}
        return answer(schemas.ServiceLevelSchema, _views([published])[0], 201, location)


@bp.get("/<uuid:service_level_id>")
@bp.response(200, schemas.ServiceLevelSchema)
@requires("settings:read")
def get_level(service_level_id: UUID) -> Response:
    """One service level with its latest versions."""
    with transaction():
        return answer(schemas.ServiceLevelSchema, _views([levels.get_level(service_level_id)])[0])


@bp.get("/<uuid:service_level_id>/versions")
@bp.arguments(PageArguments, location="query")
@bp.response(200, schemas.CalendarVersionPage)
@requires("settings:read")
def list_level_versions(query: dict[str, Any], service_level_id: UUID) -> Response:
    """All versions of one service level, newest first."""
    wanted = ServiceLevelVersion.service_level_id == service_level_id
    with transaction():
        return page(
            schemas.CalendarVersionPage,
            query,
            lambda after, limit: list_history(ServiceLevelVersion, wanted, after=after, limit=limit),
            lambda version: [version.number],
        )


@bp.post("/<uuid:service_level_id>/retire")
@bp.response(200, schemas.ServiceLevelSchema)
@requires("promises:write")
def retire_level(service_level_id: UUID) -> Response:
    """No case raised from now on gets it; open ones keep it. Nothing is deleted; publishing it again takes it up."""
    with transaction():
        return answer(schemas.ServiceLevelSchema, _views([levels.retire_level(service_level_id, now=clock.now())])[0])


def _views(found: list[ServiceLevel]) -> list[dict[str, Any]]:
    versions = levels.list_versions([level.id for level in found])
    return [
        {
            "id": level.id,
            "name": level.name,
            "version": level.version,
            "number": versions[level.id][-1].number,
            "definition": versions[level.id][-1].definition,
            "retired_at": level.retired_at,
            "versions": versions[level.id],
        }
        for level in found
    ]
