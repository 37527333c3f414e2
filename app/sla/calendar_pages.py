"""Pages for admins about calendars: the hours as a picture, what would be due, holidays, and the next version."""

from datetime import date, timedelta
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from babel import Locale
from flask import Response, request
from marshmallow import fields, validate

from app import clock, texts
from app.auth import service as auth
from app.auth.guards import requires
from app.auth.settings import tenant_settings
from app.db import transaction as reading
from app.errors import invalid, invalid_parameter
from app.http import AwareDateTime, Body, transaction
from app.http.forms import check_version, load_body, load_form
from app.http.paging import part
from app.http.panels import PanelBlueprint, go, page
from app.sla import calendars, week, written
from app.sla.calendar import compile_calendar
from app.sla.hours import FIRST_YEAR, LAST_YEAR, WEEKDAYS, CalendarError
from app.sla.models import CalendarVersion
from app.sla.public_holidays import list_countries
from app.sla.schemas import CalendarBody
from app.texts import noted

bp = PanelBlueprint("admin_calendars", __name__)

SHOWN = 50
AHEAD = timedelta(days=90)
MOST_AHEAD = 30
USED_SHOWN = 10
LABELS = {
    "timezone": noted("Time zone"),
    "weekly": noted("Opening hours"),
    "always_open": noted("Always open"),
    "day_seconds": noted("Hours in a business day"),
    "holidays": noted("Own days off"),
    "holidays_of": noted("Public holidays"),
    "overrides": noted("Days with other hours"),
    "breaks": noted("Breaks"),
}


class CalendarForm(Body):
    """A calendar as one writes it; made into what the API takes."""

    version = fields.Integer(load_default=0)
    name = fields.String(validate=validate.Length(1, 100))
    timezone = fields.String()
    weekly = fields.Dict(
        keys=fields.String(validate=validate.OneOf(WEEKDAYS)), values=fields.String(), load_default=dict
    )
    always_open = fields.Boolean(load_default=False)
    day_seconds = fields.Decimal(validate=validate.Range(min=0, min_inclusive=False, max=24))
    holidays = fields.String(load_default="")
    holidays_of = fields.List(fields.Dict(keys=fields.String(), values=fields.String()), load_default=list)
    overrides = fields.String(load_default="")
    breaks = fields.String(load_default="")


class DueForm(Body):
    start = AwareDateTime(required=True)
    amount = fields.Integer(required=True, validate=validate.Range(0, 5_000))
    unit = fields.String(required=True, validate=validate.OneOf(("hours", "days")))


@bp.get("/admin/calendars")
@requires("calendars:write")
def list_calendars() -> Response:
    """Calendars by name, each with its hours in words."""
    with reading():
        found, cursor = part(
            lambda after, limit: calendars.list_calendars(
                after=(after[0], UUID(after[1])) if after else None, limit=limit
            ),
            lambda calendar: [calendar.name, str(calendar.id)],
            limit=SHOWN,
        )
        versions = calendars.list_versions([one.id for one in found])
        rows = [(one, versions[one.id][-1], written.write_definition(versions[one.id][-1].definition)) for one in found]
        return page("sla/calendars.html", rows=rows, cursor=cursor, standard=tenant_settings().calendar, days=WEEKDAYS)


@bp.get("/admin/calendars/new")
@requires("calendars:write")
def new_calendar() -> Response:
    """The form of a new calendar, filled with office hours."""
    with reading():
        said = written.write_definition(calendars.office_hours(tenant_settings().timezone))
        return page("sla/calendar_form.html", calendar=None, number=0, said=said, **choices())


@bp.post("/admin/calendars")
@requires("calendars:write")
def publish_new() -> Response:
    """A new name; one that is taken gets its next version on its own page."""
    with transaction():
        form = load_form(CalendarForm)
        name = form.get("name", "").strip()
        auth.begin_publishing("calendar")
        if calendars.is_known(name):
            raise invalid("name", "is taken: open that calendar to publish its next version")
        body = load_body(CalendarBody, body_of(form, name))
        made = calendars.publish_calendar(body.pop("name"), body, now=clock.now())
        return go(f"/admin/calendars/{made.id}")


@bp.get("/admin/calendars/<uuid:calendar_id>")
@requires("calendars:write")
def show_calendar(calendar_id: UUID) -> Response:
    """A week as a picture, what is special ahead, the box that says what would be due, and the versions."""
    with reading():
        found = calendars.get_calendar(calendar_id)
        versions = calendars.list_versions([calendar_id])[calendar_id]
        values = view_of(versions[-1])
        older = [(one, written.write_definition(one.definition)) for one in reversed(versions)]
        values |= {"calendar": found, "last": versions[-1], "versions": older, "weekdays": WEEKDAYS}
        return page("sla/calendar.html", **values)


def view_of(version: CalendarVersion) -> dict[str, Any]:
    """The week asked for, or the present one, and the days ahead that differ."""
    compiled = compile_calendar(version.definition)
    today = clock.now().astimezone(compiled.hours.zone).date()
    first = monday(request.args.get("week"), today)
    special = week.list_special(version.definition)
    ahead = [(day, name) for day, name in special.items() if today <= day <= today + AHEAD]
    return {
        "now": clock.now(),
        "compiled": compiled,
        "days": week.show_week(compiled, first, special),
        "today": today,
        "before": first - timedelta(days=7),
        "after": first + timedelta(days=7),
        "ahead": ahead[:MOST_AHEAD],
        "notes": [note for entry in version.definition.get("holidays_of") or () for note in entry.get("notes", ())],
        "said": written.write_definition(version.definition),
    }


