"""Tenants, their users and what proves who they are."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.auth.roles import ROLES
from app.db import Model, TenantModel, Versioned, new_id, reference


def one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    """A CHECK that a text column holds one of these words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class Tenant(Model):
    """One CRM organisation. `current` holds the number of each versioned thing's current version, by name."""

    __tablename__ = "tenant"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    sandbox: Mapped[bool] = mapped_column(default=False)
    clock_offset: Mapped[timedelta] = mapped_column(default=timedelta(0))
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    current: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}


class User(Versioned, TenantModel):
    """A colleague. `manager_id` is the next above in the line; `calendar` names when they work."""

    __tablename__ = "user"
    __table_args__ = (
        UniqueConstraint("tenant_id", "email"),
        reference("user", "manager_id"),
        one_of("role", ROLES),
        CheckConstraint("email = lower(email)", name="email_lower"),
        Index("ix_user_manager_id", "tenant_id", "manager_id"),
        Index("ix_user_leaving", "tenant_id", postgresql_where=text("leaving")),
        {"info": {"finder": ("leaving", ("leaving",))}},
    )

    email: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    manager_id: Mapped[UUID | None]
    timezone: Mapped[str | None]
    calendar: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)
    leaving: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime] = mapped_column(default=clock.real_now, onupdate=clock.real_now)


class ApiToken(TenantModel):
    """A token is shown once and kept as a SHA-256 of its secret; `scopes` None means all its user's role may do."""

    __tablename__ = "api_token"
    __table_args__ = (reference("user", "user_id"), UniqueConstraint("tenant_id", "secret_hash"))

    user_id: Mapped[UUID]
    name: Mapped[str]
    secret_hash: Mapped[bytes]
    scopes: Mapped[list[str] | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class CalendarFeed(TenantModel):
    """The address at which a person's calendar client asks for deadlines; one each, kept as a hash of its secret."""

    __tablename__ = "calendar_feed"
    __table_args__ = (
        reference("user", "user_id"),
        UniqueConstraint("tenant_id", "user_id"),
        UniqueConstraint("tenant_id", "secret_hash"),
    )

    user_id: Mapped[UUID]
    secret_hash: Mapped[bytes]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


RENEWALS = ("host", "self")


class PanelLaunch(TenantModel):
    """What opens a panel once, within a minute: for whom, at which page, inside whose page it stands."""

    __tablename__ = "panel_launch"
    __table_args__ = (
        reference("user", "user_id"),
        UniqueConstraint("tenant_id", "secret_hash"),
        one_of("renewal", RENEWALS),
        Index("ix_panel_launch_expires_at", "tenant_id", "expires_at"),
    )

    user_id: Mapped[UUID]
    secret_hash: Mapped[bytes]
    path: Mapped[str]
    origin: Mapped[str | None]
    renewal: Mapped[str]
    expires_at: Mapped[datetime]


class PanelSession(TenantModel):
    """Somebody at a panel: a short-lived secret that is renewed, by the host's page or by the panel itself."""

    __tablename__ = "panel_session"
    __table_args__ = (
        reference("user", "user_id"),
        UniqueConstraint("tenant_id", "secret_hash"),
        one_of("renewal", RENEWALS),
        Index("ix_panel_session_ends_at", "tenant_id", "ends_at"),
    )

    user_id: Mapped[UUID]
    secret_hash: Mapped[bytes]
    origin: Mapped[str | None]
    renewal: Mapped[str]
    started_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ends_at: Mapped[datetime]


# The claims by which providers vouch for an address: the standard's, and that of Microsoft Entra ID.
VOUCHING = ("email_verified", "xms_edov")


class IdentityProvider(Versioned, TenantModel):
    """Where a tenant's people sign in when they come from outside a CRM (OpenID Connect); at most one.

    `client_secret` is sealed. `email_matches` lets somebody's first sign-in find them by an address that the claim
    `vouched_by` verifies; later ones know them by the provider's own subject. `required_claims` tells our people from
    others of the same issuer.
    """

    __tablename__ = "identity_provider"
    __table_args__ = (UniqueConstraint("tenant_id"), one_of("vouched_by", VOUCHING))

    issuer: Mapped[str]
    client_id: Mapped[str]
    client_secret: Mapped[str | None]
    email_matches: Mapped[bool]
    vouched_by: Mapped[str] = mapped_column(default="email_verified")
    required_claims: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class UserIdentity(TenantModel):
    """Who somebody is at an identity provider: its issuer and its subject, which never go to another person."""

    __tablename__ = "user_identity"
    __table_args__ = (
        reference("user", "user_id"),
        UniqueConstraint("tenant_id", "issuer", "subject"),
        UniqueConstraint("tenant_id", "issuer", "user_id"),
    )

    user_id: Mapped[UUID]
    issuer: Mapped[str]
    subject: Mapped[str]
    linked_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class SignIn(TenantModel):
    """A sign-in under way at a provider, taken once; `browser_hash` is of a secret that only its browser holds."""

    __tablename__ = "sign_in"
    __table_args__ = (
        UniqueConstraint("tenant_id", "state_hash"),
        Index("ix_sign_in_expires_at", "tenant_id", "expires_at"),
    )

    state_hash: Mapped[bytes]
    browser_hash: Mapped[bytes]
    issuer: Mapped[str]
    nonce: Mapped[str]
    code_verifier: Mapped[str]
    path: Mapped[str]
    expires_at: Mapped[datetime]


ERASED_NAME = "erased person"
ERASED_DOMAIN = "erased.invalid"


class ErasedPerson(TenantModel):
    """Somebody erased by law: a keyed hash of their address, so that no import brings them back."""

    __tablename__ = "erased_person"
    __table_args__ = (UniqueConstraint("tenant_id", "address_hash"),)

    address_hash: Mapped[bytes]
    erased_at: Mapped[datetime]


class LinkView(TenantModel):
    """Each opening of a signed link: who it was made for, what it showed, when."""

    __tablename__ = "link_view"
    __table_args__ = (
        reference("user", "user_id"),
        Index("ix_link_view_subject", "tenant_id", "subject_id", text("at DESC")),
        {"info": {"append_only": True}},
    )

    user_id: Mapped[UUID]
    subject: Mapped[str]
    subject_id: Mapped[UUID]
    at: Mapped[datetime]
