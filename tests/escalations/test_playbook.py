"""A case handled by a playbook: chosen on raise, its tasks in order, its path and its exit criteria."""

from collections.abc import Callable
from typing import Any

import pytest

from app.auth.models import User
from tests.conftest import ApiClient
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]
BILLING = {"field": "escalation.reason", "op": "=", "value": "billing"}


def task(key: str, **members: Any) -> dict[str, Any]:
    return {"key": key, "title": key.capitalize(), **members}


@pytest.fixture
def publish(client: ApiClient) -> Callable[..., dict[str, Any]]:
    def make(name: str = "Book", **members: Any) -> dict[str, Any]:
        book = client.post("/api/v1/playbooks", json={"definition": {"name": name, "about": "A book.", **members}})
        assert book.status_code == 201, book.text
        found = client.post(f"/api/v1/playbooks/{book.json['id']}/publish", json={})
        assert found.status_code == 200
        return dict(found.json)

    return make


def tasks_of(client: ApiClient, case: dict[str, Any]) -> dict[str, dict[str, Any]]:
    items = client.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"]
    return {item["key"]: item for item in items if item["key"]}


def end(client: ApiClient, case: dict[str, Any], key: str, state: str = "done", **body: Any) -> None:
    found = tasks_of(client, case)[key]
    path = f"/api/v1/escalations/{case['id']}/tasks/{found['id']}"
    assert client.patch(path, json={"state": state, **body}, if_match=found["version"]).status_code == 200


def test_a_case_gets_the_playbook_of_the_lowest_rank_whose_condition_holds(
    client: ApiClient, publish: Any, raise_case: Raise
) -> None:
    publish("General", rank=900, tasks=[task("general")])
    publish("Bills", rank=100, when=BILLING, tasks=[task("bills")])

    assert set(tasks_of(client, raise_case(reason="billing"))) == {"bills"}
    assert set(tasks_of(client, raise_case(reason="security"))) == {"general"}


def test_without_a_published_playbook_nothing_is_asked(client: ApiClient, raise_case: Raise) -> None:
    client.post("/api/v1/playbooks", json={"definition": {"name": "Draft", "about": "D.", "tasks": [task("a")]}})

    assert tasks_of(client, raise_case()) == {}


def test_a_task_waits_for_those_before_it_and_its_time_counts_from_then(
    client: ApiClient, publish: Any, raise_case: Raise
) -> None:
    publish(tasks=[task("call", due={"business_hours": 4}), task("check", after=["call"], due={"business_days": 1})])
    case = raise_case()
    before = tasks_of(client, case)
    end(client, case, "call")
    after = tasks_of(client, case)

    assert before["call"]["due_at"] is not None
    assert (before["check"]["ready_at"], before["check"]["due_at"]) == (None, None)
    assert after["check"]["ready_at"] is not None
    assert after["check"]["due_at"] > before["call"]["due_at"]
    clocks = client.get(f"/api/v1/escalations/{case['id']}/clocks").json["items"]
    states = {clock["subject"]: clock["state"] for clock in clocks if clock["kind"] == "task"}
    assert states == {after["call"]["id"]: "met", after["check"]["id"]: "running"}


def test_a_waived_task_lets_go_what_waits_for_it(client: ApiClient, publish: Any, raise_case: Raise) -> None:
    publish(tasks=[task("a"), task("b"), task("c", after=["a", "b"])])
    case = raise_case()
    end(client, case, "a")
    assert tasks_of(client, case)["c"]["ready_at"] is None
    end(client, case, "b", "waived", reason="not needed here")

    assert tasks_of(client, case)["c"]["ready_at"] is not None


def test_tasks_belong_to_roles(client: ApiClient, publish: Any, raise_case: Raise, company: Company) -> None:
    roles = ("owner", "csm", "account_owner", "sponsor", "owner_manager", "team_lead")
    publish(tasks=[task(role, role=role) for role in roles])
    found = tasks_of(client, raise_case())

    holders = {key: one["assignee_id"] for key, one in found.items()}
    owner = str(company.owner.id)
    assert holders == {
        "owner": owner,
        "csm": str(company.csm.id),
        "account_owner": owner,
        "sponsor": str(company.boss.id),
        "owner_manager": str(company.manager.id),
        "team_lead": owner,  # no team has it, so nobody leads it
    }


