"""What a CRM tells us about customers: upserts, one or many, ordered by `source_updated_at`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from app.accounts import bulk, queries, rate_upserts
from app.accounts.book import rebuild_book
from app.accounts.bulk import Outcome, Row, check_row
from app.accounts.errors import AccountNotFound, RowRefused
from app.accounts.kinds import ACCOUNT, CONTACT, CONTRACT, EXTERNAL_ID, KINDS, OPPORTUNITY, SOURCE, Kind
from app.accounts.models import Account, Contact, Contract, Opportunity, Rate
from app.accounts.rate_upserts import RateRow
from app.db import TenantModel, db

R = TypeVar("R", bound=TenantModel)
BULK_KINDS = (*KINDS, "rates")

__all__ = [
    "BULK_KINDS",
    "EXTERNAL_ID",
    "KINDS",
    "SOURCE",
    "Outcome",
    "RateRow",
    "Row",
    "Upsert",
    "read_row",
    "rebuild_book",
    "upsert_account",
    "upsert_contact",
    "upsert_contract",
    "upsert_many",
    "upsert_opportunity",
    "upsert_rate",
]


@dataclass(frozen=True)
class Upsert(Generic[R]):
    """The record as it is now, what became of the request, and what is not known yet."""

    record: R
    outcome: str
    warnings: tuple[str, ...] = ()


def upsert_account(source: str, external_id: str, fields: Mapping[str, Any], *, now: datetime) -> Upsert[Account]:
    """Create or change an account; a field left out keeps its value, None clears it."""
    done = _upsert(ACCOUNT, {**fields, "source": source, "external_id": external_id}, now=now)
    account = _get(Account, done)
    return Upsert(account, done.outcome, queries.list_unknown(account))


def upsert_contract(
    source: str, account_external_id: str, external_id: str, fields: Mapping[str, Any], *, now: datetime
) -> Upsert[Contract]:
    """Create or change a contract of a known account."""
    done = _upsert_below(CONTRACT, source, account_external_id, external_id, fields, now=now)
    contract = _get(Contract, done)
    named = [contract.service_level] if contract.service_level else []
    return Upsert(contract, done.outcome, tuple(queries.list_unknown_levels(named)))


def upsert_contact(
    source: str, account_external_id: str, external_id: str, fields: Mapping[str, Any], *, now: datetime
) -> Upsert[Contact]:
    """Create or change a contact of a known account."""
    done = _upsert_below(CONTACT, source, account_external_id, external_id, fields, now=now)
    return Upsert(_get(Contact, done), done.outcome)


def upsert_opportunity(
    source: str, account_external_id: str, external_id: str, fields: Mapping[str, Any], *, now: datetime
) -> Upsert[Opportunity]:
    """Create or change a deal of a known account."""
    done = _upsert_below(OPPORTUNITY, source, account_external_id, external_id, fields, now=now)
    return Upsert(_get(Opportunity, done), done.outcome)


def upsert_rate(currency: str, on_date: date | str, rate: Any, *, now: datetime) -> Upsert[Rate]:
    """Set what one unit of `currency` is worth in the reporting currency from a day on."""
    row = rate_upserts.check_row({"currency": currency, "date": on_date, "rate": rate})
    done = rate_upserts.apply([row], now=now)[0]
    return Upsert(_get(Rate, done), done.outcome)


def read_row(kind: str, raw: Mapping[str, Any]) -> Row | RateRow:
    """One raw row of an import, checked; RowRefused names every fault."""
    return rate_upserts.check_row(raw) if kind == "rates" else check_row(KINDS[kind], raw)


def upsert_many(kind: str, rows: Sequence[Any], *, now: datetime) -> list[Outcome]:
    """Write checked rows (`read_row`) as single upserts in their order would, in a few statements for all."""
    if not rows:
        return []
    return rate_upserts.apply(rows, now=now) if kind == "rates" else bulk.apply(KINDS[kind], rows, now=now)


def _upsert(kind: Kind, raw: Mapping[str, Any], *, now: datetime) -> Outcome:
    done = bulk.apply(kind, [check_row(kind, raw)], now=now)[0]
    if done.outcome == "rejected":
        if any(name == "account_external_id" for name, _ in done.faults):
            raise AccountNotFound
        raise RowRefused(done.faults)
    return done


def _upsert_below(
    kind: Kind, source: str, account: str, external_id: str, fields: Mapping[str, Any], *, now: datetime
) -> Outcome:
    keys = {"source": source, "external_id": external_id, "account_external_id": account}
    return _upsert(kind, {**fields, **keys}, now=now)


def _get(model: type[R], done: Outcome) -> R:
    record = db.session.get(model, done.id, populate_existing=True)
    if record is None:
        raise AccountNotFound
    return record
