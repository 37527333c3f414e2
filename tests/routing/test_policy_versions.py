"""Versions of the policy: validated, listed, taken up again, never overwritten, explained before they hold."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app import clock
from app.accounts import service as accounts
from app.auth.models import User
from app.db import transaction
from app.routing import service as routing
from app.routing.match import compile_condition
from app.routing.policy import MEMBERS, MEMBERS_OF
from app.routing.shapes import SHAPES
from tests import NOW
from tests.conftest import ApiClient, TestTenant

POLICY = "/api/v1/routing/policy"
OWNER = {"kind": "role", "role": "owner"}
CSM = {"kind": "role", "role": "csm"}
REST: dict[str, Any] = {"name": "rest", "when": {"all": []}, "target": OWNER}
URGENT: dict[str, Any] = {
    "name": "urgent",
    "when": {"field": "escalation.severity", "op": "=", "value": 1},
    "target": CSM,
}
Make = Callable[..., User]


def save(client: ApiClient, rules: list[Any], if_match: Any = "*") -> Any:
    return client.put(POLICY, json={"rules": rules}, if_match=if_match)


def publish(client: ApiClient, number: int, reason: str | None = None) -> Any:
    return client.post(f"{POLICY}/publish", json={"number": number, "reason": reason})


def validate(client: ApiClient, rules: Any) -> Any:
    return client.post(f"{POLICY}/validate", json={"rules": rules}).json


def test_versions_say_who_saved_them_and_when_they_came_into_force(
    client: ApiClient, tenant: TestTenant, make_user: Make, as_user: Callable[..., ApiClient]
) -> None:
    other = make_user("admin", "bea@example.com")
    save(client, [REST])
    publish(as_user(other), 2, "the new year")
    save(client, [URGENT, REST])
    first = client.get(f"{POLICY}/versions?limit=2").json
    rest = client.get(f"{POLICY}/versions?limit=2&cursor={first['next_cursor']}").json
    shown = [(v["number"], v["state"], v["rule_count"]) for v in first["items"] + rest["items"]]
    assert shown == [(3, "draft", 2), (2, "current", 1), (1, "published", 1)]
    assert first["items"][0]["created_by"]["email"] == "admin@example.com"
    assert first["items"][0]["publications"] == []
    [published] = first["items"][1]["publications"]
    assert (published["kind"], published["previous_number"], published["reason"]) == ("publish", 1, "the new year")
    assert published["published_by"] == {"id": str(other.id), "email": "bea@example.com", "name": other.name}
    assert rest["items"][0]["created_by"] is None
    assert rest["items"][0]["publications"][0]["published_by"] is None


def test_an_older_version_taken_up_again_shows_as_rolled_back(client: ApiClient) -> None:
    save(client, [REST])
    publish(client, 2)
    save(client, [URGENT, REST])
    publish(client, 3)
    assert publish(client, 2, "urgent cases went astray").json["current"]["number"] == 2
    version = client.get(f"{POLICY}/versions/2").json
    assert version["rules"] == [REST]
    assert version["state"] == "current"
    kinds = [(p["kind"], p["previous_number"], p["reason"]) for p in version["publications"]]
    assert kinds == [("roll_back", 3, "urgent cases went astray"), ("publish", 1, None)]
    assert client.get(f"{POLICY}/versions/3").json["state"] == "published"
    assert client.get(POLICY).json["draft"] is None  # it was in force: nobody works on it any more
    assert client.get(f"{POLICY}/versions/9").status_code == 404


def test_two_people_who_save_from_the_same_version_overwrite_nothing(
    client: ApiClient, make_user: Make, as_user: Callable[..., ApiClient]
) -> None:
    """Ada and Bea read version 1; Bea's save names the version that came between, and both can be read afterwards."""
    bea = as_user(make_user("admin", "bea@example.com"))
    read = client.get(POLICY).headers["ETag"]
    assert bea.get(POLICY).headers["ETag"] == read
    assert save(client, [URGENT, REST], read).json["draft"]["number"] == 2
    refused = save(bea, [REST], read)
    assert (refused.status_code, refused.json["code"]) == (412, "stale")
    assert (refused.json["version"], refused.json["if_match"], refused.json["saved_by"]) == (
        2,
        '"1"',
        "admin@example.com",
    )
    assert bea.get(f"{POLICY}/versions/{refused.json['version']}").json["rules"] == [URGENT, REST]
    assert save(bea, [REST], 2).json["draft"]["number"] == 3
    assert [client.get(f"{POLICY}/versions/{n}").json["rules"] for n in (2, 3)] == [[URGENT, REST], [REST]]


