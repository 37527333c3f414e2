"""The tables of a case's timeline: its events, their texts, and the seals of their count and hash."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantModel, reference
from app.escalations.chained import Chained, Erasable

# Kinds that say something to reports without moving status, tier or owner, which are snapshotted.
WITHOUT_SNAPSHOT = "kind IN ('edit', 'extend', 'wait', 'prevention')"


class Event(Chained, TenantModel):
    """A line of a case's timeline.

    `external_key` keeps a message that arrives twice from standing twice. The database stamps each with the number of
    its transaction, by which whoever reads on and on finds it: the stream of promises without a clock, and webhooks.
    """

    __tablename__ = "event"
    __table_args__ = (
        reference("escalation", "escalation_id"),
        UniqueConstraint("tenant_id", "escalation_id", "seq"),
        UniqueConstraint("tenant_id", "escalation_id", "external_key"),
        Index("ix_event_transaction", "tenant_id", "transaction_id", "id"),
        Index("ix_event_quiet", "tenant_id", "transaction_id", postgresql_where=text(WITHOUT_SNAPSHOT)),
        Index("ix_event_recorded", "recorded_at", postgresql_using="brin", postgresql_with={"autosummarize": "on"}),
        {"info": {"append_only": True, "stamped": True}},
    )

    escalation_id: Mapped[UUID]
    external_key: Mapped[str | None]
    transaction_id: Mapped[int] = mapped_column(BigInteger)


class EventText(Erasable, TenantModel):
    """The texts of a case's timeline."""

    __tablename__ = "event_text"
    __table_args__ = (
        UniqueConstraint("tenant_id", "event_id", "field"),
        reference("event", "event_id"),
        Index("ix_event_text_escalation", "tenant_id", "escalation_id"),
        {"info": {"append_only": True}},
    )

    escalation_id: Mapped[UUID]


class TimelineSeal(TenantModel):
    """A signed list of each changed timeline's count and hash, kept once a day, so that a missing tail shows."""

    __tablename__ = "timeline_seal"
    __table_args__ = (UniqueConstraint("tenant_id", "sealed_on"), {"info": {"append_only": True}})

    sealed_on: Mapped[date]
    sealed_at: Mapped[datetime]
    entries: Mapped[list[Any]]
    signature: Mapped[bytes]