def monday(asked: str | None, today: date) -> date:
    """The Monday of the week that is asked for."""
    try:
        day = date.fromisoformat(asked) if asked else today
    except ValueError:
        raise invalid_parameter("week", "expected a date such as 2026-12-21") from None
    if not FIRST_YEAR < day.year < LAST_YEAR:
        raise invalid_parameter("week", f"expected a date after {FIRST_YEAR} and before {LAST_YEAR}")
    return day - timedelta(days=day.weekday())


@bp.post("/admin/calendars/<uuid:calendar_id>/due")
@requires("settings:read")
def what_is_due(calendar_id: UUID) -> Response:
    """When so many business hours or days from a start are over, with the windows they lie in; changes nothing."""
    with reading():
        body = load_form(DueForm)
        calendars.get_calendar(calendar_id)
        calendar = compile_calendar(calendars.list_versions([calendar_id])[calendar_id][-1].definition)
        seconds = body["amount"] * (3600 if body["unit"] == "hours" else calendar.day_seconds)
        try:
            due, used = week.find_due(calendar, body["start"], seconds)
        except CalendarError as error:
            raise invalid("start" if error.field == "at" else "amount", error.detail) from error
        values = {
            "due": due,
            "used": used[:USED_SHOWN],
            "left": len(used) - USED_SHOWN,
            "zone": calendar.hours.zone.key,
        }
        return page("sla/due.html", 200, **values)


@bp.get("/admin/calendars/<uuid:calendar_id>/edit")
@requires("calendars:write")
def edit_calendar(calendar_id: UUID) -> Response:
    """The present version as a form; what is published from it is the next."""
    with reading():
        found = calendars.get_calendar(calendar_id)
        last = calendars.list_versions([calendar_id])[calendar_id][-1]
        said = written.write_definition(last.definition)
        return page("sla/calendar_form.html", calendar=found, number=last.number, said=said, **choices())


@bp.post("/admin/calendars/<uuid:calendar_id>")
@requires("calendars:write")
def publish_next(calendar_id: UUID) -> Response:
    """Its next version; open cases keep the one they started with until it is applied to them."""
    with transaction():
        found = calendars.get_calendar(calendar_id)
        form = load_form(CalendarForm)
        auth.begin_publishing("calendar")
        last = calendars.list_versions([calendar_id])[calendar_id][-1]
        body = body_of(form, found.name)
        wanted = {"version": form["version"], **compared(written.write_definition(body))}
        check_version(last.number, wanted, compared(written.write_definition(last.definition)), LABELS)
        loaded = load_body(CalendarBody, body)
        calendars.publish_calendar(loaded.pop("name"), loaded, now=clock.now())
        return go(f"/admin/calendars/{calendar_id}")


def compared(said: dict[str, Any]) -> dict[str, Any]:
    """As two versions are shown beside each other."""
    hours = [f"{day} {text}" for day, text in said["weekly"].items() if text]
    countries = [" ".join(entry.values()) for entry in said["holidays_of"]]
    return {**said, "weekly": hours, "holidays_of": countries}


def body_of(form: dict[str, Any], name: str) -> dict[str, Any]:
    """What the API takes, of what was written."""
    try:
        body: dict[str, Any] = {
            "name": name,
            "weekly": written.read_weekly(form["weekly"]),
            "holidays": written.read_days(form["holidays"]),
            "holidays_of": [{**entry, "country": entry.get("country", "").upper()} for entry in form["holidays_of"]],
            "overrides": written.read_overrides(form["overrides"]),
            "breaks": written.read_breaks(form["breaks"]),
        }
    except CalendarError as error:
        raise invalid(error.field, error.detail) from error
    if form["always_open"]:
        body["always_open"] = True
    if "day_seconds" in form:
        body["day_seconds"] = int(form["day_seconds"] * 3600)
    return {name: value for name, value in {**body, "timezone": form.get("timezone")}.items() if value}


@bp.post("/admin/calendars/<uuid:calendar_id>/holidays")
@requires("calendars:write")
def import_holidays(calendar_id: UUID) -> Response:
    """Closed on the whole days of an iCalendar file, too."""
    with transaction():
        file = request.files.get("file")
        content = file.read() if file else b""
        if not content:
            raise invalid("file", "expected a file with holidays, such as holidays.ics")
        calendars.add_holidays(calendar_id, content, now=clock.now())
        return go(f"/admin/calendars/{calendar_id}")


def choices() -> dict[str, Any]:
    return {"weekdays": WEEKDAYS, "countries": countries(texts.language())}


@cache
def countries(language: str) -> list[tuple[str, str]]:
    """Countries whose holidays are known, by their names in this language."""
    names = Locale.parse(language).territories
    return sorted(((code, names.get(code, code)) for code in list_countries()), key=lambda one: one[1])


@bp.app_template_filter("in_zone")
def in_zone(at: Any, zone: str) -> str:
    """The hour of a moment in a zone."""
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"
