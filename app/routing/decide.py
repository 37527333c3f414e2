"""The decision: rules in order, their targets, who of them is eligible, who stands in when nobody is. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.routing import wording
from app.routing.choice import Candidate, Ranking, affinity_share, choose, has_room, rest_share
from app.routing.delegates import find_stand_in
from app.routing.match import Compiled
from app.routing.people import NO_PERSON, Inputs, Person
from app.routing.policy import Policy, Rule, Target


@dataclass(frozen=True)
class Outcome:
    """`owner_id` is None when not even a stand-in was found. `places` are the eligible, best first, with the capacity
    each must keep to: the place still has to be claimed; empty for stand-ins, who need none."""

    owner_id: str | None
    rule: str | None
    team_id: str | None
    why: str
    failure: str | None
    places: tuple[tuple[str, Any], ...]
    rules: list[dict[str, Any]]
    candidates: list[dict[str, Any]]
    excluded: dict[str, list[str]]


@dataclass
class _Trail:
    """What was looked at on the way."""

    rules: list[dict[str, Any]] = field(default_factory=list)
    excluded: dict[str, set[str]] = field(default_factory=dict)
    codes: list[str] = field(default_factory=list)
    leads: list[str] = field(default_factory=list)

    def exclude(self, excluded: Any) -> None:
        for code, ids in excluded.items():
            self.excluded.setdefault(code, set()).update(ids)

    def excluded_record(self) -> dict[str, list[str]]:
        return {code: sorted(ids) for code, ids in sorted(self.excluded.items())}


def decide(policy: Policy, inputs: Inputs) -> Outcome:
    """Who owns it: the first target, in the order of the rules, that yields somebody eligible; else a stand-in."""
    trail = _Trail()
    for rule, target in _tried(policy, inputs, trail):
        ranking = _rank(target, policy, inputs)
        trail.exclude(ranking.excluded)
        places = [r for r in ranking.ranked if r.candidate.id not in inputs.lost]
        lost = [r.candidate.id for r in ranking.ranked if r.candidate.id in inputs.lost]
        if lost:
            trail.exclude({"place_taken": lost})
        if places:
            return _chosen(rule, target, ranking, places, inputs, trail)
        _nobody(target, ranking, inputs, trail)
    return _stand_in(inputs, trail)


def rerun(policy: Policy, record: dict[str, Any]) -> str | None:
    """The owner's id that the same inputs give; `record` is a decision's `inputs`, `policy` the version it names."""
    return decide(policy, Inputs.of(record)).owner_id


def describe(policy: Policy, rules: list[dict[str, Any]], record: dict[str, Any]) -> list[dict[str, Any]]:
    """The rules looked at with `because`: each comparison as written, the fact it saw, and whether it held.

    `rules` and `record` are a decision's `rules` and `inputs`, `policy` the version it names.
    """
    inputs = Inputs.of(record)
    conditions = {rule.name: rule.condition for rule in policy.rules}
    return [_described(rule, conditions.get(rule["rule"]), inputs) for rule in rules]


def _described(rule: dict[str, Any], condition: Compiled | None, inputs: Inputs) -> dict[str, Any]:
    results = condition.explain(inputs.facts, today=inputs.today, now=inputs.now) if condition else ()
    leaves = [{**r.as_record(), "ok": ok == "1"} for r, ok in zip(results, rule["held"], strict=True)]
    return {"rule": rule["rule"], "matched": rule["matched"], "because": leaves, "targets": rule["targets"]}


def _tried(policy: Policy, inputs: Inputs, trail: _Trail) -> Iterator[tuple[Rule | None, Target]]:
    """The targets to try, noting every rule looked at; a team asked for comes instead of the rules."""
    if inputs.team_id is not None:
        trail.rules.append(_look(None, None, True, inputs))
        yield None, Target("team", team_id=inputs.team_id)
        return
    for rule in policy.rules:
        matched = rule.condition.matches(inputs.facts, today=inputs.today, now=inputs.now)
        trail.rules.append(_look(rule.name, rule.condition, matched, inputs))
        if matched:
            for target in rule.targets:
                yield rule, target


def _look(name: str | None, condition: Compiled | None, matched: bool, inputs: Inputs) -> dict[str, Any]:
    """A rule looked at: `held` has a 1 or 0 for each of its comparisons in the order written, since what they compare
    stands in the policy version, and the facts in the inputs, once."""
    held = condition.held(inputs.facts, today=inputs.today, now=inputs.now) if condition else ()
    return {"rule": name, "matched": matched, "held": "".join("1" if ok else "0" for ok in held), "targets": []}


def _rank(target: Target, policy: Policy, inputs: Inputs) -> Ranking:
    """The people a target names and who stands in for the absent ones, best first."""
    capacities = {**_stand_ins(target, inputs), **dict(_wanted(target, inputs))}
    candidates = [_candidate(inputs.people[id_], capacity, inputs) for id_, capacity in capacities.items()]
    return choose(candidates, tie_key=inputs.tie_key, weights=policy.weights)


def _wanted(target: Target, inputs: Inputs) -> list[tuple[str, Any]]:
    """(id, capacity) of each person a target names that exists."""
    if target.kind == "team":
        team = inputs.teams.get(target.team_id or "")
        return [(id_, capacity) for id_, capacity in (team.members if team else {}).items() if id_ in inputs.people]
    named = {
        "user": target.user_id,
        "role": inputs.roles.get(target.role or ""),
        "previous_owner": inputs.previous_owner_id,
    }
    person = inputs.people.get(named[target.kind] or "")
    return [(person.id, person.capacity)] if person else []


def _stand_ins(target: Target, inputs: Inputs) -> dict[str, Any]:
    """Capacity by id of those who stand in for the absent that a target names; chains to nobody add nobody."""
    if not inputs.delegates:
        return {}
    found = [_present(id_, inputs) for id_, _ in _wanted(target, inputs) if id_ in inputs.delegates]
    return {id_: inputs.people[id_].capacity for id_ in found if id_ is not None}


def _present(id_: str, inputs: Inputs) -> str | None:
    """This person if present, else who stands in; nobody for one who has left."""

    def serves(delegate_id: str) -> bool:
        person = inputs.people.get(delegate_id)
        return person is not None and person.active and delegate_id != inputs.about_user_id

    person = inputs.people.get(id_)
    return find_stand_in(id_, inputs.delegates, serves=serves) if person and person.active else None


def _candidate(person: Person, capacity: Any, inputs: Inputs) -> Candidate:
    return Candidate(
        id=person.id,
        affinity=affinity_share(
            is_account_owner=inputs.roles.get("owner") == person.id,
            is_csm=inputs.roles.get("csm") == person.id,
            closed_for_account=person.closed_for_account,
        ),
        load=person.load,
        capacity=capacity,
        value_in_hand=person.value_in_hand,
        rest=rest_share(person.last_assigned_at, now=inputs.now),
        excluded=_excluded(person, capacity, inputs),
    )


def _excluded(person: Person, capacity: Any, inputs: Inputs) -> str | None:
    """The first reason for which a person is not eligible; affinity never overrides it."""
    if person.id == inputs.about_user_id:
        return "about_user"
    if not person.active:
        return "inactive"
    if person.role == NO_PERSON:
        return "not_a_person"
    if person.id in inputs.exclude:
        return "left_out"
    if person.absent:
        return "absent"
    return None if has_room(person.load, capacity, weight=inputs.weight) else "at_capacity"


def _chosen(
    rule: Rule | None, target: Target, ranking: Ranking, places: list[Any], inputs: Inputs, trail: _Trail
) -> Outcome:
    winner = places[0]
    trail.rules[-1]["targets"].append({"target": target.as_record(), "outcome": "chosen"})
    return Outcome(
        owner_id=winner.candidate.id,
        rule=rule.name if rule else None,
        team_id=target.team_id,
        why=wording.chosen(
            target,
            winner,
            len(places),
            rule.name if rule else None,
            inputs,
            in_place=winner.candidate.id not in dict(_wanted(target, inputs)),
        ),
        failure=None,
        places=tuple((r.candidate.id, r.candidate.capacity) for r in places),
        rules=trail.rules,
        candidates=ranking.as_record()["candidates"],
        excluded=trail.excluded_record(),
    )


def _nobody(target: Target, ranking: Ranking, inputs: Inputs, trail: _Trail) -> None:
    """Note why a target yielded nobody, and whose team it was."""
    code = _why_nobody(target, ranking, inputs)
    trail.codes.append(code)
    trail.rules[-1]["targets"].append({"target": target.as_record(), "outcome": code})
    team = inputs.teams.get(target.team_id or "")
    if team and team.lead_id:
        trail.leads.append(team.lead_id)


def _why_nobody(target: Target, ranking: Ranking, inputs: Inputs) -> str:
    codes = set(ranking.excluded) | ({"at_capacity"} if ranking.ranked else set())
    if len(codes) == 1:
        return codes.pop()
    if codes:
        return "nobody_eligible"
    if target.kind == "role":
        return "no_account_owner" if target.role == "owner" else f"no_{target.role}"
    return {"user": "no_such_user", "previous_owner": "no_previous_owner", "team": "team_empty"}[target.kind]


def _stand_in(inputs: Inputs, trail: _Trail) -> Outcome:
    """Team lead, duty owner, duty deputy or who stands in for them, who need only be active and present; then whoever
    is left."""
    failure = trail.codes[0]
    chain = [("team_lead", lead) for lead in trail.leads]
    chain += [
        (position, inputs.duty[position]) for position in ("duty_owner", "duty_deputy") if position in inputs.duty
    ]
    stand_ins = [(p, id_, by) for p, id_ in chain if _can_stand_in(by := _present(id_, inputs), inputs)]
    if inputs.last_resort:
        stand_ins.append(("last_resort", inputs.last_resort, inputs.last_resort))
    position, named, owner_id = stand_ins[0] if stand_ins else (None, None, None)
    return Outcome(
        owner_id=owner_id,
        rule=None,
        team_id=None,
        why=wording.stands_in(position, failure, in_place=named != owner_id) if position else "",
        failure=failure,
        places=(),
        rules=trail.rules,
        candidates=[{"id": by, "position": p} | ({} if by == id_ else {"for": id_}) for p, id_, by in stand_ins],
        excluded=trail.excluded_record(),
    )


def _can_stand_in(id_: str | None, inputs: Inputs) -> bool:
    person = inputs.people.get(id_ or "")
    return person is not None and person.active and id_ != inputs.about_user_id and id_ not in inputs.exclude
