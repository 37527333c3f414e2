"""Routing against the real database: who gets it, what is kept, what it costs."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from app.auth.actor import SYSTEM
from app.auth.changes import update_settings
from app.auth.models import User
from app.auth.queries import get_tenant
from app.auth.service import change_user, get_user
from app.db import db, transaction
from app.routing import service as routing
from app.routing.errors import NoDutyOwner, OwnerNotAllowed
from app.routing.models import Assignment, Decision
from app.rows import insert_all
from tests import NOW
from tests.conftest import TestTenant
from tests.routing.conftest import case, hold, settle

CATCH_ALL: dict[str, Any] = {"all": []}
Make = Callable[..., User]
Publish = Callable[..., int]
Statements = Callable[[], AbstractContextManager[list[str]]]


def rule(name: str, target: dict[str, Any], when: Any = CATCH_ALL, **more: Any) -> dict[str, Any]:
    return {"name": name, "when": when, "target": target, **more}


def team_of(*users: User, name: str = "Billing", capacity: int | None = None, lead: User | None = None) -> Any:
    with transaction():
        members = [{"email": user.email, "capacity": capacity} for user in users]
        lead_email = lead.email if lead else None
        return routing.upsert_team(name, lead_email=lead_email, members=members, now=NOW)[0].id


def deactivate(user: User) -> None:
    with transaction():
        change_user(get_user(user.id), {"active": False})


def test_a_new_tenants_cases_go_to_the_account_owner(tenant: TestTenant, make_user: Make) -> None:
    owner = make_user()
    with transaction():
        result = settle(case(roles={"owner": owner.id}))
    assert result.owner_id == owner.id
    assert result.rule == "account owner, else duty owner"
    assert result.why == "owns the account, in working hours until 17:00, 8 of 8 places free"
    assert result.failure is None


def test_without_an_account_owner_the_duty_owner_stands_in_and_it_counts_as_failed(tenant: TestTenant) -> None:
    with transaction():
        result = settle(case())
    assert result.owner_id == tenant.admin.id
    assert result.failure == "no_account_owner"
    assert result.why == "is the duty owner and stands in: the account has no owner here"
    with transaction() as session:
        kept = session.scalars(select(Decision)).one()
    assert kept.policy_number == 1
    assert kept.candidates == [{"id": str(tenant.admin.id), "position": "duty_owner"}]


def test_an_account_owner_with_full_hands_is_passed_over(tenant: TestTenant, make_user: Make) -> None:
    owner = make_user()
    with transaction():
        for _ in range(6):  # 6 × 4 units fill 24
            insert_all(hold(case(severity=1), owner.id))
        result = settle(case(severity=4, roles={"owner": owner.id}))
    assert result.owner_id == tenant.admin.id
    assert result.failure == "at_capacity"
    assert result.decision.excluded == {"at_capacity": [str(owner.id)]}


def test_waiting_work_weighs_half(tenant: TestTenant, make_user: Make) -> None:
    owner, account_owner = make_user(), {}
    account_owner["owner"] = owner.id
    with transaction():
        held = [case(severity=1) for _ in range(6)]
        insert_all([row for facts in held for row in hold(facts, owner.id)])
        routing.reweigh(held[0].escalation_id, routing.work_weight(1, "waiting"))
        result = settle(case(severity=3, roles=account_owner))
    assert result.owner_id == owner.id
    assert result.why == "owns the account, in working hours until 17:00, 1 of 12 places free"  # of weight 2


def test_the_previous_owner_is_the_newest_case_with_the_same_reason(
    tenant: TestTenant, make_user: Make, publish: Publish
) -> None:
    first, last, other = make_user(), make_user(), make_user()
    publish([rule("again", {"kind": "previous_owner"})])
    old = case()
    with transaction():
        insert_all(hold(old, first.id))
        newer = case(account_id=old.account_id)
        insert_all(hold(newer, last.id, now=NOW - timedelta(days=400)))
        insert_all(hold(case(account_id=old.account_id, reason="security"), other.id))
        routing.release(newer.escalation_id, now=NOW)
        result = settle(case(account_id=old.account_id))
    assert result.owner_id == last.id
    assert result.why.startswith("owned this account's previous escalation with the same reason")


def test_a_team_is_chosen_from_by_the_printed_score(tenant: TestTenant, make_user: Make, publish: Publish) -> None:
    busy, free = make_user(), make_user()
    team_id = team_of(busy, free)
    publish([rule("billing", {"kind": "team", "team_id": str(team_id)})])
    with transaction():
        insert_all(hold(case(severity=1, value=Decimal(1000)), busy.id, now=NOW - timedelta(hours=12)))
        result = settle(case(value=Decimal(500)))
    assert (result.owner_id, result.team_id) == (free.id, team_id)
    # nobody knows the account, both keep the tenant's hours as the case does: 15 × 1
    # free: 30 × 1 + 10 × 1 + 5 × 1; busy: 30 × 20/24 + 10 × 0 + 5 × 12/24
    assert [(c["id"], c["score"]) for c in result.decision.candidates] == [(str(free.id), 60.0), (str(busy.id), 42.5)]
    parts = {"affinity": 0.0, "capacity": 30.0, "overlap": 15.0, "value": 10.0, "rest": 5.0}
    assert result.decision.candidates[0]["parts"] == parts
    assert result.why == (
        "scores highest of 2 in Billing (60 points, most for free capacity), in working hours until 17:00, "
        "8 of 8 places free"
    )


def test_who_closed_cases_for_the_account_knows_it(tenant: TestTenant, make_user: Make, publish: Publish) -> None:
    closer, mover = make_user(), make_user()
    team_id = team_of(closer, mover)
    publish([rule("billing", {"kind": "team", "team_id": str(team_id)}, when=CATCH_ALL)], {"rest": 0})
    closed, moved = case(), case()
    with transaction():
        insert_all([*hold(closed, closer.id), *hold(moved, mover.id)])
        routing.release(closed.escalation_id, now=NOW)
        routing.release(moved.escalation_id, now=NOW, closed=False)
        result = settle(case(account_id=closed.account_id))
    parts = {c["id"]: c["parts"]["affinity"] for c in result.decision.candidates}
    assert parts == {str(closer.id): 20.0, str(mover.id): 0.0}  # one case closed: 40 × ½


def test_a_target_that_yields_nobody_passes_to_its_fallback_then_to_the_next_rule(
    tenant: TestTenant, make_user: Make, publish: Publish
) -> None:
    gone, third = make_user(), make_user()
    empty = team_of(name="Empty")
    rules = [
        rule("named", {"kind": "user", "user_id": str(gone.id)}, fallback={"kind": "team", "team_id": str(empty)}),
        rule("never", {"kind": "user", "user_id": str(gone.id)}, when={"any": []}),
        rule("rest", {"kind": "user", "email": third.email}),
    ]
    publish(rules)
    deactivate(gone)
    with transaction():
        result = settle(case())
    assert (result.owner_id, result.rule, result.failure) == (third.id, "rest", None)
    assert result.why == (
        "is named by the rule “rest”, in working hours until 17:00, 8 of 8 places free; "
        "whom the rule “named” names is no longer active"
    )
    looked = [(r["rule"], r["matched"], [t["outcome"] for t in r["targets"]]) for r in result.decision.rules]
    assert looked == [("named", True, ["inactive", "team_empty"]), ("never", False, []), ("rest", True, ["chosen"])]
    assert result.decision.excluded == {"inactive": [str(gone.id)]}


def test_stand_ins_are_the_lead_then_the_duty_owner_then_the_deputy(
    tenant: TestTenant, make_user: Make, publish: Publish
) -> None:
    lead, deputy = make_user("manager"), make_user("manager")
    with transaction():
        update_settings(get_tenant(), {"duty_deputy_email": deputy.email})
    publish([rule("team", {"kind": "team", "team_id": str(team_of(lead=lead))})])
    given_up: set[Any] = set()
    for expected in (lead, tenant.admin, deputy):
        with transaction():
            result = settle(case(), exclude=given_up)
        assert result.owner_id == expected.id
        assert result.failure == "team_empty"
        given_up.add(expected.id)


def test_a_stand_in_needs_no_free_place(tenant: TestTenant) -> None:
    with transaction():
        for _ in range(7):
            result = settle(case(severity=1))
    assert result.owner_id == tenant.admin.id


def test_the_one_it_is_about_never_owns_it_and_an_admin_is_left(tenant: TestTenant, make_user: Make) -> None:
    make_user()
    other_admin = make_user("admin")
    with transaction():
        result = settle(case(roles={"owner": tenant.admin.id}, about_user_id=tenant.admin.id))
    assert result.owner_id == other_admin.id
    assert result.failure == "about_user"
    assert result.decision.excluded == {"about_user": [str(tenant.admin.id)]}


def test_who_gave_it_up_keeps_it_when_nobody_else_is_there(tenant: TestTenant) -> None:
    with transaction():
        result = settle(case(roles={"owner": tenant.admin.id}), cause="decline", exclude={tenant.admin.id})
    assert result.owner_id == tenant.admin.id
    assert result.failure == "left_out"


def test_nobody_at_all_is_said(tenant: TestTenant) -> None:
    with pytest.raises(NoDutyOwner) as refused, transaction():
        settle(case(about_user_id=tenant.admin.id))
    assert (refused.value.status, refused.value.code) == (409, "no_duty_owner")


def test_a_raise_is_routed_in_two_statements(
    tenant: TestTenant, make_user: Make, publish: Publish, statements: Statements
) -> None:
    people = [make_user() for _ in range(5)]
    publish([rule("team", {"kind": "team", "team_id": str(team_of(*people))}, fallback={"kind": "previous_owner"})])
    with transaction():
        settle(case())  # compiles the policy
    facts = case(roles={"owner": people[0].id, "csm": people[1].id})
    with transaction(), statements() as sent:
        routing.route(facts, actor=SYSTEM, now=NOW, cause="raise")
    assert len(sent) == 2


def test_handing_on_ends_one_holding_and_begins_another(tenant: TestTenant, make_user: Make) -> None:
    first, second = make_user(), make_user()
    facts = case(roles={"owner": first.id})
    with transaction():
        settle(facts)
        result = routing.appoint(facts, second.id, actor=tenant.actor, now=NOW, cause="assign")
        insert_all([result.decision, *routing.reassign(facts, result, now=NOW)])
    with transaction():
        held = db.session.execute(
            select(Assignment.owner_id, Assignment.released_at, Assignment.closed).order_by(Assignment.id)
        ).all()
    assert [tuple(row) for row in held] == [(first.id, NOW, False), (second.id, None, False)]
    assert result.why == "was named by a colleague"


def test_a_person_who_is_gone_or_meant_cannot_be_named(tenant: TestTenant, make_user: Make) -> None:
    user = make_user()
    with transaction(), pytest.raises(OwnerNotAllowed):
        routing.appoint(case(about_user_id=user.id), user.id, actor=tenant.actor, now=NOW, cause="assign")
    deactivate(user)
    with transaction(), pytest.raises(OwnerNotAllowed):
        routing.appoint(case(), user.id, actor=tenant.actor, now=NOW, cause="assign")


def test_holders_who_were_deactivated_are_listed(tenant: TestTenant, make_user: Make) -> None:
    owner = make_user()
    with transaction():
        settle(case(roles={"owner": owner.id}))
    deactivate(owner)
    with transaction():
        assert routing.list_leaving() == [owner.id]


def test_every_kept_decision_gives_the_same_owner_again(tenant: TestTenant, make_user: Make, publish: Publish) -> None:
    people = [make_user() for _ in range(4)]
    team = {"kind": "team", "team_id": str(team_of(*people, capacity=6))}
    big = {"field": "value.amount", "op": ">=", "value": "1000"}
    publish([rule("big", {"kind": "role", "role": "csm"}, when=big), rule("rest", team)])
    for n in range(20):
        amount = Decimal(n * 100)
        facts = case(severity=n % 4 + 1, value=amount, roles={"csm": people[n % 4].id}, facts={"value.amount": amount})
        with transaction():
            settle(facts)
    publish([rule("other", {"kind": "role", "role": "owner"})])
    with transaction() as session:
        decisions = list(session.scalars(select(Decision)))
        again = [routing.rerun(decision) for decision in decisions]
    assert len(decisions) == 20
    assert {decision.failure for decision in decisions} == {None, "at_capacity"}
    assert again == [decision.owner_id for decision in decisions]


def test_equal_people_are_told_apart_by_the_case_and_always_the_same_way(
    tenant: TestTenant, make_user: Make, publish: Publish
) -> None:
    people = [make_user() for _ in range(3)]
    publish([rule("team", {"kind": "team", "team_id": str(team_of(*people))})])
    cases = [case() for _ in range(40)]  # one of three is never met once in four million runs
    with transaction():
        once = [routing.explain(facts, now=NOW).owner_id for facts in cases]
        twice = [routing.explain(facts, now=NOW).owner_id for facts in cases]
    assert once == twice
    assert set(once) == {user.id for user in people}


def test_only_the_facts_a_policy_asks_for_are_kept(tenant: TestTenant, publish: Publish) -> None:
    publish([rule("r", {"kind": "role", "role": "csm"}, when={"field": "escalation.severity", "op": "=", "value": 1}),
             rule("rest", {"kind": "role", "role": "owner"})])  # fmt: skip
    with transaction():
        result = settle(case(facts={"escalation.severity": 2, "escalation.customer_statement": "Call me, Jo."}))
    assert result.decision.inputs["facts"] == {"escalation.severity": 2}


def test_counts_are_read_only_for_a_policy_that_asks_for_them(
    tenant: TestTenant, make_user: Make, publish: Publish, statements: Statements
) -> None:
    owner, senior = make_user(), make_user()
    again = {"all": [{"field": "counts.repeats", "op": ">=", "value": 1},
                     {"field": "counts.open_escalations", "op": "=", "value": 2}]}  # fmt: skip
    publish([rule("again", {"kind": "user", "user_id": str(senior.id)}, when=again),
             rule("rest", {"kind": "role", "role": "owner"})])  # fmt: skip
    first = case(roles={"owner": owner.id})
    with transaction():
        settle(first)
        insert_all(hold(case(account_id=first.account_id, reason="security"), owner.id))
    facts = replace(first, escalation_id=case().escalation_id)
    with transaction(), statements() as sent:
        result = routing.route(facts, actor=SYSTEM, now=NOW, cause="raise")
    assert result.owner_id == senior.id
    counted = {"counts.open_escalations": 2, "counts.repeats": 1}
    assert result.decision.inputs["facts"] == {"escalation.severity": 2, "escalation.reason": "billing", **counted}
    assert len(sent) == 3
    with transaction():
        assert routing.explain(first, now=NOW).owner_id == owner.id  # nothing came before the first
