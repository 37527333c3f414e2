"""When people work, for those who move a case by hand: the hours that choosing goes by."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from app.routing.people import Hours
from app.sla import service as sla
from app.sla.calendar import Calendar

# A person's own calendar and time zone, None where they have none.
Keeps = tuple[str | None, str | None]


def read_openings(keeps: Iterable[Keeps], team_calendar: str | None, *, now: datetime) -> Mapping[Keeps, Hours | None]:
    """Open now, or when next: by their own calendar, else the team's, else the tenant's; None where that cannot be
    read, which excludes nobody. At most one statement, none when the calendars are kept."""
    asked = set(keeps)
    calendars = sla.read_working_calendars({team_calendar, *(own for own, _ in asked)}, now=now)
    return {(own, zone): _opening(calendars.find(own, team_calendar, zone=zone), now) for own, zone in asked}


def _opening(calendar: Calendar | None, now: datetime) -> Hours | None:
    if calendar is None:
        return None
    is_open, until = calendar.state(now)
    return Hours(open=is_open, opens_at=None if is_open else until)
