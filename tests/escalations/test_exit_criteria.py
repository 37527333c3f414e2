"""Exit criteria: the playbook's and those agreed with the customer, settled early, counted by resolving."""

from collections.abc import Callable
from typing import Any

import pytest

from app.auth.models import User
from tests.conftest import ApiClient
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]
WORDS = {"summary": "Fixed", "root_cause": "A full disk", "preventable": True}


@pytest.fixture
def case(client: ApiClient, raise_case: Raise) -> str:
    """The path of a case in progress whose playbook has one criterion."""
    book = {"name": "Book", "about": "A book.", "exit_criteria": [{"key": "works", "text": "It works for them."}]}
    made = client.post("/api/v1/playbooks", json={"definition": book})
    assert client.post(f"/api/v1/playbooks/{made.json['id']}/publish", json={}).status_code == 200
    path = f"/api/v1/escalations/{raise_case()['id']}"
    assert client.post(f"{path}/acknowledge", json={}).status_code == 200
    return path


def agree(client: ApiClient, case: str, text: str = "No errors for a week.") -> dict[str, Any]:
    made = client.post(f"{case}/exit-criteria", json={"text": text, "agreed_with": "Jo Weber"})
    assert made.status_code == 201, made.text
    return dict(made.json)


def listed(client: ApiClient, case: str) -> dict[str, dict[str, Any]]:
    return {one["key"]: one for one in client.get(f"{case}/exit-criteria").json["items"]}


def settle(client: ApiClient, case: str, key: str, state: str, **body: Any) -> Any:
    version = listed(client, case)[key]["version"]
    return client.patch(f"{case}/exit-criteria/{key}", json={"state": state, **body}, if_match=version)


def test_a_criterion_says_what_is_wanted_who_asks_for_it_and_how_it_stands(client: ApiClient, case: str) -> None:
    agree(client, case)
    assert settle(client, case, "works", "met").status_code == 200

    works, agreed = listed(client, case).values()
    assert (works["text"], works["required_by"], works["state"]) == ("It works for them.", "playbook", "met")
    assert (works["by"]["email"], works["at"] is None) == ("admin@example.com", False)
    assert (agreed["key"], agreed["required_by"], agreed["agreed_with"]) == ("agreed-1", "agreement", "Jo Weber")
    assert (agreed["state"], agreed["by"], agreed["at"]) == ("open", None, None)


def test_what_was_agreed_for_one_case_stands_between_it_and_its_end_alone(
    client: ApiClient, case: str, raise_case: Raise
) -> None:
    agree(client, case)
    other = f"/api/v1/escalations/{raise_case(title='Another')['id']}"
    assert list(listed(client, other)) == ["works"]

    refused = client.post(f"{case}/resolve", json={**WORDS, "met": ["works"]})
    assert [one["criterion"] for one in refused.json["missing"]] == ["agreed-1"]
    reason = {"criterion": "agreed-1", "reason": "They moved to the new exporter."}
    assert client.post(f"{case}/resolve", json={**WORDS, "met": ["works"], "waived": [reason]}).status_code == 200
    assert listed(client, case)["agreed-1"]["reason"] == "They moved to the new exporter."


def test_what_was_met_early_need_not_be_said_again(client: ApiClient, case: str) -> None:
    settle(client, case, "works", "met")

    assert client.post(f"{case}/resolve", json=WORDS).json["status"] == "resolved"


def test_a_refused_resolve_settles_nothing(client: ApiClient, case: str) -> None:
    agree(client, case)
    assert client.post(f"{case}/resolve", json={**WORDS, "met": ["works"]}).status_code == 409
    assert listed(client, case)["works"]["state"] == "open"


def test_a_waiver_needs_its_reason_and_can_be_taken_back(client: ApiClient, case: str) -> None:
    refused = settle(client, case, "works", "waived")
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/reason")
    assert settle(client, case, "works", "waived", reason="They left the product.").json["state"] == "waived"
    assert settle(client, case, "works", "open").json["state"] == "open"
    kinds = [event["kind"] for event in client.get(f"{case}/timeline").json["items"]]
    assert kinds[-2:] == ["criterion_waived", "criterion_opened"]


