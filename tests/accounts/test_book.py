from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.accounts import book, jobs, queries, service
from app.accounts.models import Account, BookDay
from app.db import db, transaction
from tests import NOW
from tests.conftest import TestTenant

TODAY = date(2026, 3, 2)
YEAR = {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}


def account(external_id: str, *arr: str, currency: str = "USD", **fields: Any) -> UUID:
    with transaction():
        made = service.upsert_account("crm", external_id, {"name": external_id, **fields}, now=NOW).record
        for n, amount in enumerate(arr):
            bought = {"arr": amount, "currency": currency, **YEAR}
            service.upsert_contract("crm", external_id, f"C-{n}", bought, now=NOW)
    return made.id


def booked() -> dict[str, tuple[Decimal, Decimal]]:
    with transaction():
        found = select(Account.external_id, BookDay.value, BookDay.percentile).join_from(
            BookDay, Account, BookDay.account_id == Account.id
        )
        return {name: (value, round(share, 4)) for name, value, share in db.session.execute(found)}


def rebuild(today: date = TODAY) -> int:
    with transaction():
        return book.rebuild_book(today)


def percentile(account_id: UUID) -> Decimal | None:
    with transaction():
        return queries.account_facts(account_id, now=NOW).percentile


def test_the_book_ranks_every_account_by_its_value(tenant: TestTenant) -> None:
    account("A", "100", "200")
    account("B", "300")
    account("C")
    account("D", "50", currency="EUR")
    account("E", "1000", currency="JPY")
    account("F", parent_external_id="B")
    with transaction():
        service.upsert_rate("EUR", date(2026, 2, 27), "2", now=NOW)
        service.upsert_opportunity("crm", "A", "O", {"amount": 400, "currency": "USD", "probability": 0.5}, now=NOW)
        service.upsert_opportunity("crm", "C", "O", {"amount": 9, "currency": "USD", "type": "Renewal"}, now=NOW)
    assert rebuild() == 5
    # Of 5 values 0, 100, 300, 300, 500: nothing at stake is 0; 100 tops 2 of 5; 300 tops 4; E has no rate.
    assert booked() == {
        "C": (Decimal("0.00"), Decimal(0)),
        "D": (Decimal("100.00"), Decimal("0.4")),
        "B": (Decimal("300.00"), Decimal("0.8")),
        "F": (Decimal("300.00"), Decimal("0.8")),
        "A": (Decimal("500.00"), Decimal(1)),
    }


def test_the_book_says_of_each_account_what_its_facts_say(tenant: TestTenant) -> None:
    ids = [account("A", "10"), account("B", "20", parent_external_id="A"), account("C", parent_external_id="B")]
    ids.append(account("D"))
    with transaction():
        future = {"arr": 70, "currency": "USD", "starts_on": "2026-06-01"}
        service.upsert_contract("crm", "D", "C", future, now=NOW)
    rebuild()
    with transaction():
        facts = queries.facts_for_many(ids, now=NOW)
        kept = {row.account_id: row.value for row in db.session.scalars(select(BookDay))}
    assert {i: f.value.value_at_stake.amount for i, f in facts.items()} == kept
    assert sorted(kept.values()) == [Decimal(10), Decimal(20), Decimal(20), Decimal(70)]


def test_building_a_day_again_replaces_it_and_old_days_are_forgotten(tenant: TestTenant) -> None:
    gone = account("GONE", "5")
    account("A", "10")
    rebuild(TODAY - timedelta(days=8))
    with transaction():
        db.session.get_one(Account, gone).gone_at = NOW
    rebuild()
    account("A", "30")
    rebuild()
    assert booked() == {"GONE": (Decimal(5), Decimal("0.5")), "A": (Decimal(30), Decimal(1))}


def test_a_value_that_moved_since_is_ranked_as_it_is_now(
    tenant: TestTenant, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    low = account("LOW", "10")
    for n in range(3):
        account(f"A{n}", str(20 + n))
    rebuild()
    with transaction(), statements() as sent:
        assert queries.account_facts(low, now=NOW).percentile == Decimal("0.25")
    assert len(sent) == 2
    account("LOW", "21")
    with transaction(), statements() as sent:
        # The book holds 10, 20, 21, 22: three of four are worth no more than 21.
        assert queries.account_facts(low, now=NOW).percentile == Decimal("0.75")
    assert len(sent) == 3


def test_without_a_book_accounts_are_ranked_as_they_are(tenant: TestTenant) -> None:
    small, big, none, foreign = account("S", "10"), account("B", "90"), account("N"), account("J", "5", currency="JPY")
    assert percentile(big) == 1
    assert round(percentile(small) or 0, 4) == Decimal("0.6667")
    assert percentile(none) == 0
    assert percentile(foreign) is None


def test_the_job_makes_a_tenants_book_once_a_day(tenant: TestTenant) -> None:
    account("A", "10")
    with transaction():
        assert (jobs.make_book(NOW), jobs.make_book(NOW)) == (True, False)
    assert list(booked()) == ["A"]
