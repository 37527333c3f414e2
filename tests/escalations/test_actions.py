"""Working a case: each action moves it as the lifecycle says, meets its clocks, and stands in the timeline."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app import clock
from app.auth import service as auth
from app.auth.models import User
from app.db import transaction
from tests.conftest import ApiClient
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]
AsUser = Callable[[User], ApiClient]
RESOLUTION = {"summary": "Fixed the export", "root_cause": "A full disk", "preventable": True}
YES = {"accepted": True, "confirmed_by": "Jo", "channel": "call"}
NO = {**YES, "accepted": False, "comment": "Still failing"}


@pytest.fixture
def owner(as_user: AsUser, company: Company) -> ApiClient:
    return as_user(company.owner)


@pytest.fixture
def manager(as_user: AsUser, company: Company) -> ApiClient:
    return as_user(company.manager)


def do(client: ApiClient, case: dict[str, Any], action: str, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = client.post(f"/api/v1/escalations/{case['id']}/{action}", json=body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json
    return found


def clocks_of(record: dict[str, Any]) -> dict[str, str]:
    """The state of each kind's latest cycle."""
    latest = sorted(record["clocks"], key=lambda clock: clock["cycle"])
    return {clock["kind"]: clock["state"] for clock in latest}


def kinds_of(client: ApiClient, case: dict[str, Any]) -> list[str]:
    items = client.get(f"/api/v1/escalations/{case['id']}/timeline?limit=200").json["items"]
    return [event["kind"] for event in items]


def today() -> date:
    return datetime.now(UTC).date()


def test_from_raise_to_closed_with_the_customers_word(raise_case: Raise, owner: ApiClient) -> None:
    case = raise_case()
    record = do(owner, case, "acknowledge")
    assert record["status"] == "in_progress"
    assert clocks_of(record) == {
        "close": "running",
        "acknowledge": "met",
        "plan": "running",
        "still_on_it": "running",
    }
    do(owner, case, "attempts", what="Restarted the exporter", result="No change")
    record = do(owner, case, "updates", audience="customer", channel="email", text="We are on it")
    assert clocks_of(record)["respond"] == "met"
    assert clocks_of(record)["customer_update"] == "running"
    record = do(owner, case, "resolve", **RESOLUTION)
    assert record["status"] == "resolved"
    assert clocks_of(record) == {
        "close": "running",
        "acknowledge": "met",
        "plan": "cancelled",
        "still_on_it": "cancelled",
        "respond": "met",
        "customer_update": "cancelled",
        "verify": "running",
    }
    record = do(owner, case, "verify", **YES)
    assert (record["status"], record["outcome"], record["verification"]) == ("closed", "resolved", "confirmed")
    assert clocks_of(record)["close"] == "met"
    assert clocks_of(record)["verify"] == "met"
    assert kinds_of(owner, case) == ["raise", "assign", "acknowledge", "attempt", "update", "resolve", "verify"]
    chain = owner.get(f"/api/v1/escalations/{case['id']}/timeline/verify").json
    assert chain == {"intact": True, "events": 7, "erased_texts": 0, "first_fault": None}


def test_a_rejected_resolution_takes_up_what_resolve_had_ended(raise_case: Raise, owner: ApiClient) -> None:
    case = raise_case()
    do(owner, case, "acknowledge")
    do(owner, case, "resolve", **RESOLUTION)
    record = do(owner, case, "verify", **NO)
    assert (record["status"], record["reopens"]) == ("in_progress", 1)
    states = clocks_of(record)
    assert (states["plan"], states["still_on_it"], states["verify"]) == ("running", "running", "met")


def test_a_step_the_lifecycle_lacks_names_what_is_allowed(raise_case: Raise, owner: ApiClient) -> None:
    problem = do(owner, raise_case(), "resolve", 409, **RESOLUTION)
    assert problem["code"] == "step_not_allowed"
    assert "acknowledge" in problem["allowed"]
    assert "resolve" not in problem["allowed"]


def test_only_the_owner_and_who_stands_above_may_work_on_it(
    raise_case: Raise, as_user: AsUser, company: Company, make_user: Callable[..., User]
) -> None:
    case = raise_case()
    stranger = as_user(make_user("csm", "stranger@example.com"))
    assert do(stranger, case, "acknowledge", 403)["code"] == "not_yours"
    do(stranger, case, "comments", text="I know this customer")
    do(as_user(company.manager), case, "acknowledge")


