"""The decision: rules in order, their targets, who of them is eligible, who stands in when nobody is. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.routing import wording
from app.routing.eligible import Shortlist, find_present, is_here, shortlist
from app.routing.match import Compiled
from app.routing.passing import Tried
from app.routing.people import Inputs
from app.routing.policy import Policy, Rule, Target
from app.routing.requirements import Requirement


@dataclass(frozen=True)
class Outcome:
    """`owner_id` is None when not even a stand-in was found. `places` are the eligible, best first, with the capacity
    each must keep to: the place still has to be claimed; empty for stand-ins, who need none. `relaxed` are the
    preferred skills that the owner was chosen without."""

    owner_id: str | None
    rule: str | None
    team_id: str | None
    why: str
    failure: str | None
    places: tuple[tuple[str, Any], ...]
    rules: list[dict[str, Any]]
    candidates: list[dict[str, Any]]
    excluded: dict[str, list[str]]
    relaxed: tuple[Requirement, ...] = ()


@dataclass
class _Trail:
    """What was looked at on the way."""

    rules: list[dict[str, Any]] = field(default_factory=list)
    excluded: dict[str, set[str]] = field(default_factory=dict)
    passed: list[Tried] = field(default_factory=list)
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
        found = shortlist(rule, target, policy, inputs)
        trail.exclude(found.ranking.excluded)
        if found.lost:
            trail.exclude({"place_taken": found.lost})
        if found.places:
            return _chosen(rule, target, found, inputs, trail)
        _nobody(rule, target, found, inputs, trail)
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
        trail.rules.append(_look(None, True, ""))
        yield None, Target("team", team_id=inputs.team_id)
        return
    looked = inputs.looked
    if looked is None:
        looked = policy.look(inputs.facts, today=inputs.today, now=inputs.now)
    for rule, matched, held in looked:
        trail.rules.append(_look(rule.name, matched, held))
        if matched:
            for target in rule.targets:
                yield rule, target


def _look(name: str | None, matched: bool, held: str) -> dict[str, Any]:
    """A rule looked at: `held` has a 1 or 0 for each of its comparisons in the order written, since what they compare
    stands in the policy version, and the facts in the inputs, once."""
    return {"rule": name, "matched": matched, "held": held, "targets": []}


def _chosen(rule: Rule | None, target: Target, found: Shortlist, inputs: Inputs, trail: _Trail) -> Outcome:
    winner = found.places[0]
    trail.rules[-1]["targets"].append(_tried_record(target, "chosen", found))
    return Outcome(
        owner_id=winner.candidate.id,
        rule=rule.name if rule else None,
        team_id=target.team_id,
        why=wording.chosen(Tried(rule, target, found), trail.passed, inputs),
        failure=None,
        places=tuple((r.candidate.id, r.candidate.capacity) for r in found.places),
        rules=trail.rules,
        candidates=found.ranking.candidates_record(),
        excluded=trail.excluded_record(),
        relaxed=found.relaxed,
    )


def _nobody(rule: Rule | None, target: Target, found: Shortlist, inputs: Inputs, trail: _Trail) -> None:
    """Note why a target yielded nobody, and whose team it was."""
    code = _why_nobody(target, found)
    trail.passed.append(Tried(rule, target, found, code))
    trail.rules[-1]["targets"].append(_tried_record(target, code, found))
    team = inputs.teams.get(target.team_id or "")
    if team and team.lead_id:
        trail.leads.append(team.lead_id)


def _tried_record(target: Target, outcome: str, found: Shortlist) -> dict[str, Any]:
    """A target that was tried; `relaxed` where preferred skills had to be passed over, in the order they were."""
    record: dict[str, Any] = {"target": target.as_record(), "outcome": outcome}
    if found.relaxed:
        record["relaxed"] = [requirement.as_record() for requirement in found.relaxed]
    return record


def _why_nobody(target: Target, found: Shortlist) -> str:
    codes = set(found.ranking.excluded) | ({"at_capacity"} if found.ranking.ranked else set())
    if len(codes) == 1:
        return codes.pop()
    if codes:
        return "nobody_eligible"
    if target.kind == "role":
        return "no_account_owner" if target.role == "owner" else f"no_{target.role}"
    return {
        "user": "no_such_user",
        "previous_owner": "no_previous_owner",
        "team": "team_empty",
        "suggested": "no_suggestion",
    }[target.kind]


def _stand_in(inputs: Inputs, trail: _Trail) -> Outcome:
    """Team lead, duty owner, duty deputy or who stands in for them, who need only be active and present; then whoever
    is left."""
    failure = trail.passed[0].outcome
    chain = [("team_lead", lead) for lead in trail.leads]
    chain += [
        (position, inputs.duty[position]) for position in ("duty_owner", "duty_deputy") if position in inputs.duty
    ]
    stand_ins = [(p, id_, by) for p, id_ in chain if _can_stand_in(by := find_present(id_, inputs), inputs)]
    if inputs.last_resort and inputs.last_resort not in inputs.gone:
        stand_ins.append(("last_resort", inputs.last_resort, inputs.last_resort))
    position, named, owner_id = stand_ins[0] if stand_ins else (None, None, None)
    return Outcome(
        owner_id=owner_id,
        rule=None,
        team_id=None,
        why=wording.stands_in(position, trail.passed, inputs, absent=named if named != owner_id else None)
        if position
        else "",
        failure=failure,
        places=(),
        rules=trail.rules,
        candidates=[{"id": by, "position": p} | ({} if by == id_ else {"for": id_}) for p, id_, by in stand_ins],
        excluded=trail.excluded_record(),
    )


def _can_stand_in(id_: str | None, inputs: Inputs) -> bool:
    return is_here(id_, inputs) and id_ != inputs.about_user_id and id_ not in inputs.exclude
