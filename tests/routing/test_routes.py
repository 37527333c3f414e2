"""Teams, policy, explanation and failures through their doors."""

from collections.abc import Callable
from typing import Any

import pytest

from app.accounts import service as accounts
from app.auth.models import User
from app.db import transaction
from app.routing import service as routing
from tests import NOW
from tests.conftest import ApiClient, TestTenant
from tests.routing.conftest import case, settle

CATCH_ALL: dict[str, Any] = {"all": []}
OWNER = {"kind": "role", "role": "owner"}
REST = {"name": "rest", "when": CATCH_ALL, "target": OWNER}
Make = Callable[..., User]


@pytest.fixture
def team(client: ApiClient) -> dict[str, Any]:
    made = client.post("/api/v1/teams", json={"name": "Billing", "tier": "tier_1"})
    assert made.status_code == 201
    return made.json


def test_a_team_is_made_changed_and_listed(client: ApiClient, make_user: Make) -> None:
    lead = make_user("manager")
    made = client.post("/api/v1/teams", json={"name": "Billing", "lead_email": lead.email})
    path = made.headers["Location"]
    assert (made.json["lead_email"], made.json["members"]) == (lead.email, [])
    assert client.patch(path, json={"tier": "tier_2"}).status_code == 428
    assert client.patch(path, json={"tier": "tier_2"}, if_match=7).status_code == 412
    changed = client.patch(path, json={"tier": "tier_2", "lead_email": None}, if_match=1)
    assert (changed.json["tier"], changed.json["lead_email"]) == ("tier_2", None)
    assert client.get(path).headers["ETag"] == changed.headers["ETag"] == '"2"'
    client.post("/api/v1/teams", json={"name": "Access"})
    first = client.get("/api/v1/teams?limit=1").json
    second = client.get(f"/api/v1/teams?limit=1&cursor={first['next_cursor']}").json
    assert [t["name"] for t in first["items"] + second["items"]] == ["Access", "Billing"]
    assert second["next_cursor"] is None


def test_a_teams_name_is_its_own(client: ApiClient, team: dict[str, Any]) -> None:
    again = client.post("/api/v1/teams", json={"name": "Billing"})
    assert (again.status_code, again.json["code"]) == (409, "team_name_taken")


def test_members_come_change_and_go(client: ApiClient, team: dict[str, Any], make_user: Make) -> None:
    user = make_user()
    path = f"/api/v1/teams/{team['id']}/members/{user.id}"
    added = client.put(path, json={"capacity": 8})
    assert (added.status_code, added.headers["ETag"]) == (201, '"2"')
    assert [(m["email"], m["capacity"]) for m in added.json["members"]] == [(user.email, 8)]
    assert client.put(path, json={"capacity": 4}).status_code == 428
    changed = client.put(path, json={}, if_match=2)
    assert (changed.status_code, changed.json["members"][0]["capacity"]) == (200, None)
    assert client.delete(path).json["members"] == []
    assert client.delete(path).status_code == 404
    assert client.put(path, json={"capacity": -1}).json["errors"][0]["pointer"] == "/capacity"


def test_another_tenants_team_does_not_exist(
    client: ApiClient, new_tenant: Callable[..., TestTenant], make_user: Make
) -> None:
    other = new_tenant()
    with transaction(tenant=other.id):
        theirs = routing.create_team("Theirs", now=NOW).id
    assert client.get(f"/api/v1/teams/{theirs}").status_code == 404
    assert client.put(f"/api/v1/teams/{theirs}/members/{make_user().id}", json={}).status_code == 404
    rules = [{"name": "x", "when": CATCH_ALL, "target": {"kind": "team", "team_id": str(theirs)}}]
    refused = client.put("/api/v1/routing/policy", json={"rules": rules}, if_match=1)
    assert refused.json["errors"] == [
        {"pointer": "/rules/0/target/team_id", "detail": "the id of a team", "code": "unknown_team"}
    ]


