"""An outage of a small company: opened, told of, and its offers looked at, over HTTP."""

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
def hit(company: Company) -> list[str]:
    """Globex, Hooli and Initech, all looked after by one owner."""
    with transaction():
        fields = {"owner_email": company.owner.email}
        more = [
            accounts.upsert_account("crm", key, {"name": name, **fields}, now=clock.now()).record
            for key, name in (("A-2", "Hooli"), ("A-3", "Initech"))
        ]
    return [company.account_id, *(str(one.id) for one in more)]


@pytest.fixture
def outage(client: ApiClient) -> dict[str, Any]:
    """Open, and the admin's own."""
    return opened(client)


def opened(client: ApiClient, title: str = "Login is down", **more: Any) -> dict[str, Any]:
    made = client.post(OUTAGES, json={"title": title, "statement": "A certificate ran out", **more})
    assert made.status_code == 201, made.text
    return dict(made.json)


def path_of(outage: dict[str, Any], *rest: str) -> str:
    return "/".join((OUTAGES, outage["id"], *rest))


def case_path(case: dict[str, Any], *rest: str) -> str:
    return "/".join((CASES, case["id"], *rest))


def tell(client: ApiClient, outage: dict[str, Any], text: str = "We renew it", **more: Any) -> dict[str, Any]:
    told = client.post(path_of(outage, "updates"), json={"text": text, **more})
    assert told.status_code == 200, told.text
    return dict(told.json)


def end(client: ApiClient, outage: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"summary": "The certificate is renewed", "root_cause": "Nobody watched its end", "preventable": True}
    ended = client.post(path_of(outage, "resolve"), json={**body, **more})
    assert ended.status_code == 200, ended.text
    return dict(ended.json)


def do(client: ApiClient, case: dict[str, Any], action: str, status: int = 200, **body: Any) -> dict[str, Any]:
    done = client.post(case_path(case, action), json=body)
    assert done.status_code == status, done.text
    return dict(done.json)


def edit(client: ApiClient, case: dict[str, Any], status: int = 200, **body: Any) -> dict[str, Any]:
    version = client.get(case_path(case)).headers["ETag"]
    done = client.patch(case_path(case), json=body, if_match=version)
    assert done.status_code == status, done.text
    return dict(done.json)


def offers(client: ApiClient, case: dict[str, Any]) -> list[tuple[str, str]]:
    """(kind, state) of what the outage offered to a case, oldest first."""
    found = client.get(case_path(case, "tasks?limit=200")).json["items"]
    kinds = {"outage_update": "update", "outage_resolution": "resolution"}
    return [(kinds[one["kind"]], one["state"]) for one in found if one["kind"] in kinds]


def open_offer(client: ApiClient, case: dict[str, Any]) -> dict[str, Any]:
    found = client.get(case_path(case, "tasks?limit=200")).json["items"]
    (one,) = [one for one in found if one["outage_event_id"] and one["state"] == "open"]
    return dict(one)


def draft(client: ApiClient, case: dict[str, Any]) -> dict[str, Any]:
    """What the open offer says on its case."""
    shown = client.get(case_path(case, "tasks", open_offer(client, case)["id"], "draft"))
    assert shown.status_code == 200, shown.text
    return dict(shown.json)


def send(client: ApiClient, case: dict[str, Any], status: int = 200, **more: Any) -> dict[str, Any]:
    """Answer the open offer with an update to the customer."""
    body = {"audience": "customer", "channel": "email", "task_id": open_offer(client, case)["id"], **more}
    return do(client, case, "updates", status, **body)


def resolve(client: ApiClient, case: dict[str, Any]) -> dict[str, Any]:
    """With what the offer holds."""
    return do(client, case, "resolve", **draft(client, case)["resolution"])


def events(client: ApiClient, path: str, kind: str) -> list[dict[str, Any]]:
    items = client.get(f"{path}/timeline?limit=200").json["items"]
    return [one for one in items if one["kind"] == kind]


def run_job(tenant: TestTenant) -> int:
    return jobs.offer_outages_tenant(tenant.id)
