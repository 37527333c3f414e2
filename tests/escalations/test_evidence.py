"""Finishing tasks: what shows that one is done, done before its turn, by who does it, and my tasks across cases."""

from collections.abc import Callable
from typing import Any

import pytest

from app.auth.models import User
from tests.conftest import ApiClient
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]
AsUser = Callable[[User], ApiClient]
TASKS = [
    {"key": "call", "title": "Call", "role": "csm", "due": {"business_hours": 4}},
    {"key": "write", "title": "Write", "role": "csm", "after": ["call"]},
    {"key": "tell", "title": "Tell", "after": ["write"]},
]


@pytest.fixture(autouse=True)
def book(client: ApiClient) -> None:
    made = client.post("/api/v1/playbooks", json={"definition": {"name": "Book", "about": "A book.", "tasks": TASKS}})
    client.post(f"/api/v1/playbooks/{made.json['id']}/publish", json={})


def tasks_of(client: ApiClient, case: dict[str, Any]) -> dict[str, dict[str, Any]]:
    items = client.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"]
    return {item["key"]: item for item in items if item["key"]}


def change(client: ApiClient, case: dict[str, Any], task: dict[str, Any], **body: Any) -> Any:
    path = f"/api/v1/escalations/{case['id']}/tasks/{task['id']}"
    return client.patch(path, json=body, if_match=task["version"])


def test_what_shows_that_a_task_is_done_is_kept_as_text_and_shown_with_it(client: ApiClient, raise_case: Raise) -> None:
    case = raise_case()
    task = tasks_of(client, case)["call"]
    evidence = {"text": "They say it works.", "links": ["https://example.com/a", "http://wiki/b"]}
    done = change(client, case, task, state="done", evidence=evidence)
    assert done.status_code == 200, done.text
    for found in (done.json, tasks_of(client, case)["call"]):
        assert {name: found["evidence"][name] for name in evidence} == evidence
        assert found["evidence"]["by"]["email"].startswith("admin")
    events = client.get(f"/api/v1/escalations/{case['id']}/timeline").json["items"]
    [event] = [one for one in events if one["kind"] == "task"]
    assert event["texts"]["evidence"] == "They say it works."
    assert "They say it works." not in str(event["facts"])  # it can be erased

    later = change(client, case, done.json, evidence={"links": ["https://example.com/c"]})
    assert (later.json["evidence"]["text"], later.json["evidence"]["links"]) == (None, ["https://example.com/c"])
    assert tasks_of(client, case)["write"]["evidence"] is None


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"evidence": {"text": "x"}}, "/evidence"),
        ({"state": "waived", "reason": "r", "evidence": {"text": "x"}}, "/evidence"),
        ({"state": "done", "evidence": {}}, "/evidence"),
        ({"state": "done", "evidence": {"text": "  "}}, "/evidence/text"),
        ({"state": "done", "evidence": {"links": ["javascript:alert(1)"]}}, "/evidence/links/0"),
        ({"state": "done", "evidence": {"links": []}}, "/evidence/links"),
        ({"state": "done", "evidence": {"attachments": []}}, "/evidence/attachments"),
        ({"state": "done", "evidence": {"attachments": ["a.log"]}}, "/evidence/attachments/0"),
    ],
)
def test_evidence_that_shows_nothing_is_refused(
    client: ApiClient, raise_case: Raise, body: dict[str, Any], pointer: str
) -> None:
    case = raise_case()
    refused = change(client, case, tasks_of(client, case)["call"], **body)
    assert (refused.status_code, refused.json["errors"][0]["pointer"].removesuffix("/_schema")) == (422, pointer)
    assert tasks_of(client, case)["call"]["state"] == "open"


def attached(client: ApiClient, case: dict[str, Any], name: str) -> str:
    sent = {"data": name.encode(), "content_type": "text/plain"}
    made = client.post(f"/api/v1/escalations/{case['id']}/attachments?filename={name}", **sent)
    assert made.status_code == 201, made.text
    return str(made.json["id"])


def test_files_of_the_case_show_that_a_task_is_done_and_are_named_with_it(client: ApiClient, raise_case: Raise) -> None:
    case = raise_case()
    files = [attached(client, case, name) for name in ("first.log", "second.log")]
    task = tasks_of(client, case)["call"]
    done = change(client, case, task, state="done", evidence={"attachments": files})
    assert done.status_code == 200, done.text
    for found in (done.json, tasks_of(client, case)["call"]):
        assert [(one["id"], one["name"]) for one in found["evidence"]["attachments"]] == [
            (files[0], "first.log"),
            (files[1], "second.log"),
        ]
        assert (found["evidence"]["text"], found["evidence"]["links"]) == (None, [])

    gone = client.post(f"/api/v1/escalations/{case['id']}/attachments/{files[0]}/remove", json={"reason": "A secret"})
    assert gone.status_code == 200
    shown = tasks_of(client, case)["call"]["evidence"]["attachments"]
    assert [one["state"] for one in shown] == ["removed", "unscanned"]
    text = change(client, case, tasks_of(client, case)["call"], evidence={"text": "They say it works."})
    assert text.json["evidence"]["attachments"] == []