def test_a_policy_is_saved_as_a_draft_and_then_published(client: ApiClient, make_user: Make) -> None:
    user = make_user()
    before = client.get("/api/v1/routing/policy")
    assert before.json["current"]["number"] == 1
    assert before.json["current"]["rules"][0]["name"] == "account owner, else duty owner"
    assert before.json["draft"] is None
    body = {"rules": [{**REST, "target": {"kind": "user", "email": user.email}}], "weights": {"affinity": 50}}
    assert client.put("/api/v1/routing/policy", json=body).status_code == 428
    saved = client.put("/api/v1/routing/policy", json=body, if_match=before.headers["ETag"])
    assert (saved.json["current"]["number"], saved.json["draft"]["number"]) == (1, 2)
    assert saved.json["draft"]["rules"][0]["target"] == {"kind": "user", "user_id": str(user.id)}
    assert client.put("/api/v1/routing/policy", json=body, if_match=before.headers["ETag"]).status_code == 412
    published = client.post("/api/v1/routing/policy/publish", json={"number": 2})
    assert (published.json["current"]["number"], published.json["draft"]) == (2, None)
    assert {**client.get("/api/v1/routing/policy").json, "warnings": []} == published.json
    assert client.post("/api/v1/routing/policy/publish", json={"number": 9}).status_code == 404


@pytest.mark.parametrize(
    ("rules", "pointer", "code"),
    [
        ([], "/rules", "wrong_shape"),
        (["x"], "/rules/0", "wrong_shape"),
        ([{**REST, "when": {"any": []}}], "/rules/0/when", "no_catch_all"),
        ([{**REST, "extra": 1}], "/rules/0/extra", "wrong_shape"),
        ([{**REST, "name": ""}], "/rules/0/name", "wrong_type"),
        ([REST, REST], "/rules/1/name", "name_taken"),
        ([{**REST, "target": None}], "/rules/0/target", "wrong_shape"),
        ([{**REST, "target": {"kind": ["team"]}}], "/rules/0/target/kind", "wrong_shape"),
        ([{**REST, "target": {"kind": "suggested", "above": 0.5}}], "/rules/0/target/above", "wrong_shape"),
        ([{**REST, "required_skills": "Billing"}], "/rules/0/required_skills", "wrong_shape"),
        ([{**REST, "required_skills": ["Billing"]}], "/rules/0/required_skills/0", "wrong_shape"),
        ([{**REST, "required_skills": [{"skill": " "}]}], "/rules/0/required_skills/0/skill", "wrong_type"),
        (
            [{**REST, "preferred_skills": [{"skill": "Billing", "level": 6}]}],
            "/rules/0/preferred_skills/0/level",
            "wrong_type",
        ),
        (
            [{**REST, "preferred_skills": [{"skill": "Billing", "level": True}]}],
            "/rules/0/preferred_skills/0/level",
            "wrong_type",
        ),
        (
            [{**REST, "preferred_skills": [{"skill": "Billing", "lvl": 1}]}],
            "/rules/0/preferred_skills/0/lvl",
            "wrong_shape",
        ),
        (
            [{**REST, "preferred_skills": [{"skill": "Billing"}, {"skill": "billing"}]}],
            "/rules/0/preferred_skills/1/skill",
            "skill_twice",
        ),
        ([{**REST, "target": {"kind": "role", "role": "boss"}}], "/rules/0/target/role", "wrong_type"),
        ([{**REST, "target": {"kind": "team", "team_id": "x"}}], "/rules/0/target/team_id", "wrong_type"),
        ([{**REST, "fallback": {"kind": "user", "email": "no@example.com"}}], "/rules/0/fallback/email", "wrong_shape"),
    ],
)
def test_a_faulty_rule_is_refused_with_its_place(client: ApiClient, rules: Any, pointer: str, code: str) -> None:
    answer = client.put("/api/v1/routing/policy", json={"rules": rules}, if_match=1)
    assert (answer.status_code, answer.json["code"]) == (422, "policy_refused")
    assert (answer.json["errors"][0]["pointer"], answer.json["errors"][0]["code"]) == (pointer, code)