def test_two_people_at_once_do_not_overwrite_each_other(client: ApiClient, case: str) -> None:
    seen = listed(client, case)["works"]["version"]
    path = f"{case}/exit-criteria/works"
    assert client.patch(path, json={"state": "met"}, if_match=seen).status_code == 200
    assert client.patch(path, json={"state": "waived", "reason": "x"}, if_match=seen).status_code == 412
    assert client.patch(path, json={"state": "met"}).status_code == 428


@pytest.mark.parametrize("body", [{}, {"text": " ", "agreed_with": "Jo"}, {"text": "It works."}, {"text": "x" * 2_001}])
def test_an_agreement_without_words_or_somebody_to_agree_with_is_refused(
    client: ApiClient, case: str, body: dict[str, str]
) -> None:
    assert client.post(f"{case}/exit-criteria", json=body).status_code == 422


def test_an_unknown_criterion_is_not_found(client: ApiClient, case: str) -> None:
    assert client.patch(f"{case}/exit-criteria/nonsense", json={"state": "met"}, if_match=0).status_code == 404


def test_once_resolved_the_customer_has_the_word(client: ApiClient, case: str) -> None:
    client.post(f"{case}/resolve", json={**WORDS, "met": ["works"]})
    late = client.post(f"{case}/exit-criteria", json={"text": "More.", "agreed_with": "Jo"})
    assert (late.status_code, late.json["code"]) == (409, "step_not_allowed")
    assert settle(client, case, "works", "open").status_code == 409


def test_criteria_are_for_whoever_works_on_the_case(
    client: ApiClient, case: str, as_user: Callable[[User], ApiClient], company: Company, make_user: Callable[..., User]
) -> None:
    body = {"text": "It works.", "agreed_with": "Jo"}
    assert as_user(make_user("csm", "other@example.com")).post(f"{case}/exit-criteria", json=body).status_code == 403
    assert as_user(company.owner).post(f"{case}/exit-criteria", json=body).status_code == 201


def test_after_a_reopening_what_was_met_is_asked_again_and_done_tasks_stay_done(client: ApiClient, case: str) -> None:
    task = client.post(f"{case}/tasks", json={"title": "Call them", "required": True}).json
    path = f"{case}/tasks/{task['id']}"
    assert client.patch(path, json={"state": "done"}, if_match=task["version"]).status_code == 200
    agree(client, case)
    waived = [{"criterion": "agreed-1", "reason": "Not needed."}]
    client.post(f"{case}/resolve", json={**WORDS, "met": ["works"], "waived": waived})
    client.post(f"{case}/verify", json={"accepted": True, "confirmed_by": "Jo", "channel": "call"})
    assert client.post(f"{case}/reopen", json={"reason": "It is back."}).json["status"] == "in_progress"

    assert {key: one["state"] for key, one in listed(client, case).items()} == {"works": "open", "agreed-1": "waived"}
    refused = client.post(f"{case}/resolve", json=WORDS)
    assert [one.get("criterion") for one in refused.json["missing"]] == ["works"]


def test_what_was_agreed_with_a_merged_case_holds_for_the_survivor(
    client: ApiClient, case: str, raise_case: Raise
) -> None:
    agree(client, case, "No errors for a week.")
    other = f"/api/v1/escalations/{raise_case(title='The same')['id']}"
    agree(client, other, "No errors for a week.")
    agree(client, other, "Invoices are right.")
    survivor = case.rpartition("/")[2]
    assert client.post(f"{other}/merge", json={"into_id": survivor, "reason": "The same cause"}).status_code == 200

    agreed = [one["text"] for one in listed(client, case).values() if one["required_by"] == "agreement"]
    assert agreed == ["No errors for a week.", "Invoices are right."]


def test_criteria_come_page_by_page(client: ApiClient, case: str) -> None:
    for number in range(3):
        agree(client, case, f"Number {number}")
    first = client.get(f"{case}/exit-criteria?limit=3").json
    rest = client.get(f"{case}/exit-criteria?limit=3&cursor={first['next_cursor']}").json
    assert [one["key"] for one in first["items"] + rest["items"]] == ["works", "agreed-1", "agreed-2", "agreed-3"]
    assert rest["next_cursor"] is None