def test_a_file_of_another_case_or_one_that_is_gone_shows_nothing(client: ApiClient, raise_case: Raise) -> None:
    case, other = raise_case(), raise_case(title="Imports fail")
    mine, theirs, removed = (
        attached(client, one, name) for one, name in ((case, "a.log"), (other, "b.log"), (case, "c.log"))
    )
    client.post(f"/api/v1/escalations/{case['id']}/attachments/{removed}/remove", json={"reason": "A secret"})
    for wrong in (theirs, removed, case["id"]):
        task = tasks_of(client, case)["call"]
        refused = change(client, case, task, state="done", evidence={"attachments": [mine, wrong]})
        assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/evidence/attachments/1")
    assert tasks_of(client, case)["call"]["state"] == "open"


def test_a_task_may_be_done_before_its_turn_which_is_noted(client: ApiClient, raise_case: Raise) -> None:
    case = raise_case()
    early = change(client, case, tasks_of(client, case)["write"], state="done")
    assert (early.status_code, early.json["ready_at"]) == (200, None)
    events = client.get(f"/api/v1/escalations/{case['id']}/timeline").json["items"]
    [fact] = [one["facts"] for one in events if one["kind"] == "task"]
    assert (fact["early"], fact["waited_for"]) == (True, ["call"])
    assert tasks_of(client, case)["tell"]["ready_at"] is not None


def test_one_done_early_and_opened_again_is_ready_if_what_it_waited_for_has_ended(
    client: ApiClient, raise_case: Raise
) -> None:
    case = raise_case()
    early = change(client, case, tasks_of(client, case)["write"], state="done").json
    change(client, case, tasks_of(client, case)["call"], state="done")
    assert change(client, case, early, state="open").json["ready_at"] is not None


def test_of_two_changes_at_once_the_second_is_refused(client: ApiClient, raise_case: Raise) -> None:
    case = raise_case()
    task = tasks_of(client, case)["call"]
    assert change(client, case, task, state="done").status_code == 200
    second = change(client, case, task, state="waived", reason="Not needed")
    assert (second.status_code, second.json["code"]) == (412, "stale")
    assert tasks_of(client, case)["call"]["state"] == "done"


def test_who_does_a_task_finishes_it_with_evidence_and_moves_nothing_else(
    client: ApiClient, raise_case: Raise, company: Company, as_user: AsUser, make_user: Callable[..., User]
) -> None:
    case, csm = raise_case(), as_user(company.csm)
    task = tasks_of(csm, case)["call"]
    stranger = as_user(make_user("csm", "stranger@example.com"))
    assert change(stranger, case, task, state="done").status_code == 403
    move = f"/api/v1/escalations/{case['id']}/tasks/{task['id']}/move"
    assert csm.post(move, json={"due_at": "2035-01-01T00:00:00Z", "cascade": True}).status_code == 403
    done = change(csm, case, task, state="done", evidence={"text": "Called."})
    assert (done.status_code, done.json["evidence"]["by"]["email"]) == (200, company.csm.email)
    assert change(csm, case, tasks_of(csm, case)["tell"], state="done").status_code == 403  # the owner's


def test_my_tasks_by_state_and_due(
    client: ApiClient, raise_case: Raise, company: Company, as_user: AsUser, statements: Any
) -> None:
    mine, cases = as_user(company.csm), [raise_case(title=f"Exports fail {n}") for n in range(3)]
    mine.get("/api/v1/me/tasks")  # the process knows its tenant and token from here on
    with statements() as seen:
        assert len(mine.get("/api/v1/me/tasks").json["items"]) == 3
    assert len(seen) <= 4, seen
    assert [one["key"] for one in mine.get("/api/v1/me/tasks?state=waiting").json["items"]] == ["write"] * 3
    due = min(one["due_at"] for one in mine.get("/api/v1/me/tasks").json["items"])
    assert mine.get(f"/api/v1/me/tasks?due_before={due}").json["items"] == []
    assert len(mine.get("/api/v1/me/tasks?due_before=2035-01-01T00:00:00Z").json["items"]) == 3

    for case in cases:
        change(client, case, tasks_of(client, case)["call"], state="done")
    first = mine.get("/api/v1/me/tasks?state=done&limit=2").json
    rest = mine.get(f"/api/v1/me/tasks?state=done&limit=2&cursor={first['next_cursor']}").json
    listed = [one["escalation"] for one in (*first["items"], *rest["items"])]
    assert listed == ["Exports fail 2", "Exports fail 1", "Exports fail 0"]  # the last done first
    assert rest["next_cursor"] is None
    assert mine.get("/api/v1/me/tasks?state=waived").json["items"] == []
    assert mine.get("/api/v1/me/tasks?state=late").status_code == 422


def test_a_case_about_me_or_restricted_is_not_among_my_tasks(
    client: ApiClient, raise_case: Raise, company: Company, as_user: AsUser
) -> None:
    mine, case = as_user(company.csm), raise_case()
    change(client, case, tasks_of(client, case)["call"], state="done")
    assert len(mine.get("/api/v1/me/tasks?state=done").json["items"]) == 1
    path = f"/api/v1/escalations/{case['id']}"
    client.patch(path, json={"restricted": True}, if_match=client.get(path).json["version"])
    assert mine.get("/api/v1/me/tasks?state=done").json["items"] == []