def test_a_new_owner_makes_the_acknowledgement_void(
    raise_case: Raise, owner: ApiClient, as_user: AsUser, company: Company
) -> None:
    case = raise_case()
    do(owner, case, "acknowledge")
    record = do(owner, case, "assign", owner_email=company.csm.email, reason="Knows the export")
    assert record["owner"]["email"] == company.csm.email
    acknowledge = [clock for clock in record["clocks"] if clock["kind"] == "acknowledge"]
    assert sorted((clock["cycle"], clock["state"]) for clock in acknowledge) == [(1, "met"), (2, "running")]
    do(as_user(company.csm), case, "acknowledge")


def test_an_owner_declines_and_it_is_routed_afresh_without_them(
    raise_case: Raise, owner: ApiClient, company: Company
) -> None:
    case = raise_case()
    record = do(owner, case, "assign", reason="Not my field")
    assert record["owner"]["email"] != company.owner.email
    decisions = owner.get(f"/api/v1/escalations/{case['id']}/routing").json["items"]
    assert [decision["cause"] for decision in decisions] == ["raise", "decline"]


def test_waiting_for_the_customer_ends_with_their_reply(raise_case: Raise, owner: ApiClient) -> None:
    case = raise_case()
    do(owner, case, "acknowledge")
    later = (today() + timedelta(days=4)).isoformat()
    record = do(owner, case, "wait", party="customer", reason="Their logs", resume_on=later)
    assert record["waiting"]["party"] == "customer"
    assert clocks_of(record)["still_on_it"] == "paused"
    assert clocks_of(record)["close"] == "running"
    message = {"from": "Jo", "channel": "email", "text": "Here they are", "external_id": "m-1"}
    record = do(owner, case, "messages", **message)
    assert record["status"] == "in_progress"
    assert clocks_of(record)["still_on_it"] == "running"
    assert clocks_of(record)["respond"] == "running"
    again = do(owner, case, "messages", **message)
    assert kinds_of(owner, again).count("message") == 1


def test_a_wait_beyond_ten_business_days_is_refused_by_field(raise_case: Raise, owner: ApiClient) -> None:
    case = raise_case()
    do(owner, case, "acknowledge")
    late = (today() + timedelta(days=40)).isoformat()
    problem = do(owner, case, "wait", 422, party="vendor", reason="Part", resume_on=late)
    assert problem["errors"][0]["pointer"] == "/resume_on"


def test_an_extension_moves_the_due_time_and_keeps_the_original(
    raise_case: Raise, owner: ApiClient, manager: ApiClient
) -> None:
    case = raise_case()
    until = (datetime.fromisoformat(case["due_at"]) + timedelta(days=10)).isoformat()
    record = do(owner, case, "extend", until=until, reason="Needs a release", customer_agreed=True)
    assert record["due_at"] == case["due_at"]
    assert [request["kind"] for request in record["pending"]] == ["extension"]
    assert do(owner, case, "approve", 403)
    record = do(manager, case, "approve")
    assert datetime.fromisoformat(record["due_at"]) == datetime.fromisoformat(until)
    assert record["close_target_at"] == case["close_target_at"]
    assert record["pending"] == []
    problem = do(manager, case, "extend", 422, until=until, reason="Again", customer_agreed=False)
    assert problem["errors"][0]["pointer"] == "/until"


def test_an_approver_grants_an_extension_at_once(raise_case: Raise, manager: ApiClient) -> None:
    case = raise_case()
    until = (datetime.fromisoformat(case["due_at"]) + timedelta(days=1)).isoformat()
    record = do(manager, case, "extend", until=until, reason="Holiday", customer_agreed=True)
    assert datetime.fromisoformat(record["due_at"]) == datetime.fromisoformat(until)


def test_moving_up_needs_a_brief_and_only_leads_up(raise_case: Raise, owner: ApiClient) -> None:
    case = raise_case()
    do(owner, case, "acknowledge")
    assert do(owner, case, "escalate", 422, reason="time")["code"] == "brief_needed"
    record = do(owner, case, "escalate", reason="outside_expertise", brief="Tried a restart", to_tier="tier_3")
    assert record["tier"] == "tier_3"
    assert do(owner, case, "escalate", 409, reason="time", brief="x", to_tier="tier_2")["code"] == "tier_not_above"
    tasks = owner.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"]
    assert {task["kind"] for task in tasks} == {"intake", "qualification"}


