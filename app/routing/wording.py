"""One plain sentence that says why somebody owns a case: why this one, when they work, their load, who was passed over.

"owns the account, in working hours until 17:00, 3 of 8 places free; the account's CSM was absent until 24 November".
It has no names of people, and its days and times are on the account's clocks.
"""

from collections.abc import Mapping, Sequence

from app.routing.choice import Ranked
from app.routing.eligible import find_present, named_ids
from app.routing.passing import ROLE_NAMES, Tried, first_choice, others_of_team, place_of, who_is_absent, why_nobody
from app.routing.people import Inputs
from app.routing.phrases import places, skills, working_hours
from app.routing.requirements import Requirement

ROLE_WORDS: Mapping[str, str] = {
    "owner": "owns the account",
    "csm": "is the account's CSM",
    "sponsor": "is the account's executive sponsor",
}
POSITION_WORDS: Mapping[str, str] = {
    "team_lead": "leads the team",
    "duty_owner": "is the duty owner",
    "duty_deputy": "is the duty deputy",
    "last_resort": "is the only one left who can own it",
}
POSITION_NAMES: Mapping[str, str] = {
    **ROLE_NAMES,
    "team_lead": "the team's lead",
    "duty_owner": "the duty owner",
    "duty_deputy": "the duty deputy",
}
PART_WORDS: Mapping[str, str] = {
    "affinity": "knowing the account",
    "capacity": "free capacity",
    "overlap": "shared working hours",
    "value": "a small share of the value in hand",
    "rest": "rest since the last assignment",
}


def chosen(tried: Tried, passed: Sequence[Tried], inputs: Inputs) -> str:
    """Why the best of the target that was chosen owns it; `passed` are the targets before it, which yielded nobody."""
    winner = tried.found.places[0]
    candidate = winner.candidate
    facts = [
        _because(tried, winner, inputs),
        working_hours(tried.found.hours_of(candidate.id), inputs),
        places(candidate.load, candidate.capacity, inputs.weight),
    ]
    others = first_choice(passed, inputs) or others_of_team(tried, inputs)
    clauses = [", ".join(fact for fact in facts if fact), others, _set_aside(tried.found.relaxed)]
    return "; ".join(clause for clause in clauses if clause)


def stands_in(position: str, passed: Sequence[Tried], inputs: Inputs, *, absent: str | None = None) -> str:
    """ "is the duty owner and stands in: the account has no owner here"; `absent` holds the position and is away."""
    why = why_nobody(passed[0], inputs)
    if absent is not None:
        return f"stands in for {POSITION_NAMES[position]}, {who_is_absent([absent], inputs)}: {why}"
    return f"{POSITION_WORDS[position]} and stands in: {why}"


def _because(tried: Tried, winner: Ranked, inputs: Inputs) -> str:
    target, rule, id_ = tried.target, tried.rule, winner.candidate.id
    if id_ in tried.found.in_place:
        return _in_place(tried, id_, inputs)
    if target.kind == "role":
        return ROLE_WORDS[target.role or ""]
    if target.kind == "previous_owner":
        return "owned this account's previous escalation with the same reason"
    if target.kind == "user":
        return f"is named by the rule “{rule.name if rule else ''}”"
    if target.kind == "suggested":
        return "is suggested by who closed cases like this one"
    team, eligible = inputs.teams[target.team_id or ""], len(tried.found.places)
    if eligible == 1:
        return f"is the only eligible member of {team.name}"
    best = max(winner.parts, key=lambda part: winner.parts[part])
    return f"scores highest of {eligible} in {team.name} ({winner.score:.3g} points, most for {PART_WORDS[best]})"


def _in_place(tried: Tried, id_: str, inputs: Inputs) -> str:
    away = [one for one in named_ids(tried.target, inputs) if one in inputs.delegates]
    absent = [one for one in away if find_present(one, inputs) == id_]
    who = place_of(tried)
    if tried.target.kind == "team":
        who = f"a member of {inputs.teams[tried.target.team_id or ''].name}"
    return f"stands in for {who}, {who_is_absent(absent, inputs)}"


def _set_aside(relaxed: Sequence[Requirement]) -> str | None:
    """The preferred skills that nobody eligible had together with the others."""
    if not relaxed:
        return None
    several = len(relaxed) > 1
    return f"the preferred skill{'s' if several else ''} {skills(relaxed)} {'were' if several else 'was'} set aside"