def test_what_a_tier_asks_for_is_made_when_the_work_comes_there(
    client: ApiClient, publish: Any, raise_case: Raise
) -> None:
    path = [{"tier": "tier_1"}, {"tier": "tier_3", "ask": "Can they repair it?"}, {"tier": "management"}]
    publish(
        tiers=path, tasks=[task("first"), task("deep", tier="tier_3", after=["first"]), task("seen", tier="tier_3")]
    )
    case = raise_case()
    assert set(tasks_of(client, case)) == {"first"}
    hop = client.post(f"/api/v1/escalations/{case['id']}/escalate", json={"reason": "time", "brief": "All tried."})

    assert hop.json["tier"] == "tier_3"
    found = tasks_of(client, case)
    assert (found["deep"]["ready_at"], found["seen"]["ready_at"] is None) == (None, False)
    titles = [one["title"] for one in client.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"]]
    assert "Can they repair it (tier 3)?" in titles
    end(client, case, "first")
    assert tasks_of(client, case)["deep"]["ready_at"] is not None


def test_a_tier_outside_the_path_is_refused(client: ApiClient, publish: Any, raise_case: Raise) -> None:
    publish(tiers=[{"tier": "tier_1"}, {"tier": "tier_2"}])
    case = raise_case()
    hop = {"reason": "time", "brief": "All tried.", "to_tier": "onsite"}
    refused = client.post(f"/api/v1/escalations/{case['id']}/escalate", json=hop)
    assert (refused.status_code, refused.json["allowed"]) == (409, ["tier_2"])

    client.post(f"/api/v1/escalations/{case['id']}/escalate", json={"reason": "time", "brief": "All tried."})
    last = client.post(f"/api/v1/escalations/{case['id']}/escalate", json={"reason": "time", "brief": "All tried."})
    assert (last.status_code, last.json["code"]) == (409, "no_tier_above")


def test_tiers_and_updates_get_the_playbooks_time(client: ApiClient, publish: Any, raise_case: Raise) -> None:
    publish(tiers=[{"tier": "tier_1", "within": {"business_hours": 6}}], updates={"executive": {"business_days": 2}})
    case = raise_case()
    clocks = {c["kind"]: c for c in client.get(f"/api/v1/escalations/{case['id']}/clocks").json["items"]}

    targets = {kind: clocks[kind]["ledger"][0]["target"] for kind in ("tier", "executive_update")}
    assert targets["tier"] == {"kind": "business_seconds", "value": 6 * 3600}
    assert targets["executive_update"] == {"kind": "business_seconds", "value": 2 * 8 * 3600}
    assert "account_team_update" not in clocks


def test_resolve_needs_required_tasks_and_exit_criteria(client: ApiClient, publish: Any, raise_case: Raise) -> None:
    publish(tasks=[task("call", required=True)], exit_criteria=[{"key": "works", "text": "It works for them."}])
    case = raise_case()
    client.post(f"/api/v1/escalations/{case['id']}/acknowledge", json={})
    words = {"summary": "Fixed", "root_cause": "A full disk", "preventable": True}
    resolve = f"/api/v1/escalations/{case['id']}/resolve"
    refused = client.post(resolve, json=words)
    assert (refused.status_code, refused.json["code"]) == (409, "not_ready")
    assert {tuple(sorted(one)) for one in refused.json["missing"]} == {("criterion", "text"), ("task_id", "title")}

    end(client, case, "call")
    unknown = client.post(resolve, json={**words, "met": ["nonsense"]})
    assert (unknown.status_code, unknown.json["errors"][0]["pointer"]) == (422, "/met")
    assert client.post(resolve, json={**words, "met": ["works"]}).json["status"] == "resolved"


def test_an_exit_criterion_is_waived_with_its_reason(client: ApiClient, publish: Any, raise_case: Raise) -> None:
    publish(exit_criteria=[{"key": "works", "text": "It works for them."}])
    case = raise_case()
    client.post(f"/api/v1/escalations/{case['id']}/acknowledge", json={})
    words = {"summary": "Fixed", "root_cause": "A full disk", "preventable": True}
    waived = {"waived": [{"criterion": "works", "reason": "The customer has left the product."}]}
    done = client.post(f"/api/v1/escalations/{case['id']}/resolve", json={**words, **waived})

    assert done.json["status"] == "resolved"
    events = client.get(f"/api/v1/escalations/{case['id']}/timeline").json["items"]
    assert [e["texts"]["reason"] for e in events if e["kind"] == "criterion_waived"] == [
        "The customer has left the product."
    ]


def test_questions_of_the_reason_count_for_completeness(client: ApiClient, publish: Any, raise_case: Raise) -> None:
    publish(
        questions=[
            {"key": "invoice", "ask": "Which invoice?", "reasons": ["billing"]},
            {"key": "mood", "ask": "How are they?", "required": False},
        ]
    )
    case = raise_case(reason="billing", impact="They stop paying.")
    titles = [one["title"] for one in client.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"]]

    assert case["completeness"] == 25  # one of: their words, desired outcome, impact, invoice
    assert any("Which invoice?" in title for title in titles)
    assert raise_case(reason="other", impact="They stop paying.")["completeness"] == 33


def test_an_open_case_keeps_the_version_it_began_with(client: ApiClient, publish: Any, raise_case: Raise) -> None:
    publish(exit_criteria=[{"key": "old", "text": "As it was."}])
    case = raise_case()
    publish(exit_criteria=[{"key": "new", "text": "As it is."}])
    client.post(f"/api/v1/escalations/{case['id']}/acknowledge", json={})
    words = {"summary": "Fixed", "root_cause": "A full disk", "preventable": True}

    assert client.post(f"/api/v1/escalations/{case['id']}/resolve", json={**words, "met": ["old"]}).status_code == 200


def test_a_raise_with_forty_tasks_and_eight_clocks_stays_within_its_statements(
    client: ApiClient, publish: Any, raise_case: Raise, statements: Any
) -> None:
    timed = [task(f"t{n}", due={"business_hours": n + 1}, role="csm") for n in range(4)]
    tiers = [{"tier": "tier_1", "within": {"business_days": 1}}]
    tasks = [*timed, *(task(f"u{n}", role="team_lead") for n in range(36))]
    ladders = {kind: [{"offset": "50%", "audience": ["owner"]}] for kind in ("acknowledge", "task", "close")}
    publish(tasks=tasks, tiers=tiers, updates={"executive": {"business_days": 2}}, ladders=ladders)
    raise_case()
    with statements() as seen:
        case = raise_case()

    assert len(seen) <= 16, seen
    assert len(tasks_of(client, case)) == 40
    assert len(client.get(f"/api/v1/escalations/{case['id']}/clocks").json["items"]) == 8


def test_of_a_restricted_case_tasks_stay_with_its_owner(
    client: ApiClient, publish: Any, raise_case: Raise, company: Company, make_user: Callable[..., User]
) -> None:
    publish(tasks=[task("csm", role="csm"), task("lead", role="owner_manager")])
    found = tasks_of(client, raise_case(restricted=True))

    assert found["csm"]["assignee_id"] == str(company.owner.id)
    assert found["lead"]["assignee_id"] == str(company.manager.id)


def test_in_a_merge_equal_tasks_of_one_playbook_stand_once_and_what_people_asked_for_stays(
    client: ApiClient, publish: Any, raise_case: Raise
) -> None:
    publish("Bills", rank=1, when=BILLING, tasks=[task("call"), task("check", after=["call"])])
    publish("Others", rank=2, tasks=[task("call", title="Ring them"), task("note", after=["call"])])
    first, equal, other = raise_case(reason="billing"), raise_case(reason="billing"), raise_case(reason="security")
    for case in (first, equal):
        client.post(f"/api/v1/escalations/{case['id']}/tasks", json={"title": "Send flowers"})
    for case in (equal, other):
        merge = {"into_id": first["id"], "reason": "The same"}
        assert client.post(f"/api/v1/escalations/{case['id']}/merge", json=merge).status_code == 200

    found = client.get(f"/api/v1/escalations/{first['id']}/tasks").json["items"]
    titles = sorted(one["title"] for one in found if one["kind"] in ("playbook", "manual"))
    assert titles == ["Call", "Check", "Note", "Ring them", "Send flowers", "Send flowers"]
    end(client, first, "call")
    ready = {one["title"]: one["ready_at"] is not None for one in tasks_of(client, first).values()}
    assert ready == {"Call": True, "Check": True, "Ring them": True, "Note": False}
