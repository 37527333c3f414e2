"""Doors to applying a newer service level, calendar, set of ladders or zone to the cases that are open."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response

from app import clock, queue
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.auth.settings import tenant_settings
from app.escalations import applying
from app.escalations.application_schemas import (
    ApplicationPage,
    ApplicationSchema,
    ApplyBody,
    PreviewSchema,
    WholeApplicationSchema,
)
from app.http import ApiBlueprint, PageArguments, answer, page, transaction
from app.sla import service as sla
from app.sla.models import Application

bp = ApiBlueprint("applications", __name__, url_prefix="/api/v1")


@bp.post("/service-levels/<uuid:service_level_id>/apply-to-open")
@bp.arguments(ApplyBody)
@bp.response(202, ApplicationSchema)
@bp.alt_response(200, schema=PreviewSchema)
@requires("promises:write")
def apply_service_level(body: dict[str, Any], service_level_id: UUID) -> Response:
    """Bring the cases of this service level to its present version; close keeps its due time."""
    with transaction():
        name, number, version_id = sla.current_service_level(service_level_id)
        return _apply(body, "service_level", name, number=number, subject_id=service_level_id, version_id=version_id)


@bp.post("/calendars/<uuid:calendar_id>/apply-to-open")
@bp.arguments(ApplyBody)
@bp.response(202, ApplicationSchema)
@bp.alt_response(200, schema=PreviewSchema)
@requires("promises:write")
def apply_calendar(body: dict[str, Any], calendar_id: UUID) -> Response:
    """Bring the cases that count by this calendar to its present version; close keeps its due time."""
    with transaction():
        name, number, version_id = sla.current_calendar(calendar_id)
        return _apply(body, "calendar", name, number=number, subject_id=calendar_id, version_id=version_id)


@bp.post("/ladders/apply-to-open")
@bp.arguments(ApplyBody)
@bp.response(202, ApplicationSchema)
@bp.alt_response(200, schema=PreviewSchema)
@requires("promises:write")
def apply_ladders(body: dict[str, Any]) -> Response:
    """Bring all open cases to the present ladders of every kind; steps that lie in the past are passed over."""
    with transaction():
        return _apply(body, "ladder", "ladders", number=sla.current_ladder())


@bp.post("/zones/apply-to-open")
@bp.arguments(ApplyBody)
@bp.response(202, ApplicationSchema)
@bp.alt_response(200, schema=PreviewSchema)
@requires("promises:write")
def apply_zones(body: dict[str, Any]) -> Response:
    """Bring all open cases to the zone of their account or tenant as it is now, and due times to its present rules (a
    release of the time zone database moves nothing by itself); close keeps its due time."""
    with transaction():
        return _apply(body, "zone", tenant_settings().timezone, number=0)


@bp.get("/applications")
@bp.arguments(PageArguments, location="query")
@bp.response(200, ApplicationPage)
@requires("settings:read")
def list_applications(query: dict[str, Any]) -> Response:
    """What has been applied to open cases and is being applied, the newest first."""
    with transaction():
        return page(
            ApplicationPage,
            query,
            lambda after, limit: applying.list_applications(after=UUID(after[0]) if after else None, limit=limit),
            lambda found: [str(found.id)],
        )


@bp.get("/applications/<uuid:application_id>")
@bp.response(200, WholeApplicationSchema)
@requires("settings:read")
def get_application(application_id: UUID) -> Response:
    """How far one is, and what a preview has found."""
    with transaction():
        return answer(WholeApplicationSchema, applying.get_application(application_id))


def _apply(body: dict[str, Any], kind: str, name: str, *, number: int, **of: UUID) -> Response:
    """Show what it would do, or have the workers count or do it."""
    now = clock.now()
    wanted = applying.new_application(
        kind,
        name,
        number=number,
        now=now,
        spread=timedelta(minutes=body["spread_minutes"]),
        preview=body["preview"],
        actor_id=current_actor().user_id,
        **of,
    )
    found = applying.show_or_start(wanted, now)
    if not isinstance(found, Application):
        return answer(PreviewSchema, found)
    queue.wake("apply_open")
    return answer(ApplicationSchema, found, 202, {"Location": f"/api/v1/applications/{found.id}"})
