"""Connected CRMs, who their users are here, and what was used once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import one_of
from app.db import TenantModel, Versioned, reference
from app.panels.embed.kinds import KINDS


class EmbedInstallation(Versioned, TenantModel):
    """One organisation of a CRM that may open the panel; `secret` is sealed, `public_key` is none."""

    __tablename__ = "embed_installation"
    __table_args__ = (UniqueConstraint("tenant_id", "kind", "external_key"), one_of("kind", tuple(KINDS)))

    kind: Mapped[str]
    name: Mapped[str]
    external_key: Mapped[str]
    account_source: Mapped[str]
    secret: Mapped[bytes | None]
    public_key: Mapped[str | None]
    origins: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime]


class CrmIdentity(TenantModel):
    """Which of our users a CRM's user is; `learnt` at a first sign-in by e-mail, else said by an admin."""

    __tablename__ = "crm_identity"
    __table_args__ = (
        reference("embed_installation", "installation_id", ondelete="CASCADE"),
        reference("user", "user_id"),
        UniqueConstraint("tenant_id", "installation_id", "external_id"),
        Index("ix_crm_identity_user_id", "tenant_id", "user_id"),
    )

    installation_id: Mapped[UUID]
    external_id: Mapped[str]
    user_id: Mapped[UUID]
    learnt: Mapped[bool]
    created_at: Mapped[datetime]


class UsedRequest(TenantModel):
    """A signed request that has let somebody in, by the hash of what was signed; good once while it is kept."""

    __tablename__ = "used_request"
    __table_args__ = (
        reference("embed_installation", "installation_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "installation_id", "digest"),
        Index("ix_used_request_kept_until", "tenant_id", "kept_until"),
    )

    installation_id: Mapped[UUID]
    digest: Mapped[bytes]
    kept_until: Mapped[datetime]
