"""The tables of a case's course: what it was worth and who stood for it, and when its owner saw it closed, each time
that changed."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantModel, reference


class Snapshot(TenantModel):
    """What the case was worth and who stood for it at a moment: on raise, and on each change of them while open.

    `lines` are the contracts and opportunities touched and what renews next, in their own currencies; one written
    before there were lines has none (NULL).
    """

    __tablename__ = "snapshot"
    __table_args__ = (
        reference("escalation", "escalation_id"),
        Index("ix_snapshot_escalation_at", "tenant_id", "escalation_id", "at"),
        Index("ix_snapshot_transaction", "tenant_id", "transaction_id"),
        {"info": {"append_only": True, "stamped": True}},
    )

    escalation_id: Mapped[UUID]
    account_id: Mapped[UUID]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    cause: Mapped[str]
    status: Mapped[str]
    tier: Mapped[str]
    severity: Mapped[int]
    owner_id: Mapped[UUID | None]
    segment: Mapped[str | None]
    health: Mapped[int | None]
    arr: Mapped[Decimal | None] = mapped_column(Numeric(18, 2))
    value_amount: Mapped[Decimal | None] = mapped_column(Numeric(18, 2))
    value_currency: Mapped[str]
    value_incomplete: Mapped[bool]
    renewal_on: Mapped[date | None]
    renewal_value: Mapped[Decimal | None] = mapped_column(Numeric(18, 2))
    parents: Mapped[list[Any]]
    contracts: Mapped[list[Any]]
    opportunities: Mapped[list[Any]]
    lines: Mapped[list[Any] | None]
    transaction_id: Mapped[int] = mapped_column(BigInteger)


class Forecast(TenantModel):
    """Each change of the owner's forecast close date: the slip history."""

    __tablename__ = "forecast"
    __table_args__ = (
        reference("escalation", "escalation_id"),
        Index("ix_forecast_escalation", "tenant_id", "escalation_id", "at"),
        {"info": {"append_only": True}},
    )

    escalation_id: Mapped[UUID]
    was: Mapped[date | None]
    close_on: Mapped[date | None]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    actor_id: Mapped[UUID | None]
