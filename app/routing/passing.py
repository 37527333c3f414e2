"""The most telling thing about those who were passed over, in words. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.routing.eligible import Shortlist, find_present, named_ids
from app.routing.people import Inputs
from app.routing.phrases import day_or_time, listed, moment, skills
from app.routing.policy import Rule, Target
from app.routing.requirements import lacks

ROLE_NAMES: Mapping[str, str] = {
    "owner": "the account's owner",
    "csm": "the account's CSM",
    "sponsor": "the account's executive sponsor",
}
NOBODY_NAMED: Mapping[str, str] = {
    "no_account_owner": "the account has no owner here",
    "no_csm": "the account has no CSM here",
    "no_sponsor": "the account has no executive sponsor here",
    "no_previous_owner": "the account has no previous escalation with this reason",
    "no_such_user": "the named user does not exist",
    "no_suggestion": "history suggests nobody surely enough",
}
CODE_WORDS: Mapping[str, str] = {
    "at_capacity": "{who} had no room for it",
    "inactive": "{who} is no longer active",
    "about_user": "it is about {who}",
    "left_out": "{who} had it just before",
    "not_a_person": "{who} is an integration",
    "lacks_preferred": "{who} lacks a preferred skill",
    "place_taken": "another case took the last place of {who}",
}
COUNT_WORDS: Mapping[str, str] = {
    "absent": "absent",
    "at_capacity": "full",
    "out_of_hours": "out of hours",
    "lacks_skill": "without a required skill",
    "lacks_preferred": "without a preferred skill",
    "inactive": "no longer active",
    "about_user": "whom it is about",
    "left_out": "who had it just before",
    "not_a_person": "an integration",
    "place_taken": "whose last place another case took",
}


@dataclass(frozen=True)
class Tried:
    """A target that was tried, by which rule (None: a team that was asked for), and whom it yielded; `outcome` is
    `chosen`, or the code of why it yielded nobody."""

    rule: Rule | None
    target: Target
    found: Shortlist
    outcome: str = "chosen"

    @property
    def codes(self) -> Mapping[str, str]:
        """Why each of its people was not eligible, by id."""
        excluded = {id_: code for code, ids in self.found.ranking.excluded.items() for id_ in ids}
        return excluded | dict.fromkeys(self.found.lost, "place_taken")


def first_choice(passed: Sequence[Tried], inputs: Inputs) -> str | None:
    """Why the first target that names somebody yielded nobody: "the account's CSM was absent until 24 November"."""
    if not passed:
        return None
    return why_nobody(next((tried for tried in passed if tried.codes), passed[0]), inputs)


def why_nobody(tried: Tried, inputs: Inputs) -> str:
    """Why a target that was tried yielded nobody."""
    target, codes = tried.target, tried.codes
    if target.kind == "team":
        team = inputs.teams.get(target.team_id or "")
        name = team.name if team else "the team"
        return f"nobody in {name} could take it: {_counted(codes)}" if codes else f"{name} has no members"
    who = next((id_ for id_ in named_ids(target, inputs) if id_ in codes), None)
    if who is None:
        return NOBODY_NAMED.get(tried.outcome, "nobody was eligible")
    return person(who, place_of(tried), tried, inputs)


def others_of_team(tried: Tried, inputs: Inputs) -> str | None:
    """Who of a chosen team could not take it: the account's own people by their role, else how many and why."""
    winner = tried.found.places[0].candidate.id
    codes = {id_: code for id_, code in tried.codes.items() if code != "absent" or find_present(id_, inputs) != winner}
    if tried.target.kind != "team" or not codes:
        return None
    known = {inputs.roles[role]: role for role in ("owner", "csm") if role in inputs.roles}
    for id_, role in known.items() if winner not in known else ():
        if id_ in codes:
            return person(id_, ROLE_NAMES[role], tried, inputs)
    return f"passed over: {_counted(codes)}"


def person(id_: str, who: str, tried: Tried, inputs: Inputs) -> str:
    """Why this one was not eligible; `who` is how they are called, never their name."""
    code, found = tried.codes[id_], inputs.people[id_]
    if code == "absent":
        return f"{who} was absent{_until(id_, inputs)}"
    if code == "lacks_skill" and tried.rule:
        return f"{who} lacks {skills(r for r in tried.rule.required if lacks(found.skills, [r]))}"
    if code == "out_of_hours":
        hours = tried.found.hours_of(id_)
        opens_at = hours.opens_at if hours else None
        return f"{who} is not at work before {moment(opens_at, inputs)}" if opens_at else f"{who} has no working hours"
    return CODE_WORDS.get(code, "{who} was not eligible").format(who=who)


def who_is_absent(ids: Sequence[str], inputs: Inputs) -> str:
    """ "who is absent until 24 November", of one of them; of several without a day."""
    return f"who is absent{_until(ids[0], inputs) if len(ids) == 1 else ''}"


def place_of(tried: Tried) -> str:
    """How whom a target names is called."""
    target = tried.target
    if target.kind == "role":
        return ROLE_NAMES[target.role or ""]
    if target.kind == "user":
        return f"whom the rule “{tried.rule.name if tried.rule else ''}” names"
    return "whom history suggests" if target.kind == "suggested" else "the previous owner"


def _until(id_: str, inputs: Inputs) -> str:
    until = inputs.people[id_].absent_until
    return f" until {day_or_time(until, inputs)}" if until else ""


def _counted(codes: Mapping[str, str]) -> str:
    """ "2 absent, 1 full", by how many."""
    counts: dict[str, int] = {}
    for code in codes.values():
        counts[code] = counts.get(code, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return listed([f"{count} {COUNT_WORDS.get(code, code)}" for code, count in ordered])
