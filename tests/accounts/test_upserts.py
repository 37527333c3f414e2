from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from app.accounts import service
from app.accounts.errors import AccountNotFound, RowRefused
from app.accounts.models import Account, AccountHistory, Contract
from app.accounts.service import Upsert
from app.auth.models import User
from app.db import db, transaction
from tests import NOW
from tests.conftest import TestTenant

CONTRACT = {"arr": "120000.00", "currency": "USD", "starts_on": "2026-01-01", "ends_on": "2026-12-31"}


def put(external_id: str = "A-1", *, now: datetime = NOW, **fields: Any) -> Upsert[Account]:
    with transaction():
        return service.upsert_account("crm", external_id, fields, now=now)


def put_contract(external_id: str = "C-1", *, account: str = "A-1", **fields: Any) -> Upsert[Contract]:
    with transaction():
        return service.upsert_contract("crm", account, external_id, fields, now=NOW)


def history_of(account: Account) -> list[dict[str, Any]]:
    with transaction():
        found = select(AccountHistory).where(AccountHistory.account_id == account.id).order_by(AccountHistory.id)
        return [entry.changes for entry in db.session.scalars(found)]


def test_a_new_account_is_created_and_the_same_again_changes_nothing(tenant: TestTenant) -> None:
    first = put(name="Northwind", segment="enterprise", health=70)
    assert (first.outcome, first.record.name, first.record.health, first.record.version) == (
        "created",
        "Northwind",
        70,
        1,
    )
    again = put(name="Northwind", segment="enterprise", health=70)
    assert (again.outcome, again.record.id, again.record.version) == ("unchanged", first.record.id, 1)


def test_a_field_left_out_keeps_its_value_and_none_clears_it(tenant: TestTenant) -> None:
    put(name="Northwind", region="emea", domain="northwind.example")
    changed = put(region=None, health=40)
    assert (changed.outcome, changed.record.region, changed.record.domain, changed.record.health) == (
        "updated",
        None,
        "northwind.example",
        40,
    )
    assert changed.record.version == 2


def test_an_older_source_version_changes_nothing(tenant: TestTenant) -> None:
    put(name="New name", source_updated_at="2026-11-20T10:00:00Z")
    late = put(name="Old name", source_updated_at="2026-11-19T10:00:00Z")
    assert (late.outcome, late.record.name, late.record.version) == ("stale", "New name", 1)
    assert put(name="Newest", source_updated_at=None).outcome == "updated"


def test_a_newer_source_version_with_the_same_values_is_unchanged_but_remembered(tenant: TestTenant) -> None:
    put(name="Northwind", source_updated_at="2026-11-19T10:00:00Z")
    assert put(name="Northwind", source_updated_at="2026-11-21T10:00:00Z").outcome == "unchanged"
    assert put(name="Between", source_updated_at="2026-11-20T10:00:00Z").outcome == "stale"


def test_what_decides_cases_is_kept_as_history_and_the_rest_is_not(tenant: TestTenant) -> None:
    put(name="Northwind", segment="small", health=70)
    put(segment="strategic", health=30, region="emea")
    account = put(region="apac").record
    assert history_of(account) == [{"segment": ["small", "strategic"], "health": [70, 30]}]
    assert account.version == 3


def test_a_contract_raises_the_accounts_version_and_that_of_those_below_it(tenant: TestTenant) -> None:
    put("P", name="Parent")
    child = put("A-1", name="Child", parent_external_id="P").record
    contract = put_contract(account="P", **CONTRACT)
    assert contract.outcome == "created"
    with transaction():
        versions = {a.external_id: a.version for a in db.session.scalars(select(Account))}
    assert versions == {"P": 2, "A-1": 2}
    assert history_of(child) == [{"above": str(contract.record.account_id)}]
    put_contract(account="P", **CONTRACT)
    with transaction():
        assert db.session.scalar(select(Account.version).where(Account.external_id == "P")) == 2


def test_an_account_can_not_be_its_own_ancestor(tenant: TestTenant) -> None:
    put("A", name="A", parent_external_id="B")
    put("B", name="B", parent_external_id="C")
    for external_id, parent in (("C", "A"), ("A", "A")):
        with pytest.raises(RowRefused) as refused:
            put(external_id, name="C", parent_external_id=parent)
        assert refused.value.errors[0]["pointer"] == "/parent_external_id"
    with transaction():
        assert db.session.scalar(select(Account.id).where(Account.external_id == "C")) is None


def test_what_is_not_known_yet_is_kept_as_given_and_named(tenant: TestTenant, make_user: Callable[..., User]) -> None:
    make_user(email="dana@example.com")
    made = put(
        name="Northwind",
        owner_email="Dana@Example.com",
        csm_email="nobody@example.com",
        parent_external_id="P-9",
        calendar="night shift",
    )
    assert made.record.csm_email == "nobody@example.com"
    assert made.warnings == (
        "csm_email: 'nobody@example.com' is not known yet",
        "parent_external_id: 'P-9' is not known yet",
        "calendar: 'night shift' is not known yet",
    )


def test_an_account_that_comes_back_is_no_longer_gone(tenant: TestTenant) -> None:
    account = put(name="Northwind").record
    with transaction():
        db.session.get_one(Account, account.id).gone_at = NOW
    back = put(name="Northwind")
    assert (back.outcome, back.record.gone_at) == ("updated", None)


