"""What must hold before a version comes into force: nobody of the last 90 days left without an owner, or a reason."""

from datetime import timedelta
from typing import Any

import pytest

from app import clock
from app.accounts import service as accounts
from app.db import transaction
from app.routing import publishing
from tests import NOW
from tests.conftest import ApiClient, TestTenant
from tests.routing.past import Make, raised, simulated

POLICY = "/api/v1/routing/policy"
REST: dict[str, Any] = {"name": "rest", "when": {"all": []}, "target": {"kind": "role", "role": "owner"}}
TO_CSM: dict[str, Any] = {"name": "csm", "when": {"all": []}, "target": {"kind": "role", "role": "csm"}}


@pytest.fixture
def cases(client: ApiClient, tenant: TestTenant, make_user: Make) -> list[dict[str, Any]]:
    """Two cases of an account that has an owner and no CSM."""
    owner = make_user()
    with transaction():
        accounts.upsert_account("crm", "A1", {"name": "Acme", "owner_email": owner.email}, now=NOW)
    return [raised(client), raised(client)]


def saved(client: ApiClient, *rules: Any) -> int:
    number: int = client.put(POLICY, json={"rules": list(rules)}, if_match="*").json["draft"]["number"]
    return number


def publish(client: ApiClient, number: int, reason: str | None = None) -> Any:
    return client.post(f"{POLICY}/publish", json={"number": number, "reason": reason})


def publication(client: ApiClient, number: int) -> dict[str, Any]:
    latest: dict[str, Any] = client.get(f"{POLICY}/versions/{number}").json["publications"][0]
    return latest


def test_a_version_that_leaves_cases_without_an_owner_needs_a_reason(
    client: ApiClient, cases: list[dict[str, Any]]
) -> None:
    number = saved(client, TO_CSM)
    refused = publish(client, number)
    assert (refused.status_code, refused.json["code"]) == (409, "unrouted")
    assert (refused.json["unrouted"], refused.json["looked_at"]) == (2, 2)
    assert refused.json["cases"] == [
        {"escalation_id": case["id"], "number": case["number"], "failure": "no_csm"} for case in cases
    ]
    assert client.get(POLICY).json["current"]["number"] == 1
    assert publish(client, number, "the CSMs start on Monday").status_code == 200
    kept = publication(client, number)
    assert (kept["reason"], kept["cases"], kept["unrouted"]) == ("the CSMs start on Monday", 2, 2)


def test_a_version_that_finds_everybody_an_owner_needs_none(client: ApiClient, cases: list[dict[str, Any]]) -> None:
    number = saved(client, {**REST, "name": "owner"})
    assert publish(client, number).json["current"]["number"] == number
    kept = publication(client, number)
    assert (kept["reason"], kept["cases"], kept["unrouted"]) == (None, 2, 0)


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_reason_is_a_text(client: ApiClient, cases: list[dict[str, Any]], reason: str) -> None:
    answer = publish(client, saved(client, TO_CSM), reason)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/reason")


