"""When people work: a named calendar, read in the person's own time zone."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from uuid import UUID

import structlog

from app.auth.settings import tenant_settings
from app.sla.calendar import Calendar
from app.sla.calendars import find_current
from app.sla.errors import BasisUnreadable
from app.sla.hours import CalendarError
from app.sla.versions import find_calendar, find_calendars_in, load_versions

log = structlog.get_logger()

# The names to try in order, a None or unknown one being passed over, and the person's zone if they have one.
Asked = tuple[tuple[str | None, ...], str | None]


def read_working_calendars(asked: Iterable[Asked], *, now: datetime) -> Mapping[Asked, Calendar | None]:
    """The present version of the first known calendar of each, else of the tenant's, in the zone asked for, else its
    own; None for one that cannot be read. At most one statement, none when the versions are kept."""
    zones: dict[tuple[str | None, ...], set[str | None]] = {}
    for names, zone in asked:
        zones.setdefault(names, set()).add(zone)
    default = tenant_settings().calendar
    versions = {names: find_current(*names, default, now=now) for names in zones}
    load_versions(versions.values(), ())
    return {(names, zone): calendar for names in zones for zone, calendar in _read(versions[names], zones[names])}


def _read(version_id: UUID, zones: set[str | None]) -> Iterator[tuple[str | None, Calendar | None]]:
    try:
        own, kept = find_calendar(version_id), find_calendars_in((), version_id)
    except BasisUnreadable as error:
        log.error("calendar_unreadable", version_id=str(version_id), error=str(error))
        yield from ((zone, None) for zone in zones)
        return
    for zone in zones:
        yield zone, own if zone is None else kept.get(zone) or _compile_in(zone, version_id)


def _compile_in(zone: str, version_id: UUID) -> Calendar | None:
    try:
        return find_calendars_in([zone], version_id)[zone]
    except CalendarError as error:
        log.error("calendar_unreadable", version_id=str(version_id), zone=zone, error=str(error))
        return None
