"""The rows of outages and of their timelines."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import one_of
from app.db import TenantModel, Versioned, reference
from app.escalations.chained import Chained, Erasable

STATES = ("open", "resolved")
# What an outage offers to its cases, by the kind of the task.
UPDATE, RESOLUTION = "outage_update", "outage_resolution"
OFFERS = (UPDATE, RESOLUTION)


class Outage(Versioned, TenantModel):
    """One cause behind escalations of many accounts: no account, value, tier or clocks, and in no count.

    `news_seq` is the last event that is offered to its cases, an update or the end, 0 before the first; `settled`,
    that it has ended and nothing is left to be offered. `event_count` and `event_hash` are its timeline's last.
    """

    __tablename__ = "outage"
    __table_args__ = (
        reference("user", "owner_id"),
        one_of("state", STATES),
        CheckConstraint("(state = 'resolved') = (resolved_at IS NOT NULL)", name="resolved_has_moment"),
        Index("ix_outage_state", "tenant_id", "state", text("id DESC")),
        Index("ix_outage_unsettled", "tenant_id", postgresql_where=text("NOT settled AND news_seq > 0")),
        {"info": {"finder": ("NOT settled AND news_seq > 0", ("settled", "news_seq"))}},
    )

    title: Mapped[str]
    statement: Mapped[str | None]
    owner_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(default="open")
    opened_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    news_seq: Mapped[int] = mapped_column(default=0)
    settled: Mapped[bool] = mapped_column(default=False)
    event_count: Mapped[int] = mapped_column(default=0)
    event_hash: Mapped[bytes]


class OutageEvent(Chained, TenantModel):
    """One line of an outage's timeline, chained as those of a case are."""

    __tablename__ = "outage_event"
    __table_args__ = (
        reference("outage", "outage_id"),
        UniqueConstraint("tenant_id", "outage_id", "seq"),
        {"info": {"append_only": True}},
    )

    outage_id: Mapped[UUID]


class OutageText(Erasable, TenantModel):
    """What a person wrote of an outage, with its salt; erased as texts of cases are."""

    __tablename__ = "outage_text"
    __table_args__ = (
        UniqueConstraint("tenant_id", "event_id", "field"),
        reference("outage_event", "event_id"),
        Index("ix_outage_text_outage", "tenant_id", "outage_id"),
        {"info": {"append_only": True}},
    )

    outage_id: Mapped[UUID]
