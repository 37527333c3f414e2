"""Can it be resolved here: who answers, what a yes and a no lead to, and what answers by itself."""

from collections.abc import Callable
from typing import Any

import pytest

from app.auth.models import User
from tests.conftest import ApiClient
from tests.escalations.conftest import Company
from tests.escalations.moved_up import do, events, publish, put_team, read, tasks

Raise = Callable[..., dict[str, Any]]
PATH = [{"tier": tier, "ask": f"Can {tier} do it"} for tier in ("tier_1", "tier_2", "tier_3", "management")]
NO = {"resolvable": False, "reason": "outside_expertise"}
YES = {"resolvable": True, "reason": "We know this fault."}
HOP = {"reason": "time", "brief": "All tried."}


@pytest.fixture
def owner(as_user: Callable[..., ApiClient], company: Company) -> ApiClient:
    return as_user(company.owner)


def test_the_owner_is_asked_in_the_first_tier_of_the_path(
    client: ApiClient, raise_case: Raise, company: Company
) -> None:
    publish(client, tiers=PATH[1:])
    case = raise_case()

    assert case["tier"] == "tier_2"
    assert tasks(client, case, "qualification") == [("Can tier_2 do it (tier 2)?", str(company.owner.id), "open")]


def test_a_case_without_a_path_is_asked_nothing_and_may_be_qualified(
    client: ApiClient, owner: ApiClient, raise_case: Raise
) -> None:
    case = raise_case()
    assert tasks(client, case, "qualification") == []

    assert "qualify" in do(owner, case, "qualify", **YES)["allowed"]
    [answered] = events(client, case, "qualify")
    assert answered["facts"] == {"tier": "tier_1", "resolvable": True, "question": None}
    assert answered["texts"] == {"reason": "We know this fault."}


def test_a_yes_leaves_the_work_where_it_is(
    client: ApiClient, owner: ApiClient, raise_case: Raise, company: Company
) -> None:
    publish(client, tiers=PATH)
    case = raise_case()
    answered = do(owner, case, "qualify", **YES)

    assert (answered["tier"], answered["owner"]["id"]) == ("tier_1", str(company.owner.id))
    assert [state for _, _, state in tasks(client, case, "qualification")] == ["done"]
    assert tasks(client, case, "handover") == []


def test_a_no_asks_for_the_brief_and_the_hop_ends_that(
    client: ApiClient, owner: ApiClient, raise_case: Raise, company: Company
) -> None:
    publish(client, tiers=PATH)
    case = raise_case()
    assert do(owner, case, "qualify", **NO)["tier"] == "tier_1"
    brief = "Write the handover brief and move the work up"
    assert tasks(client, case, "handover") == [(brief, str(company.owner.id), "open")]

    assert do(owner, case, "escalate", **HOP)["tier"] == "tier_2"
    assert tasks(client, case, "handover") == [(brief, str(company.owner.id), "done")]
    states = {title: state for title, _, state in tasks(client, case, "qualification")}
    assert states == {"Can tier_1 do it (tier 1)?": "done", "Can tier_2 do it (tier 2)?": "open"}


def test_a_no_with_its_brief_moves_the_work_up_in_the_same_call(
    client: ApiClient, owner: ApiClient, raise_case: Raise
) -> None:
    publish(client, tiers=PATH)
    case = raise_case()
    moved = do(owner, case, "qualify", **NO, brief="Restarted it twice.", to_tier="tier_3")

    assert (moved["tier"], moved["brief_missing"]) == ("tier_3", False)
    [hop] = events(client, case, "escalate")
    assert (hop["facts"]["reason"], hop["texts"]["brief"]) == ("outside_expertise", "Restarted it twice.")
    assert tasks(client, case, "handover") == []


