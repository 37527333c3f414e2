"""What is asked of a case: by reason, before the raise and after, answered bit by bit, followed by one task."""

from collections.abc import Callable
from typing import Any

import pytest

from app import clock
from app.auth.models import User
from app.db import transaction
from app.operations.persons.erase import erase
from app.operations.persons.tables import find_person
from tests.conftest import ApiClient
from tests.escalations.test_service_levels import contract as contract_under
from tests.escalations.test_service_levels import publish

Raise = Callable[..., dict[str, Any]]
Change = Callable[..., dict[str, Any]]
SAID = {"customer_statement": "We cannot export.", "desired_outcome": "Exports work.", "impact": "Forty people wait."}
QUESTIONS = [
    {"key": "since", "ask": "Since when?"},
    {"key": "browser", "ask": "In which browser?", "required": False},
    {"key": "invoice", "ask": "Which invoice?", "reasons": ["billing"]},
]


@pytest.fixture
def book(client: ApiClient) -> dict[str, Any]:
    definition = {"name": "Book", "about": "A book.", "questions": QUESTIONS}
    saved = client.post("/api/v1/playbooks", json={"definition": definition}).json
    return dict(client.post(f"/api/v1/playbooks/{saved['id']}/publish", json={}).json)


@pytest.fixture
def change(client: ApiClient) -> Change:
    """Change what a case says from its present version; answers the record."""

    def send(case: dict[str, Any], status: int = 200, **body: Any) -> dict[str, Any]:
        path = f"/api/v1/escalations/{case['id']}"
        answer = client.patch(path, json=body, if_match=client.get(path).headers["ETag"])
        assert answer.status_code == status, answer.text
        return dict(answer.json)

    return send


def intake_of(client: ApiClient, case: dict[str, Any]) -> dict[str, Any]:
    return dict(client.get(f"/api/v1/escalations/{case['id']}/intake").json)


def tasks_of(client: ApiClient, case: dict[str, Any]) -> list[tuple[str, str]]:
    items = client.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"]
    return [(task["title"], task["state"]) for task in items if task["kind"] == "intake"]


def last_event(client: ApiClient, case: dict[str, Any]) -> dict[str, Any]:
    return dict(client.get(f"/api/v1/escalations/{case['id']}/timeline").json["items"][-1])


def test_what_is_asked_depends_on_the_reason_and_shows_who_answered(
    client: ApiClient, book: Any, raise_case: Raise, tenant: Any
) -> None:
    case = raise_case(reason="billing", impact="Forty people wait.", answers={"since": "Monday", "mood": "angry"})
    found = intake_of(client, case)

    assert [item["key"] for item in found["items"]] == [*SAID, "since", "browser", "invoice", "mood"]
    assert found["missing"] == ["customer_statement", "desired_outcome", "invoice"]
    assert found["completeness"] == case["completeness"] == 40  # two of the five that are required
    of = {item["key"]: item for item in found["items"]}
    assert (of["since"]["ask"], of["since"]["answer"], of["since"]["required"]) == ("Since when?", "Monday", True)
    assert of["since"]["answered_by"]["email"] == of["impact"]["answered_by"]["email"] == tenant.admin.email
    assert of["since"]["answered_at"] == of["mood"]["answered_at"] == case["raised_at"]
    assert (of["invoice"]["answer"], of["invoice"]["answered_at"], of["invoice"]["answered_by"]) == (None, None, None)
    assert (of["mood"]["ask"], of["mood"]["required"], of["browser"]["required"]) == (None, False, False)


def test_answers_are_merged_by_key_and_the_task_names_what_is_still_open(
    client: ApiClient, book: Any, raise_case: Raise, change: Change
) -> None:
    case = raise_case(**SAID, reason="billing")
    assert tasks_of(client, case) == [("Ask the customer: Since when? Which invoice?", "open")]

    after = change(case, answers={"since": "Monday"})
    assert (after["answers"], after["completeness"]) == ({"since": "Monday"}, 80)
    assert tasks_of(client, case) == [("Ask the customer: Which invoice?", "open")]
    event = last_event(client, case)
    assert (event["kind"], event["facts"]["answers"], event["facts"]["missing"]) == ("edit", ["since"], ["invoice"])
    assert event["texts"] == {"answer.since": "Monday"}

    again = change(case, answers={"since": None, "invoice": "R-7"})
    assert (again["answers"], again["completeness"]) == ({"invoice": "R-7"}, 80)
    assert tasks_of(client, case) == [("Ask the customer: Since when?", "open")]


