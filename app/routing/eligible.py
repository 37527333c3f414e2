"""Whom a target means, who of them may have the case, and which preferred skills had to be passed over. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from app.routing.choice import Candidate, Ranked, Ranking, affinity_share, choose, has_room, rest_share
from app.routing.delegates import find_stand_in
from app.routing.people import NO_PERSON, Hours, Inputs, Person, TeamFacts
from app.routing.policy import Policy, Rule, Target
from app.routing.requirements import Requirement, lacks

NOBODY = TeamFacts("", "", None, {})


@dataclass(frozen=True)
class Shortlist:
    """The people of one target, ranked; `places` are those whose place is still to be had. `relaxed` are the preferred
    skills passed over until somebody had the others, the last first. `in_place` are stand-ins of the absent; `hours`
    are those each was judged by."""

    ranking: Ranking
    places: tuple[Ranked, ...]
    relaxed: tuple[Requirement, ...]
    in_place: frozenset[str]
    hours: Mapping[str, Hours | None] = field(default_factory=dict)

    def hours_of(self, id_: str) -> Hours | None:
        return self.hours.get(id_)

    @property
    def lost(self) -> list[str]:
        places = {ranked.candidate.id for ranked in self.places}
        return [r.candidate.id for r in self.ranking.ranked if r.candidate.id not in places]


class _Seat(NamedTuple):
    """A person as the target sees them."""

    person: Person
    capacity: Decimal
    weight: float
    hours: Hours | None


def shortlist(rule: Rule | None, target: Target, policy: Policy, inputs: Inputs) -> Shortlist:
    """The people a target names and who stands in for the absent ones, best first; those who are suggested stay in
    the order they are suggested in."""
    team = inputs.teams.get(target.team_id or "", NOBODY)
    named = dict(_named(target, inputs))
    order, stand_ins = _with_stand_ins(named, inputs)
    seats = [_seat(id_, named.get(id_), team, inputs) for id_ in order]
    codes = {seat.person.id: _excluded(seat, rule, inputs) for seat in seats}
    relaxed = _relax(rule, [seat.person for seat in seats if codes[seat.person.id] is None], inputs) if rule else ()
    kept = rule.preferred[: len(rule.preferred) - len(relaxed)] if rule else ()
    for seat in seats if kept else ():
        if codes[seat.person.id] is None and lacks(seat.person.skills, kept):
            codes[seat.person.id] = "lacks_preferred"
    ranking = choose(
        [_candidate(seat, codes[seat.person.id], inputs) for seat in seats],
        tie_key=inputs.tie_key,
        weights=policy.weights,
        order=order if target.kind == "suggested" else None,
    )
    places = tuple(ranked for ranked in ranking.ranked if ranked.candidate.id not in inputs.lost)
    return Shortlist(ranking, places, relaxed, stand_ins, {seat.person.id: seat.hours for seat in seats})


def find_present(id_: str, inputs: Inputs) -> str | None:
    """This person if present, else who stands in; nobody for one who has left."""

    def serves(delegate_id: str) -> bool:
        return is_here(delegate_id, inputs) and delegate_id != inputs.about_user_id

    return find_stand_in(id_, inputs.delegates, serves=serves) if is_here(id_, inputs) else None


def is_here(id_: str | None, inputs: Inputs) -> bool:
    """Known and active, and not deactivated since this was read."""
    person = inputs.people.get(id_ or "")
    return person is not None and person.active and id_ not in inputs.gone


def _named(target: Target, inputs: Inputs) -> Iterator[tuple[str, Decimal]]:
    """(id, capacity) of each person a target names that exists."""
    if target.kind == "team":
        members = inputs.teams.get(target.team_id or "", NOBODY).members
        yield from ((id_, capacity) for id_, capacity in members.items() if id_ in inputs.people)
        return
    for id_ in named_ids(target, inputs):
        if person := inputs.people.get(id_):
            yield person.id, person.capacity


def named_ids(target: Target, inputs: Inputs) -> Sequence[str]:
    """Whom a target names, whether they exist or not, the first choice first."""
    if target.kind == "team":
        return list(inputs.teams.get(target.team_id or "", NOBODY).members)
    if target.kind == "suggested":
        return [suggestion.user_id for suggestion in inputs.suggested]
    if target.kind == "previous_owner":
        named = inputs.previous_owner_id
    else:
        named = target.user_id if target.kind == "user" else inputs.roles.get(target.role or "")
    return [named] if named else []


def _with_stand_ins(named: Mapping[str, Decimal], inputs: Inputs) -> tuple[dict[str, int], frozenset[str]]:
    """Everybody named and, after each who is absent, who stands in for them, by place; and those who only stand in."""
    everybody: dict[str, int] = {}
    for id_ in named:
        everybody.setdefault(id_, len(everybody))
        if id_ in inputs.delegates and (by := find_present(id_, inputs)) is not None:
            everybody.setdefault(by, len(everybody))
    return everybody, frozenset(everybody.keys() - named.keys())


def _seat(id_: str, capacity: Decimal | None, team: TeamFacts, inputs: Inputs) -> _Seat:
    """A member has the team's capacity, weight and, without hours of their own, its hours; a stand-in their own."""
    person = inputs.people[id_]
    if capacity is None:
        return _Seat(person, person.capacity, 1.0, person.hours)
    return _Seat(person, capacity, team.weights.get(id_, 1.0), team.hours.get(id_, person.hours))


def _excluded(seat: _Seat, rule: Rule | None, inputs: Inputs) -> str | None:
    """The first reason for which a person is not eligible; affinity never overrides it."""
    person = seat.person
    if person.id == inputs.about_user_id:
        return "about_user"
    if not person.active or person.id in inputs.gone:
        return "inactive"
    if person.role == NO_PERSON:
        return "not_a_person"
    if person.id in inputs.exclude:
        return "left_out"
    if person.absent:
        return "absent"
    if rule is not None and rule.required and lacks(person.skills, rule.required):
        return "lacks_skill"
    if seat.hours is not None and not seat.hours.serves(by=inputs.due_at):
        return "out_of_hours"
    return None if has_room(person.load, seat.capacity, weight=inputs.weight) else "at_capacity"


def _relax(rule: Rule, eligible: Sequence[Person], inputs: Inputs) -> tuple[Requirement, ...]:
    """The preferred skills, from the last backwards, without which somebody eligible has all the others."""
    free = [person for person in eligible if person.id not in inputs.lost]
    count = len(rule.preferred)
    while count and all(lacks(person.skills, rule.preferred[:count]) for person in free):
        count -= 1
    return tuple(reversed(rule.preferred[count:]))


def _candidate(seat: _Seat, excluded: str | None, inputs: Inputs) -> Candidate:
    person, capacity, weight, hours = seat
    return Candidate(
        person.id,
        affinity_share(
            is_account_owner=inputs.roles.get("owner") == person.id,
            is_csm=inputs.roles.get("csm") == person.id,
            closed_for_account=person.closed_for_account,
        ),
        person.load,
        capacity,
        hours.overlap if hours else None,
        person.value_in_hand,
        rest_share(person.last_assigned_at, now=inputs.now),
        weight,
        excluded,
    )
