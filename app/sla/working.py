"""When people work: a named calendar, read in the person's own time zone."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

import structlog

from app.auth.settings import tenant_settings
from app.sla.calendar import Calendar
from app.sla.calendars import find_current
from app.sla.errors import BasisUnreadable
from app.sla.hours import CalendarError
from app.sla.versions import find_calendar, find_calendar_in, load_versions

log = structlog.get_logger()

# The names to try in order, a None or unknown one being passed over, and the person's zone if they have one.
Asked = tuple[tuple[str | None, ...], str | None]


def read_working_calendars(asked: Iterable[Asked], *, now: datetime) -> Mapping[Asked, Calendar | None]:
    """The present version of the first known calendar of each, else of the tenant's, in the zone asked for, else its
    own; None for one that cannot be read. At most one statement, none when the versions are kept."""
    distinct = set(asked)
    default = tenant_settings().calendar
    versions = {names: find_current(*names, default, now=now) for names in {names for names, _ in distinct}}
    load_versions(versions.values(), ())
    return {(names, zone): _read(versions[names], zone) for names, zone in distinct}


def _read(version_id: UUID, zone: str | None) -> Calendar | None:
    try:
        return find_calendar_in(zone, version_id) if zone else find_calendar(version_id)
    except (BasisUnreadable, CalendarError) as error:
        log.error("calendar_unreadable", version_id=str(version_id), zone=zone, error=str(error))
        return None
