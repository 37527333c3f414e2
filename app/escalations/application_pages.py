"""Pages for admins: bringing a newer service level, calendar, set of ladders or zone to the cases that are open."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Response, request

from app import clock, queue
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.auth.settings import tenant_settings
from app.db import transaction as reading
from app.escalations import applying
from app.escalations.application_schemas import LONGEST_SPREAD, ApplyBody
from app.http import transaction
from app.http.forms import load_form
from app.http.paging import part
from app.http.panels import PanelBlueprint, go, page
from app.sla import service as sla
from app.sla.models import Application
from app.texts import noted

bp = PanelBlueprint("admin_applications", __name__)

SHOWN = 50
KINDS = {
    "calendar": noted("the calendar"),
    "service_level": noted("the service level"),
    "ladder": noted("the reminders"),
    "zone": noted("the time zone"),
}
PHASES = {
    "counting": noted("counting"),
    "moving": noted("under way"),
    "spreading": noted("spread over time"),
    "done": noted("done"),
    "replaced": noted("replaced by a later one"),
}


@bp.get("/admin/apply/ladder", defaults={"kind": "ladder"})
@bp.get("/admin/apply/zone", defaults={"kind": "zone"})
@bp.get("/admin/apply/calendar/<uuid:calendar_id>", defaults={"kind": "calendar"})
@bp.get("/admin/apply/service_level/<uuid:service_level_id>", defaults={"kind": "service_level"})
@requires("promises:write")
def ask(kind: str, calendar_id: UUID | None = None, service_level_id: UUID | None = None) -> Response:
    """What would be applied, and the form that shows what it would do before it is done."""
    with reading():
        of_id = calendar_id or service_level_id
        name, number, _version_id = subject(kind, of_id)
        path = f"/admin/apply/{kind}" + (f"/{of_id}" if of_id else "")
        values = {"kind": KINDS[kind], "name": name, "number": number, "longest": LONGEST_SPREAD}
        return page("escalations/apply.html", 200, **values, path=path)


@bp.post("/admin/apply/ladder", defaults={"kind": "ladder"})
@bp.post("/admin/apply/zone", defaults={"kind": "zone"})
@bp.post("/admin/apply/calendar/<uuid:calendar_id>", defaults={"kind": "calendar"})
@bp.post("/admin/apply/service_level/<uuid:service_level_id>", defaults={"kind": "service_level"})
@requires("promises:write")
def apply(kind: str, calendar_id: UUID | None = None, service_level_id: UUID | None = None) -> Response:
    """Show what it would do, or have it done in the background."""
    now, of_id = clock.now(), calendar_id or service_level_id
    with transaction():
        body = load_form(ApplyBody)
        name, number, version_id = subject(kind, of_id)
        wanted = applying.new_application(
            kind,
            name,
            number=number,
            now=now,
            spread=timedelta(minutes=body["spread_minutes"]),
            preview=body["preview"],
            subject_id=of_id,
            version_id=version_id,
            actor_id=current_actor().user_id,
        )
        found = applying.show_or_start(wanted, now)
        if not isinstance(found, Application):
            return page("escalations/apply_preview.html", found=found)
        queue.wake("apply_open")
        return go(f"/admin/applications/{found.id}")


def subject(kind: str, of_id: UUID | None) -> tuple[str, int, UUID | None]:
    """Name, number and version of what is applied; NotFound when there is none."""
    if kind == "calendar" and of_id:
        return sla.current_calendar(of_id)
    if kind == "service_level" and of_id:
        return sla.current_service_level(of_id)
    if kind == "ladder":
        return "ladders", sla.current_ladder(), None
    return tenant_settings().timezone, 0, None


@bp.get("/admin/applications")
@requires("promises:write")
def list_applications() -> Response:
    """What was applied to open cases and is being applied, the newest first."""
    with reading():
        found, cursor = part(
            lambda after, limit: applying.list_applications(after=UUID(after[0]) if after else None, limit=limit),
            lambda one: [str(one.id)],
            limit=SHOWN,
        )
        return page("escalations/applications.html", found=found, cursor=cursor, kinds=KINDS, phases=PHASES)


@bp.get("/admin/applications/<uuid:application_id>")
@requires("promises:write")
def show_application(application_id: UUID) -> Response:
    """How far it is; asked again each few seconds until it has ended."""
    with reading():
        values: dict[str, Any] = {"one": applying.get_application(application_id), "kinds": KINDS, "phases": PHASES}
        is_part = request.headers.get("HX-Target") == "progress"
        return page("escalations/progress.html" if is_part else "escalations/application.html", **values)


@bp.app_template_filter("as_moment")
def as_moment(at: datetime | str | None) -> datetime | None:
    """A moment, also as a preview keeps it."""
    return datetime.fromisoformat(at) if isinstance(at, str) else at