def test_of_saves_at_the_same_moment_one_lands(client: ApiClient) -> None:
    answers = []
    start = threading.Barrier(4)

    def save_at_once(n: int) -> None:
        start.wait()
        answers.append(save(client, [{**REST, "name": f"from session {n}"}], 1).status_code)

    threads = [threading.Thread(target=save_at_once, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 412, 412, 412]
    assert [v["number"] for v in client.get(f"{POLICY}/versions").json["items"]] == [2, 1]


def test_publishing_what_was_overtaken_is_refused_when_a_version_was_read(client: ApiClient) -> None:
    save(client, [REST])
    answer = client.post(f"{POLICY}/publish", json={"number": 2}, if_match=1)
    assert (answer.status_code, answer.json["version"]) == (412, 2)
    assert client.get(POLICY).json["current"]["number"] == 1


def test_validation_says_what_saving_would_and_saves_nothing(client: ApiClient) -> None:
    rules = [{**URGENT, "target": {"kind": "role", "role": "boss"}}, {**REST, "when": {"field": "colour", "op": "="}}]
    said = validate(client, rules)
    refused = save(client, rules)
    assert (said["valid"], said["errors"], said["warnings"]) == (False, refused.json["errors"], [])
    assert [error["pointer"] for error in said["errors"]] == [
        "/rules/0/target/role",
        "/rules/1/when/field",
        "/rules/1/when",
    ]
    assert validate(client, [URGENT, REST]) == {"valid": True, "errors": [], "warnings": []}
    assert client.get(POLICY).json["draft"] is None


def test_a_rule_that_is_never_asked_is_warned_of(client: ApiClient) -> None:
    catch_all = {**REST, "name": "everything", "when": {"all": [{"all": []}]}}
    never = {**URGENT, "name": "never", "when": {"any": []}}
    said = validate(client, [never, catch_all, URGENT, REST])
    assert said["valid"]
    assert [(w["pointer"], w["code"]) for w in said["warnings"]] == [
        ("/rules/0/when", "never_holds"),
        ("/rules/2", "hidden_rule"),
        ("/rules/3", "hidden_rule"),
    ]
    assert "rule 1 “everything”" in said["warnings"][1]["detail"]


def test_a_team_that_nobody_can_be_chosen_from_is_warned_of(
    client: ApiClient, tenant: TestTenant, make_user: Make
) -> None:
    full, gone = make_user("specialist"), make_user("specialist")
    with transaction():
        routing.upsert_team("Empty", members=[], now=NOW)
        routing.upsert_team("Left", members=[{"email": gone.email}], now=NOW)
        routing.upsert_team("No room", members=[{"email": full.email, "capacity": 0}], now=NOW)
    client.patch(f"/api/v1/users/{gone.id}", json={"active": False}, if_match=gone.version)
    rules = [{**URGENT, "name": n, "target": {"kind": "team", "team": n}} for n in ("Empty", "Left", "No room")]
    said = validate(client, [*rules, REST])
    assert [(w["pointer"], w["code"]) for w in said["warnings"]] == [
        ("/rules/0/target/team_id", "team_empty"),
        ("/rules/1/target/team_id", "team_empty"),
        ("/rules/2/target/team_id", "no_capacity"),
    ]
    saved = save(client, [*rules, REST])
    assert saved.json["warnings"] == said["warnings"]


def test_skills_that_nobody_has_are_warned_of_and_unknown_ones_refused(client: ApiClient, make_user: Make) -> None:
    """Nora has billing at 2: asked for at 2 it is held, at 3 it is not; nobody has sso; nobody ever named cobol."""
    for name in ("Billing", "SSO"):
        client.post("/api/v1/skills", json={"name": name})
    path = f"/api/v1/users/{make_user().id}/skills"
    put = client.put(path, json={"skills": [{"skill": "billing", "level": 2}]}, if_match="*")
    assert put.status_code == 200, put.json
    asked = [{"skill": "billing", "level": 2}, {"skill": "BILLING", "level": 3}, {"skill": "sso"}]
    rules = [{**URGENT, "name": f"r{n}", "required_skills": [skill]} for n, skill in enumerate(asked)]
    said = validate(client, [*rules, REST])
    assert [(w["pointer"], w["code"]) for w in said["warnings"]] == [
        ("/rules/1/required_skills/0/skill", "skill_unheld"),
        ("/rules/2/required_skills/0/skill", "skill_unheld"),
    ]
    assert said["warnings"][0]["detail"] == "nobody has BILLING at level 3 or above"
    assert save(client, [*rules, REST]).json["warnings"] == said["warnings"]
    refused = save(client, [{**REST, "preferred_skills": [{"skill": "cobol"}]}])
    assert [(e["pointer"], e["code"]) for e in refused.json["errors"]] == [
        ("/rules/0/preferred_skills/0/skill", "unknown_skill")
    ]


def test_suggestions_that_are_off_are_warned_of(client: ApiClient) -> None:
    rules = [{**REST, "target": {"kind": "suggested"}, "fallback": OWNER}]
    assert [(w["pointer"], w["code"]) for w in validate(client, rules)["warnings"]] == [
        ("/rules/0/target", "no_suggestion")
    ]
    version = client.get("/api/v1/settings").headers["ETag"]
    assert client.patch("/api/v1/settings", json={"suggestion_confidence": 0.6}, if_match=version).status_code == 200
    assert validate(client, rules)["warnings"] == []


@pytest.mark.parametrize(("days", "codes"), [(13, []), (30, ["user_absent"])])
def test_a_named_colleague_who_is_away_for_weeks_is_warned_of(
    client: ApiClient, make_user: Make, days: int, codes: list[str]
) -> None:
    user = make_user()
    now = clock.real_now()
    away = {"starts_at": (now - timedelta(days=1)).isoformat(), "ends_at": (now + timedelta(days=days)).isoformat()}
    assert client.post(f"/api/v1/users/{user.id}/absences", json=away).status_code == 201
    said = validate(client, [{**REST, "target": {"kind": "user", "email": user.email}}])
    assert [w["code"] for w in said["warnings"]] == codes


def test_a_draft_is_explained_before_it_holds(client: ApiClient, tenant: TestTenant, make_user: Make) -> None:
    owner, csm = make_user(), make_user()
    fields = {"name": "Acme", "owner_email": owner.email, "csm_email": csm.email}
    with transaction():
        accounts.upsert_account("crm", "A1", fields, now=NOW)
    save(client, [URGENT, REST])
    body = {"account": {"source": "crm", "external_id": "A1"}, "severity": 1}

    def asked(**more: Any) -> Any:
        return client.post("/api/v1/routing/explain", json={**body, **more})

    current, draft = asked().json, asked(policy_number=2).json
    assert (current["owner"]["email"], current["policy_number"]) == (owner.email, 1)
    assert (draft["owner"]["email"], draft["rule"], draft["policy_number"]) == (csm.email, "urgent", 2)
    assert draft["rules"][0]["because"][0]["ok"]
    unknown = asked(policy_number=9)
    assert (unknown.status_code, unknown.json["errors"][0]["pointer"]) == (422, "/policy_number")


def test_every_comparison_that_is_offered_is_accepted(client: ApiClient, tenant: TestTenant) -> None:
    """The form's promise: each field with each of its operators takes the value its shape shows."""
    with transaction():
        accounts.upsert_account("crm", "A1", {"name": "Acme", "attributes": {"plan": "gold", "seats": 40}}, now=NOW)
    offered = client.get("/api/v1/routing/fields").json
    examples = {shape["name"]: shape["example"] for shape in offered["shapes"]}
    tried = 0
    for field in offered["items"]:
        assert set(field["takes"]) == set(field["operators"])
        for op, takes in field["takes"].items():
            value = examples[takes["shape"]]
            if takes["values"]:
                value = takes["values"] if isinstance(value, list) else takes["values"][0]
            compile_condition({"field": field["name"], "op": op, "value": value})
            tried += 1
    assert tried > 150
    assert {op for field in offered["items"] for op in field["operators"]} == {o["name"] for o in offered["operators"]}
    assert set(examples) == set(SHAPES)


def test_the_form_knows_this_tenants_own_words(client: ApiClient, tenant: TestTenant) -> None:
    with transaction():
        for n, region in enumerate(("EMEA", "APAC", "EMEA")):
            fields = {"name": f"A{n}", "region": region, "attributes": {"plan": f"p{n % 2}"}}
            accounts.upsert_account("crm", f"A{n}", fields, now=NOW)
    client.post("/api/v1/service-levels", json={"name": "gold", "close_days": 20})
    version = client.get("/api/v1/settings").headers["ETag"]
    client.patch("/api/v1/settings", json={"reasons": ["onboarding"]}, if_match=version)
    listed = {field["name"]: field for field in client.get("/api/v1/routing/fields").json["items"]}
    client.post("/api/v1/skills", json={"name": "Billing"})
    assert client.get("/api/v1/routing/fields").json["skills"] == ["Billing"]
    assert listed["account.region"]["seen"] == ["EMEA", "APAC"]
    assert listed["account.attributes.plan"]["seen"] == ["p0", "p1"]
    assert listed["contract.service_level"]["seen"] == ["gold"]
    assert {"billing", "onboarding"} <= set(listed["escalation.reason"]["seen"])
    assert listed["escalation.tier"]["takes"]["="]["values"][0] == "tier_1"
    assert listed["account.segment"]["takes"]["contains"] == {"shape": "text", "values": []}


def test_every_kind_of_target_is_offered_with_its_members(client: ApiClient) -> None:
    offered = {t["kind"]: t for t in client.get("/api/v1/routing/fields").json["targets"]}
    members = {kind: {"kind", *(m["name"] for m in target["members"])} for kind, target in offered.items()}
    assert members == {kind: set(names) for kind, names in MEMBERS_OF.items()}
    assert offered["role"]["members"][0]["values"] == ["owner", "csm", "sponsor"]
    rule = client.get("/api/v1/routing/fields").json["rule"]
    assert {member["name"] for member in rule} == MEMBERS


def test_two_thousand_rules_are_taken_and_five_thousand_and_one_refused(client: ApiClient) -> None:
    rules = [{**URGENT, "name": f"rule {n}"} for n in range(5000)]
    saved = save(client, [*rules[:1999], REST])
    assert saved.status_code == 200
    assert len(client.get(f"{POLICY}/versions/2").json["rules"]) == 2000
    refused = save(client, [*rules, REST])
    assert (refused.status_code, refused.json["errors"]) == (
        422,
        [{"pointer": "/rules", "detail": "a list of 1 to 5000 rules", "code": "wrong_shape"}],
    )


def test_who_may_look_at_versions_and_validate(as_user: Callable[..., ApiClient], make_user: Make) -> None:
    csm, manager = as_user(make_user("csm")), as_user(make_user("manager"))
    for path in (f"{POLICY}/versions", f"{POLICY}/versions/1"):
        assert (csm.get(path).status_code, manager.get(path).status_code) == (403, 200)
    body = {"rules": [REST]}
    assert csm.post(f"{POLICY}/validate", json=body).status_code == 403
    assert manager.post(f"{POLICY}/validate", json=body).status_code == 200


def test_weights_that_are_all_0_are_warned_of(client: ApiClient) -> None:
    """One weight of any size tells people apart; a weight that is left out keeps its default."""
    nothing = dict.fromkeys(("affinity", "capacity", "overlap", "value", "rest"), 0)
    assert [w["pointer"] for w in weighed(client, nothing)] == ["/weights"]
    assert [w["code"] for w in weighed(client, nothing)] == ["no_weights"]
    assert weighed(client, {**nothing, "rest": 1}) == []
    assert weighed(client, {name: 0 for name in nothing if name != "rest"}) == []


def weighed(client: ApiClient, weights: dict[str, int]) -> Any:
    return client.post(f"{POLICY}/validate", json={"rules": [REST], "weights": weights}).json["warnings"]
