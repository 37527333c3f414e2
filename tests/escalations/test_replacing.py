"""Another playbook for an open case: what happens to each open task is shown first, then done exactly so."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from app.auth.models import User
from tests.conftest import ApiClient
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]
AsUser = Callable[[User], ApiClient]


def task(key: str, **members: Any) -> dict[str, Any]:
    return {"key": key, "title": key.capitalize(), **members}


OLD = {
    "when": {"field": "escalation.reason", "op": "=", "value": "billing"},
    "tasks": [
        task("call", due={"business_hours": 8}),
        task("listen"),
        task("check", after=["listen"]),
        task("invoice", due={"business_hours": 4}, required=True),
        task("audit", after=["invoice"]),
    ],
    "tiers": [{"tier": "tier_1", "within": {"business_hours": 6}}, {"tier": "tier_2"}],
    "updates": {"executive": {"business_days": 2}},
    "exit_criteria": [{"key": "paid", "text": "The bill is right."}, {"key": "calm", "text": "They are content."}],
}
NEW = {
    "when": {"field": "escalation.reason", "op": "=", "value": "other"},
    "questions": [{"key": "since", "ask": "Since when?"}],
    "tasks": [
        task("call", title="Call them twice", role="csm", due={"business_hours": 1}),
        task("listen"),
        task("check", after=["call"]),
        task("page", after=["listen"], required=True, due={"business_hours": 2}),
        task("wait", after=["page"]),
        task("deep", tier="tier_3"),
    ],
    "tiers": [{"tier": "tier_1", "within": {"business_hours": 12}}, {"tier": "tier_3"}],
    "updates": {"account_team": {"business_days": 1}},
    "exit_criteria": [{"key": "calm", "text": "They are content."}, {"key": "up", "text": "It works."}],
}


@pytest.fixture
def publish(client: ApiClient) -> Callable[..., str]:
    def make(name: str, **members: Any) -> str:
        body = {"definition": {"name": name, "about": "A book.", **members}}
        made = client.post("/api/v1/playbooks", json=body)
        assert made.status_code == 201, made.text
        assert client.post(f"/api/v1/playbooks/{made.json['id']}/publish", json={}).status_code == 200
        return str(made.json["id"])

    return make


@pytest.fixture
def other(publish: Callable[..., str]) -> str:
    publish("Old", **OLD)
    return publish("New", **NEW)


def tasks_of(client: ApiClient, case: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By key, the open one before one that ended."""
    items = client.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"]
    return {item["key"]: item for item in sorted(items, key=lambda item: item["state"] == "open") if item["key"]}


def end(client: ApiClient, case: dict[str, Any], key: str, **body: Any) -> None:
    found = tasks_of(client, case)[key]
    path = f"/api/v1/escalations/{case['id']}/tasks/{found['id']}"
    assert client.patch(path, json={"state": "done", **body}, if_match=found["version"]).status_code == 200


def preview(client: ApiClient, case: dict[str, Any], playbook_id: str) -> dict[str, Any]:
    found = client.post(f"/api/v1/escalations/{case['id']}/playbook/preview", json={"playbook_id": playbook_id})
    assert found.status_code == 200, found.text
    return dict(found.json)


def replace(client: ApiClient, case: dict[str, Any], playbook_id: str, digest: str) -> Any:
    body = {"playbook_id": playbook_id, "reason": "It is an outage after all", "digest": digest}
    return client.post(f"/api/v1/escalations/{case['id']}/playbook", json=body)


