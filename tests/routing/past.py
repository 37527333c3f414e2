"""Escalations of the past for simulations: raised through the door, closed by whoever it really was."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from app import clock
from app.auth.models import User
from app.db import transaction
from app.routing import jobs
from app.routing import service as routing
from tests.conftest import ApiClient, TestTenant

SIMULATE = "/api/v1/routing/simulate"
Make = Callable[..., User]


def raised(client: ApiClient, account: str = "A1", **said: Any) -> dict[str, Any]:
    """A new escalation of this account of the CRM."""
    body = {"account": {"source": "crm", "external_id": account}, "title": "Down", "severity": 2, **said}
    answer = client.post("/api/v1/escalations", json=body)
    assert answer.status_code == 201, answer.json
    made: dict[str, Any] = answer.json
    return made


def closed(case: dict[str, Any]) -> None:
    """It ends in its owner's hands now."""
    with transaction():
        routing.release(UUID(case["id"]), now=clock.now())


def simulated(client: ApiClient, tenant: TestTenant, **asked: Any) -> dict[str, Any]:
    """A simulation asked for, done to its end, and read again."""
    started = client.post(SIMULATE, json=asked)
    assert started.status_code == 202, started.json
    jobs.simulate_tenant(tenant.id)
    done: dict[str, Any] = client.get(started.headers["Location"]).json
    return done