def test_the_task_ends_by_itself_when_nothing_is_missing(
    client: ApiClient, book: Any, raise_case: Raise, change: Change
) -> None:
    case = raise_case()
    task_id = client.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"][0]["id"]
    done = change(case, answers={**SAID, "since": "Monday"})

    assert (done["completeness"], done["impact"], done["answers"]) == (100, SAID["impact"], {"since": "Monday"})
    assert [state for _, state in tasks_of(client, case)] == ["done"]
    facts = last_event(client, case)["facts"]
    assert (facts["task"], facts["state"], facts["because"]) == (task_id, "done", "answered")
    assert client.get(f"/api/v1/escalations/{case['id']}/timeline/verify").json["intact"] is True


def test_the_records_own_texts_count_as_answers_however_they_are_changed(
    client: ApiClient, raise_case: Raise, change: Change
) -> None:
    case = raise_case(customer_statement="We cannot export.", desired_outcome="Exports work.")
    assert change(case, impact="Forty people wait.")["completeness"] == 100
    assert [state for _, state in tasks_of(client, case)] == ["done"]

    assert change(case, answers={"impact": " "})["impact"] is None
    assert tasks_of(client, case)[1:] == [("Ask the customer: What does it do to them?", "open")]


def test_another_reason_asks_its_own_questions(client: ApiClient, book: Any, raise_case: Raise, change: Change) -> None:
    case = raise_case(**SAID, answers={"since": "Monday"}, reason="security")
    assert tasks_of(client, case) == []

    assert change(case, reason="billing")["completeness"] == 80
    assert tasks_of(client, case) == [("Ask the customer: Which invoice?", "open")]
    event = last_event(client, case)
    assert event["kind"] == "task_added"

    assert change(case, reason="security")["completeness"] == 100
    assert tasks_of(client, case) == [("Ask the customer: Which invoice?", "done")]


def test_a_task_that_was_waived_is_not_asked_again_unless_something_new_is_open(
    client: ApiClient, book: Any, raise_case: Raise, change: Change
) -> None:
    case = raise_case(**SAID)
    task = client.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"][0]
    waived = {"state": "waived", "reason": "they do not know"}
    client.patch(f"/api/v1/escalations/{case['id']}/tasks/{task['id']}", json=waived, if_match=task["version"])
    change(case, answers={"browser": "all of them"})
    assert [state for _, state in tasks_of(client, case)] == ["waived"]

    change(case, reason="billing")
    assert [state for _, state in tasks_of(client, case)] == ["waived", "open"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"answers": {"Since when?": "Monday"}}, "answers"),
        ({"answers": {"since": 7}}, "answers"),
        ({"answers": {"impact": "None."}, "impact": "Some."}, "answers"),
        ({"answers": {f"k{n}": "x" for n in range(101)}}, "answers"),
    ],
)
def test_answers_that_cannot_be_meant_are_refused(
    raise_case: Raise, change: Change, body: dict[str, Any], field: str
) -> None:
    case = raise_case(answers={"kept": "yes"})
    refused = change(case, 422, **body)
    assert refused["errors"][0]["pointer"].startswith(f"/{field}")


def test_a_case_keeps_at_most_a_hundred_answers(raise_case: Raise, change: Change) -> None:
    case = raise_case(answers={f"k{n}": "x" for n in range(100)})
    assert change(case, 422, answers={"one_more": "x"})["errors"][0]["pointer"] == "/answers"


def test_who_only_reads_a_case_cannot_answer_for_it(
    raise_case: Raise, make_user: Callable[..., User], as_user: Callable[..., ApiClient]
) -> None:
    case = raise_case()
    other = as_user(make_user("csm", "other@example.com"))
    assert other.get(f"/api/v1/escalations/{case['id']}/intake").status_code == 200
    refused = other.patch(f"/api/v1/escalations/{case['id']}", json={"answers": {"a": "b"}}, if_match=case["version"])
    assert refused.status_code == 403