def clocks_of(client: ApiClient, case: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Without the time that has passed, which goes on between two looks."""
    items = client.get(f"/api/v1/escalations/{case['id']}/clocks").json["items"]
    kept = [{name: value for name, value in item.items() if name != "elapsed_seconds"} for item in items]
    return {item["kind"] if item["subject"] in ("-", None) else item["subject"]: item for item in kept}


def test_what_happens_to_each_task_clock_tier_and_criterion_is_shown_and_nothing_is_done(
    client: ApiClient, raise_case: Raise, other: str
) -> None:
    case = raise_case(reason="billing")
    end(client, case, "listen")
    version = client.get(f"/api/v1/escalations/{case['id']}").json["version"]
    before = tasks_of(client, case), clocks_of(client, case)
    shown = preview(client, case, other)

    lines = {line["key"]: (line["what"], line["ready"], line["changes"]) for line in shown["tasks"]}
    assert lines == {
        "call": ("kept", True, ["title", "role"]),
        "check": ("kept", True, ["after"]),  # it was ready, and stays so
        "page": ("new", True, []),  # what it waits for is done
        "wait": ("new", False, []),
        "listen": ("stays", False, []),
        "invoice": ("ended", False, []),
        "audit": ("ended", False, []),
    }
    assert {line["kind"]: line["what"] for line in shown["clocks"]} == {
        "tier": "retargeted",
        "executive_update": "ended",
        "account_team_update": "started",
    }
    assert shown["path"] == {"was": ["tier_1", "tier_2"], "becomes": ["tier_1", "tier_3"], "tier": "tier_1"}
    assert {one["key"]: one["what"] for one in shown["exit_criteria"]} == {"calm": "kept", "up": "new", "paid": "ended"}
    assert (shown["completeness"], shown["missing"][-1]) == ({"was": 0, "becomes": 0}, "Since when?")
    assert (tasks_of(client, case), clocks_of(client, case)) == before
    assert client.get(f"/api/v1/escalations/{case['id']}").json["version"] == version


def test_it_is_done_exactly_as_shown(client: ApiClient, raise_case: Raise, other: str, company: Company) -> None:
    case = raise_case(reason="billing")
    end(client, case, "listen")
    call_due = tasks_of(client, case)["call"]["due_at"]
    shown = preview(client, case, other)
    done = replace(client, case, other, shown["digest"])
    assert done.status_code == 200, done.text

    found = tasks_of(client, case)
    open_ = {key for key, one in found.items() if one["state"] == "open"}
    assert open_ == {line["key"] for line in shown["tasks"] if line["what"] in ("kept", "new")}
    call = found["call"]
    assert (call["title"], call["assignee_id"], call["due_at"]) == ("Call them twice", str(company.csm.id), call_due)
    assert {key: (found[key]["state"], found[key]["reason"]) for key in ("invoice", "audit", "listen")} == {
        "invoice": ("waived", "playbook replaced"),
        "audit": ("waived", "playbook replaced"),
        "listen": ("done", None),
    }
    clocks = clocks_of(client, case)
    assert clocks[found["invoice"]["id"]]["state"] == "cancelled"
    assert clocks[call["id"]]["state"] == "running"
    assert clocks[found["page"]["id"]]["due_at"] == found["page"]["due_at"] is not None
    assert (clocks["executive_update"]["state"], clocks["account_team_update"]["state"]) == ("cancelled", "running")
    retargeted = next(line for line in shown["clocks"] if line["kind"] == "tier")
    assert clocks["tier"]["due_at"] == retargeted["becomes"]
    [event] = [
        one
        for one in client.get(f"/api/v1/escalations/{case['id']}/timeline").json["items"]
        if one["kind"] == "playbook_replaced"
    ]
    assert event["texts"]["reason"] == "It is an outage after all"
    assert set(event["facts"]["ended"]) == {found["invoice"]["id"], found["audit"]["id"]}
    assert client.get(f"/api/v1/escalations/{case['id']}/timeline/verify").json["intact"]
    refused = client.post(
        f"/api/v1/escalations/{case['id']}/escalate", json={"reason": "time", "brief": "B.", "to_tier": "tier_2"}
    )
    assert (refused.status_code, refused.json["allowed"]) == (409, ["tier_3"])


def test_when_the_ground_has_changed_it_is_refused_and_nothing_is_done(
    client: ApiClient, raise_case: Raise, other: str
) -> None:
    case = raise_case(reason="billing")
    shown = preview(client, case, other)
    end(client, case, "invoice")
    before = tasks_of(client, case), clocks_of(client, case)
    refused = replace(client, case, other, shown["digest"])

    assert (refused.status_code, refused.json["code"]) == (409, "ground_changed")
    assert (tasks_of(client, case), clocks_of(client, case)) == before
    again = preview(client, case, other)
    assert replace(client, case, other, again["digest"]).status_code == 200


def test_what_is_done_counts_for_what_waits_and_the_next_end_goes_on_by_the_new_order(
    client: ApiClient, raise_case: Raise, other: str
) -> None:
    case = raise_case(reason="billing")
    replace(client, case, other, preview(client, case, other)["digest"])
    found = tasks_of(client, case)
    assert {key for key, one in found.items() if one["state"] == "open" and one["ready_at"]} == {"call", "listen"}
    end(client, case, "listen")
    assert tasks_of(client, case)["page"]["ready_at"] is not None
    assert tasks_of(client, case)["check"]["ready_at"] is None  # it waits for `call` by the new order
    end(client, case, "call")
    assert tasks_of(client, case)["check"]["ready_at"] is not None
    end(client, case, "page")
    assert tasks_of(client, case)["wait"]["ready_at"] is not None


def test_back_again_what_was_ended_by_it_is_asked_for_anew_and_waited_for(
    client: ApiClient, raise_case: Raise, publish: Callable[..., str]
) -> None:
    old, other = publish("Old", **OLD), publish("New", **NEW)
    case = raise_case(reason="billing")
    for playbook_id in (other, old):
        replaced = replace(client, case, playbook_id, preview(client, case, playbook_id)["digest"])
        assert replaced.status_code == 200, replaced.text

    found = tasks_of(client, case)
    assert {key: (found[key]["state"], found[key]["ready_at"] is not None) for key in ("invoice", "audit")} == {
        "invoice": ("open", True),
        "audit": ("open", False),
    }
    end(client, case, "invoice")
    assert tasks_of(client, case)["audit"]["ready_at"] is not None


def test_who_can_begin_a_kept_task_through_it_hears_of_it(
    client: ApiClient, raise_case: Raise, publish: Callable[..., str], company: Company, as_user: AsUser
) -> None:
    publish("First", tasks=[task("call"), task("check", after=["call"])])
    case = raise_case()
    later = publish("Later", rank=900, tasks=[task("check")])
    assert replace(client, case, later, preview(client, case, later)["digest"]).status_code == 200

    heard = as_user(company.owner).get("/api/v1/notifications").json["items"]
    assert [one["body"] for one in heard if "another playbook" in one["subject"]] == ["Check"]


SAID = {"customer_statement": "We cannot export.", "desired_outcome": "Exports work.", "impact": "Forty people wait."}


def intake_tasks(client: ApiClient, case: dict[str, Any]) -> list[tuple[str, str]]:
    items = client.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"]
    return [(task["title"], task["state"]) for task in items if task["kind"] == "intake"]


def test_the_intake_task_names_what_the_other_playbook_asks(
    client: ApiClient, raise_case: Raise, publish: Callable[..., str], company: Company, as_user: AsUser
) -> None:
    """Asked more it is renamed, asked nothing it is done, asked anew there is another, of which its owner hears."""
    since, where = {"key": "since", "ask": "Since when?"}, {"key": "where", "ask": "Where?"}
    publish("One", rank=1, questions=[since])
    two, none = publish("Two", rank=2, questions=[{**since, "ask": "Since what day?"}, where]), publish("None", rank=3)
    three = publish("Three", rank=4, questions=[where])
    case = raise_case(**SAID)
    assert intake_tasks(client, case) == [("Ask the customer: Since when?", "open")]

    shown = preview(client, case, two)
    assert (shown["intake"]["what"], shown["intake"]["title"]) == (
        "renamed",
        "Ask the customer: Since what day? Where?",
    )
    assert intake_tasks(client, case) == [("Ask the customer: Since when?", "open")]
    assert replace(client, case, two, shown["digest"]).status_code == 200
    assert intake_tasks(client, case) == [("Ask the customer: Since what day? Where?", "open")]

    shown = preview(client, case, none)
    assert shown["intake"]["what"] == "done"
    assert replace(client, case, none, shown["digest"]).status_code == 200
    assert [state for _, state in intake_tasks(client, case)] == ["done"]

    shown = preview(client, case, three)
    assert shown["intake"] == {"what": "new", "task_id": None, "title": "Ask the customer: Where?"}
    assert replace(client, case, three, shown["digest"]).status_code == 200
    assert intake_tasks(client, case)[1:] == [("Ask the customer: Where?", "open")]
    heard = as_user(company.owner).get("/api/v1/notifications").json["items"]
    assert [one["body"] for one in heard if "another playbook" in one["subject"]] == ["Ask the customer: Where?"]
    answered = client.patch(
        f"/api/v1/escalations/{case['id']}",
        json={"answers": {"where": "Everywhere"}},
        if_match=client.get(f"/api/v1/escalations/{case['id']}").headers["ETag"],
    )
    assert answered.json["completeness"] == 100
    assert [state for _, state in intake_tasks(client, case)] == ["done", "done"]
    assert client.get(f"/api/v1/escalations/{case['id']}/timeline/verify").json["intact"]


def test_questions_that_were_given_up_stay_so_unless_another_one_is_open(
    client: ApiClient, raise_case: Raise, publish: Callable[..., str]
) -> None:
    publish("One", rank=1, questions=[{"key": "since", "ask": "Since when?"}])
    same = publish("Two", rank=2, questions=[{"key": "since", "ask": "Since what day?"}])
    case = raise_case(**SAID)
    [task_] = client.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"]
    path = f"/api/v1/escalations/{case['id']}/tasks/{task_['id']}"
    client.patch(path, json={"state": "waived", "reason": "They do not know"}, if_match=task_["version"])
    shown = preview(client, case, same)
    assert shown["intake"] is None
    assert replace(client, case, same, shown["digest"]).status_code == 200
    assert intake_tasks(client, case) == [("Ask the customer: Since when?", "waived")]


def test_a_case_without_a_playbook_gets_one_with_its_first_question(
    client: ApiClient, raise_case: Raise, other: str
) -> None:
    case = raise_case(reason="security")
    assert client.get(f"/api/v1/escalations/{case['id']}/playbook").json["name"] is None
    shown = preview(client, case, other)
    assert shown["question"] == "Can it be resolved here (tier 1)?"
    assert replace(client, case, other, shown["digest"]).status_code == 200
    titles = [one["title"] for one in client.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"]]
    assert shown["question"] in titles
    assert clocks_of(client, case)["tier"]["state"] == "running"


def test_how_a_case_stands_by_its_playbook(client: ApiClient, raise_case: Raise, other: str, statements: Any) -> None:
    case = raise_case(reason="billing", impact="They stop paying.")
    end(client, case, "listen")
    path = f"/api/v1/escalations/{case['id']}/playbook"
    client.get(path)
    with statements() as seen:
        found = client.get(path).json
    assert len(seen) <= 6, seen
    assert (found["name"], found["number"], found["is_current"]) == ("Old", 1, True)
    assert found["tasks"] == {"ready": 3, "waiting": 1, "done": 1, "waived": 0, "required_open": 1}
    assert found["tiers"] == [{"tier": "tier_1", "state": "current"}, {"tier": "tier_2", "state": "ahead"}]
    assert found["questions"]["completeness"] == 33
    assert [(one["key"], one["state"]) for one in found["exit_criteria"]] == [("paid", "open"), ("calm", "open")]


def test_bad_input_is_answered_by_name(
    client: ApiClient, raise_case: Raise, other: str, publish: Callable[..., str], company: Company, as_user: AsUser
) -> None:
    case = raise_case(reason="other")
    draft = client.post("/api/v1/playbooks", json={"definition": {"name": "Draft", "about": "D."}}).json["id"]
    preview_path = f"/api/v1/escalations/{case['id']}/playbook/preview"
    for wrong in (other, draft, str(UUID(int=5))):  # the case's own, one never published, none at all
        refused = client.post(preview_path, json={"playbook_id": wrong})
        assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/playbook_id")
    assert client.post(preview_path, json={}).json["errors"][0]["pointer"] == "/playbook_id"
    third = publish("Third", rank=900)
    assert as_user(company.csm).post(preview_path, json={"playbook_id": third}).status_code == 403
    assert as_user(company.owner).post(preview_path, json={"playbook_id": third}).status_code == 200
    body = {"outcome": "withdrawn", "reason": "They took it back"}
    client.post(f"/api/v1/escalations/{case['id']}/close-unresolved", json=body)
    over = client.post(preview_path, json={"playbook_id": third})
    assert (over.status_code, over.json["code"]) == (409, "step_not_allowed")
