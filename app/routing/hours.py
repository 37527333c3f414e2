"""When the people of a decision work, asked of each calendar once and kept with the inputs as answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.routing.people import Hours
from app.sla import service as sla
from app.sla.calendar import Calendar
from app.sla.overlap import shared_part

SHARE_DIGITS = 4


@dataclass(frozen=True)
class WorkingHours:
    """By person, what holds outside a team; by team and member, where the team's calendar says something else."""

    due_at: datetime
    people: Mapping[str, Hours | None]
    teams: Mapping[str, Mapping[str, Hours]]


def read_hours(
    people: Mapping[str, Mapping[str, Any]],
    teams: Mapping[str, Mapping[str, Any]],
    *,
    basis: sla.Basis,
    severity: int,
    now: datetime,
) -> WorkingHours:
    """A person's own calendar holds, else their team's when chosen through one, else the tenant's; in the person's
    own time zone where one is set. At most one statement, none when the calendars are kept."""
    due_at = sla.acknowledge_due(basis, severity=severity, now=now)
    alone = {id_: ((person["calendar"],), person["timezone"]) for id_, person in people.items()}
    members = {
        (team_id, id_): ((people[id_]["calendar"], team["calendar"]), people[id_]["timezone"])
        for team_id, team in teams.items()
        if team["calendar"]
        for id_ in team["members"]
        if id_ in people
    }
    calendars = sla.read_working_calendars([*alone.values(), *members.values()], now=now)
    answers = {id(calendar): ask(calendar, basis.calendar, now, due_at) for calendar in calendars.values() if calendar}

    def hours(asked: Any) -> Hours | None:
        return answers.get(id(calendars[asked]))

    by_team: dict[str, dict[str, Hours]] = {}
    for (team_id, id_), asked in members.items():
        found = hours(asked)
        if found is not None and found is not hours(alone[id_]):
            by_team.setdefault(team_id, {})[id_] = found
    return WorkingHours(due_at, {id_: hours(asked) for id_, asked in alone.items()}, by_team)


def ask(calendar: Calendar, customers: Calendar, now: datetime, due_at: datetime) -> Hours:
    """What this calendar says now, and how much of the customers' open time until `due_at` it shares."""
    is_open = calendar.is_open(now)
    overlap = shared_part(customers, calendar, now, due_at)
    return Hours(
        open=is_open,
        open_until=calendar.next_close(now) if is_open else None,
        opens_at=None if is_open else calendar.next_open(now),
        overlap=None if overlap is None else round(overlap, SHARE_DIGITS),
    )
