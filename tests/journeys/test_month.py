"""The main job over thirty days: raised, owned, reminded to the day, resolved, verified, closed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.auth.models import User
from tests.conftest import ApiClient
from tests.escalations.conftest import Company

ALWAYS = {"name": "always", "timezone": "UTC", "always_open": True}
Raise = Callable[..., dict[str, Any]]


@pytest.fixture
def always_open(client: ApiClient) -> None:
    """A calendar without closing hours, so that every step keeps its own time."""
    made = client.post("/api/v1/calendars", json=ALWAYS)
    assert made.status_code == 201, made.text
    settings = client.get("/api/v1/settings")
    changed = client.patch("/api/v1/settings", json={"calendar": "always"}, if_match=settings.headers["ETag"])
    assert changed.status_code == 200, changed.text


def advance(client: ApiClient, by: str) -> int:
    answer = client.post("/api/v1/sandbox/clock", json={"advance": by})
    assert answer.status_code == 200, answer.text
    fired: int = answer.json["fired"]
    return fired


def close_steps(client: ApiClient, case: dict[str, Any]) -> list[tuple[int, str, str, str]]:
    """(day, step, recipient, outcome) of the close clock's steps, in order."""
    raised_at = datetime.fromisoformat(case["raised_at"])
    sent = client.get(f"/api/v1/escalations/{case['id']}/schedule").json["sent"]
    steps = [
        (
            (datetime.fromisoformat(one["at"]) - raised_at) / timedelta(days=1),
            one["step"],
            one["recipient"],
            one["outcome"],
        )
        for one in sent
        if one["clock"] == "close"
    ]
    return sorted((round(day), step, recipient, outcome) for day, step, recipient, outcome in steps)


def test_an_open_case_is_reminded_to_the_day(
    always_open: None, raise_case: Raise, client: ApiClient, company: Company
) -> None:
    case = raise_case()
    advance(client, "P32D")
    assert close_steps(client, case) == [
        (15, "50%", "owner@example.com", "sent"),
        (23, "-P7D", "csm@example.com", "sent"),
        (23, "-P7D", "owner@example.com", "sent"),
        (27, "-P3D", "manager@example.com", "sent"),
        (27, "-P3D", "owner@example.com", "sent"),
        (29, "-P1D", "manager@example.com", "sent"),
        (29, "-P1D", "owner@example.com", "sent"),
        (30, "0", "boss@example.com", "sent"),
        (30, "0", "csm@example.com", "sent"),
        (30, "0", "manager@example.com", "sent"),
        (30, "0", "owner@example.com", "sent"),
        (31, "+P1D", "manager@example.com", "sent"),
        (31, "+P1D", "owner@example.com", "sent"),
        (32, "+P1D", "manager@example.com", "sent"),
        (32, "+P1D", "owner@example.com", "sent"),
    ]
    record = client.get(f"/api/v1/escalations/{case['id']}").json
    assert record["overdue"] is True
    assert [item["id"] for item in client.get("/api/v1/escalations?overdue=true").json["items"]] == [case["id"]]


def test_a_month_in_one_step_gives_what_thirty_days_give(
    always_open: None, raise_case: Raise, client: ApiClient
) -> None:
    first = raise_case(title="In steps")
    for _ in range(31):
        advance(client, "P1D")
    second = raise_case(title="At once")
    advance(client, "P31D")
    assert [step for step in close_steps(client, first) if step[0] <= 31] == close_steps(client, second)


def test_the_main_job_ends_on_time_with_the_customers_word(
    raise_case: Raise, client: ApiClient, as_user: Callable[[User], ApiClient], company: Company
) -> None:
    case = raise_case(raised_by={"kind": "customer", "email": "jo@globex.example"})
    owner = as_user(company.owner)
    path = f"/api/v1/escalations/{case['id']}"

    def do(action: str, **body: Any) -> dict[str, Any]:
        answer = owner.post(f"{path}/{action}", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json
        return found

    inbox = owner.get("/api/v1/notifications").json["items"]
    assert [message["kind"] for message in inbox] == ["assigned"]
    do("acknowledge")
    do("updates", audience=["customer"], channel="email", text="We look into it")
    advance(client, "P4D")
    do("attempts", what="Restarted the exporter", result="Better, not well")
    do("resolve", summary="Patched", root_cause="A full disk", preventable=True)
    do("verify", accepted=True, confirmed_by="Jo", channel="call")
    advance(client, "P40D")
    record = owner.get(path).json
    assert (record["status"], record["outcome"], record["verification"]) == ("closed", "resolved", "confirmed")
    states = {clock["kind"]: clock["state"] for clock in record["clocks"]}
    assert states["close"] == "met"
    assert close_steps(client, case) == []
    assert owner.get(f"{path}/schedule").json["upcoming"] == []


def test_an_unanswered_verification_closes_by_itself_and_is_not_confirmed(
    always_open: None, raise_case: Raise, client: ApiClient, as_user: Callable[[User], ApiClient], company: Company
) -> None:
    case = raise_case()
    owner = as_user(company.owner)
    path = f"/api/v1/escalations/{case['id']}"
    owner.post(f"{path}/acknowledge", json={})
    owner.post(f"{path}/resolve", json={"summary": "Done", "root_cause": "Disk", "preventable": False})
    advance(client, "P6D")
    record = owner.get(path).json
    assert (record["status"], record["outcome"], record["verification"]) == ("closed", "resolved", "unanswered")


def test_waiting_ends_by_itself_on_its_day(
    raise_case: Raise, client: ApiClient, as_user: Callable[[User], ApiClient], company: Company
) -> None:
    case = raise_case()
    owner = as_user(company.owner)
    path = f"/api/v1/escalations/{case['id']}"
    owner.post(f"{path}/acknowledge", json={})
    day = (datetime.fromisoformat(case["raised_at"]) + timedelta(days=5)).date().isoformat()
    body = {"party": "customer", "reason": "Logs", "resume_on": day}
    assert owner.post(f"{path}/wait", json=body).status_code == 200
    advance(client, "P9D")
    events = owner.get(f"{path}/timeline?limit=200").json["items"]
    resumed = [event for event in events if event["kind"] == "resume"]
    assert [event["facts"]["because"] for event in resumed] == ["resume_on"]
    assert owner.get(path).json["waiting"] is None
