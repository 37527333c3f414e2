"""Who gets a case while whom the rules name is away: the decision alone, and against the database."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from app.auth.changes import update_settings
from app.auth.models import User
from app.auth.queries import get_tenant, get_user
from app.auth.service import change_user
from app.db import db, transaction
from app.routing import service as routing
from app.routing.decide import decide, rerun
from app.routing.errors import NoDutyOwner
from app.routing.models import Decision
from app.routing.people import Inputs
from app.routing.policy import compile_policy
from app.rows import insert_all
from tests import NOW
from tests.conftest import TestTenant
from tests.routing.conftest import case, hold, settle
from tests.routing.test_decide import CATCH_ALL, TEAM_ONLY, inputs, person

Make = Callable[..., User]
Away = Callable[..., None]
DAY = timedelta(days=1)
OWNER_ONLY = compile_policy(1, [{"name": "owner", "when": CATCH_ALL, "target": {"kind": "role", "role": "owner"}}], {})


def by_role(*people: Any, **given: Any) -> Inputs:
    return inputs(*people, roles={"owner": "o"}, **given)


def test_an_absent_account_owners_delegate_gets_it_and_the_reason_says_so() -> None:
    outcome = decide(OWNER_ONLY, by_role(person("o", absent=True, delegate_id="d"), person("d", load=Decimal(3))))
    assert (outcome.owner_id, outcome.failure, outcome.excluded) == ("d", None, {"absent": ["o"]})
    assert outcome.why == "stands in for the account's owner, who is absent, 7 of 8 places free"


def test_the_delegates_own_delegate_stands_in_when_both_are_away() -> None:
    absent = {"absent": True}
    people = (person("o", **absent, delegate_id="d"), person("d", **absent, delegate_id="e"), person("e"))
    assert decide(OWNER_ONLY, by_role(*people)).owner_id == "e"


@pytest.mark.parametrize(
    ("delegate", "more", "failure", "excluded"),
    [
        ({"load": Decimal(22)}, {}, "nobody_eligible", {"absent": ["o"], "at_capacity": ["d"]}),  # 22 + 3 > 24
        ({"role": "integration"}, {}, "nobody_eligible", {"absent": ["o"], "not_a_person": ["d"]}),
        ({}, {"exclude": frozenset({"d"})}, "nobody_eligible", {"absent": ["o"], "left_out": ["d"]}),
        ({"active": False}, {}, "absent", {"absent": ["o"]}),
        ({}, {"about_user_id": "d"}, "absent", {"absent": ["o"]}),
        ({"absent": True, "delegate_id": "o"}, {}, "absent", {"absent": ["o"]}),
        ({"absent": True}, {}, "absent", {"absent": ["o"]}),
    ],
)
def test_a_delegate_is_held_to_the_same_eligibility_and_a_chain_to_nobody_fails(
    delegate: Any, more: Any, failure: str, excluded: dict[str, list[str]]
) -> None:
    outcome = decide(OWNER_ONLY, by_role(person("o", absent=True, delegate_id="d"), person("d", **delegate), **more))
    assert (outcome.owner_id, outcome.failure, outcome.excluded) == (None, failure, excluded)


def test_whoever_left_while_away_has_no_delegate_any_more() -> None:
    people = (person("o", active=False, absent=True, delegate_id="d"), person("d"))
    outcome = decide(OWNER_ONLY, by_role(*people))
    assert (outcome.owner_id, outcome.failure) == (None, "inactive")


def test_in_a_team_a_delegate_from_outside_competes_by_the_same_score() -> None:
    """Free capacity decides: 12 of 24 in hand leave half of 30 points, 3 of 24 leave seven eighths."""
    away, member = person("a", absent=True, delegate_id="d"), person("m", load=Decimal(12))
    delegate = person("d", role="manager", load=Decimal(3))
    outcome = decide(TEAM_ONLY, inputs(away, member, delegate))
    assert [(c["id"], c["parts"]["capacity"]) for c in outcome.candidates] == [("d", 26.25), ("m", 15.0)]
    assert outcome.why.startswith("stands in for a member of Team, who is absent, 7 of 8 places free")


def test_two_absent_members_with_one_delegate_are_one_candidate() -> None:
    absent = {"absent": True, "delegate_id": "m"}
    outcome = decide(TEAM_ONLY, inputs(person("a", **absent), person("b", **absent), person("m")))
    assert [candidate["id"] for candidate in outcome.candidates] == ["m"]
    assert outcome.why.startswith("is the only eligible member of Team")


def test_an_absent_duty_owners_delegate_stands_in_before_the_deputy_and_without_one_the_deputy() -> None:
    duty = {"duty_owner": "o", "duty_deputy": "p"}
    people = (person("o", role="admin", absent=True, delegate_id="d"), person("p"), person("d"))
    outcome = decide(TEAM_ONLY, inputs(*people, teams={}, duty=duty))
    assert outcome.owner_id == "d"
    assert outcome.why == "stands in for the duty owner, who is absent: the team has no members"
    assert outcome.candidates == [
        {"id": "d", "position": "duty_owner", "for": "o"},
        {"id": "p", "position": "duty_deputy"},
    ]
    alone = (person("o", role="admin", absent=True), person("p"))
    assert decide(TEAM_ONLY, inputs(*alone, teams={}, duty=duty)).owner_id == "p"


def test_the_record_keeps_who_was_absent_so_that_it_gives_the_same_owner_again() -> None:
    given = by_role(person("o", absent=True, delegate_id="d"), person("d"))
    record = json.loads(json.dumps(given.as_record()))
    assert (record["people"]["o"]["absent"], record["people"]["o"]["delegate_id"]) == (True, "d")
    assert rerun(OWNER_ONLY, record) == "d"


def test_a_record_from_before_absences_were_kept_can_still_be_read() -> None:
    record = by_role(person("o")).as_record()
    for kept in record["people"].values():
        del kept["absent"], kept["delegate_id"]
    assert rerun(OWNER_ONLY, record) == "o"


@pytest.fixture
def away(tenant: TestTenant) -> Away:
    def add(user: User, delegate: User | None = None, start: datetime = NOW, end: datetime = NOW + DAY) -> None:
        email = delegate.email if delegate else None
        with transaction():
            routing.add_absence(
                user.id, starts_at=start, ends_at=end, delegate_email=email, actor=tenant.actor, now=start
            )

    return add


def test_a_case_goes_to_the_delegate_only_while_the_account_owner_is_away(
    tenant: TestTenant, make_user: Make, away: Away
) -> None:
    owner, delegate = make_user(), make_user()
    away(owner, delegate, start=NOW - DAY, end=NOW)
    with transaction():
        assert settle(case(roles={"owner": owner.id})).owner_id == owner.id
    away(owner, delegate)
    with transaction():
        result = settle(case(roles={"owner": owner.id}))
    assert (result.owner_id, result.failure) == (delegate.id, None)
    assert result.decision.excluded == {"absent": [str(owner.id)]}
    with transaction():
        kept = db.session.scalars(select(Decision).where(Decision.id == result.decision.id)).one()
        change_user(get_user(delegate.id), {"name": "Renamed"})
        assert routing.rerun(kept) == delegate.id


def test_a_full_delegate_is_passed_over(tenant: TestTenant, make_user: Make, away: Away) -> None:
    owner, delegate = make_user(), make_user()
    away(owner, delegate)
    with transaction():
        for _ in range(6):  # 6 × 4 units fill 24
            insert_all(hold(case(severity=1), delegate.id))
        result = settle(case(severity=4, roles={"owner": owner.id}))
    assert (result.owner_id, result.failure) == (tenant.admin.id, "nobody_eligible")


def test_with_everybody_on_duty_away_whoever_is_present_is_the_last_resort(
    tenant: TestTenant, make_user: Make, away: Away
) -> None:
    other = make_user()
    away(tenant.admin)
    with transaction():
        result = settle(case())
    assert (result.owner_id, result.why) == (
        other.id,
        "is the only one left who can own it and stands in: the account has no owner here",
    )
    away(other)
    with transaction():
        assert settle(case()).owner_id == tenant.admin.id  # nobody is present: never unowned all the same


def test_an_integration_is_never_the_last_resort(tenant: TestTenant, make_user: Make) -> None:
    """The only colleague is whom the case is about: nobody is left, and a program owns nothing."""
    make_user("integration")
    with transaction(), pytest.raises(NoDutyOwner):
        settle(case(about_user_id=tenant.admin.id))


def test_the_deputy_stands_in_for_a_duty_owner_who_is_away(tenant: TestTenant, make_user: Make, away: Away) -> None:
    deputy = make_user("manager")
    make_user("admin")
    with transaction():
        update_settings(get_tenant(lock=True), {"duty_deputy_email": deputy.email})
    away(tenant.admin)
    with transaction():
        assert settle(case()).owner_id == deputy.id


def test_absences_cost_routing_no_statement_more(
    tenant: TestTenant,
    make_user: Make,
    away: Away,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    owner = make_user()
    away(owner, make_user())
    with transaction():
        settle(case())  # this process knows the policy from here on
    with transaction(), statements() as sent:
        routing.route(case(roles={"owner": owner.id}), actor=tenant.actor, now=NOW, cause="raise")
    assert len(sent) == 2, sent
