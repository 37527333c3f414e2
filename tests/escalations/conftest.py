"""A small company: an account with its people, and a client for each of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from app import clock
from app.accounts import service as accounts
from app.auth.models import User
from app.db import transaction
from tests.conftest import ApiClient, TestTenant


@dataclass(frozen=True)
class Company:
    """`owner` owns the account and reports to `manager`; `csm` looks after it, `boss` is an executive."""

    account_id: str
    owner: User
    manager: User
    csm: User
    boss: User


@pytest.fixture
def company(tenant: TestTenant, make_user: Callable[..., User]) -> Company:
    boss = make_user("executive", "boss@example.com")
    manager = make_user("manager", "manager@example.com", manager=boss)
    owner = make_user("csm", "owner@example.com", manager=manager)
    csm = make_user("csm", "csm@example.com", manager=manager)
    with transaction():
        fields = {"name": "Globex", "owner_email": owner.email, "csm_email": csm.email, "sponsor_email": boss.email}
        account = accounts.upsert_account("crm", "A-1", {**fields, "health": 40}, now=clock.now()).record
        contract = {"arr": "120000.00", "currency": "USD", "starts_on": "2026-01-01", "ends_on": "2027-12-31"}
        accounts.upsert_contract("crm", "A-1", "K-1", contract, now=clock.now())
    return Company(str(account.id), owner, manager, csm, boss)


@pytest.fixture
def raise_case(company: Company, client: ApiClient) -> Callable[..., dict[str, Any]]:
    """Raise over HTTP as the admin; answers the 201's body."""

    def make(**body: Any) -> dict[str, Any]:
        payload = {"account_id": company.account_id, "title": "Exports fail", "severity": 2, **body}
        answer = client.post("/api/v1/escalations", json=payload)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json
        return found

    return make
