"""What a client who read only the interfaces relies on: the order of answers, who is named, what is refused."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from app import clock
from app.accounts import service as accounts
from app.auth import service as auth
from app.auth.models import User
from app.db import transaction
from app.escalations import engine, service
from app.escalations.case import Act
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]
AsUser = Callable[[User], ApiClient]


@pytest.fixture
def owner(as_user: AsUser, company: Company) -> ApiClient:
    return as_user(company.owner)


def path_of(case: dict[str, Any], rest: str = "") -> str:
    return f"/api/v1/escalations/{case['id']}{rest}"


@pytest.mark.parametrize("action", ["wait", "plan", "assign", "resolve", "close-unresolved"])
def test_who_may_not_act_hears_so_before_the_faults_of_the_body(
    raise_case: Raise, as_user: AsUser, make_user: Callable[..., User], action: str
) -> None:
    answer = as_user(make_user("specialist")).post(path_of(raise_case(), f"/{action}"), json={"nonsense": 1})
    assert (answer.status_code, answer.json["code"]) == (403, "not_yours")


def test_who_may_not_edit_hears_so_before_the_missing_precondition(
    raise_case: Raise, as_user: AsUser, make_user: Callable[..., User]
) -> None:
    case = raise_case()
    assert as_user(make_user("specialist")).patch(path_of(case), json={"title": 5}).status_code == 403


def test_everybody_may_log_so_a_faulty_log_is_described(
    raise_case: Raise, as_user: AsUser, make_user: Callable[..., User]
) -> None:
    answer = as_user(make_user("specialist")).post(path_of(raise_case(), "/attempts"), json={"what": "x"})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/result")


def test_a_team_that_does_not_exist_is_no_new_owner(raise_case: Raise, owner: ApiClient) -> None:
    case = raise_case()
    answer = owner.post(path_of(case, "/assign"), json={"team_id": str(uuid4()), "reason": "theirs"})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/team_id")
    assert owner.get(path_of(case)).json["owner"] == case["owner"]


def test_only_who_acts_in_the_owners_place_is_said_to_act_for_them(
    raise_case: Raise, company: Company, as_user: AsUser, make_user: Callable[..., User]
) -> None:
    case = raise_case()
    as_user(make_user("specialist")).post(path_of(case, "/comments"), json={"text": "Seen before"})
    manager = as_user(company.manager)
    manager.post(path_of(case, "/acknowledge"), json={})
    events = manager.get(path_of(case, "/timeline")).json["items"]
    acting_for = {event["kind"]: event["acting_for_id"] for event in events}
    assert acting_for["comment"] is None
    assert acting_for["acknowledge"] == str(company.owner.id)


def test_an_owner_hands_over_a_restricted_case_and_sees_the_answer(
    raise_case: Raise, owner: ApiClient, company: Company
) -> None:
    case = raise_case(restricted=True)
    answer = owner.post(path_of(case, "/assign"), json={"owner_email": company.csm.email, "reason": "on leave"})
    assert (answer.status_code, answer.json["owner"]["email"]) == (200, company.csm.email)
    assert owner.get(path_of(case)).status_code == 404


def test_an_approver_reads_and_approves_a_restricted_request(
    client: ApiClient, company: Company, as_user: AsUser, make_user: Callable[..., User]
) -> None:
    approver = as_user(make_user("manager", "approver@example.com"))
    etag = client.get("/api/v1/settings").headers["ETag"]
    setting = {"approval": {"asked": True, "approvers": ["approver@example.com"]}}
    assert client.patch("/api/v1/settings", json=setting, if_match=etag).status_code == 200
    body = {"account_id": company.account_id, "title": "Quiet", "severity": 2, "restricted": True}
    case = as_user(company.csm).post("/api/v1/escalations", json=body).json
    assert case["status"] == "requested"
    assert approver.get(path_of(case)).status_code == 200
    answer = approver.post(path_of(case, "/approve"), json={})
    assert (answer.status_code, answer.json["status"]) == (200, "open")
    assert approver.get(path_of(case)).status_code == 404


def test_who_has_a_requested_case_in_their_line_approves_it_when_no_approver_is_named(
    client: ApiClient, company: Company, as_user: AsUser, make_user: Callable[..., User]
) -> None:
    etag = client.get("/api/v1/settings").headers["ETag"]
    client.patch("/api/v1/settings", json={"approval": {"asked": True, "approvers": []}}, if_match=etag)
    body = {"account_id": company.account_id, "title": "Quiet", "severity": 2, "restricted": True}
    case = as_user(company.csm).post("/api/v1/escalations", json=body).json
    assert as_user(make_user("manager")).get(path_of(case)).status_code == 404
    manager = as_user(company.manager)
    assert manager.get(path_of(case)).status_code == 200
    assert manager.post(path_of(case, "/approve"), json={}).status_code == 200


def test_after_a_lapse_the_new_acknowledgement_asks_for_signs_of_work_again(
    raise_case: Raise, owner: ApiClient
) -> None:
    case = raise_case()
    owner.post(path_of(case, "/acknowledge"), json={})
    with transaction():
        assert engine.lapse(UUID(case["id"]), now=clock.now() + timedelta(seconds=1))
    record = owner.post(path_of(case, "/acknowledge"), json={}).json
    cycles = [found["state"] for found in record["clocks"] if found["kind"] == "still_on_it"]
    assert sorted(cycles) == ["met", "running"]


def test_a_recurrence_is_still_about_the_same_colleague(
    raise_case: Raise, company: Company, as_user: AsUser, tenant: TestTenant
) -> None:
    case = raise_case(about_user=company.csm.email)
    closing = {"outcome": "mistaken", "reason": "wrong account"}
    assert as_user(company.manager).post(path_of(case, "/close-unresolved"), json=closing).status_code == 200
    with transaction():
        later = Act(actor=tenant.actor, now=clock.now() + timedelta(days=15))
        raised = service.reopen(UUID(case["id"]), act=later, reason="again")
    assert isinstance(raised, service.Raised)
    assert str(raised.record.recurrence_of_id) == case["id"]
    assert raised.record.about_user_id == company.csm.id


@pytest.mark.parametrize("asked", ["owner=", "team=", "account=", "owner=,", "status="])
def test_a_filter_without_a_value_is_refused_by_name(client: ApiClient, asked: str) -> None:
    answer = client.get(f"/api/v1/escalations?{asked}")
    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, asked.partition("=")[0])


def test_what_was_tried_and_said_on_a_merged_case_stands_in_its_survivor(
    raise_case: Raise, client: ApiClient, owner: ApiClient
) -> None:
    first, second, third = raise_case(), raise_case(), raise_case()
    owner.post(path_of(third, "/attempts"), json={"what": "Restart", "result": "No change"})
    message = {"from": "Jo", "channel": "email", "text": "Still down", "external_id": "m-1"}
    for case in (first, third):
        owner.post(path_of(case, "/messages"), json=message)
    for loser, into in ((third, second), (second, first)):
        body = {"into_id": into["id"], "reason": "Same"}
        assert client.post(path_of(loser, "/merge"), json=body).status_code == 200
    events = client.get(path_of(first, "/timeline")).json["items"]
    attempts = [event for event in events if event["kind"] == "attempt"]
    assert [(event["texts"]["what"], event["facts"]["origin"]) for event in attempts] == [("Restart", third["id"])]
    assert len([event for event in events if event["kind"] == "message"]) == 1
    assert client.get(path_of(first, "/timeline/verify")).json["intact"] is True


def test_an_equal_task_of_a_merged_case_stands_once_in_the_survivor(raise_case: Raise, client: ApiClient) -> None:
    first, second = raise_case(), raise_case()
    client.post(path_of(second, "/merge"), json={"into_id": first["id"], "reason": "Same"})
    tasks = client.get(path_of(first, "/tasks")).json["items"]
    assert [(task["kind"], task["state"]) for task in tasks] == [("intake", "open")]
    assert [task["state"] for task in client.get(path_of(second, "/tasks")).json["items"]] == ["waived"]


def test_a_restricted_case_stays_restricted_in_the_one_it_is_merged_into(raise_case: Raise, client: ApiClient) -> None:
    first, second = raise_case(), raise_case(restricted=True)
    merged = client.post(path_of(second, "/merge"), json={"into_id": first["id"], "reason": "Same"})
    assert merged.json["restricted"] is True


def test_a_case_whose_value_is_only_known_in_part_sorts_before_every_known_value(
    client: ApiClient, company: Company, raise_case: Raise
) -> None:
    whole = raise_case()
    lesser = {"arr": "10.00", "currency": "USD", "starts_on": "2026-01-01"}
    accounts = "/api/v1/accounts/crm"
    client.put(f"{accounts}/B-1", json={"name": "Initech", "owner_email": company.owner.email})
    client.put(f"{accounts}/B-1/contracts/K-1", json=lesser)
    client.put(f"{accounts}/B-1/contracts/K-2", json={**lesser, "currency": "CHF"})
    account = client.get("/api/v1/accounts?q=Initech").json["items"][0]["id"]
    part = raise_case(account_id=account)
    assert part["value_at_stake"]["amount"] == "10.00"
    assert part["value_at_stake"]["incomplete"] is True
    first = client.get("/api/v1/escalations?sort=-value_at_stake&limit=1").json
    second = client.get(f"/api/v1/escalations?sort=-value_at_stake&limit=1&cursor={first['next_cursor']}").json
    assert [page["items"][0]["id"] for page in (first, second)] == [part["id"], whole["id"]]


def test_whom_a_merged_case_is_about_loses_the_survivor(
    raise_case: Raise, client: ApiClient, company: Company, as_user: Callable[[User], ApiClient]
) -> None:
    first, second = raise_case(), raise_case(about_user=company.owner.email)
    assert first["owner"]["email"] == company.owner.email
    merged = client.post(
        f"/api/v1/escalations/{second['id']}/merge", json={"into_id": first["id"], "reason": "Same"}
    ).json
    assert merged["owner"]["email"] != company.owner.email
    assert as_user(company.owner).get(f"/api/v1/escalations/{first['id']}").status_code == 404


def test_cases_about_two_colleagues_are_not_merged(
    raise_case: Raise, client: ApiClient, as_user: AsUser, make_user: Callable[..., User]
) -> None:
    """Else whom the second is about would see what was written of them in the first."""
    one, other = make_user("csm", "one@example.com"), make_user("csm", "other@example.com")
    first, second = raise_case(about_user=one.email), raise_case(about_user=other.email)
    refused = client.post(path_of(second, "/merge"), json={"into_id": first["id"], "reason": "Same"})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/into_id")
    assert client.get(path_of(second)).json["status"] == "open"
    assert as_user(other).get(path_of(second)).status_code == 404
    third = raise_case(about_user=one.email)
    merged = client.post(path_of(third, "/merge"), json={"into_id": first["id"], "reason": "Same"})
    assert (merged.status_code, merged.json["id"]) == (200, first["id"])


def test_nothing_is_merged_into_a_closed_case(raise_case: Raise, client: ApiClient) -> None:
    first, second = raise_case(), raise_case()
    ended = {"outcome": "withdrawn", "reason": "No longer needed"}
    assert client.post(path_of(first, "/close-unresolved"), json=ended).status_code == 200
    refused = client.post(path_of(second, "/merge"), json={"into_id": first["id"], "reason": "Same"})
    assert (refused.status_code, refused.json["errors"]) == (
        422,
        [{"pointer": "/into_id", "detail": "expected an open escalation, this one is closed"}],
    )
    assert client.get(path_of(second)).json["status"] == "open"


@pytest.mark.parametrize("hidden", ["restricted", "about them", "another tenant's", "made up"])
def test_a_case_that_the_caller_may_not_see_is_none_to_merge_into(
    app: Flask,
    raise_case: Raise,
    client: ApiClient,
    owner: ApiClient,
    company: Company,
    new_tenant: Callable[..., TestTenant],
    hidden: str,
) -> None:
    into_id = str(uuid4())
    if hidden == "restricted":
        first = raise_case(restricted=True)
        given = client.post(path_of(first, "/assign"), json={"owner_email": company.csm.email, "reason": "Theirs"})
        assert given.status_code == 200, given.text
        into_id = first["id"]
    elif hidden == "about them":
        into_id = raise_case(about_user=company.owner.email)["id"]
    elif hidden == "another tenant's":
        into_id = raised_in(new_tenant("Others"), app)
    second = raise_case()
    refused = owner.post(path_of(second, "/merge"), json={"into_id": into_id, "reason": "Same"})
    assert (refused.status_code, refused.json["code"]) == (404, "not_found")
    assert owner.get(path_of(second)).json["status"] == "open"


def raised_in(tenant: TestTenant, app: Flask) -> str:
    """A case of this tenant."""
    with transaction(tenant=tenant.id):
        fields = {"name": "Hooli", "owner_email": tenant.admin.email}
        account = accounts.upsert_account("crm", "H-1", fields, now=clock.now()).record
        token = auth.create_token(auth.get_user(tenant.admin.id), name="", now=clock.real_now())[1]
        body = {"account_id": str(account.id), "title": "Down", "severity": 2}
    made = ApiClient(app, token).post("/api/v1/escalations", json=body)
    assert made.status_code == 201, made.text
    return str(made.json["id"])


def test_whom_a_merged_case_is_about_keeps_no_task_of_the_survivor(
    raise_case: Raise, client: ApiClient, company: Company, as_user: AsUser, make_user: Callable[..., User]
) -> None:
    colleague = make_user("csm", "colleague@example.com")
    first = raise_case()
    asked = {"title": "Call them", "assignee_email": colleague.email, "required": True}
    assert client.post(path_of(first, "/tasks"), json=asked).status_code == 201
    second = raise_case(about_user=colleague.email)
    heard = len(as_user(colleague).get("/api/v1/notifications").json["items"])
    assert client.post(path_of(second, "/merge"), json={"into_id": first["id"], "reason": "Same"}).status_code == 200
    tasks = client.get(path_of(first, "/tasks")).json["items"]
    assert [task["assignee_id"] for task in tasks if task["title"] == "Call them"] == [str(company.owner.id)]
    assert len(as_user(colleague).get("/api/v1/notifications").json["items"]) == heard


def test_a_first_message_starts_respond_and_reply_at_its_own_moment(raise_case: Raise, client: ApiClient) -> None:
    case = raise_case()
    message = {"from": "Jo", "channel": "email", "text": "Hello?"}
    record = client.post(f"/api/v1/escalations/{case['id']}/messages", json=message).json
    due = {clock["kind"]: clock["due_at"] for clock in record["clocks"]}
    assert due["respond"] == due["reply"]
    again = client.post(f"/api/v1/escalations/{case['id']}/messages", json={**message, "text": "Still there?"}).json
    assert {clock["kind"]: clock["due_at"] for clock in again["clocks"]}["reply"] == due["reply"]


def test_clocks_are_paged(raise_case: Raise, client: ApiClient) -> None:
    path = f"/api/v1/escalations/{raise_case()['id']}/clocks?limit=1"
    first = client.get(path).json
    second = client.get(f"{path}&cursor={first['next_cursor']}").json
    assert {first["items"][0]["kind"], second["items"][0]["kind"]} == {"close", "acknowledge"}
    assert second["next_cursor"] is None
