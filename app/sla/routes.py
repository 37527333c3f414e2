"""Doors to calendars; those to service levels and ladders stand beside."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request
from werkzeug.exceptions import UnsupportedMediaType

from app import clock
from app.auth.guards import requires, takes
from app.errors import invalid
from app.http import ApiBlueprint, PageArguments, answer, page, transaction
from app.sla import calendar_pages, calendars, ladder_pages, ladder_routes, level_pages, level_routes, schemas
from app.sla.compute import compute
from app.sla.history import list_history
from app.sla.hours import CalendarError
from app.sla.models import CalendarModel, CalendarVersion
from app.sla.public_holidays import with_dates

calendar_bp = ApiBlueprint("calendars", __name__, url_prefix="/api/v1/calendars")
ICALENDAR = "text/calendar"
blueprints: list[Blueprint] = [
    calendar_bp,
    level_routes.bp,
    ladder_routes.bp,
    calendar_pages.bp,
    level_pages.bp,
    ladder_pages.bp,
]


@calendar_bp.get("")
@calendar_bp.arguments(PageArguments, location="query")
@calendar_bp.response(200, schemas.CalendarPage)
@requires("settings:read")
def list_calendars(query: dict[str, Any]) -> Response:
    """Calendars by name, each with its latest versions."""
    with transaction():
        return page(
            schemas.CalendarPage,
            query,
            lambda after, limit: _views(
                calendars.list_calendars(after=(after[0], UUID(after[1])) if after else None, limit=limit)
            ),
            lambda view: [view["name"], str(view["id"])],
        )


@calendar_bp.post("")
@calendar_bp.arguments(schemas.CalendarBody)
@calendar_bp.response(201, schemas.CalendarSchema)
@requires("calendars:write")
def publish_calendar(body: dict[str, Any]) -> Response:
    """Publish a calendar, or the next version of a known one; open escalations keep the version they started with."""
    with transaction():
        published = calendars.publish_calendar(body.pop("name"), body, now=clock.now())
        return answer(
            schemas.CalendarSchema, _views([published])[0], 201, {"Location": f"/api/v1/calendars/{published.id}"}
        )


@calendar_bp.get("/<uuid:calendar_id>")
@calendar_bp.response(200, schemas.CalendarSchema)
@requires("settings:read")
def get_calendar(calendar_id: UUID) -> Response:
    """One calendar with its latest versions."""
    with transaction():
        return answer(schemas.CalendarSchema, _views([calendars.get_calendar(calendar_id)])[0])


@calendar_bp.get("/<uuid:calendar_id>/versions")
@calendar_bp.arguments(PageArguments, location="query")
@calendar_bp.response(200, schemas.CalendarVersionPage)
@requires("settings:read")
def list_calendar_versions(query: dict[str, Any], calendar_id: UUID) -> Response:
    """All versions of one calendar, newest first."""
    wanted = CalendarVersion.calendar_id == calendar_id
    with transaction():
        return page(
            schemas.CalendarVersionPage,
            query,
            lambda after, limit: list_history(CalendarVersion, wanted, after=after, limit=limit),
            lambda version: [version.number],
        )


@calendar_bp.post("/<uuid:calendar_id>/holidays")
@calendar_bp.doc(requestBody={"required": True, "content": {ICALENDAR: {"schema": {"type": "string"}}}})
@calendar_bp.response(201, schemas.CalendarSchema)
@calendar_bp.alt_response(200, schema=schemas.CalendarSchema, description="Every day of the file was known")
@takes(ICALENDAR)
@requires("calendars:write")
def add_holidays(calendar_id: UUID) -> Response:
    """Close a calendar on the whole days of an iCalendar file: its next version, or 200 when it knew them all."""
    if request.mimetype != ICALENDAR:
        raise UnsupportedMediaType(f"Send {ICALENDAR}")
    content = request.get_data(cache=True)
    with transaction():
        calendar, changed = calendars.add_holidays(calendar_id, content, now=clock.now())
        where = {"Location": f"/api/v1/calendars/{calendar_id}"} if changed else {}
        return answer(schemas.CalendarSchema, _views([calendar])[0], 201 if changed else 200, where)


@calendar_bp.post("/compute")
@calendar_bp.arguments(schemas.ComputeBody)
@calendar_bp.response(200, schemas.ComputedSchema)
@requires("settings:read")
def compute_operations(body: dict[str, Any]) -> Response:
    """Ask a calendar that is not stored: what is added, subtracted, open and next; answers in order."""
    with transaction():
        try:
            calendar = with_dates(body["calendar"], today=clock.now().date(), field="calendar/holidays_of")
            results = compute(calendar, body["operations"])
        except CalendarError as error:
            raise invalid(error.field, error.detail) from error
        return answer(schemas.ComputedSchema, {"results": results})


def _views(found: list[CalendarModel]) -> list[dict[str, Any]]:
    versions = calendars.list_versions([calendar.id for calendar in found])
    return [
        {
            "id": calendar.id,
            "name": calendar.name,
            "version": calendar.version,
            "number": versions[calendar.id][-1].number,
            "definition": versions[calendar.id][-1].definition,
            "versions": versions[calendar.id],
        }
        for calendar in found
    ]
