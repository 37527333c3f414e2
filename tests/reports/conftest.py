"""Stories told at moments of March 2026, and the summary as of any of them, as the executive reads it."""

from collections.abc import Callable
from datetime import datetime
from time import sleep
from typing import Any

import pytest
from sqlalchemy import select

from app.accounts import service as accounts
from app.accounts.models import Account
from app.db import transaction
from app.reports.jobs import fold_tenant
from app.reports.making import SETTLE
from app.reports.models import ReportCursor
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company, company
from tests.escalations.story import Story, march
from tests.panels.conftest import launch, panel

__all__ = ["Company", "Story", "company", "launch", "march", "panel"]


@pytest.fixture
def story(tenant: TestTenant, company: Company) -> Callable[..., Story]:
    """`story("2 10:00", severity=1)`: a case raised at that moment."""
    return lambda at="2 10:00", **fields: Story(tenant, company).raised(at, **fields)


@pytest.fixture
def fold(tenant: TestTenant) -> Callable[[str], None]:
    """The worker's fold at a moment."""

    def run(at: str) -> None:
        for _ in range(50):  # the database's own housekeeping writes now and then
            assert fold_tenant(tenant.id, march(at)) is False
            with transaction(tenant=tenant.id) as session:
                if (session.scalar(select(ReportCursor.known_until)) or march("1 0:00")) >= march(at) - SETTLE:
                    return
            sleep(0.1)
        raise AssertionError("somebody writes all the time")

    return run


@pytest.fixture
def summary(company: Company, as_user: Callable[..., ApiClient]) -> Callable[..., dict[str, Any]]:
    """`summary("20 12:00")`: the summary as of then, as the executive."""
    boss = as_user(company.boss)

    def ask(at: str | datetime, **query: str) -> dict[str, Any]:
        as_of = (march(at) if isinstance(at, str) else at).isoformat()
        answer = boss.get("/api/v1/reports/summary", query_string={"as_of": as_of, **query})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json
        return found

    return ask


@pytest.fixture
def buy(tenant: TestTenant) -> Callable[..., Any]:
    """`buy("A-2", "K-2", 1000, "EUR", at="1 9:00")`: an account, made if new, has this contract."""

    def make(account: str, contract: str, arr: int, currency: str = "USD", *, at: str = "1 9:00", **fields: Any) -> Any:
        bought = {"arr": arr, "currency": currency, "starts_on": "2026-01-01", **fields}
        with transaction():
            record: Account = accounts.upsert_account("crm", account, {"name": account}, now=march(at)).record
            accounts.upsert_contract("crm", account, contract, bought, now=march(at))
        return record.id

    return make
