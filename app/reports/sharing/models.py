"""What is kept of reports that people come back to, are sent, or show to others."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import one_of
from app.db import TenantModel, Versioned, reference

RHYTHMS = ("weekly", "monthly", "quarterly")
STATES = ("waiting", "posted", "suppressed", "failed")
PAPERS = ("a4", "letter")


class ReportView(Versioned, TenantModel):
    """A report with its arguments under a name; `shared` with everybody who may read reports, else the owner's own.

    `report` is one of `sharing.kinds`, `arguments` as `sharing.arguments.checked` gives them.
    """

    __tablename__ = "report_view"
    __table_args__ = (
        reference("user", "owner_id"),
        UniqueConstraint("tenant_id", "owner_id", "name"),
        Index("ix_report_view_name", "tenant_id", "name", "id"),
    )

    name: Mapped[str]
    report: Mapped[str]
    arguments: Mapped[dict[str, Any]]
    owner_id: Mapped[UUID]
    shared: Mapped[bool]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class ReportSchedule(Versioned, TenantModel):
    """A report by mail, again and again: a saved view, or a report with its arguments.

    `weekday` (0 is Monday) says when a weekly one goes out, `day` of the month the others, each at `hour` in
    `timezone`. `next_at` is tenant time. One that was ended is kept for what it sent.
    """

    __tablename__ = "report_schedule"
    __table_args__ = (
        reference("user", "owner_id"),
        reference("report_view", "view_id"),
        one_of("rhythm", RHYTHMS),
        one_of("paper", PAPERS),
        CheckConstraint("(view_id IS NULL) <> (report IS NULL) OR ended_at IS NOT NULL", name="one_report"),
        CheckConstraint(
            "CASE rhythm WHEN 'weekly' THEN weekday BETWEEN 0 AND 6 ELSE day BETWEEN 1 AND 31 END", name="when"
        ),
        CheckConstraint("hour BETWEEN 0 AND 23", name="hour"),
        Index("ix_report_schedule_due", "tenant_id", "next_at", postgresql_where=text("active")),
        Index("ix_report_schedule_name", "tenant_id", "name", "id"),
        {"info": {"finder": ("active", ("next_at", "active"))}},
    )

    name: Mapped[str]
    view_id: Mapped[UUID | None]
    report: Mapped[str | None]
    arguments: Mapped[dict[str, Any]]
    own_accounts: Mapped[bool]
    rhythm: Mapped[str]
    weekday: Mapped[int | None] = mapped_column(SmallInteger)
    day: Mapped[int | None] = mapped_column(SmallInteger)
    hour: Mapped[int] = mapped_column(SmallInteger)
    timezone: Mapped[str]
    paper: Mapped[str]
    owner_id: Mapped[UUID]
    active: Mapped[bool]
    next_at: Mapped[datetime]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ReportRecipient(TenantModel):
    """Whom a schedule sends to."""

    __tablename__ = "report_recipient"
    __table_args__ = (
        reference("report_schedule", "schedule_id"),
        reference("user", "user_id"),
        UniqueConstraint("tenant_id", "schedule_id", "user_id"),
        Index("ix_report_recipient_user_id", "tenant_id", "user_id"),
    )

    schedule_id: Mapped[UUID]
    user_id: Mapped[UUID]


class ReportDelivery(TenantModel):
    """One report to one person: once for each period of a schedule, and whenever somebody asks for one now.

    It waits until its PDF is made and its message posted, or says why there is none. `due_at` (tenant time) is the
    moment it is true for, `asked` what the report was asked then; `missed` counts earlier periods that nobody was sent.
    `retry_at` and `leased_until` are real time.
    """

    __tablename__ = "report_delivery"
    __table_args__ = (
        reference("report_schedule", "schedule_id"),
        reference("user", "user_id"),
        reference("intent", "intent_id"),
        UniqueConstraint("tenant_id", "schedule_id", "period", "user_id"),
        one_of("state", STATES),
        Index("ix_report_delivery_waiting", "tenant_id", "due_at", postgresql_where=text("state = 'waiting'")),
        {"info": {"finder": ("state = 'waiting'", ("state", "retry_at", "leased_until"))}},
    )

    schedule_id: Mapped[UUID]
    user_id: Mapped[UUID]
    period: Mapped[str]
    due_at: Mapped[datetime]
    report: Mapped[str]
    asked: Mapped[dict[str, Any]]
    late: Mapped[bool]
    missed: Mapped[int]
    state: Mapped[str]
    reason: Mapped[str | None]
    intent_id: Mapped[UUID | None]
    attempts: Mapped[int]
    retry_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    last_error: Mapped[str | None]
    recorded_at: Mapped[datetime]


class ReportLink(TenantModel):
    """An address at which anybody sees one report as its maker may, until it expires or is revoked.

    `as_of` and the days in `arguments` are fixed; only a hash of the secret is kept. Openings stand in `link_view`.
    Its times but `as_of` are real time.
    """

    __tablename__ = "report_link"
    __table_args__ = (
        reference("user", "maker_id"),
        reference("user", "revoked_by_id"),
        UniqueConstraint("tenant_id", "secret_hash"),
        Index("ix_report_link_maker_id", "tenant_id", "maker_id", "id"),
    )

    name: Mapped[str]
    report: Mapped[str]
    arguments: Mapped[dict[str, Any]]
    as_of: Mapped[datetime]
    maker_id: Mapped[UUID]
    secret_hash: Mapped[bytes]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[UUID | None]
