"""Who wants to be told, and what was or is to be told to them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import one_of
from app.db import TenantModel, Versioned, reference

STATES = ("pending", "sent", "dead")


class WebhookSubscription(Versioned, TenantModel):
    """An address that is told of `events`. Secrets are sealed; `old_secret` signs beside the new one until `old_until`.

    Everything up to (`seen_transaction`, `seen_id`) has become deliveries; `seen_at` is when. While it does not answer
    it `rests_until`, and `failing_since` tells since when; one that was ended keeps why in `ended_because`. Times are
    real.
    """

    __tablename__ = "webhook_subscription"
    __table_args__ = (
        Index("ix_webhook_subscription_active", "tenant_id", postgresql_where=text("active")),
        {"info": {"finder": ("active", ("active",))}},
    )

    url: Mapped[str]
    events: Mapped[list[str]]
    active: Mapped[bool] = mapped_column(default=True)
    ended_because: Mapped[str | None]
    secret: Mapped[str]
    old_secret: Mapped[str | None]
    old_until: Mapped[datetime | None]
    seen_transaction: Mapped[int] = mapped_column(BigInteger)
    seen_id: Mapped[UUID]
    seen_at: Mapped[datetime]
    rests_until: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    created_at: Mapped[datetime]


class WebhookDelivery(TenantModel):
    """One message to one address; `body` is what is signed, the same at every try. `source_id` is the line it tells of.

    Times are real.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        reference("webhook_subscription", "subscription_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "subscription_id", "source_id"),
        one_of("state", STATES),
        Index("ix_webhook_delivery_due", "tenant_id", "id", postgresql_where=text("state = 'pending'")),
        Index("ix_webhook_delivery_sent_at", "tenant_id", "sent_at"),
        {"info": {"finder": ("state = 'pending'", ("retry_at", "leased_until", "state"))}},
    )

    subscription_id: Mapped[UUID]
    source_id: Mapped[UUID]
    type: Mapped[str]
    body: Mapped[str]
    state: Mapped[str] = mapped_column(default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    last_status: Mapped[int | None]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
