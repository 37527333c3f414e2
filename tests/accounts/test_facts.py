from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.accounts import queries, service
from app.accounts.errors import AccountNotFound
from app.accounts.facts import AccountFacts
from app.accounts.models import Account, BookDay
from app.auth.models import User
from app.db import db, new_id, transaction
from app.errors import Invalid
from app.rows import insert_all
from tests import NOW
from tests.conftest import TestTenant


def put(external_id: str, **fields: Any) -> Account:
    with transaction():
        return service.upsert_account("crm", external_id, {"name": external_id, **fields}, now=NOW).record


def contract(account: str, external_id: str, arr: str = "120000", **fields: Any) -> UUID:
    given = {"arr": arr, "currency": "USD", "starts_on": "2026-01-01", "ends_on": "2026-12-31"} | fields
    with transaction():
        return service.upsert_contract("crm", account, external_id, given, now=NOW).record.id


def facts(external_id: str, **options: Any) -> AccountFacts:
    with transaction():
        return queries.account_facts(("crm", external_id), now=NOW, **options)


def test_facts_name_people_value_and_renewal_in_two_statements(
    tenant: TestTenant,
    make_user: Callable[..., User],
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    manager = make_user("manager")
    owner = make_user(email="dana@example.com", manager=manager)
    account = put(
        "A", owner_email="Dana@example.com", csm_email="gone@example.com", timezone="Europe/Berlin", health=30
    )
    usd = contract("A", "C-1")
    euro = contract("A", "C-2", "50000", currency="EUR", ends_on="2026-06-30")
    with transaction():
        service.upsert_opportunity(
            "crm", "A", "O-1", {"amount": 40000, "currency": "USD", "probability": 0.25}, now=NOW
        )
        service.upsert_rate("EUR", date(2026, 2, 27), "1.10", now=NOW)
        insert_all([BookDay(account_id=account.id, on_date=date(2026, 3, 1), value=185000, percentile=Decimal("0.75"))])
    with transaction(), statements() as sent:
        found = queries.account_facts(account.id, now=NOW)
    assert len(sent) == 2
    assert found.owner is not None
    assert (found.owner.id, found.owner.manager_id, found.csm) == (owner.id, manager.id, None)
    assert (found.zone, found.calendar, found.percentile) == ("Europe/Berlin", None, Decimal("0.75"))
    # 120,000 + 50,000 x 1.10 = 175,000; with 40,000 x 25 % = 185,000; the EUR contract renews first.
    assert (found.value.arr.amount, found.value.value_at_stake.amount) == (Decimal(175000), Decimal(185000))
    assert (found.value.renewal_on, found.value.renewal_value.amount) == (date(2026, 7, 1), Decimal(55000))
    assert set(found.touched_contract_ids) == {usd, euro}
    assert found.currencies == ("EUR", "USD")
    assert found.warnings == ("csm_email: nobody has the address gone@example.com",)


def test_an_account_without_an_active_contract_stands_under_its_nearest_ancestor(tenant: TestTenant) -> None:
    top, middle = put("TOP"), put("MID", parent_external_id="TOP")
    put("LOW", parent_external_id="MID")
    contract("LOW", "OLD", starts_on="2024-01-01", ends_on="2024-12-31")
    contract("TOP", "FAR", "999")
    near = contract("MID", "NEAR", "300", service_level="gold")
    found = facts("LOW")
    assert found.chain == (middle.id, top.id)
    assert (found.value.arr.amount, found.from_account_id) == (Decimal(300), middle.id)
    assert (found.touched_contract_ids, found.service_level) == ((near,), "gold")


def test_contracts_named_narrow_what_is_touched_and_a_strange_one_is_refused(tenant: TestTenant) -> None:
    put("A")
    put("B")
    contract("A", "C-1", "100", service_level="basic")
    gold = contract("A", "C-2", "50", service_level="gold")
    other = contract("B", "C-1", "7")
    assert facts("A").service_level == "basic"
    narrowed = facts("A", contract_ids=[gold])
    assert (narrowed.value.value_at_stake.amount, narrowed.value.arr.amount) == (Decimal(50), Decimal(150))
    assert narrowed.service_level == "gold"
    for strange in (other, new_id()):
        with pytest.raises(Invalid) as refused:
            facts("A", contract_ids=[gold, strange])
        assert refused.value.errors[0]["pointer"] == "/contract_ids/1"


@pytest.mark.parametrize(("rate_on", "amount"), [(date(2026, 2, 23), Decimal("110.00")), (date(2026, 2, 22), None)])
def test_a_rate_older_than_seven_days_is_no_rate(tenant: TestTenant, rate_on: date, amount: Decimal | None) -> None:
    put("A")
    contract("A", "C-1", "100", currency="EUR")
    with transaction():
        service.upsert_rate("EUR", rate_on, "1.10", now=NOW)
    value = facts("A").value
    assert (value.arr.amount, value.incomplete) == (amount, amount is None)


def test_an_alias_answers_with_its_survivor_and_a_parent_that_was_merged_too(tenant: TestTenant) -> None:
    old, new = put("OLD"), put("NEW")
    child = put("CHILD", parent_external_id="OLD")
    contract("NEW", "C-1", "70")
    with transaction():
        db.session.get_one(Account, old.id).merged_into_id = new.id
    assert facts("OLD").account.id == new.id
    assert (facts("CHILD").chain, facts("CHILD").value.arr.amount) == ((new.id,), Decimal(70))
    with transaction():
        many = queries.facts_for_many([child.id, old.id, new_id()], now=NOW)
    assert {asked: found.account.id for asked, found in many.items()} == {child.id: child.id, old.id: new.id}


def test_a_gone_account_is_answered_with_a_warning(tenant: TestTenant) -> None:
    account = put("A")
    with transaction():
        db.session.get_one(Account, account.id).gone_at = NOW
    found = facts("A")
    assert found.account.is_gone
    assert found.warnings == ("The CRM no longer has this account",)


def test_an_account_of_another_tenant_does_not_exist(new_tenant: Callable[..., TestTenant]) -> None:
    mine, other = new_tenant("Mine"), new_tenant("Other")
    with transaction(tenant=other.id):
        theirs = service.upsert_account("crm", "A", {"name": "A"}, now=NOW).record
    for key in (theirs.id, ("crm", "A")):
        with transaction(tenant=mine.id), pytest.raises(AccountNotFound):
            queries.account_facts(key, now=NOW)
