"""The outbox: an intent is written in the transaction that causes it, or not at all."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import one_of
from app.db import TenantModel, Versioned, reference

STATES = ("pending", "sent", "dead", "suppressed")
CHANNELS = ("email", "inbox", "digest")
DIGEST_KIND = "digest"


class Intent(TenantModel):
    """One message to one person.

    Every intent with a `user_id` stands in that person's inbox from `hold_until` on; `channel` says what carries it
    out besides (`inbox`: nothing does; `digest`: a mail with others, itself an intent of kind `digest`, in no inbox,
    that `digest_id` names once it is put together). `why` says why they get it. `at` and `hold_until` are tenant
    time; `retry_at`, `leased_until`, `failing_since`, `recorded_at`, `sent_at` and `read_at` are real time. Its button
    opens the escalation, or the record of `opens_id` of the kind that `opens` names.
    `dedupe_key` makes posting it twice impossible.
    """

    __tablename__ = "intent"
    __table_args__ = (
        UniqueConstraint("tenant_id", "dedupe_key"),
        reference("user", "user_id"),
        one_of("state", STATES),
        one_of("channel", CHANNELS),
        Index("ix_intent_due", "tenant_id", "hold_until", postgresql_where=text("state = 'pending'")),
        Index("ix_intent_inbox", "tenant_id", "user_id", text("at DESC"), text("id DESC")),
        Index("ix_intent_dead", "tenant_id", "id", postgresql_where=text("state = 'dead'")),
        reference("intent", "digest_id"),
        Index("ix_intent_digest_id", "tenant_id", "digest_id", postgresql_where=text("digest_id IS NOT NULL")),
        Index(
            "ix_intent_to_collect",
            "tenant_id",
            "user_id",
            "hold_until",
            postgresql_where=text("state = 'pending' AND channel = 'digest' AND digest_id IS NULL"),
        ),
        Index("ix_intent_escalation", "tenant_id", "escalation_id", postgresql_where=text("state = 'pending'")),
        {"info": {"finder": ("state IN ('pending', 'dead')", ("hold_until", "retry_at", "leased_until", "state"))}},
    )

    user_id: Mapped[UUID | None]
    address: Mapped[str | None]
    channel: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    why: Mapped[str | None]
    escalation_id: Mapped[UUID | None]
    opens: Mapped[str | None]
    opens_id: Mapped[UUID | None]
    clock_id: Mapped[UUID | None]
    dedupe_key: Mapped[str]
    digest_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(default="pending")
    reason: Mapped[str | None]
    at: Mapped[datetime]
    hold_until: Mapped[datetime]
    recorded_at: Mapped[datetime]
    retry_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]


class IntentFile(TenantModel):
    """A file that goes with one mail: its bytes lie in the store under `key` until `removed_at`."""

    __tablename__ = "intent_file"
    __table_args__ = (
        UniqueConstraint("tenant_id", "intent_id"),
        reference("intent", "intent_id"),
        Index("ix_intent_file_kept", "tenant_id", "id", postgresql_where=text("removed_at IS NULL")),
    )

    intent_id: Mapped[UUID]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    key: Mapped[str]
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class Preference(Versioned, TenantModel):
    """How one person wants to be told; who has none is told at once, by e-mail.

    `quiet_hours` `{mon: [["22:00", "07:00"]], …}` and `digest_at` (none: no digest) are local times in `timezone`, else
    in the user's own zone, else in the tenant's. `channels` lists what carries messages beside the inbox.
    """

    __tablename__ = "preference"
    __table_args__ = (UniqueConstraint("tenant_id", "user_id"), reference("user", "user_id"))

    user_id: Mapped[UUID]
    quiet_hours: Mapped[dict[str, Any]] = mapped_column(default=dict)
    digest_at: Mapped[str | None]
    digest_days: Mapped[list[str]]
    channels: Mapped[list[str]]
    timezone: Mapped[str | None]
