"""The rows of attachments."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import one_of
from app.db import TenantModel, reference

STATES = ("unscanned", "clean", "failed", "infected", "removed")
ENDED = ("infected", "removed")
UNPURGED = "state IN ('infected', 'removed') AND purged_at IS NULL"


class Attachment(TenantModel):
    """A file on a case. Several rows may name the same bytes; those go once no row wants them (`purged_at`).

    `uploaded_at` and `removed_at` are tenant time, the rest real. `origin_id` is the case it came from in a merge,
    `reason` why it failed, is infected or was removed. `tries` and `leased_until` belong to the scan.
    """

    __tablename__ = "attachment"
    __table_args__ = (
        reference("escalation", "escalation_id"),
        reference("user", "uploaded_by_id"),
        reference("user", "removed_by_id"),
        one_of("state", STATES),
        Index("ix_attachment_escalation", "tenant_id", "escalation_id", "id"),
        Index("ix_attachment_sha256", "tenant_id", "sha256"),
        Index("ix_attachment_unscanned", "tenant_id", "id", postgresql_where=text("state = 'unscanned'")),
        Index("ix_attachment_unpurged", "tenant_id", "id", postgresql_where=text(UNPURGED)),
        {"info": {"finder": (f"state = 'unscanned' OR ({UNPURGED})", ("state", "leased_until", "purged_at"))}},
    )

    escalation_id: Mapped[UUID]
    origin_id: Mapped[UUID | None]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes]
    state: Mapped[str] = mapped_column(default="unscanned")
    reason: Mapped[str | None]
    uploaded_by_id: Mapped[UUID | None]
    uploaded_at: Mapped[datetime]
    removed_by_id: Mapped[UUID | None]
    removed_at: Mapped[datetime | None]
    scanned_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]


class AttachmentTidy(TenantModel):
    """When (real time) the tenant's store is compared with its rows next, and with which part of it that begins."""

    __tablename__ = "attachment_tidy"
    __table_args__ = (
        UniqueConstraint("tenant_id"),
        {"info": {"finder": ("true", ("due_at",))}},
    )

    due_at: Mapped[datetime]
    part: Mapped[int] = mapped_column(default=0)
