"""When people work, for those who move a case by hand: the hours that choosing goes by."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from app.routing.people import Hours
from app.sla import service as sla

# A person's own calendar and time zone, None where they have none.
Keeps = tuple[str | None, str | None]


def read_openings(keeps: Iterable[Keeps], team_calendar: str | None, *, now: datetime) -> Mapping[Keeps, Hours | None]:
    """Open now, or when next: by their own calendar, else the team's, else the tenant's; None where that cannot be
    read, which excludes nobody. At most one statement, none when the calendars are kept."""
    asked = {one: ((one[0], team_calendar), one[1]) for one in set(keeps)}
    calendars = sla.read_working_calendars(asked.values(), now=now)
    states = {one: calendar.state(now) for one, key in asked.items() if (calendar := calendars[key]) is not None}
    return {
        one: Hours(open=state[0], opens_at=None if state[0] else state[1]) if (state := states.get(one)) else None
        for one in asked
    }
