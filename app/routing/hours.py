"""When the people of a decision work, asked of each calendar once and kept with the inputs as answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.routing.people import Hours
from app.sla import service as sla
from app.sla.calendar import Calendar
from app.sla.overlap import Overlap

SHARE_DIGITS = 4
Row = Mapping[str, Any]


@dataclass(frozen=True)
class WorkingHours:
    """By person, what holds outside a team; by team and member, where the team's calendar says something else."""

    due_at: datetime
    people: Mapping[str, Hours | None]
    teams: Mapping[str, Mapping[str, Hours]]


def read_hours(
    people: Mapping[str, Row], teams: Mapping[str, Row], *, basis: sla.Basis, severity: int, now: datetime
) -> WorkingHours:
    """A person's own calendar holds, else their team's when chosen through one, else the tenant's; in the person's
    own time zone where one is set. At most one statement, none when the calendars are kept."""
    due_at = sla.acknowledge_due(basis, severity=severity, now=now)
    alone = {id_: (row["calendar"], None, row["timezone"]) for id_, row in people.items()}
    members = {
        team_id: {
            id_: (person["calendar"], team["calendar"], person["timezone"])
            for id_ in team["members"]
            if (person := people.get(id_)) is not None
        }
        for team_id, team in teams.items()
        if team["calendar"]
    }
    asked = set(alone.values()).union(*(keys.values() for keys in members.values()))
    answers = _answers(asked, basis.calendar, now, due_at)
    return WorkingHours(
        due_at,
        {id_: answers[key] for id_, key in alone.items()},
        {
            team_id: {
                id_: hours
                for id_, key in keys.items()
                if (hours := answers[key]) is not None and hours is not answers[alone[id_]]
            }
            for team_id, keys in members.items()
        },
    )


def _answers(asked: set[Any], customers: Calendar, now: datetime, due_at: datetime) -> Mapping[Any, Hours | None]:
    """What the calendar says of each (own, team's, zone); the same answer for the same calendar."""
    calendars = sla.read_working_calendars((((own, team), zone) for own, team, zone in asked), now=now)
    overlap = Overlap(customers, now, due_at)
    by_calendar = {id(calendar): ask(calendar, overlap, now) for calendar in calendars.values() if calendar}
    return {(own, team, zone): by_calendar.get(id(calendars[(own, team), zone])) for own, team, zone in asked}


def ask(calendar: Calendar, overlap: Overlap, now: datetime) -> Hours:
    """What this calendar says now, and how much of the customers' open time until the first deadline it shares."""
    share = overlap.share_of(calendar)
    is_open, until = calendar.state(now)
    return Hours(
        open=is_open,
        open_until=until if is_open else None,
        opens_at=None if is_open else until,
        overlap=None if share is None else round(share, SHARE_DIGITS),
    )