def test_a_restricted_case_hides_its_answers(
    raise_case: Raise, make_user: Callable[..., User], as_user: Callable[..., ApiClient]
) -> None:
    case = raise_case(restricted=True)
    other = as_user(make_user("csm", "other@example.com"))
    assert other.get(f"/api/v1/escalations/{case['id']}/intake").status_code == 404


def test_reading_the_intake_takes_at_most_four_statements(
    client: ApiClient, book: Any, raise_case: Raise, statements: Any
) -> None:
    case = raise_case()
    intake_of(client, case)
    with statements() as sent:
        intake_of(client, case)
    assert len(sent) <= 4


def test_a_form_is_told_what_will_be_asked(client: ApiClient, book: Any, company: Any) -> None:
    path = f"/api/v1/playbooks/questions?account_id={company.account_id}&severity=2"
    billing, other = client.get(f"{path}&reason=billing").json, client.get(path).json

    assert billing["playbook"] == other["playbook"] == "Book"
    assert [item["key"] for item in billing["items"]] == [*SAID, "since", "browser", "invoice"]
    assert [item["key"] for item in other["items"]] == [*SAID, "since", "browser"]
    assert [item["required"] for item in other["items"]] == [True, True, True, True, False]
    refused = client.get(f"{path}&reason=nonsense")
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/reason")
    nobody = client.get("/api/v1/playbooks/questions?account_id=01900000-0000-7000-8000-000000000000&severity=2")
    assert nobody.status_code == 422
    unsaid = client.get("/api/v1/playbooks/questions")
    assert {error["parameter"] for error in unsaid.json["errors"]} == {"account_id", "severity"}


@pytest.mark.parametrize(("strict", "soft"), [("alpha", "zeta"), ("zeta", "alpha")])
def test_a_form_is_told_by_the_service_level_that_will_hold_of_several(
    client: ApiClient, company: Any, raise_case: Raise, strict: str, soft: str
) -> None:
    """Of two contracts' levels the one with the earlier first answer holds, whatever they are called."""
    for name, hours, contract in ((strict, 1, "K-1"), (soft, 8, "K-2")):
        publish(name, respond={"business_hours": hours})
        contract_under(contract, name)
        when = {"field": "contract.service_level", "op": "=", "value": name}
        definition = {"name": f"Book of {name}", "about": "A book.", "when": when, "questions": QUESTIONS[:1]}
        saved = client.post("/api/v1/playbooks", json={"definition": definition}).json
        assert client.post(f"/api/v1/playbooks/{saved['id']}/publish", json={}).status_code == 200
    found = client.get(f"/api/v1/playbooks/questions?account_id={company.account_id}&severity=2").json
    case = raise_case()

    assert found["playbook"] == f"Book of {strict}"
    assert client.get(f"/api/v1/escalations/{case['id']}/playbook").json["name"] == found["playbook"]


def test_without_a_playbook_the_three_of_every_case_are_asked(client: ApiClient, company: Any) -> None:
    found = client.get(f"/api/v1/playbooks/questions?account_id={company.account_id}&severity=2").json
    assert (found["playbook"], [item["key"] for item in found["items"]]) == (None, list(SAID))


def test_answers_are_erased_with_the_customer_who_gave_them(
    client: ApiClient, raise_case: Raise, change: Change
) -> None:
    case = raise_case(raised_by={"kind": "customer", "email": "pat@customer.example"}, answers={"Our plan": "Leave."})
    change(case, answers={"since": "my wedding", "impact": "I stay late"})
    with transaction():
        erase(find_person("pat@customer.example"), clock.real_now())

    record = client.get(f"/api/v1/escalations/{case['id']}").json
    assert (record["answers"], record["impact"]) == ({}, None)
    timeline = client.get(f"/api/v1/escalations/{case['id']}/timeline")
    assert [word for word in ("Our plan", "Leave", "wedding", "late") if word in timeline.text] == []
    assert client.get(f"/api/v1/escalations/{case['id']}/timeline/verify").json["intact"] is True
