"""Everything a case needs to know of its account at one moment, read in at most three statements."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.accounts.value import Value


@dataclass(frozen=True)
class Person:
    """A user whom an account names by e-mail."""

    id: UUID
    email: str
    name: str
    role: str
    active: bool
    manager_id: UUID | None
    timezone: str | None


@dataclass(frozen=True)
class AccountRow:
    """An account's columns; `is_gone` says that the CRM deleted it."""

    id: UUID
    version: int
    source: str
    external_id: str
    name: str
    domain: str | None
    segment: str | None
    region: str | None
    timezone: str | None
    calendar: str | None
    health: int | None
    lifecycle: str | None
    owner_email: str | None
    csm_email: str | None
    sponsor_email: str | None
    parent_external_id: str | None
    attributes: Mapping[str, Any]
    gone_at: datetime | None

    @property
    def is_gone(self) -> bool:
        return self.gone_at is not None


@dataclass(frozen=True)
class AccountFacts:
    """The account (aliases followed), who stands for it and what it is worth on the tenant's date of the asking.

    `chain` are the ids of its parents, nearest first. `touched_contract_ids` are those that count in
    `value.value_at_stake`: the ones asked for, else all active ones, its own or, `from_account_id` then says so, its
    nearest ancestor's. `service_levels` are those that the touched contracts name, of the one worth most first,
    known or not; `service_level` is the first. `percentile` (0–1) is
    the place of `value.value_at_stake` in the newest book, None when it can't be converted; `book_on` is the day of
    the account's own line in it, None while it has none. `zone` and `calendar` are the account's own or None.
    `warnings` are for people: what was named but is not known, and that the account is gone.
    """

    account: AccountRow
    owner: Person | None
    csm: Person | None
    sponsor: Person | None
    chain: tuple[UUID, ...]
    value: Value
    touched_contract_ids: tuple[UUID, ...]
    opportunity_ids: tuple[UUID, ...]
    from_account_id: UUID | None
    service_levels: tuple[str, ...]
    currencies: tuple[str, ...]
    percentile: Decimal | None
    book_on: date | None
    today: date
    warnings: tuple[str, ...]

    @property
    def service_level(self) -> str | None:
        return self.service_levels[0] if self.service_levels else None

    @property
    def zone(self) -> str | None:
        return self.account.timezone

    @property
    def calendar(self) -> str | None:
        return self.account.calendar
