"""The calendars a tenant has published: each name has numbered versions, frozen, and the tenant's row points to the
current one, so that a raise reads it with what it reads anyway."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.auth import service as auth
from app.auth.settings import current_version, tenant_settings
from app.db import db, new_id
from app.errors import NotFound, invalid
from app.rows import insert_all
from app.sla.calendar import compile_calendar
from app.sla.history import latest
from app.sla.holiday_file import read_holidays
from app.sla.hours import CalendarError
from app.sla.models import CalendarModel, CalendarVersion
from app.sla.public_holidays import last_holiday, usual_span, with_dates

DEFAULT_CALENDAR = "default"
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")


def office_hours(zone: str) -> dict[str, Any]:
    """The calendar of a tenant that has published none: Monday to Friday, 9 to 17, no holidays."""
    return {"timezone": zone, "weekly": {day: [["09:00", "17:00"]] for day in WORKDAYS}}


def first_calendar(now: datetime) -> tuple[CalendarModel, CalendarVersion]:
    """The rows of a new tenant's calendar, which is made its current one."""
    zone = tenant_settings().timezone
    calendar, version = _new_calendar(DEFAULT_CALENDAR, office_hours(zone), now)
    auth.set_current(calendar={DEFAULT_CALENDAR: str(version.id)}, calendar_follows={DEFAULT_CALENDAR: zone})
    return calendar, version


def find_current(*names: str | None, now: datetime) -> UUID:
    """The current version of the first of these names that is known, else of the built-in office hours."""
    name = first_known(*names)
    follows, zone = _following().get(name), tenant_settings().timezone
    if follows is not None and follows != zone:
        _follow_zone(name, zone, now)
    return UUID(_current()[name])


def first_known(*names: str | None) -> str:
    """The first of these names that is published, else that of the built-in office hours."""
    known = _current()
    return next((name for name in names if name in known), DEFAULT_CALENDAR)


def is_known(name: str) -> bool:
    """Whether a calendar of this name is published."""
    return name in _current()


def publish_calendar(name: str, definition: Mapping[str, Any], *, now: datetime) -> CalendarModel:
    """A new calendar, or the next version of a known one; what is open keeps the version it started with.

    Without a zone of its own it is in the tenant's of now; public holidays become dates. Raises Invalid naming the
    field when the definition cannot be meant or is never open.
    """
    settled = check_definition({"timezone": tenant_settings().timezone, **definition}, now=now)
    auth.begin_publishing("calendar")
    calendar, version = _add_version(name, settled, now)
    follows = {key: zone for key, zone in _following().items() if key != name}
    auth.set_current(calendar={**_current(), name: str(version.id)}, calendar_follows=follows)
    return calendar


def add_holidays(calendar_id: UUID, content: bytes, *, now: datetime) -> tuple[CalendarModel, bool]:
    """Close a calendar on the days of an iCalendar file too: its next version, or the present one if all are known.

    Raises Invalid naming each event that is no holiday; then none is taken.
    """
    name = get_calendar(calendar_id).name
    first, last = usual_span(now.date())
    days = {day.isoformat() for day in read_holidays(content, first=first, last=last)}
    auth.begin_publishing("calendar")
    definition = list_versions([calendar_id])[calendar_id][-1].definition
    known = set(definition.get("holidays") or [])
    if days <= known:
        return get_calendar(calendar_id), False
    return publish_calendar(name, {**definition, "holidays": sorted(known | days)}, now=now), True


def check_definition(definition: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """The definition with the dates of its public holidays; Invalid names the field and what was expected."""
    try:
        settled = with_dates(definition, today=now.date())
        compile_calendar(settled)
    except CalendarError as error:
        raise invalid(error.field, error.detail) from error
    return settled


def get_calendar(calendar_id: UUID) -> CalendarModel:
    calendar = db.session.get(CalendarModel, calendar_id)
    if calendar is None:
        raise NotFound
    return calendar


def list_calendars(*, after: tuple[str, UUID] | None, limit: int) -> list[CalendarModel]:
    """By name."""
    query = select(CalendarModel).order_by(CalendarModel.name, CalendarModel.id).limit(limit)
    if after is not None:
        query = query.where(CalendarModel.name > after[0])
    return list(db.session.scalars(query))


def list_running_out(by: date) -> list[tuple[str, date]]:
    """Current calendars whose holidays, of countries and own, are all over by then, with the last; one statement."""
    query = select(CalendarModel.name, CalendarVersion.definition).join(
        CalendarVersion, CalendarVersion.id == CalendarModel.current_version_id
    )
    lasts = [
        (name, last_holiday(definition)) for name, definition in db.session.execute(query.order_by(CalendarModel.name))
    ]
    return [(name, last) for name, last in lasts if last is not None and last < by]


def list_versions(calendar_ids: list[UUID]) -> dict[UUID, list[CalendarVersion]]:
    """The latest versions of each calendar, oldest first; one statement."""
    versions: dict[UUID, list[CalendarVersion]] = {calendar_id: [] for calendar_id in calendar_ids}
    of = CalendarVersion.calendar_id
    for version in db.session.scalars(latest(CalendarVersion, of, of.in_(calendar_ids))):
        versions[version.calendar_id].append(version)
    return versions


def _current() -> dict[str, str]:
    return dict(current_version("calendar") or {})


def _following() -> dict[str, str]:
    """Calendars under whose name nobody has published yet, and the zone their current version is in."""
    return dict(current_version("calendar_follows") or {})


def _follow_zone(name: str, zone: str, now: datetime) -> None:
    """The built-in office hours are the tenant's own: when its zone has changed, the next case finds them there."""
    auth.begin_publishing("calendar")
    if _following().get(name) in (None, zone):
        return
    _, version = _add_version(name, office_hours(zone), now)
    auth.set_current(calendar={**_current(), name: str(version.id)}, calendar_follows={**_following(), name: zone})


def _add_version(name: str, definition: dict[str, Any], now: datetime) -> tuple[CalendarModel, CalendarVersion]:
    known = db.session.scalars(select(CalendarModel).where(CalendarModel.name == name)).one_or_none()
    if known is None:
        calendar, first = _new_calendar(name, definition, now)
        insert_all([calendar, first])
        return calendar, first
    last = db.session.scalar(select(func.max(CalendarVersion.number)).where(CalendarVersion.calendar_id == known.id))
    version = CalendarVersion(
        id=new_id(), calendar_id=known.id, number=(last or 0) + 1, definition=definition, created_at=now
    )
    insert_all([version])
    known.current_version_id = version.id
    db.session.flush()
    return known, version


def _new_calendar(name: str, definition: dict[str, Any], now: datetime) -> tuple[CalendarModel, CalendarVersion]:
    calendar_id, version_id = new_id(), new_id()
    calendar = CalendarModel(id=calendar_id, name=name, current_version_id=version_id, created_at=now)
    first = CalendarVersion(id=version_id, calendar_id=calendar_id, number=1, definition=definition, created_at=now)
    return calendar, first