def test_an_old_id_of_a_merged_account_leads_to_its_survivor(tenant: TestTenant) -> None:
    old, new = put("OLD", name="Old").record, put("NEW", name="New").record
    with transaction():
        db.session.get_one(Account, old.id).merged_into_id = new.id
    assert put_contract(account="OLD", **CONTRACT).record.account_id == new.id
    assert put("OLD", region="emea").record.id == new.id


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": None}, "/name"),
        ({"name": "x" * 501}, "/name"),
        ({"name": "a\x00b"}, "/name"),
        ({"name": 7}, "/name"),
        ({"name": "A", "segment": "huge"}, "/segment"),
        ({"name": "A", "timezone": "Mars/Olympus"}, "/timezone"),
        ({"name": "A", "health": 101}, "/health"),
        ({"name": "A", "health": "70"}, "/health"),
        ({"name": "A", "health": True}, "/health"),
        ({"name": "A", "owner_email": "nobody"}, "/owner_email"),
        ({"name": "A", "attributes": {"a": "\x00"}}, "/attributes"),
        ({"name": "A", "attributes": []}, "/attributes"),
        ({"name": "A", "source_updated_at": "2026-11-21T10:00:00"}, "/source_updated_at"),
        ({"name": "A", "colour": "red"}, "/colour"),
    ],
)
def test_a_faulty_account_is_refused_by_field(tenant: TestTenant, fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(RowRefused) as refused:
        put(**fields)
    assert [error["pointer"] for error in refused.value.errors] == [pointer]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"arr": "-1"}, "/arr"),
        ({"arr": "1.005"}, "/arr"),
        ({"arr": "NaN"}, "/arr"),
        ({"currency": "XXX"}, "/currency"),
        ({"currency": "usd"}, "/currency"),
        ({"ends_on": "2025-12-31"}, "/ends_on"),
        ({"ends_on": "31-12-2026"}, "/ends_on"),
        ({"starts_on": None}, "/starts_on"),
        ({"escalator": {"kind": "fixed", "percent": "a lot"}}, "/escalator"),
        ({"escalator": {"kind": "index", "floor": 5, "cap": 3}}, "/escalator"),
    ],
)
def test_a_faulty_contract_is_refused_by_field(tenant: TestTenant, change: dict[str, Any], pointer: str) -> None:
    put(name="Northwind")
    with pytest.raises(RowRefused) as refused:
        put_contract(**(CONTRACT | change))
    assert [error["pointer"] for error in refused.value.errors] == [pointer]


def test_a_contract_may_not_come_to_end_before_it_starts_by_a_later_change(tenant: TestTenant) -> None:
    put(name="Northwind")
    put_contract(**CONTRACT)
    with pytest.raises(RowRefused) as refused:
        put_contract(starts_on="2027-06-01")
    assert refused.value.errors == [{"pointer": "/ends_on", "detail": "expected a day on or after starts_on"}]


def test_a_contract_of_an_unknown_account_is_not_found(tenant: TestTenant) -> None:
    with pytest.raises(AccountNotFound):
        put_contract(account="nobody", **CONTRACT)


def test_an_escalator_is_replaced_whole_and_none_clears_it(tenant: TestTenant) -> None:
    put(name="Northwind")
    made = put_contract(**CONTRACT, escalator={"kind": "index", "percent": "3.1", "floor": 2, "cap": 5}).record
    assert (made.escalator_kind, made.escalator_percent, made.escalator_floor) == ("index", Decimal("3.1"), Decimal(2))
    changed = put_contract(escalator={"kind": "fixed", "percent": 4}).record
    assert (changed.escalator_kind, changed.escalator_percent, changed.escalator_floor) == ("fixed", Decimal(4), None)
    cleared = put_contract(escalator=None).record
    assert (cleared.escalator_kind, cleared.escalator_percent) == ("none", None)


def test_contacts_deals_and_rates_are_upserted_too(tenant: TestTenant) -> None:
    put(name="Northwind")
    with transaction():
        contact = service.upsert_contact("crm", "A-1", "P-1", {"email": "kim@northwind.example"}, now=NOW)
        deal = service.upsert_opportunity("crm", "A-1", "O-1", {"amount": 5000, "currency": "EUR"}, now=NOW)
        rate = service.upsert_rate("EUR", date(2026, 11, 18), "1.10", now=NOW)
        same = service.upsert_rate("EUR", date(2026, 11, 18), 1.1, now=NOW)
        other = service.upsert_rate("EUR", date(2026, 11, 18), 1.2, now=NOW)
    assert (contact.outcome, deal.outcome, deal.record.probability) == ("created", "created", Decimal(0))
    assert (rate.outcome, same.outcome, other.outcome, other.record.rate) == (
        "created",
        "unchanged",
        "updated",
        Decimal("1.2"),
    )


@pytest.mark.parametrize(
    ("currency", "rate", "pointer"), [("USD", 1, "/currency"), ("EUR", 0, "/rate"), ("EUR", -1, "/rate")]
)
def test_a_rate_is_above_0_and_never_of_the_reporting_currency(
    tenant: TestTenant, currency: str, rate: int, pointer: str
) -> None:
    with transaction(), pytest.raises(RowRefused) as refused:
        service.upsert_rate(currency, NOW.date() - timedelta(days=1), rate, now=NOW)
    assert [error["pointer"] for error in refused.value.errors] == [pointer]
