"""Skills, hours, a member's weight and what history suggests, as one decision sees them; no database."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.routing.decide import decide, rerun
from app.routing.people import Hours, Inputs, Person, Suggestion, TeamFacts
from app.routing.policy import FaultyPolicy, Policy, compile_policy
from tests import NOW
from tests.routing.test_decide import CATCH_ALL, TEAM, inputs, person

TEAM_TARGET = {"kind": "team", "team_id": TEAM}
DUE = NOW + timedelta(hours=4)
OFFICE = Hours(open=True, open_until=NOW + timedelta(hours=7), overlap=1.0)


def team_rule(**more: Any) -> Policy:
    return compile_policy(1, [{"name": "team", "when": CATCH_ALL, "target": TEAM_TARGET, **more}], {})


def skilled(id_: str, **levels: int) -> Person:
    return person(id_, skills=levels)


def asked(**levels: int) -> list[dict[str, Any]]:
    return [{"skill": name.title(), "level": level} for name, level in levels.items()]


def test_who_lacks_a_required_skill_or_its_level_is_not_eligible() -> None:
    policy = team_rule(required_skills=asked(sql=3, german=1))
    people = [skilled("a", sql=2, german=5), skilled("b", sql=5), skilled("c", sql=3, german=1)]
    outcome = decide(policy, inputs(*people))
    assert outcome.owner_id == "c"
    assert outcome.excluded == {"lacks_skill": ["a", "b"]}


def test_a_required_skill_that_nobody_has_never_relaxes() -> None:
    policy = team_rule(required_skills=asked(sql=5), preferred_skills=asked(german=1))
    outcome = decide(policy, inputs(skilled("a", sql=4, german=1), person("d"), duty={"duty_owner": "d"}))
    assert (outcome.owner_id, outcome.failure) == ("d", "lacks_skill")
    assert outcome.excluded == {"lacks_skill": ["a", "d"]}


def test_required_skills_hold_for_whoever_a_rule_names_and_for_its_fallback() -> None:
    policy = compile_policy(
        1,
        [
            {
                "name": "r",
                "when": CATCH_ALL,
                "target": {"kind": "role", "role": "csm"},
                "fallback": TEAM_TARGET,
                "required_skills": asked(sql=1),
            }
        ],
        {},
    )
    outcome = decide(policy, inputs(person("a"), skilled("b", sql=1), roles={"csm": "a"}))
    assert outcome.owner_id == "b"
    assert [target["outcome"] for target in outcome.rules[0]["targets"]] == ["lacks_skill", "chosen"]


@pytest.mark.parametrize(
    ("people", "owner", "relaxed", "passed_over"),
    [
        # all three preferred skills are there: nothing is relaxed, and who has fewer does not compete
        ([skilled("a", sql=2, german=1, tax=1), skilled("b", sql=2, german=1)], "a", [], ["b"]),
        # nobody has all three: the last goes first
        ([skilled("a", sql=2, german=1), skilled("b", sql=2, tax=1)], "a", ["Tax"], ["b"]),
        # then the second
        ([skilled("a", sql=2, tax=1), skilled("b", german=1, tax=1)], "a", ["Tax", "German"], ["b"]),
        # then the first: everybody competes again
        ([skilled("a", sql=1)], "a", ["Tax", "German", "Sql"], []),
    ],
)
def test_preferred_skills_relax_from_the_last_backwards_one_at_a_time(
    people: list[Person], owner: str, relaxed: list[str], passed_over: list[str]
) -> None:
    policy = team_rule(preferred_skills=asked(sql=2, german=1, tax=1))
    outcome = decide(policy, inputs(*people))
    assert outcome.owner_id == owner
    assert [requirement.skill for requirement in outcome.relaxed] == relaxed
    assert outcome.excluded.get("lacks_preferred", []) == passed_over
    [tried] = outcome.rules[0]["targets"]
    assert [entry["skill"] for entry in tried.get("relaxed", [])] == relaxed


def test_a_preferred_skill_relaxes_when_those_who_have_it_are_full_or_lose_their_place() -> None:
    policy = team_rule(preferred_skills=asked(sql=1))
    full = replace(skilled("a", sql=1), load=Decimal(24))
    assert decide(policy, inputs(full, person("b"))).owner_id == "b"
    lost = decide(policy, inputs(skilled("a", sql=1), person("b"), lost=frozenset({"a"})))
    assert (lost.owner_id, [requirement.skill for requirement in lost.relaxed]) == ("b", ["Sql"])
    assert lost.excluded == {"place_taken": ["a"]}


def test_skills_are_compared_without_regard_to_case() -> None:
    policy = team_rule(required_skills=[{"skill": "DATENSCHUTZ"}])
    assert decide(policy, inputs(skilled("a", datenschutz=1))).failure is None


@pytest.mark.parametrize(
    ("hours", "code"),
    [
        (OFFICE, None),
        (Hours(open=False, opens_at=DUE - timedelta(seconds=1)), None),
        (Hours(open=False, opens_at=DUE), "out_of_hours"),
        (Hours(open=False), "out_of_hours"),  # never opens again
        (None, None),  # records older than working hours
    ],
)
def test_eligible_is_who_works_now_or_begins_before_the_acknowledgement_is_due(
    hours: Hours | None, code: str | None
) -> None:
    outcome = decide(team_rule(), inputs(person("a", hours=hours), due_at=DUE))
    assert (outcome.owner_id, outcome.failure) == (None if code else "a", code)


def test_a_member_keeps_the_teams_hours_only_when_chosen_through_it() -> None:
    night = Hours(open=False, opens_at=DUE + timedelta(hours=2))
    alone = person("a", hours=night)
    team = TeamFacts(TEAM, "Team", None, {"a": Decimal(24)}, hours={"a": OFFICE})
    assert decide(team_rule(), inputs(alone, teams={TEAM: team}, due_at=DUE)).owner_id == "a"
    by_role = compile_policy(1, [{"name": "r", "when": CATCH_ALL, "target": {"kind": "role", "role": "csm"}}], {})
    outcome = decide(by_role, inputs(alone, teams={TEAM: team}, due_at=DUE, roles={"csm": "a"}))
    assert outcome.failure == "out_of_hours"


def test_shared_hours_with_the_customer_count_fifteen_points() -> None:
    early = person("a", hours=replace(OFFICE, overlap=0.25))
    late = person("b", hours=replace(OFFICE, overlap=0.75))
    outcome = decide(team_rule(), inputs(early, late, due_at=DUE))
    assert [(c["id"], c["parts"]["overlap"]) for c in outcome.candidates] == [("b", 11.25), ("a", 3.75)]


def test_stand_ins_need_not_be_at_work() -> None:
    asleep = person("d", role="manager", hours=Hours(open=False))
    outcome = decide(team_rule(), inputs(asleep, due_at=DUE, duty={"duty_owner": "d"}))
    assert (outcome.owner_id, outcome.failure) == ("d", "team_empty")


def test_a_newcomer_at_half_weight_must_fit_twice_as_well() -> None:
    people = [person("new"), person("old", load=Decimal(20))]
    members = {"new": Decimal(24), "old": Decimal(24)}
    team = TeamFacts(TEAM, "Team", None, members, weights={"new": 0.5})
    outcome = decide(team_rule(), inputs(*people, teams={TEAM: team}))
    # without overlap: new (30 + 10 + 5) × 0.5 = 22.5; old 30 × 4/24 + 10 + 5 = 20
    assert [(c["id"], c["score"], c["weight"]) for c in outcome.candidates] == [("new", 22.5, 0.5), ("old", 20.0, 1.0)]
    lighter = replace(team, weights={"new": 0.4})
    assert decide(team_rule(), inputs(*people, teams={TEAM: lighter})).owner_id == "old"  # 18 < 20


def suggested(*ids: str) -> tuple[Suggestion, ...]:
    return tuple(Suggestion(id_, 0.9 - n / 10, ("closed 3 of 4 like it",)) for n, id_ in enumerate(ids))


SUGGESTED = compile_policy(
    1, [{"name": "s", "when": CATCH_ALL, "target": {"kind": "suggested"}, "fallback": TEAM_TARGET}], {}
)


def test_who_is_suggested_first_and_eligible_gets_it_whatever_the_score() -> None:
    people = [person("a", load=Decimal(24)), person("b", load=Decimal(20)), person("c")]
    outcome = decide(SUGGESTED, inputs(*people, suggested=suggested("a", "b", "c")))
    assert outcome.owner_id == "b"
    assert [id_ for id_, _ in outcome.places] == ["b", "c"]
    assert outcome.excluded == {"at_capacity": ["a"]}


def test_who_stands_in_for_somebody_suggested_takes_their_place_in_the_order() -> None:
    people = [person("a", absent=True, delegate_id="z"), person("b"), person("z", role="manager")]
    outcome = decide(SUGGESTED, inputs(*people, suggested=suggested("a", "b")))
    assert [id_ for id_, _ in outcome.places] == ["z", "b"]


def test_without_a_suggestion_the_fallback_follows_and_the_record_says_why() -> None:
    outcome = decide(SUGGESTED, inputs(person("a")))
    assert outcome.owner_id == "a"
    assert [target["outcome"] for target in outcome.rules[0]["targets"]] == ["no_suggestion", "chosen"]


def test_whoever_was_deactivated_meanwhile_is_out_as_owner_and_as_stand_in() -> None:
    lead, duty = person("lead", role="manager"), person("duty", role="admin")
    team = {TEAM: TeamFacts(TEAM, "Team", "lead", {"a": Decimal(24)})}
    given = inputs(person("a"), lead, duty, teams=team, duty={"duty_owner": "duty"}, gone=frozenset({"a", "lead"}))
    outcome = decide(team_rule(), given)
    assert (outcome.owner_id, outcome.failure) == ("duty", "inactive")


def test_a_circle_of_delegates_leaves_the_duty_owner() -> None:
    people = [person("a", absent=True, delegate_id="b"), person("b", absent=True, delegate_id="a")]
    outcome = decide(team_rule(), inputs(*people, person("d", role="admin"), duty={"duty_owner": "d"}))
    assert (outcome.owner_id, outcome.failure) == ("d", "absent")


def test_a_team_of_no_capacity_leaves_the_duty_owner() -> None:
    people = [person("a", capacity=Decimal(0)), person("d", role="admin")]
    outcome = decide(team_rule(), inputs(*people, duty={"duty_owner": "d"}))
    assert (outcome.owner_id, outcome.failure) == ("d", "at_capacity")


def test_a_policy_of_two_thousand_rules_decides_and_looks_at_each() -> None:
    rules = [
        {
            "name": f"rule {n}",
            "when": {"field": "escalation.reason", "op": "=", "value": f"reason {n}"},
            "target": TEAM_TARGET,
            "required_skills": asked(sql=5),
        }
        for n in range(1999)
    ]
    policy = compile_policy(1, [*rules, {"name": "rest", "when": CATCH_ALL, "target": TEAM_TARGET}], {})
    outcome = decide(policy, inputs(person("a"), facts={"escalation.reason": "Reason 1998"}))
    assert (outcome.owner_id, outcome.rule) == ("a", "rest")
    assert [rule["rule"] for rule in outcome.rules if rule["matched"]] == ["rule 1998", "rest"]
    assert len(outcome.rules) == 2000


def test_records_from_before_skills_and_hours_give_the_same_owner_still() -> None:
    given = inputs(person("a", load=Decimal(6)), person("b"), duty={"duty_owner": "a"})
    old: dict[str, Any] = json.loads(json.dumps(given.as_record()))
    for name in ("gone", "due_at", "suggested"):
        del old[name]
    for row in old["people"].values():
        del row["skills"], row["hours"]
    for row in old["teams"].values():
        del row["weights"], row["hours"]
    assert Inputs.of(old) == given
    assert rerun(team_rule(), old) == "b"


def test_at_most_twenty_skills_are_asked_for() -> None:
    with pytest.raises(FaultyPolicy) as refused:
        team_rule(required_skills=[{"skill": f"s{n}"} for n in range(21)])
    assert [fault.pointer for fault in refused.value.faults] == ["/rules/0/required_skills"]