def test_whom_the_tier_asks_answers_and_hands_up_without_owning_the_case(
    client: ApiClient,
    owner: ApiClient,
    raise_case: Raise,
    make_user: Callable[..., User],
    as_user: Callable[..., ApiClient],
    company: Company,
) -> None:
    expert, other = make_user("specialist"), make_user("specialist")
    put_team(client, "tier_2", expert)
    publish(client, tiers=PATH)
    case = raise_case()
    assert do(as_user(expert), case, "qualify", status=403, **NO)["code"] == "not_yours"
    do(owner, case, "escalate", **HOP)

    assert do(as_user(other), case, "qualify", status=403, **NO)["code"] == "not_yours"
    assert do(as_user(expert), case, "escalate", status=403, **HOP)["code"] == "not_yours"
    do(as_user(expert), case, "qualify", **NO)
    assert [assignee for _, assignee, _ in tasks(client, case, "handover")] == [str(expert.id)]
    moved = do(as_user(expert), case, "escalate", reason="outside_expertise", brief="Not ours.")
    assert (moved["tier"], moved["owner"]["id"]) == ("tier_3", str(company.owner.id))
    assert do(as_user(expert), case, "escalate", status=403, **HOP)["code"] == "not_yours"
    told = [m["subject"] for m in owner.get("/api/v1/notifications").json["items"] if m["kind"] == "qualified"]
    assert [subject.rpartition(": ")[2] for subject in told] == ["cannot be resolved in tier 2"]


def test_a_colleague_standing_in_answers_in_the_place_of_whom_the_tier_asks(
    client: ApiClient,
    owner: ApiClient,
    raise_case: Raise,
    make_user: Callable[..., User],
    as_user: Callable[..., ApiClient],
) -> None:
    expert, stand_in = make_user("specialist"), make_user("specialist")
    put_team(client, "tier_2", expert)
    publish(client, tiers=PATH)
    case = raise_case()
    do(owner, case, "escalate", **HOP)
    away = {"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2100-01-01T00:00:00Z", "delegate_email": stand_in.email}
    assert client.post(f"/api/v1/users/{expert.id}/absences", json=away).status_code == 201

    do(as_user(stand_in), case, "qualify", **YES)
    [answered] = events(client, case, "qualify")
    assert (answered["actor"]["id"], answered["acting_for_id"]) == (str(stand_in.id), str(expert.id))


def test_an_answer_holds_until_another_is_given(client: ApiClient, owner: ApiClient, raise_case: Raise) -> None:
    publish(client, tiers=PATH)
    case = raise_case()
    do(owner, case, "qualify", **YES)
    assert do(owner, case, "qualify", status=409, **YES)["code"] == "already_answered"
    do(owner, case, "qualify", **NO)
    assert do(owner, case, "qualify", status=409, **NO)["code"] == "already_answered"
    do(owner, case, "qualify", **YES)

    assert [state for _, _, state in tasks(client, case, "handover")] == ["waived"]
    assert [event["facts"]["resolvable"] for event in events(client, case, "qualify")] == [True, False, True]


def test_what_is_resolved_is_answered(client: ApiClient, owner: ApiClient, raise_case: Raise) -> None:
    publish(client, tiers=PATH)
    case = raise_case()
    do(owner, case, "acknowledge")
    do(owner, case, "resolve", summary="Fixed", root_cause="A full disk", preventable=True)

    assert [state for _, _, state in tasks(client, case, "qualification")] == ["done"]
    assert do(owner, case, "qualify", status=409, **NO)["code"] == "step_not_allowed"


def test_a_customers_refusal_puts_the_question_anew(client: ApiClient, owner: ApiClient, raise_case: Raise) -> None:
    publish(client, tiers=PATH)
    case = raise_case()
    do(owner, case, "acknowledge")
    do(owner, case, "qualify", **YES)
    do(owner, case, "resolve", summary="Fixed", root_cause="A full disk", preventable=True)
    do(owner, case, "verify", accepted=False, confirmed_by="Jo", channel="call")

    do(owner, case, "qualify", **YES)
    assert len(events(client, case, "qualify")) == 2


def test_at_the_end_of_the_path_a_no_asks_management_to_decide(
    client: ApiClient, owner: ApiClient, raise_case: Raise, company: Company
) -> None:
    publish(client, tiers=PATH[:1])
    case = raise_case()
    do(owner, case, "qualify", **NO)

    assert tasks(client, case, "handover") == []
    assert [assignee for _, assignee, _ in tasks(client, case, "decision")] == [str(company.manager.id)]


