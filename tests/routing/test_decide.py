"""The decision without a database: eligibility, stand-ins, and records that give the same owner again."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.routing.decide import Outcome, decide, rerun
from app.routing.people import Hours, Inputs, Person, Suggestion, TeamFacts
from app.routing.policy import Policy, compile_policy
from tests import NOW

TEAM = "0195c0de-0000-7000-8000-000000000001"
CATCH_ALL: dict[str, Any] = {"all": []}
TEAM_ONLY = compile_policy(
    1, [{"name": "team", "when": CATCH_ALL, "target": {"kind": "team", "team_id": TEAM}}], {"rest": 0}
)


def person(id_: str, **given: Any) -> Person:
    values = {"active": True, "role": "csm", "load": Decimal(0), "value_in_hand": Decimal(0), "capacity": Decimal(24)}
    return Person(id=id_, **{**values, **given})


def inputs(*people: Person, **given: Any) -> Inputs:
    values: dict[str, Any] = {
        "now": NOW,
        "today": NOW.date(),
        "tie_key": "case",
        "weight": Decimal(3),
        "facts": {},
        "roles": {},
        "about_user_id": None,
        "exclude": frozenset(),
        "team_id": None,
        "people": {p.id: p for p in people},
        "teams": {TEAM: TeamFacts(TEAM, "Team", None, {p.id: p.capacity for p in people if p.role == "csm"})},
        "previous_owner_id": None,
        "duty": {},
    }
    return Inputs(**{**values, **given})


@pytest.mark.parametrize(
    ("changes", "more", "code"),
    [
        ({"load": Decimal(22)}, {}, "at_capacity"),  # 22 + 3 > 24
        ({"active": False}, {}, "inactive"),
        ({"active": False, "load": Decimal(30)}, {}, "inactive"),
        ({}, {"about_user_id": "a"}, "about_user"),
        ({"active": False}, {"about_user_id": "a"}, "about_user"),
        ({}, {"exclude": frozenset({"a"})}, "left_out"),
        ({}, {"lost": frozenset({"a"})}, "place_taken"),
    ],
)
def test_who_is_not_eligible_is_told_by_one_code(changes: Any, more: Any, code: str) -> None:
    outcome = decide(TEAM_ONLY, inputs(person("a", **changes), person("b", load=Decimal(21)), **more))
    assert outcome.owner_id == "b"
    assert outcome.excluded == {code: ["a"]}


def test_work_that_fills_the_capacity_exactly_still_fits() -> None:
    assert decide(TEAM_ONLY, inputs(person("a", load=Decimal(21)))).failure is None
    assert decide(TEAM_ONLY, inputs(person("a", load=Decimal("21.5")))).failure == "at_capacity"


def test_an_integration_never_owns_by_a_rule() -> None:
    policy = compile_policy(1, [{"name": "r", "when": CATCH_ALL, "target": {"kind": "role", "role": "csm"}}], {})
    outcome = decide(policy, inputs(person("i", role="integration"), roles={"csm": "i"}))
    assert (outcome.owner_id, outcome.failure) == (None, "not_a_person")


def test_different_reasons_together_are_called_nobody_eligible() -> None:
    outcome = decide(TEAM_ONLY, inputs(person("a", load=Decimal(24)), person("b", active=False)))
    assert outcome.failure == "nobody_eligible"
    assert outcome.excluded == {"at_capacity": ["a"], "inactive": ["b"]}


def test_stand_ins_may_be_full_but_not_gone() -> None:
    full, gone = person("owner", role="admin", load=Decimal(99)), person("lead", role="manager", active=False)
    team = {TEAM: TeamFacts(TEAM, "Team", "lead", {})}
    outcome = decide(TEAM_ONLY, inputs(full, gone, teams=team, duty={"duty_owner": "owner"}))
    assert (outcome.owner_id, outcome.failure) == ("owner", "team_empty")
    assert outcome.why == "is the duty owner and stands in: Team has no members"
    assert outcome.places == ()


def test_a_team_asked_for_comes_instead_of_the_rules() -> None:
    policy = compile_policy(1, [{"name": "r", "when": CATCH_ALL, "target": {"kind": "role", "role": "owner"}}], {})
    outcome = decide(policy, inputs(person("a"), person("o", role="manager"), roles={"owner": "o"}, team_id=TEAM))
    assert (outcome.owner_id, outcome.team_id, outcome.rule) == ("a", TEAM, None)


DUE = NOW + timedelta(hours=4)
HOURS = st.builds(
    Hours,
    open=st.booleans(),
    open_until=st.none() | st.just(DUE),
    opens_at=st.none() | st.integers(1, 8).map(lambda hours: NOW + timedelta(hours=hours)),
    overlap=st.none() | st.integers(0, 4).map(lambda quarters: quarters / 4),
)
SKILLS = st.lists(
    st.builds(lambda name, level: {"skill": name, "level": level}, st.sampled_from(["SQL", "Tax"]), st.integers(1, 5)),
    max_size=2,
    unique_by=lambda asked: asked["skill"],
)
PEOPLE = st.lists(
    st.builds(
        person,
        st.uuids().map(str),
        active=st.booleans(),
        role=st.sampled_from(["csm", "manager", "integration"]),
        load=st.decimals(0, 30, places=1),
        value_in_hand=st.decimals(0, 10**9, places=2),
        last_assigned_at=st.none() | st.integers(0, 200).map(lambda hours: NOW - timedelta(hours=hours)),
        closed_for_account=st.integers(0, 5),
        skills=st.dictionaries(st.sampled_from(["sql", "tax"]), st.integers(1, 5)),
        hours=st.none() | HOURS,
        absent=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda p: p.id,
)


def policy_of(named: str | None, **skills: Any) -> Policy:
    """A rule on the value that wants somebody by name, then the team, then whom history suggests."""
    big = {"field": "value.amount", "op": ">=", "value": "1000"}
    target = {"kind": "user", "user_id": named} if named else {"kind": "previous_owner"}
    team = {"kind": "team", "team_id": TEAM}
    rest = {"name": "rest", "when": CATCH_ALL, "target": team, "fallback": {"kind": "suggested"}, **skills}
    return compile_policy(1, [{"name": "big", "when": big, "target": target}, rest], {})


def record_of(given_: Inputs) -> Any:
    """As the database gives it back."""
    return json.loads(json.dumps(given_.as_record()))


def place(n: int, people: list[Person]) -> list[str]:
    return [people[n % len(people)].id] if people else []


@given(PEOPLE, st.decimals(0, 5000, places=2), SKILLS, SKILLS, st.lists(st.integers(0, 7), min_size=9), st.randoms())
def test_a_kept_record_gives_the_same_owner_in_any_order_of_people(
    people: list[Person], amount: Decimal, required: Any, preferred: Any, picks: list[int], random: Any
) -> None:
    named, duty, likely, *rest = (place(n, people) for n in picks)
    policy = policy_of(*named[:1] or [None], required_skills=required, preferred_skills=preferred)
    weights = {id_: 0.5 for [id_] in filter(None, rest[2:4])}
    members = {p.id: p.capacity for p in people if p.role == "csm"}
    given_ = inputs(
        *[replace(p, delegate_id=random.choice(people).id) if p.absent else p for p in people],
        facts={"value.amount": amount},
        duty=dict(zip(["duty_owner"], duty, strict=False)),
        suggested=tuple(Suggestion(id_, 0.75, ("closed 3 of 4",)) for id_ in likely),
        lost=frozenset(*rest[:1]),
        gone=frozenset(*rest[1:2]),
        teams={TEAM: TeamFacts(TEAM, "Team", None, members, weights)},
        due_at=DUE,
    )
    outcome = decide(policy, given_)
    assert Inputs.of(record_of(given_)) == given_
    assert rerun(policy, record_of(given_)) == outcome.owner_id
    handed_on = replace(given_, looked=policy.look(given_.facts, today=given_.today, now=given_.now))
    assert decide(policy, handed_on) == outcome
    assert record_of(handed_on) == record_of(given_)
    shuffled = random.sample(list(given_.people.values()), len(people))
    team = replace(given_.teams[TEAM], members={p.id: p.capacity for p in shuffled if p.role == "csm"})
    again = decide(policy, replace(given_, people={p.id: p for p in shuffled}, teams={TEAM: team}))
    assert (again.owner_id, again.excluded, again.candidates, again.relaxed) == (
        outcome.owner_id,
        outcome.excluded,
        outcome.candidates,
        outcome.relaxed,
    )
    if outcome.failure is None:
        check_eligible(outcome, policy, given_)


def check_eligible(outcome: Outcome, policy: Policy, given_: Inputs) -> None:
    """What is never overridden, said once more in plain words."""
    chosen = given_.people[str(outcome.owner_id)]
    assert chosen.active
    assert not chosen.absent
    assert chosen.load + given_.weight <= 24
    assert chosen.id not in given_.lost | given_.gone
    if chosen.hours is not None:
        opens = chosen.hours.opens_at
        assert chosen.hours.open or (opens is not None and opens < DUE)
    if outcome.rule == "rest":
        assert all(chosen.skills.get(asked.key, 0) >= asked.level for asked in policy.rules[1].required)
