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
Keeps = tuple[str | None, str | None, str | None]  # a person's own calendar, the team's, the person's time zone


@dataclass(frozen=True)
class WorkingHours:
    """By person, what holds outside a team; by team and member, where the team's calendar says something else."""

    due_at: datetime
    people: Mapping[str, Hours | None]
    teams: Mapping[str, Mapping[str, Hours]]


class Answers:
    """What each calendar says at the moment of a case, each asked once."""

    def __init__(self, customers: Calendar, now: datetime, due_at: datetime) -> None:
        self._overlap = Overlap(customers, now, due_at)
        self._now = now
        self._known: dict[Calendar, Hours] = {}

    def of(self, calendar: Calendar | None) -> Hours | None:
        """Whether it is open, and how much of the customers' open time until the first deadline it shares."""
        if calendar is None:
            return None
        if calendar not in self._known:
            self._known[calendar] = self._ask(calendar)
        return self._known[calendar]

    def _ask(self, calendar: Calendar) -> Hours:
        share = self._overlap.share_of(calendar)
        is_open, until = calendar.state(self._now)
        return Hours(
            open=is_open,
            open_until=until if is_open else None,
            opens_at=None if is_open else until,
            overlap=None if share is None else round(share, SHARE_DIGITS),
        )


class _Kept(dict[Keeps, Hours | None]):
    """The hours of those who keep the same ones, found when first asked for."""

    def __init__(self, calendars: sla.WorkingCalendars, answers: Answers) -> None:
        self._calendars = calendars
        self._answers = answers

    def __missing__(self, keeps: Keeps) -> Hours | None:
        own, team, zone = keeps
        hours = self[keeps] = self._answers.of(self._calendars.find(own, team, zone=zone))
        return hours


def read_hours(
    people: Mapping[str, Row], teams: Mapping[str, Row], *, basis: sla.Basis, severity: int, now: datetime
) -> WorkingHours:
    """A person's own calendar holds, else their team's when chosen through one, else the tenant's; in the person's
    own time zone where one is set. At most one statement, none when the calendars are kept."""
    due_at = sla.acknowledge_due(basis, severity=severity, now=now)
    named = {row["calendar"] for rows in (people, teams) for row in rows.values()}
    kept = _Kept(sla.read_working_calendars(named, now=now), Answers(basis.calendar, now, due_at))
    alone = {id_: kept[row["calendar"], None, row["timezone"]] for id_, row in people.items()}
    members = {team_id: _hours_in(team, people, kept, alone) for team_id, team in teams.items() if team["calendar"]}
    return WorkingHours(due_at, alone, members)


def _hours_in(team: Row, people: Mapping[str, Row], kept: _Kept, alone: Mapping[str, Hours | None]) -> dict[str, Hours]:
    """By member, where the team's calendar says something else than holds outside it."""
    found = {}
    for id_ in team["members"]:
        if (person := people.get(id_)) is not None:
            hours = kept[person["calendar"], team["calendar"], person["timezone"]]
            if hours is not None and hours is not alone[id_]:
                found[id_] = hours
    return found