def test_a_lower_severity_needs_its_reason(raise_case: Raise, owner: ApiClient) -> None:
    case = raise_case()
    path = f"/api/v1/escalations/{case['id']}"
    assert owner.patch(path, json={"severity": 3}).status_code == 428
    refused = owner.patch(path, json={"severity": 3}, if_match=case["version"])
    assert refused.json["errors"][0]["pointer"] == "/severity_reason"
    body = {"severity": 3, "severity_reason": "Only one report"}
    changed = owner.patch(path, json=body, if_match=case["version"])
    assert changed.json["severity"] == 3
    assert owner.patch(path, json={"title": "Other"}, if_match=case["version"]).status_code == 412


def test_a_forecast_keeps_its_history(raise_case: Raise, owner: ApiClient) -> None:
    case = raise_case()
    do(owner, case, "acknowledge")
    first, second = today() + timedelta(days=5), today() + timedelta(days=9)
    plan = {"plan": "Patch on Friday", "customer_agreed": True}
    record = do(owner, case, "plan", forecast_close_on=first.isoformat(), **plan)
    assert clocks_of(record)["plan"] == "met"
    record = do(owner, case, "plan", forecast_close_on=second.isoformat(), **plan)
    assert [(slip["was"], slip["is"]) for slip in record["forecast_slips"]] == [
        (None, first.isoformat()),
        (first.isoformat(), second.isoformat()),
    ]
    assert record["due_at"] == case["due_at"]


def test_closing_unresolved_needs_a_decision_by_somebody_above(
    raise_case: Raise, owner: ApiClient, manager: ApiClient
) -> None:
    case = raise_case()
    body = {"outcome": "unresolved", "reason": "Not worth it"}
    assert do(owner, case, "close-unresolved", 403, **body)
    assert do(manager, case, "close-unresolved", 409, **body)["code"] == "no_decision"
    do(manager, case, "decision", choice="close_unresolved", reason="The product ends")
    record = do(manager, case, "close-unresolved", **body)
    assert (record["status"], record["outcome"], record["verification"]) == ("closed", "unresolved", None)


def test_a_silent_customer_is_silent_only_after_two_updates_five_business_days_apart(
    raise_case: Raise, manager: ApiClient
) -> None:
    body = {"outcome": "customer_silent", "reason": "No answer"}
    assert do(manager, raise_case(), "close-unresolved", 409, **body)["code"] == "customer_not_silent"


def test_a_merge_goes_into_the_one_raised_first(raise_case: Raise, client: ApiClient) -> None:
    first, second = raise_case(), raise_case(severity=1, title="Same again")
    refused = do(client, first, "merge", 409, into_id=second["id"], reason="Same")
    assert (refused["code"], refused["survivor_id"]) == ("merge_the_other_way", first["id"])
    survivor = do(client, second, "merge", into_id=first["id"], reason="Same")
    assert (survivor["id"], survivor["severity"]) == (first["id"], 1)
    merged = client.get(f"/api/v1/escalations/{second['id']}").json
    assert (merged["status"], merged["merged_into"]) == ("merged", first["id"])
    assert do(client, second, "comments", text="On the survivor")["id"] == first["id"]


def test_merged_cases_lead_to_the_last_survivor_through_chains(raise_case: Raise, client: ApiClient) -> None:
    first, second, third = raise_case(), raise_case(), raise_case()
    do(client, third, "merge", into_id=second["id"], reason="Same")
    do(client, second, "merge", into_id=first["id"], reason="Same")
    assert client.get(f"/api/v1/escalations/{third['id']}").json["merged_into"] == first["id"]


def test_reopening_takes_the_close_clock_up_again(raise_case: Raise, owner: ApiClient) -> None:
    case = raise_case()
    do(owner, case, "acknowledge")
    do(owner, case, "resolve", **RESOLUTION)
    do(owner, case, "verify", **YES)
    record = do(owner, case, "reopen", reason="Back again")
    assert (record["status"], record["outcome"], record["reopens"]) == ("in_progress", None, 1)
    assert clocks_of(record)["close"] == "running"
    assert record["due_at"] == case["due_at"]


def test_a_message_on_a_closed_case_is_a_task_not_a_reopening(raise_case: Raise, owner: ApiClient) -> None:
    case = raise_case()
    do(owner, case, "acknowledge")
    do(owner, case, "resolve", **RESOLUTION)
    do(owner, case, "verify", **YES)
    record = do(owner, case, "messages", **{"from": "Jo", "channel": "email", "text": "One more thing"})
    assert record["status"] == "closed"
    tasks = owner.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"]
    assert "customer_message" in {task["kind"] for task in tasks}