@pytest.mark.parametrize(
    ("leaf", "pointer", "code"),
    [
        ({"field": "account.colour", "op": "=", "value": "red"}, "/rules/0/when/any/0/field", "unknown_field"),
        ({"field": "escalation.severity", "op": "<=", "value": "high"}, "/rules/0/when/any/0/value", "wrong_type"),
        ({"field": "account.segment", "op": "in", "value": []}, "/rules/0/when/any/0/value", "wrong_type"),
        ({"field": "account.segment", "op": "<", "value": "small"}, "/rules/0/when/any/0/op", "wrong_type"),
    ],
)
def test_a_faulty_condition_is_refused_with_its_place(client: ApiClient, leaf: Any, pointer: str, code: str) -> None:
    rules = [{"name": "first", "when": {"any": [leaf]}, "target": OWNER}, REST]
    answer = client.put("/api/v1/routing/policy", json={"rules": rules}, if_match=1)
    assert answer.status_code == 422
    assert [(e["pointer"], e["code"]) for e in answer.json["errors"]] == [(pointer, code)]


def test_all_faults_of_a_policy_are_said_at_once(client: ApiClient) -> None:
    rules = [{**REST, "name": "a", "target": {"kind": "x"}}, {**REST, "name": "b", "when": {"field": "x"}}]
    answer = client.put("/api/v1/routing/policy", json={"rules": rules, "weights": {"luck": 1}}, if_match=1)
    assert [e["pointer"] for e in answer.json["errors"]] == [
        "/rules/0/target/kind",
        "/rules/1/when/field",
        "/rules/1/when",
        "/weights/luck",
    ]
    assert client.get("/api/v1/routing/policy").json["draft"] is None


@pytest.mark.parametrize("points", [-1, 1001, 10**400, "40", True, None])
def test_a_weight_is_a_number_of_points(client: ApiClient, points: Any) -> None:
    answer = client.put("/api/v1/routing/policy", json={"rules": [REST], "weights": {"rest": points}}, if_match=1)
    assert [e["pointer"] for e in answer.json["errors"]] == ["/weights/rest"]


def test_2500_rules_are_saved_and_looked_at_in_order(client: ApiClient, tenant: TestTenant, make_user: Make) -> None:
    user = make_user()
    rules = [
        {"name": f"r{n}", "when": {"field": "value.amount", "op": "=", "value": n}, "target": OWNER}
        for n in range(2499)
    ]
    rules.append({**REST, "target": {"kind": "user", "user_id": str(user.id)}})
    assert client.put("/api/v1/routing/policy", json={"rules": rules}, if_match=1).status_code == 200
    client.post("/api/v1/routing/policy/publish", json={"number": 2})
    with transaction():
        result = settle(case(facts={"value.amount": 5000}))
    assert (result.owner_id, result.rule, len(result.decision.rules)) == (user.id, "rest", 2500)


def test_explain_says_who_would_get_it_and_keeps_nothing(
    client: ApiClient, tenant: TestTenant, make_user: Make
) -> None:
    owner, csm = make_user(), make_user()
    fields = {"name": "Acme", "segment": "strategic", "owner_email": owner.email, "csm_email": csm.email}
    with transaction():
        accounts.upsert_account("crm", "A1", fields, now=NOW)
    when = {"field": "account.segment", "op": "=", "value": "strategic"}
    rules = [{"name": "strategic", "when": when, "target": {"kind": "role", "role": "csm"}}, REST]
    client.put("/api/v1/routing/policy", json={"rules": rules}, if_match=1)
    client.post("/api/v1/routing/policy/publish", json={"number": 2})
    body = {"account": {"source": "crm", "external_id": "A1"}, "title": "Down", "severity": 2, "reason": "billing"}
    answer = client.post("/api/v1/routing/explain", json=body)
    assert answer.status_code == 200
    assert answer.json["owner"] == {"id": str(csm.id), "email": csm.email, "name": csm.name}
    assert answer.json["why"].startswith("is the account's CSM, ")
    assert answer.json["rules"][0]["because"] == [
        {
            "pointer": "",
            "field": "account.segment",
            "op": "=",
            "value": "strategic",
            "actual": "strategic",
            "ok": True,
        }
    ]
    about = client.post("/api/v1/routing/explain", json={**body, "about_user": csm.email}).json
    assert (about["owner"]["id"], about["rule"]) == (str(owner.id), "rest")
    assert about["excluded"] == {"about_user": [str(csm.id)]}
    assert client.get("/api/v1/routing/failures").json["items"] == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"account": {"source": "crm", "external_id": "none"}}, "/account"),
        ({"severity": 5}, "/severity"),
        ({"colour": "red"}, "/colour"),
        ({"about_user": "no@example.com"}, "/about_user"),
    ],
)
def test_a_faulty_question_is_refused_with_its_place(
    client: ApiClient, tenant: TestTenant, change: dict[str, Any], pointer: str
) -> None:
    with transaction():
        accounts.upsert_account("crm", "A1", {"name": "Acme"}, now=NOW)
    body = {"account": {"source": "crm", "external_id": "A1"}, "title": "Down", "severity": 2, **change}
    answer = client.post("/api/v1/routing/explain", json=body)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)