def test_too_many_cases_to_look_at_at_once_ask_for_a_simulation(
    client: ApiClient, tenant: TestTenant, cases: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A simulation of the very version, over the last 90 days, is asked for; then its finding counts."""
    monkeypatch.setattr(publishing, "CASES_AT_ONCE", 1)
    good, bad = saved(client, {**REST, "name": "owner"}), saved(client, TO_CSM)
    needed = publish(client, bad, "it must be")
    assert (needed.status_code, needed.json["code"], needed.json["number"]) == (409, "simulation_needed", bad)
    assert "POST /routing/simulate" in needed.json["detail"]
    simulated(client, tenant, number=bad, **{"from": "2020-01-01", "to": "2020-02-01"})
    assert publish(client, bad, "it must be").json["code"] == "simulation_needed"
    simulated(client, tenant, number=bad)
    assert publish(client, good).json["code"] == "simulation_needed"
    refused = publish(client, bad)
    assert (refused.json["code"], refused.json["unrouted"]) == ("unrouted", 2)
    assert [case["number"] for case in refused.json["cases"]] == [case["number"] for case in cases]
    assert publish(client, bad, "it must be").status_code == 200
    assert publication(client, bad)["unrouted"] == 2


def test_a_simulation_of_the_day_before_yesterday_is_too_old(
    client: ApiClient, tenant: TestTenant, cases: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "CASES_AT_ONCE", 1)
    number = saved(client, {**REST, "name": "owner"})
    simulated(client, tenant, number=number)
    with transaction():
        now = clock.now()
        for later, found in ((timedelta(hours=23), True), (timedelta(hours=25), False)):
            looked = publishing._find_finished(number, tenant.actor, now + later)
            assert (looked is not None) == found


def test_an_older_version_is_taken_up_at_once_with_a_reason(
    client: ApiClient, tenant: TestTenant, cases: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = saved(client, {**REST, "name": "owner"})
    publish(client, number)
    monkeypatch.setattr(publishing, "CASES_AT_ONCE", 1)
    assert publish(client, 1).json["code"] == "simulation_needed"
    assert publish(client, 1, "the new one sends all to one person").json["current"]["number"] == 1
    kept = publication(client, 1)
    assert (kept["kind"], kept["previous_number"], kept["unrouted"]) == ("roll_back", number, None)


def test_a_version_whose_skill_user_or_team_has_gone_since_is_not_published(
    client: ApiClient, cases: list[dict[str, Any]], make_user: Make
) -> None:
    """Saved when all were there; each that has gone is named with its place, and nothing changes."""
    skill = client.post("/api/v1/skills", json={"name": "Billing"}).headers["Location"]
    bea = make_user()
    named = {"name": "bea", "when": {"all": []}, "target": {"kind": "user", "user_id": str(bea.id)}}
    number = saved(client, named, {**REST, "name": "owner", "required_skills": [{"skill": "Billing"}]})
    assert client.delete(skill, if_match="*").status_code == 204
    answer = client.patch(f"/api/v1/users/{bea.id}", json={"active": False}, if_match="*")
    assert answer.status_code == 200, answer.json
    refused = publish(client, number, "a reason is not enough for a new one")
    assert (refused.status_code, refused.json["code"]) == (409, "policy_outdated")
    assert [(error["pointer"], error["code"]) for error in refused.json["errors"]] == [
        ("/rules/0/target/user_id", "unknown_user"),
        ("/rules/1/required_skills/0/skill", "unknown_skill"),
    ]
    assert client.get(POLICY).json["current"]["number"] == 1


def test_an_older_version_that_names_who_has_gone_is_taken_up_again_with_a_reason(
    client: ApiClient, cases: list[dict[str, Any]], make_user: Make
) -> None:
    bea = make_user()
    named = {"name": "bea", "when": {"all": []}, "target": {"kind": "user", "user_id": str(bea.id)}}
    old = saved(client, named, {**REST, "name": "owner"})
    assert publish(client, old).status_code == 200
    assert publish(client, saved(client, {**REST, "name": "owner"})).status_code == 200
    client.patch(f"/api/v1/users/{bea.id}", json={"active": False}, if_match="*")
    assert publish(client, old).json["code"] == "policy_outdated"
    taken_up = publish(client, old, "the new one sends all to one person")
    assert taken_up.json["current"]["number"] == old
    assert taken_up.json["warnings"][0]["code"] == "unknown_user"


def test_publishing_answers_what_the_version_does_not_do_as_meant(
    client: ApiClient, cases: list[dict[str, Any]]
) -> None:
    made = client.post("/api/v1/skills", json={"name": "Billing"})
    assert made.status_code == 201
    answer = publish(client, saved(client, {**REST, "preferred_skills": [{"skill": "Billing"}]}, REST | {"name": "b"}))
    assert [(w["pointer"], w["code"]) for w in answer.json["warnings"]] == [
        ("/rules/0/preferred_skills/0/skill", "skill_unheld"),
        ("/rules/1", "hidden_rule"),
    ]


def test_a_simulation_that_names_no_version_says_which_it_replayed_and_publishing_finds_it(
    client: ApiClient, tenant: TestTenant, cases: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "CASES_AT_ONCE", 1)
    number = saved(client, {**REST, "name": "owner"})
    assert simulated(client, tenant)["number"] == number
    assert publish(client, number).status_code == 200
    assert simulated(client, tenant)["number"] == number  # in force, with no draft beside it


def test_a_version_that_was_rolled_back_is_no_draft_that_a_simulation_takes(
    client: ApiClient, tenant: TestTenant, cases: list[dict[str, Any]]
) -> None:
    assert publish(client, saved(client, {**REST, "name": "owner"})).status_code == 200
    assert publish(client, 1, "astray").status_code == 200
    assert simulated(client, tenant)["number"] == 1
    draft = saved(client, {**REST, "name": "again"})
    assert client.get(POLICY).json["draft"]["number"] == simulated(client, tenant)["number"] == draft
