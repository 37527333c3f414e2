"""The decision record as it is read: complete, named for those who may see names, hidden with its case."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from app.accounts import service as accounts
from app.auth.models import User
from app.db import transaction
from app.escalations import decisions
from app.routing import policies
from app.routing import service as routing
from tests import NOW
from tests.conftest import ApiClient, TestTenant, actor_of
from tests.escalations.conftest import Company
from tests.escalations.story import Story, march

Raise = Callable[..., dict[str, Any]]
AsUser = Callable[..., ApiClient]
Make = Callable[..., User]
Statements = Callable[[], AbstractContextManager[list[str]]]
BILLING = {"field": "escalation.reason", "op": "=", "value": "billing"}
OWNER, CSM = {"kind": "role", "role": "owner"}, {"kind": "role", "role": "csm"}
SEVERE = {"field": "escalation.severity", "op": "<=", "value": 2}


@pytest.fixture
def desk(tenant: TestTenant, make_user: Make) -> list[User]:
    """Two of a billing desk: one full with room for no case, one free; billing goes there, the rest to the owner."""
    full, free = make_user("csm", "full@example.com"), make_user("csm", "free@example.com")
    with transaction():
        members = [{"email": full.email, "capacity": 0}, {"email": free.email, "capacity": 24}]
        team = routing.upsert_team("Billing desk", members=members, now=NOW)[0].id
    rules = [
        {"name": "severe security", "when": {"all": [{**BILLING, "value": "security"}, SEVERE]}, "target": OWNER},
        {"name": "billing", "when": {"all": [BILLING, SEVERE]}, "target": {"kind": "team", "team_id": str(team)}},
        {"name": "the rest", "when": {"all": []}, "target": OWNER},
    ]
    publish(tenant, rules)
    return [full, free]


def publish(tenant: TestTenant, rules: list[dict[str, Any]]) -> None:
    with transaction():
        number = routing.save_policy(rules, {}, actor=tenant.actor, now=NOW).number
        routing.publish_policy(number, actor=tenant.actor, now=NOW)


def record_of(client: ApiClient, case: dict[str, Any], query: str = "") -> dict[str, Any]:
    answer = client.get(f"/api/v1/escalations/{case['id']}/routing{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def test_a_decision_shows_every_rule_looked_at_with_the_facts_it_saw(
    client: ApiClient, raise_case: Raise, desk: list[User]
) -> None:
    (decision,) = record_of(client, raise_case(reason="billing"))["items"]
    assert [(rule["rule"], rule["matched"]) for rule in decision["rules"]] == [
        ("severe security", False),
        ("billing", True),
    ]
    assert [(b["field"], b["op"], b["value"], b["actual"], b["ok"]) for b in decision["rules"][0]["because"]] == [
        ("escalation.reason", "=", "security", "billing", False),
        ("escalation.severity", "<=", "2", "2", True),
    ]
    assert [target["outcome"] for target in decision["rules"][1]["targets"]] == ["chosen"]
    assert (decision["cause"], decision["rule"], decision["policy_number"]) == ("raise", "billing", 2)


def test_a_decision_shows_candidates_with_points_and_the_excluded_by_code(
    client: ApiClient, raise_case: Raise, desk: list[User]
) -> None:
    full, free = desk
    found = record_of(client, raise_case(reason="billing"))
    (decision,) = found["items"]
    (candidate,) = decision["candidates"]
    assert (candidate["id"], candidate["load"], candidate["capacity"]) == (str(free.id), "0", "24")
    assert candidate["score"] == pytest.approx(sum(candidate["parts"].values()))
    assert decision["excluded"] == {"at_capacity": [str(full.id)]}
    assert (decision["assignment_failed"], decision["failure"], decision["named_by"]) == (False, None, None)
    assert decision["relaxed"] == []
    facts = decision["inputs"]["facts"]
    assert (facts["escalation.reason"], facts["escalation.severity"]) == ("billing", 2)
    names = {person["id"]: person["email"] for person in found["people"]}
    assert names[str(full.id)] == "full@example.com"
    assert names[str(free.id)] == "free@example.com"
    assert [team["name"] for team in found["teams"]] == ["Billing desk"]


def test_a_decision_by_a_person_says_who_named_the_owner_and_what_was_wrong_before(
    client: ApiClient, as_user: AsUser, raise_case: Raise, company: Company
) -> None:
    case = raise_case()
    body = {"owner_email": company.csm.email, "reason": "Her customer", "misroute": "wrong_person"}
    assert as_user(company.manager).post(f"/api/v1/escalations/{case['id']}/assign", json=body).status_code == 200
    found = record_of(client, case)
    first, second = found["items"]
    assert (first["misroute"], second["misroute"]) == ("wrong_person", None)
    assert (second["cause"], second["named_by"], second["rules"]) == ("assign", str(company.manager.id), [])
    assert company.manager.email in {person["email"] for person in found["people"]}


def test_a_failed_assignment_says_so_with_its_code(client: ApiClient, tenant: TestTenant, raise_case: Raise) -> None:
    publish(tenant, [{"name": "again", "when": {"all": []}, "target": {"kind": "previous_owner"}}])
    (decision,) = record_of(client, raise_case())["items"]
    assert (decision["assignment_failed"], decision["failure"]) == (True, "no_previous_owner")
    assert decision["candidates"] == [{"id": str(tenant.admin.id), "position": "duty_owner"}]
    assert [target["outcome"] for target in decision["rules"][0]["targets"]] == ["no_previous_owner"]


def test_a_token_that_may_not_read_users_gets_ids_without_names(
    as_user: AsUser, raise_case: Raise, company: Company
) -> None:
    case = raise_case()
    found = record_of(as_user(company.manager, scopes=["escalations:read"]), case)
    assert (found["people"], found["teams"]) == ([], [])
    assert found["items"][0]["owner_id"] == str(company.owner.id)


def test_a_restricted_cases_decisions_are_seen_by_owner_line_watchers_and_admins_alone(
    client: ApiClient, as_user: AsUser, raise_case: Raise, company: Company, make_user: Make
) -> None:
    case, other = raise_case(restricted=True), make_user("manager")
    path = f"/api/v1/escalations/{case['id']}/routing"
    watcher = company.csm
    seen = {u.email: as_user(u).get(path).status_code for u in (company.owner, company.manager, watcher, other)}
    assert seen == {company.owner.email: 200, company.manager.email: 200, watcher.email: 404, other.email: 404}
    client.patch(f"/api/v1/escalations/{case['id']}", json={"restricted": False}, if_match="*")
    as_user(watcher).post(f"/api/v1/escalations/{case['id']}/watch", json={"watching": True})
    client.patch(f"/api/v1/escalations/{case['id']}", json={"restricted": True}, if_match="*")
    assert as_user(watcher).get(path).status_code == 200


def test_whom_a_case_is_about_sees_neither_its_decisions_nor_that_it_failed(
    client: ApiClient, as_user: AsUser, raise_case: Raise, company: Company
) -> None:
    """The account owner is the manager, whom it is about: no rule finds anybody else, and the duty owner has it."""
    case = raise_case(about_user=company.owner.email)
    assert record_of(client, case)["items"][0]["failure"] == "about_user"
    assert as_user(company.owner).get(f"/api/v1/escalations/{case['id']}/routing").status_code == 404
    about_manager = raise_case(about_user=company.manager.email, restricted=True)
    assert record_of(client, about_manager)["items"][0]["owner_id"] == str(company.owner.id)
    assert as_user(company.manager).get(f"/api/v1/escalations/{about_manager['id']}/routing").status_code == 404
    listed = as_user(company.manager).get("/api/v1/routing/failures").json["items"]
    assert [found["escalation_id"] for found in listed] == [case["id"]]


def test_failed_assignments_are_listed_newest_first_to_those_who_may_see_the_case(
    client: ApiClient, as_user: AsUser, tenant: TestTenant, raise_case: Raise, company: Company, make_user: Make
) -> None:
    publish(tenant, [{"name": "again", "when": {"all": []}, "target": {"kind": "previous_owner"}}])
    ids = [raise_case(reason=reason)["id"] for reason in ("billing", "security", "other")]
    hidden = raise_case(reason="agent_conduct", restricted=True)["id"]
    about = raise_case(reason="slow_response", about_user=company.manager.email)["id"]
    first = client.get("/api/v1/routing/failures?limit=2").json
    rest = client.get(f"/api/v1/routing/failures?limit=200&cursor={first['next_cursor']}").json
    listed = [d["escalation_id"] for d in first["items"] + rest["items"]]
    assert listed == [about, hidden, *reversed(ids)]
    assert {d["failure"] for d in first["items"]} == {"no_previous_owner"}
    seen = as_user(company.manager).get("/api/v1/routing/failures").json["items"]
    assert [found["escalation_id"] for found in seen] == list(reversed(ids))


def test_a_page_of_decisions_costs_three_statements_whatever_the_number_of_policies(
    tenant: TestTenant, company: Company, raise_case: Raise, client: ApiClient, statements: Statements
) -> None:
    case = raise_case()
    for n in range(5):
        publish(tenant, [{"name": f"version {n}", "when": {"all": []}, "target": OWNER, "fallback": CSM}])
        answer = client.post(f"/api/v1/escalations/{case['id']}/assign", json={"reason": "And again"})
        assert answer.status_code == 200
    policies._cache.clear()  # as in a process that has just started
    with transaction(), statements() as sent:
        found = decisions.list_decisions(UUID(case["id"]), actor=actor_of(tenant.admin), limit=50)
    assert len(found["items"]) == 6
    assert len(sent) == 3, sent
    with transaction(), statements() as sent:
        decisions.list_decisions(UUID(case["id"]), actor=actor_of(tenant.admin), limit=50)
    assert len(sent) == 2, sent


def test_the_sentence_of_a_real_raise_tells_hours_places_and_whose_absence_passed_it_on(
    tenant: TestTenant, company: Company
) -> None:
    """Monday 2 March, 10:00 in Berlin; the CSM comes back on Wednesday 4 March at 23:30 UTC, the 5th there.

    Of 24 units 13 are in hand (three cases of 4, one of 1): room for three more cases of weight 3.
    """
    with transaction():
        accounts.upsert_account("crm", "A-1", {"timezone": "Europe/Berlin"}, now=NOW)
    for severity in (1, 1, 1, 4):
        Story(tenant, company).raised("2 09:00", severity=severity)
    publish(tenant, [{"name": "CSM first", "when": {"all": []}, "target": CSM, "fallback": OWNER}])
    with transaction():
        span: dict[str, Any] = {"starts_at": march("1 00:00"), "ends_at": march("4 23:30")}
        routing.add_absence(company.csm.id, **span, actor=tenant.actor, now=march("1 00:00"))
    story = Story(tenant, company).raised("2 09:00")
    with transaction():
        found = decisions.list_decisions(story.id, actor=actor_of(tenant.admin), limit=50)
    (decision,) = found["items"]
    assert decision["why"] == (
        "owns the account, in working hours until 18:00, 3 of 8 places free; the account's CSM was absent until 5 March"
    )
    csm = decision["inputs"]["people"][str(company.csm.id)]
    assert datetime.fromisoformat(csm["absent_until"]) == march("4 23:30")
    assert decision["inputs"]["zone"] == "Europe/Berlin"
