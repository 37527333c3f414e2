"""Outages: one cause, one case for each account, word of it offered to each and sent by people."""

from collections.abc import Callable
from typing import Any

import pytest

from app import clock
from app.accounts import service as accounts
from app.db import transaction
from app.escalations import jobs
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]
OUTAGES, CASES = "/api/v1/outages", "/api/v1/escalations"


@pytest.fixture
def accounts_hit(company: Company) -> list[str]:
    """Globex, Hooli and Initech."""
    with transaction():
        more = [
            accounts.upsert_account("crm", key, {"name": name, "owner_email": company.owner.email}, now=clock.now())
            for key, name in (("A-2", "Hooli"), ("A-3", "Initech"))
        ]
    return [company.account_id, *(str(one.record.id) for one in more)]


@pytest.fixture
def outage(client: ApiClient) -> dict[str, Any]:
    """Open, of the admin's own."""
    made = client.post(OUTAGES, json={"title": "Login is down", "statement": "A certificate ran out"})
    assert made.status_code == 201, made.text
    return dict(made.json)


def path_of(outage: dict[str, Any], *rest: str) -> str:
    return "/".join((OUTAGES, outage["id"], *rest))


def case_path(case: dict[str, Any], *rest: str) -> str:
    return "/".join((CASES, case["id"], *rest))


def tell(client: ApiClient, outage: dict[str, Any], text: str = "We restart it", **more: Any) -> dict[str, Any]:
    told = client.post(path_of(outage, "updates"), json={"text": text, **more})
    assert told.status_code == 200, told.text
    return dict(told.json)


def offers(client: ApiClient, case: dict[str, Any]) -> list[tuple[str, str]]:
    """(kind, state) of what the outage offered to a case, oldest first."""
    found = client.get(case_path(case, "tasks")).json["items"]
    return [(one["kind"], one["state"]) for one in found if one["kind"].startswith("outage_")]


def open_offer(client: ApiClient, case: dict[str, Any]) -> dict[str, Any]:
    found = client.get(case_path(case, "tasks")).json["items"]
    (one,) = [one for one in found if one["kind"].startswith("outage_") and one["state"] == "open"]
    return dict(one)


def run_jobs(tenant: TestTenant) -> int:
    return jobs.offer_outages_tenant(tenant.id)


def test_an_outage_is_opened_by_its_owner_and_says_so(client: ApiClient, tenant: TestTenant) -> None:
    body = {"title": "Login is down", "statement": "A certificate ran out"}
    made = client.post(OUTAGES, json=body)
    found = client.get(made.headers["Location"])

    assert made.status_code == 201
    assert {name: found.json[name] for name in ("title", "statement", "state", "resolved_at", "last_word")} == {
        **body,
        "state": "open",
        "resolved_at": None,
        "last_word": None,
    }
    assert found.json["owner"]["email"] == tenant.admin.email
    assert found.json["escalations"] == {"open": 0, "resolved": 0, "closed": 0, "requested": 0}
    assert found.headers["ETag"] == '"1"'


def test_an_update_is_offered_to_each_open_case_and_sending_it_keeps_the_promise(
    client: ApiClient, outage: dict[str, Any], raise_case: Raise
) -> None:
    case = raise_case(outage_id=outage["id"], raised_by={"kind": "customer", "email": "jo@globex.example"})
    tell(client, outage, "The certificate is being renewed", channel="email")
    offer = open_offer(client, case)
    shown = client.get(case_path(case, "tasks", offer["id"], "draft")).json
    sent = client.post(
        case_path(case, "updates"), json={"audience": "customer", "channel": "email", "task_id": offer["id"]}
    )

    assert offer["kind"] == "outage_update"
    assert offer["assignee_id"] == case["owner"]["id"]
    assert "The certificate is being renewed" in shown["message"]["text"]
    assert (shown["channel"], shown["resolution"], shown["message"]["gaps"]) == ("email", None, [])
    assert [one["clock"] for one in shown["message"]["meets"]] == ["respond"]
    assert sent.status_code == 200, sent.text
    assert offers(client, case) == [("outage_update", "done")]
    kept = [one for one in sent.json["clocks"] if one["kind"] == "respond"]
    assert [one["state"] for one in kept] == ["met"]
    update = [one for one in client.get(case_path(case, "timeline")).json["items"] if one["kind"] == "update"][-1]
    assert "The certificate is being renewed" in update["texts"]["text"]
    assert update["facts"]["outage"] == outage["id"]