def test_a_restricted_case_looks_missing_to_strangers(
    raise_case: Raise, as_user: AsUser, make_user: Callable[..., User], company: Company
) -> None:
    case = raise_case(restricted=True)
    stranger = as_user(make_user("csm", "stranger@example.com"))
    assert stranger.get(f"/api/v1/escalations/{case['id']}").status_code == 404
    assert stranger.get("/api/v1/escalations").json["items"] == []
    assert do(stranger, case, "comments", 404, text="Hello")
    for user in (company.owner, company.manager, company.boss):
        assert as_user(user).get(f"/api/v1/escalations/{case['id']}").status_code == 200


def test_whom_a_case_is_about_never_sees_or_owns_it(raise_case: Raise, as_user: AsUser, company: Company) -> None:
    case = raise_case(about_user=company.owner.email)
    assert case["owner"]["email"] != company.owner.email
    assert as_user(company.owner).get(f"/api/v1/escalations/{case['id']}").status_code == 404


def test_a_colleagues_raise_waits_for_an_approver_where_the_setting_asks(
    client: ApiClient, company: Company, as_user: AsUser
) -> None:
    settings = client.get("/api/v1/settings")
    body = {"approval": {"asked": True, "approvers": [company.manager.email]}}
    assert client.patch("/api/v1/settings", json=body, if_match=settings.headers["ETag"]).status_code == 200
    csm = as_user(company.csm)
    raised = csm.post(
        "/api/v1/escalations", json={"account_id": company.account_id, "title": "Please", "severity": 2}
    ).json
    assert (raised["status"], raised["owner"]) == ("requested", None)
    assert [approver["email"] for approver in raised["approvers"]] == [company.manager.email]
    assert {clock["kind"] for clock in raised["clocks"]} == {"decide"}
    assert do(csm, raised, "approve", 403)
    record = do(as_user(company.manager), raised, "approve")
    assert (record["status"], record["owner"]["email"]) == ("open", company.owner.email)
    assert clocks_of(record) == {"decide": "met", "close": "running", "acknowledge": "running"}
    assert record["close_target_at"] == raised["close_target_at"]
    other = csm.post("/api/v1/escalations", json={"account_id": company.account_id, "title": "No", "severity": 2}).json
    declined = do(as_user(company.manager), other, "decline", reason="Use the ticket")
    assert declined["status"] == "declined"


def test_an_integration_feeds_but_does_not_read(
    raise_case: Raise, as_user: AsUser, make_user: Callable[..., User]
) -> None:
    case = raise_case()
    robot = as_user(make_user("integration", "robot@example.com"))
    assert robot.get(f"/api/v1/escalations/{case['id']}").status_code == 403
    done = do(robot, case, "messages", **{"from": "Jo", "channel": "email", "text": "Hi"})
    assert set(done) == {"id", "number", "status", "version"}
    assert do(robot, case, "comments", 403, text="No")


def test_what_happened_earlier_is_logged_with_both_times(raise_case: Raise, owner: ApiClient) -> None:
    case = raise_case()
    future = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    assert do(owner, case, "acknowledge", 422, at=future)["errors"][0]["pointer"] == "/at"
    assert do(owner, case, "attempts", 422, what="a", result="b", at="2020-01-01T00:00:00Z")


def test_a_stale_precondition_is_refused_before_the_step(raise_case: Raise, owner: ApiClient) -> None:
    case = raise_case()
    path = f"/api/v1/escalations/{case['id']}/acknowledge"
    assert owner.post(path, json={}, if_match="99").status_code == 412
    assert owner.post(path, json={}, if_match=case["version"]).status_code == 200


def test_another_tenants_case_looks_like_none(raise_case: Raise, new_tenant: Callable[..., Any], app: Any) -> None:
    case = raise_case()
    other = new_tenant("Other")
    with transaction(tenant=other.id):
        _, token = auth.create_token(other.admin, name="theirs", now=clock.real_now())
    stranger = ApiClient(app, token)
    missing = stranger.get("/api/v1/escalations/01900000-0000-7000-8000-000000000000")
    theirs = stranger.get(f"/api/v1/escalations/{case['id']}")
    assert missing.status_code == theirs.status_code == 404
    assert {**missing.json, "request_id": 0} == {**theirs.json, "request_id": 0}


def test_tasks_and_decisions_are_paged(raise_case: Raise, owner: ApiClient, client: ApiClient) -> None:
    case = raise_case()
    for _ in range(2):
        do(client, case, "assign", reason="Round and round")
    for part, total in (("tasks", 1), ("routing", 3)):
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            page = client.get(f"/api/v1/escalations/{case['id']}/{part}?limit=1{more}").json
            seen += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
        assert len(set(seen)) == len(seen) == total