def test_management_is_asked_for_its_decision_and_not_whether_it_can_be_resolved(
    client: ApiClient,
    owner: ApiClient,
    raise_case: Raise,
    make_user: Callable[..., User],
    as_user: Callable[..., ApiClient],
) -> None:
    director = make_user("manager", "director@example.com")
    put_team(client, "management", director)
    publish(client, tiers=PATH)
    case = raise_case()
    do(owner, case, "escalate", **HOP, to_tier="management")

    assert {"qualify", "escalate"}.isdisjoint(read(owner, case)["allowed"])
    assert do(owner, case, "qualify", status=409, **NO)["code"] == "nothing_to_qualify"
    refused = do(owner, case, "escalate", status=409, **HOP)
    assert (refused["code"], "management" in refused["detail"]) == ("no_tier_above", True)
    assert [(assignee, state) for _, assignee, state in tasks(client, case, "decision")] == [(str(director.id), "open")]
    do(as_user(director), case, "decision", choice="go_on", reason="One more week.")
    assert [state for _, _, state in tasks(client, case, "decision")] == ["done"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"resolvable": True}, "/reason"),
        ({"resolvable": True, "reason": " "}, "/reason"),
        ({"resolvable": False, "reason": "no idea"}, "/reason"),
        ({"resolvable": "perhaps", "reason": "time"}, "/resolvable"),
        ({**YES, "brief": "Hm"}, "/brief"),
        ({**NO, "to_tier": "tier_3"}, "/to_tier"),
        ({**NO, "brief": "All tried.", "to_tier": "tier_9"}, "/to_tier"),
        ({**NO, "brief": "All tried.", "vendor": {"name": "Acme"}}, "/vendor/contact"),
    ],
)
def test_an_answer_that_says_nothing_is_refused_with_its_place(
    owner: ApiClient, raise_case: Raise, body: dict[str, Any], pointer: str
) -> None:
    refused = do(owner, raise_case(), "qualify", status=422, **body)
    assert [error["pointer"] for error in refused["errors"]] == [pointer]


def test_a_hop_refused_leaves_the_question_unanswered(client: ApiClient, owner: ApiClient, raise_case: Raise) -> None:
    publish(client, tiers=PATH[:2])
    case = raise_case()
    refused = do(owner, case, "qualify", status=409, **NO, brief="All tried.", to_tier="onsite")

    assert (refused["code"], refused["allowed"]) == ("tier_not_above", ["tier_2"])
    assert events(client, case, "qualify") == []
    assert [state for _, _, state in tasks(client, case, "qualification")] == ["open"]


def test_a_merge_leaves_the_merged_ones_question_behind(client: ApiClient, raise_case: Raise, owner: ApiClient) -> None:
    publish(client, tiers=PATH)
    kept, merged = raise_case(), raise_case(title="Again")
    do(owner, merged, "escalate", **HOP)
    do(owner, merged, "merge", into_id=kept["id"], reason="The same.")

    assert [title for title, _, _ in tasks(client, kept, "qualification")] == ["Can tier_1 do it (tier 1)?"]


def test_whom_the_tier_asks_finishes_the_tasks_of_the_tier_and_no_others(
    client: ApiClient,
    owner: ApiClient,
    raise_case: Raise,
    make_user: Callable[..., User],
    as_user: Callable[..., ApiClient],
) -> None:
    expert, stand_in = make_user("specialist"), make_user("specialist")
    put_team(client, "tier_2", expert)
    deep = {"key": "deep", "title": "Find the cause", "role": "tier", "tier": "tier_2", "required": True}
    publish(client, tiers=PATH, tasks=[{"key": "call", "title": "Call them"}, deep])
    case = raise_case()
    do(owner, case, "escalate", **HOP)
    mine = {one["title"]: one for one in read(owner, case, "tasks")["items"]}

    def finish(who: ApiClient, title: str) -> int:
        path = f"/api/v1/escalations/{case['id']}/tasks/{mine[title]['id']}"
        return who.patch(path, json={"state": "done"}, if_match=mine[title]["version"]).status_code

    assert finish(as_user(stand_in), "Find the cause") == 403
    assert finish(as_user(expert), "Call them") == 403
    assert finish(as_user(expert), "Can tier_2 do it (tier 2)?") == 422  # it is answered, not finished
    away = {"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2100-01-01T00:00:00Z", "delegate_email": stand_in.email}
    assert client.post(f"/api/v1/users/{expert.id}/absences", json=away).status_code == 201
    assert finish(as_user(stand_in), "Find the cause") == 200
    [done] = [event for event in events(client, case, "task") if event["actor"]["id"] == str(stand_in.id)]
    assert done["acting_for_id"] == str(expert.id)
