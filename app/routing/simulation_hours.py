"""When people worked, for each past case: their calendars of today, asked at the case's own moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from app.routing.hours import Answers
from app.routing.people import Inputs, Person, TeamFacts
from app.routing.policy import Policy
from app.routing.simulation import Past
from app.sla import service as sla
from app.sla.calendar import Calendar
from app.sla.errors import BasisUnreadable

Named = tuple[str | None, str | None]  # a person's own calendar and time zone


@dataclass(frozen=True)
class Calendars:
    """The calendar of each person, and of each member where the team's holds; compiled once for a whole replay."""

    people: Mapping[str, Calendar | None]
    members: Mapping[tuple[str, str], Calendar | None]

    def fit(self, policy: Policy, past: Past, inputs: Inputs) -> Inputs:
        """The inputs with the hours of everybody the policy's rules may name, all of which hold for the case; as they
        are for a case whose own calendar can't be read any more."""
        if past.basis is None:
            return inputs
        try:
            customers = past.basis.calendar
            due_at = sla.acknowledge_due(past.basis, severity=past.severity, now=past.at)
        except BasisUnreadable:
            return inputs
        answers = Answers(customers, past.at, due_at)
        targets = [target for rule in policy.rules for target in rule.targets]
        teams = {target.team_id for target in targets if target.team_id in inputs.teams}
        alone: set[str | None] = {target.user_id for target in targets}
        alone.update(inputs.roles.values(), (s.user_id for s in inputs.suggested))
        alone.update(inputs.delegates.values(), [inputs.previous_owner_id])
        people = {
            id_: self._person(inputs.people[id_], answers) for id_ in alone if id_ is not None and id_ in inputs.people
        }
        return replace(
            inputs,
            due_at=due_at,
            people={**inputs.people, **people} if people else inputs.people,
            teams={**inputs.teams, **{id_: self._team(inputs.teams[id_], answers) for id_ in teams if id_ is not None}},
        )

    def _person(self, person: Person, answers: Answers) -> Person:
        return replace(person, hours=answers.of(self.people.get(person.id)))

    def _team(self, team: TeamFacts, answers: Answers) -> TeamFacts:
        """Every member's hours stand with the team, so that the persons themselves need not be made anew."""
        found = {id_: answers.of(self._member(team.id, id_)) for id_ in team.members}
        return replace(team, hours={id_: hours for id_, hours in found.items() if hours is not None})

    def _member(self, team_id: str, id_: str) -> Calendar | None:
        return self.members.get((team_id, id_)) or self.people.get(id_)


def read_calendars(
    people: Mapping[str, Named], teams: Iterable[tuple[str, str | None, Iterable[str]]], *, now: datetime
) -> Calendars:
    """The present version of everybody's calendar; `teams` are (id, calendar, members). At most one statement."""
    named = [(team_id, calendar, ids) for team_id, calendar, ids in teams if calendar]
    calendars = sla.read_working_calendars(
        {calendar for calendar, _ in people.values()} | {calendar for _, calendar, _ in named}, now=now
    )
    return Calendars(
        {id_: calendars.find(calendar, zone=zone) for id_, (calendar, zone) in people.items()},
        {
            (team_id, id_): calendars.find(people[id_][0], calendar, zone=people[id_][1])
            for team_id, calendar, ids in named
            for id_ in ids
            if id_ in people
        },
    )
