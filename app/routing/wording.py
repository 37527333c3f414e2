"""One plain sentence that says why somebody owns a case."""

from collections.abc import Mapping
from decimal import Decimal

from app.routing.choice import Ranked
from app.routing.people import Inputs
from app.routing.policy import Target

ROLE_WORDS: Mapping[str, str] = {
    "owner": "owns the account",
    "csm": "is the account's customer success manager",
    "sponsor": "is the account's executive sponsor",
}
PLACE_WORDS: Mapping[str, str] = {
    "owner": "the account's owner",
    "csm": "the account's customer success manager",
    "sponsor": "the account's executive sponsor",
    "team_lead": "the team's lead",
    "duty_owner": "the duty owner",
    "duty_deputy": "the duty deputy",
}
POSITION_WORDS: Mapping[str, str] = {
    "team_lead": "leads the team",
    "duty_owner": "is the duty owner",
    "duty_deputy": "is the duty deputy",
    "last_resort": "is the only one left who can own it",
}
PART_WORDS: Mapping[str, str] = {
    "affinity": "knowing the account",
    "capacity": "free capacity",
    "overlap": "shared working hours",
    "value": "a small share of the value in hand",
    "rest": "rest since the last assignment",
}
FAILURE_WORDS: Mapping[str, str] = {
    "no_account_owner": "the account has no owner here",
    "no_csm": "the account has no customer success manager here",
    "no_sponsor": "the account has no executive sponsor here",
    "no_previous_owner": "the account has no previous escalation with this reason",
    "no_such_user": "the named user does not exist",
    "team_empty": "the team has no members",
    "at_capacity": "whom the rules name has no room for it",
    "inactive": "whom the rules name is no longer active",
    "absent": "whom the rules name is absent and nobody stands in",
    "about_user": "it is about the one whom the rules name",
    "left_out": "whom the rules name has just given it up",
    "not_a_person": "the rules name an integration",
    "lacks_skill": "whom the rules name lacks a required skill",
    "out_of_hours": "whom the rules name does not work before it must be acknowledged",
    "no_suggestion": "history suggests nobody surely enough",
    "nobody_eligible": "nobody the rules name is eligible",
}


def chosen(
    target: Target, winner: Ranked, eligible: int, rule: str | None, inputs: Inputs, *, in_place: bool = False
) -> str:
    """ "owns the account; 3 of 24 units of work in hand"; `in_place` of somebody absent that the target names."""
    because = _in_place(target, rule, inputs) if in_place else _because(target, winner, eligible, rule, inputs)
    return f"{because}; {in_hand(winner)}"


def in_hand(winner: Ranked) -> str:
    load, capacity = winner.candidate.load, winner.candidate.capacity
    return f"{_units(load)} of {_units(capacity)} units of work in hand"


def stands_in(position: str, failure: str, *, in_place: bool = False) -> str:
    """ "is the duty owner and stands in: the account has no owner here"."""
    if in_place:
        return f"stands in for {PLACE_WORDS[position]}, who is absent: {FAILURE_WORDS[failure]}"
    return f"{POSITION_WORDS[position]} and stands in: {FAILURE_WORDS[failure]}"


def _in_place(target: Target, rule: str | None, inputs: Inputs) -> str:
    if target.kind == "team":
        return f"stands in for a member of {inputs.teams[target.team_id or ''].name}, who is absent"
    named = {
        "previous_owner": "the previous owner",
        "user": f"whom the rule “{rule}” names",
        "suggested": "whom history suggests",
    }
    return f"stands in for {named.get(target.kind) or PLACE_WORDS[target.role or '']}, who is absent"


def _because(target: Target, winner: Ranked, eligible: int, rule: str | None, inputs: Inputs) -> str:
    if target.kind == "role":
        return ROLE_WORDS[target.role or ""]
    if target.kind == "previous_owner":
        return "owned this account's previous escalation with the same reason"
    if target.kind == "user":
        return f"is named by the rule “{rule}”"
    if target.kind == "suggested":
        return "is suggested by who closed cases like this one"
    team = inputs.teams[target.team_id or ""]
    if eligible == 1:
        return f"is the only eligible member of {team.name}"
    best = max(winner.parts, key=lambda part: winner.parts[part])
    return f"scores highest of {eligible} in {team.name} ({winner.score:g} points, most for {PART_WORDS[best]})"


def _units(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
