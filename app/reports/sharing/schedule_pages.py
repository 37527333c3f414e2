"""Pages of reports by mail: what goes to whom when, what was sent, one for me now, and leaving."""

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.auth.settings import tenant_settings
from app.db import transaction as reading
from app.http import transaction
from app.http.forms import check_version, load_form
from app.http.paging import part
from app.http.panels import PanelBlueprint, go, page
from app.reports.sharing import deliveries, page_parts, schedules, views
from app.reports.sharing.schedule_routes import ask_one
from app.reports.sharing.schemas import ScheduleBody, SchedulePatch
from app.texts import gettext, noted

bp = PanelBlueprint("report_schedule_pages", __name__)

SHOWN = 50
HOME = "/reports/schedules"
DAY_WORDS = {
    "mon": noted("Monday"),
    "tue": noted("Tuesday"),
    "wed": noted("Wednesday"),
    "thu": noted("Thursday"),
    "fri": noted("Friday"),
    "sat": noted("Saturday"),
    "sun": noted("Sunday"),
}
RHYTHM_WORDS = {"weekly": noted("Weekly"), "monthly": noted("Monthly"), "quarterly": noted("Quarterly")}
LABELS = {
    "name": noted("Name"), "rhythm": noted("How often?"), "weekday": noted("On which day of the week?"),
    "day": noted("On which day of the month?"), "hour": noted("At what hour?"), "timezone": noted("Time zone"),
    "paper": noted("Paper"), "active": noted("Goes out"),
}  # fmt: skip


class ScheduleForm(SchedulePatch):
    version = fields.Integer(required=True)


class ActiveForm(SchedulePatch):
    version = fields.Integer(required=True)
    active = fields.Boolean(required=True)


@bp.get(HOME)
@requires("reports:read")
def list_schedules() -> Response:
    """Reports by mail that I set up or am sent."""
    with reading():
        actor = current_actor()
        found, cursor = part(
            lambda after, limit: schedules.list_schedules(actor=actor, after=after, limit=limit),
            lambda one: [one["name"], str(one["id"])],
            limit=SHOWN,
        )
        values: dict[str, Any] = {"schedules": found, "cursor": cursor, "may": actor.may("reports:write")}
        return page("sharing/schedules.html", **values, **_words())


@bp.get(f"{HOME}/new")
@requires("reports:write")
def new_schedule() -> Response:
    """When the report of the page one comes from, or a view, goes to whom."""
    with reading():
        asked, actor = page_parts.proposed(), current_actor()
        view = views.get_view(UUID(asked["view_id"]), actor=actor)[0] if asked["view_id"] else None
        values: dict[str, Any] = {"asked": asked, "view": view, "zone": tenant_settings().timezone, "me": actor.email}
        return page("sharing/schedule_new.html", readers=page_parts.list_readers(), **values, **_words())


@bp.post(HOME)
@requires("reports:write")
def make_schedule() -> Response:
    """Set it up."""
    with transaction():
        actor = current_actor()
        moments = {"now": clock.now(), "real_now": clock.real_now()}
        made = schedules.make_schedule(_fitting(load_form(ScheduleBody)), actor=actor, **moments)
        return go(f"{HOME}/{made.id}")


@bp.get(f"{HOME}/<uuid:report_schedule_id>")
@requires("reports:read")
def show_schedule(report_schedule_id: UUID) -> Response:
    """When it goes to whom, what was sent, and its form for who may change it."""
    with reading():
        actor = current_actor()
        found = schedules.get_shown(report_schedule_id, actor=actor)
        sent, cursor = part(
            lambda after, limit: deliveries.list_deliveries(report_schedule_id, actor=actor, after=after, limit=limit),
            lambda one: [str(one["id"])],
            limit=SHOWN,
        )
        may = found["may_change"] and actor.may("reports:write")
        values: dict[str, Any] = {"one": found, "deliveries": sent, "cursor": cursor, "may": may}
        return page("sharing/schedule.html", readers=page_parts.list_readers() if may else [], **values, **_words())


@bp.post(f"{HOME}/<uuid:report_schedule_id>")
@requires("reports:write")
def change_schedule(report_schedule_id: UUID) -> Response:
    """Change when, to whom, or what is asked."""
    return _change(report_schedule_id, _fitting(load_form(ScheduleForm)), {"own_accounts": False})


@bp.post(f"{HOME}/<uuid:report_schedule_id>/active")
@requires("reports:write")
def pause_schedule(report_schedule_id: UUID) -> Response:
    """Pause it, or let it go on."""
    return _change(report_schedule_id, load_form(ActiveForm), {})


def _change(report_schedule_id: UUID, form: dict[str, Any], unticked: dict[str, Any]) -> Response:
    with transaction():
        actor = current_actor()
        schedule = schedules.get_own(report_schedule_id, actor=actor, lock=True)
        present = schedules.get_shown(report_schedule_id, actor=actor)
        changes = check_version(schedule.version, {**unticked, **form}, present, LABELS)
        moments = {"now": clock.now(), "real_now": clock.real_now()}
        schedules.change_schedule(schedule, changes, actor=actor, **moments)
        return go(f"{HOME}/{report_schedule_id}")


@bp.post(f"{HOME}/<uuid:report_schedule_id>/end")
@requires("reports:write")
def end_schedule(report_schedule_id: UUID) -> Response:
    """It sends nothing any more."""
    with transaction():
        schedule = schedules.get_own(report_schedule_id, actor=current_actor(), lock=True)
        schedules.end_schedule(schedule, real_now=clock.real_now())
        return go(HOME)


@bp.post(f"{HOME}/<uuid:report_schedule_id>/send")
@requires("reports:read")
def send_one(report_schedule_id: UUID) -> Response:
    """One for me now."""
    with transaction():
        ask_one(report_schedule_id)
        return go(f"{HOME}/{report_schedule_id}")


@bp.post(f"{HOME}/<uuid:report_schedule_id>/leave")
@requires("reports:read")
def leave(report_schedule_id: UUID) -> Response:
    """Send it to me no more."""
    with transaction():
        actor = current_actor()
        schedules.leave(schedules.get_schedule(report_schedule_id, actor=actor), actor=actor)
        return go(HOME)


def _fitting(form: dict[str, Any]) -> dict[str, Any]:
    """The form without the day that its rhythm has no use for."""
    other = "day" if form.get("rhythm") == "weekly" else "weekday"
    return {name: value for name, value in form.items() if name != other or "rhythm" not in form}


def _words() -> dict[str, Any]:
    """What the forms offer to choose from."""
    return {
        "spans": page_parts.spans(),
        "kinds": page_parts.kinds(),
        "weekdays": [(key, gettext(word)) for key, word in DAY_WORDS.items()],
        "rhythms": [(key, gettext(word)) for key, word in RHYTHM_WORDS.items()],
        "hours": [(hour, f"{hour:02}:00") for hour in range(24)],
        "when": _when,
    }


def _when(one: dict[str, Any]) -> str:
    """`Every Monday at 08:00 (Europe/Berlin)`."""
    said = {"hour": f"{one['hour']:02}:00", "zone": one["timezone"], "day": one["day"]}
    if weekday := one["weekday"]:
        said["day"] = gettext(DAY_WORDS[weekday])
        return gettext("Every %(day)s at %(hour)s (%(zone)s)") % said
    if one["rhythm"] == "monthly":
        return gettext("On day %(day)s of every month at %(hour)s (%(zone)s)") % said
    return gettext("On day %(day)s of every quarter at %(hour)s (%(zone)s)") % said
