"""Customer companies as the CRM knows them: accounts, contacts, contracts, opportunities, exchange rates.

An owner, parent, calendar or service level is kept as given (e-mail, external id, name) and looked up when read, so
that it takes effect as soon as it exists.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import one_of
from app.db import TenantModel, Versioned, reference

SEGMENTS = ("strategic", "enterprise", "mid_market", "small")
ESCALATORS = ("none", "fixed", "index")
MONEY = Numeric(18, 2)


class Account(Versioned, TenantModel):
    """`changed_at` is tenant time; `gone_at` says that the CRM deleted it: nothing is deleted here."""

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("tenant_id", "source", "external_id"),
        one_of("segment", SEGMENTS),
        CheckConstraint("health BETWEEN 0 AND 100", name="health"),
        # Partial, so that no plan takes it, by tenant and source alone, for a look-up by external id.
        Index(
            "ix_account_parent",
            "tenant_id",
            "source",
            "parent_external_id",
            postgresql_where=text("parent_external_id IS NOT NULL"),
        ),
        Index("ix_account_name", "tenant_id", "name", "id"),
        Index("ix_account_changed", "tenant_id", "changed_at"),
        reference("account", "merged_into_id"),
    )

    source: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str]
    domain: Mapped[str | None]
    segment: Mapped[str | None]
    region: Mapped[str | None]
    timezone: Mapped[str | None]
    calendar: Mapped[str | None]
    health: Mapped[int | None]
    lifecycle: Mapped[str | None]
    owner_email: Mapped[str | None]
    csm_email: Mapped[str | None]
    sponsor_email: Mapped[str | None]
    parent_external_id: Mapped[str | None]
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    source_updated_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]
    merged_into_id: Mapped[UUID | None]


class Contact(Versioned, TenantModel):
    __tablename__ = "contact"
    __table_args__ = (
        UniqueConstraint("tenant_id", "account_id", "source", "external_id"),
        reference("account", "account_id"),
        Index("ix_contact_email", "tenant_id", "account_id", "email"),
    )

    account_id: Mapped[UUID]
    source: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str | None]
    email: Mapped[str | None]
    role: Mapped[str | None]
    source_updated_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]


class Contract(Versioned, TenantModel):
    """What an account bought. `escalator_percent` is the fixed percent, or the last known index."""

    __tablename__ = "contract"
    __table_args__ = (
        UniqueConstraint("tenant_id", "account_id", "source", "external_id"),
        reference("account", "account_id"),
        one_of("escalator_kind", ESCALATORS),
        CheckConstraint("arr >= 0", name="arr"),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="dates"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
    )

    account_id: Mapped[UUID]
    source: Mapped[str]
    external_id: Mapped[str]
    arr: Mapped[Decimal] = mapped_column(MONEY)
    currency: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    escalator_kind: Mapped[str] = mapped_column(default="none")
    escalator_percent: Mapped[Decimal | None]
    escalator_floor: Mapped[Decimal | None]
    escalator_cap: Mapped[Decimal | None]
    service_level: Mapped[str | None]
    source_updated_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]


class Opportunity(Versioned, TenantModel):
    """Pipeline: weighted by `probability` (0–1); those of type renewal are in no total."""

    __tablename__ = "opportunity"
    __table_args__ = (
        UniqueConstraint("tenant_id", "account_id", "source", "external_id"),
        reference("account", "account_id"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("probability BETWEEN 0 AND 1", name="probability"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
    )

    account_id: Mapped[UUID]
    source: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str | None]
    amount: Mapped[Decimal] = mapped_column(MONEY)
    currency: Mapped[str]
    probability: Mapped[Decimal]
    type: Mapped[str | None]
    closes_on: Mapped[date | None]
    source_updated_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]


class Rate(TenantModel):
    """Units of the reporting currency for one unit of `currency`, from `on_date` on."""

    __tablename__ = "rate"
    __table_args__ = (
        UniqueConstraint("tenant_id", "currency", "on_date"),
        CheckConstraint("rate > 0", name="rate"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
    )

    currency: Mapped[str]
    on_date: Mapped[date]
    rate: Mapped[Decimal]


class RateEntry(TenantModel):
    """Each rate as it was set and changed, with when that was recorded (tenant time)."""

    __tablename__ = "rate_entry"
    __table_args__ = (
        Index("ix_rate_entry_currency", "tenant_id", "currency", "on_date", "recorded_at"),
        Index("ix_rate_entry_transaction", "tenant_id", "transaction_id"),
        {"info": {"append_only": True, "stamped": True}},
    )

    currency: Mapped[str]
    on_date: Mapped[date]
    rate: Mapped[Decimal]
    recorded_at: Mapped[datetime]
    transaction_id: Mapped[int] = mapped_column(BigInteger)


class AccountHistory(TenantModel):
    """One entry for each change of what an account is worth or who stands for it; snapshots are made from it."""

    __tablename__ = "account_history"
    __table_args__ = (
        reference("account", "account_id"),
        Index("ix_account_history_account_at", "tenant_id", "account_id", "at"),
        {"info": {"append_only": True}},
    )

    account_id: Mapped[UUID]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    changes: Mapped[dict[str, Any]]


class BookDay(TenantModel):
    """Each account's value and its percentile (0–1) in the tenant's book, once a day in the tenant's zone."""

    __tablename__ = "book_day"
    __table_args__ = (
        UniqueConstraint("tenant_id", "account_id", "on_date"),
        reference("account", "account_id"),
        Index("ix_book_day_on_date", "tenant_id", text("on_date DESC"), "value"),
    )

    account_id: Mapped[UUID]
    on_date: Mapped[date]
    value: Mapped[Decimal] = mapped_column(MONEY)
    percentile: Mapped[Decimal]
