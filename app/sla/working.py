"""When people work: a named calendar, read in the person's own time zone."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

import structlog

from app.auth.settings import tenant_settings
from app.sla.calendar import Calendar
from app.sla.calendars import find_current, first_known, is_known
from app.sla.errors import BasisUnreadable
from app.sla.hours import CalendarError
from app.sla.versions import find_calendar, find_calendars_in, load_versions

log = structlog.get_logger()


class WorkingCalendars:
    """The present versions of some of the tenant's calendars by name, to be found in anybody's time zone."""

    def __init__(self, versions: dict[str, UUID], *, default: str) -> None:
        self._versions = versions
        self._readable = {name: found for name, version_id in versions.items() if (found := _read(version_id))}
        self._default = default

    def find(self, *names: str | None, zone: str | None) -> Calendar | None:
        """The first known of these names, a None being passed over, else the tenant's, in that zone, else its own;
        None for one that cannot be read."""
        name = next(filter(self._versions.__contains__, names), None) or self._default
        if name not in self._readable:
            return None
        own, elsewhere = self._readable[name]
        return own if zone is None else elsewhere.get(zone) or _compile_in(zone, self._versions[name])


def read_working_calendars(names: Iterable[str | None], *, now: datetime) -> WorkingCalendars:
    """The calendars of these names, unknown ones being passed over, and the tenant's own. At most one statement, none
    when the versions are kept."""
    default = first_known(tenant_settings().calendar)
    known = {default, *(name for name in names if name is not None and is_known(name))}
    versions = {name: find_current(name, now=now) for name in known}
    load_versions(versions.values(), ())
    return WorkingCalendars(versions, default=default)


def _read(version_id: UUID) -> tuple[Calendar, Mapping[str, Calendar]] | None:
    """A version in its own zone and in those it was compiled for so far."""
    try:
        return find_calendar(version_id), find_calendars_in((), version_id)
    except BasisUnreadable as error:
        log.error("calendar_unreadable", version_id=str(version_id), error=str(error))
        return None


def _compile_in(zone: str, version_id: UUID) -> Calendar | None:
    try:
        return find_calendars_in([zone], version_id)[zone]
    except CalendarError as error:
        log.error("calendar_unreadable", version_id=str(version_id), zone=zone, error=str(error))
        return None