def test_the_documented_fields_name_their_operators(client: ApiClient) -> None:
    listed = {field["name"]: field for field in client.get("/api/v1/routing/fields").json["items"]}
    assert listed["account.segment"]["values"] == ["strategic", "enterprise", "mid_market", "small"]
    assert "within_days" in listed["value.renewal_on"]["operators"]


def test_who_may_read_and_change_routing(as_user: Callable[..., ApiClient], make_user: Make) -> None:
    csm, manager = as_user(make_user("csm")), as_user(make_user("manager"))
    assert csm.get("/api/v1/teams").status_code == 200
    assert csm.get("/api/v1/routing/policy").status_code == 403
    assert manager.get("/api/v1/routing/policy").status_code == 200
    for answer in (
        manager.put("/api/v1/routing/policy", json={"rules": [REST]}, if_match=1),
        manager.post("/api/v1/routing/policy/publish", json={"number": 1}),
        manager.post("/api/v1/teams", json={"name": "Mine"}),
    ):
        assert answer.status_code == 403


def test_a_cases_decisions_are_shown_with_what_every_comparison_saw(
    client: ApiClient, tenant: TestTenant, make_user: Make
) -> None:
    owner = make_user()
    with transaction():
        account = accounts.upsert_account("crm", "A1", {"name": "Acme", "owner_email": owner.email}, now=NOW).record
    urgent = {"not": {"field": "escalation.severity", "op": ">", "value": 1}}
    systems = {"field": "escalation.systems", "op": "contains", "value": "jira"}
    rules = [
        {"name": "urgent", "when": urgent, "target": {"kind": "role", "role": "csm"}},
        {"name": "tickets", "when": systems, "target": OWNER},
        {**REST, "target": {"kind": "role", "role": "sponsor"}},
    ]
    client.put("/api/v1/routing/policy", json={"rules": rules}, if_match=1)
    client.post("/api/v1/routing/policy/publish", json={"number": 2})
    body = {"account_id": str(account.id), "title": "Down", "severity": 2}
    refs = [{"system": "jira", "external_id": "J-1"}]
    raised = client.post("/api/v1/escalations", json={**body, "external_refs": refs})
    assert raised.status_code == 201
    assert raised.json["routing"]["rule"] == "tickets"
    [decision] = client.get(f"/api/v1/escalations/{raised.json['id']}/routing").json["items"]
    assert [(rule["rule"], rule["matched"]) for rule in decision["rules"]] == [("urgent", False), ("tickets", True)]
    seen = [(leaf["value"], leaf["actual"], leaf["ok"]) for rule in decision["rules"] for leaf in rule["because"]]
    assert seen == [("1", "2", True), ("jira", ["jira"], True)]
    again = client.post(f"/api/v1/escalations/{raised.json['id']}/assign", json={"reason": "not mine"})
    assert again.json["owner"]["email"] == "admin@example.com"
    last = client.get(f"/api/v1/escalations/{raised.json['id']}/routing").json["items"][-1]
    assert [r["matched"] for r in last["rules"]] == [False, True, True]
    assert last["failure"] == "left_out"
