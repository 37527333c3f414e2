"""The case: the escalation, its contracts, links, watchers and requests, and its moves for absences."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import one_of
from app.db import TenantModel, Versioned, reference
from app.escalations.closure_models import ExitCriterion, Lesson, PreventionAction, Survey
from app.escalations.lifecycle import OUTCOMES, RAISED_BY_KINDS, STATUSES
from app.escalations.outages.models import Outage, OutageEvent, OutageText
from app.escalations.tiers import TIERS

__all__ = [
    "BY_VALUE",
    "LIVE_SQL",
    "PARTIES",
    "AbsenceMove",
    "Escalation",
    "EscalationContract",
    "ExitCriterion",
    "Lesson",
    "Link",
    "Outage",
    "OutageEvent",
    "OutageText",
    "PreventionAction",
    "Request",
    "Survey",
    "Watcher",
]

PARTIES = ("customer", "vendor", "internal")
LIVE_SQL = "status IN ('open', 'in_progress', 'waiting', 'resolved')"

# An incomplete value may be any amount: more than every one that is known, in order of what is known of it.
BY_VALUE = "coalesce(value_amount, 0) + CASE WHEN value_incomplete THEN 1e16 ELSE 0 END"


class Escalation(Versioned, TenantModel):
    """One demand for attention to one problem of one account. All moments are tenant time but `recorded_at`.

    `due_at` is the close clock's present due, `close_target_at` its original. `event_count` and `event_hash` are the
    timeline's last; `day_raised` is the day in the tenant's zone of that time; `wake_at` is when the engine looks at
    a waiting case next: the end of its budget or the first opening of `resume_on`. `outage_seq` is the last event of
    its outage that was offered here.
    """

    __tablename__ = "escalation"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        reference("account", "account_id"),
        reference("user", "owner_id"),
        reference("user", "requester_id"),
        reference("user", "about_user_id"),
        reference("contact", "contact_id"),
        reference("calendar_version", "calendar_version_id"),
        reference("service_level_version", "service_level_version_id"),
        reference("playbook_version", "playbook_version_id"),
        reference("escalation", "merged_into_id"),
        reference("escalation", "recurrence_of_id"),
        reference("outage", "outage_id"),
        one_of("status", STATUSES),
        one_of("outcome", OUTCOMES),
        one_of("tier", TIERS),
        one_of("raised_by_kind", RAISED_BY_KINDS),
        one_of("waiting_party", PARTIES),
        CheckConstraint("severity BETWEEN 1 AND 4", name="severity"),
        CheckConstraint(f"owner_id IS NOT NULL OR NOT ({LIVE_SQL})", name="live_has_owner"),
        Index("ix_escalation_account", "tenant_id", "account_id", "raised_at"),
        Index(
            "ix_escalation_account_standing",
            "tenant_id",
            "account_id",
            "due_at",
            "id",
            postgresql_where=text("status IN ('requested', 'open', 'in_progress', 'waiting', 'resolved')"),
        ),
        Index("ix_escalation_account_restricted", "tenant_id", "account_id", postgresql_where=text("restricted")),
        # With all that counting the ended ones asks for.
        Index(
            "ix_escalation_account_ended",
            "tenant_id",
            "account_id",
            text("raised_at DESC"),
            text("id DESC"),
            postgresql_include=[
                "status",
                "outcome",
                "closed_at",
                "close_target_at",
                "owner_id",
                "about_user_id",
                "restricted",
            ],
            postgresql_where=text("status IN ('closed', 'merged', 'declined')"),
        ),
        Index("ix_escalation_raised", "tenant_id", "raised_at", "id"),
        Index("ix_escalation_priority", "tenant_id", text("priority_score DESC"), text("id DESC")),
        Index("ix_escalation_due", "tenant_id", "due_at", "id"),
        Index("ix_escalation_value", "tenant_id", text(f"({BY_VALUE}) DESC"), text("id DESC")),
        Index("ix_escalation_owner_live", "tenant_id", "owner_id", "due_at", postgresql_where=text(LIVE_SQL)),
        Index("ix_escalation_live_due", "tenant_id", "due_at", "id", postgresql_where=text(LIVE_SQL)),
        Index("ix_escalation_priority_on", "tenant_id", "priority_on", postgresql_where=text(LIVE_SQL)),
        Index("ix_escalation_wake", "tenant_id", "wake_at", postgresql_where=text("status = 'waiting'")),
        Index(
            "ix_escalation_resolved",
            "tenant_id",
            text("resolved_at DESC"),
            text("id DESC"),
            postgresql_where=text("resolved_at IS NOT NULL"),
        ),
        Index(
            "ix_escalation_resolved_reason",
            "tenant_id",
            "reason",
            text("resolved_at DESC"),
            text("id DESC"),
            postgresql_where=text("resolved_at IS NOT NULL"),
        ),
        Index("ix_escalation_outage", "tenant_id", "raised_at", postgresql_where=text("reason = 'prolonged_outage'")),
        Index(
            "ix_escalation_hidden", "tenant_id", "id", postgresql_where=text("restricted OR about_user_id IS NOT NULL")
        ),
        Index("ix_escalation_merged", "tenant_id", "merged_into_id", postgresql_where=text("status = 'merged'")),
        Index(
            "ix_escalation_of_outage", "tenant_id", "outage_id", "id", postgresql_where=text("outage_id IS NOT NULL")
        ),
        {"info": {"finder": ("status = 'waiting'", ("status", "wake_at"))}},
    )

    number: Mapped[int]
    account_id: Mapped[UUID]
    title: Mapped[str]
    customer_statement: Mapped[str | None]
    desired_outcome: Mapped[str | None]
    impact: Mapped[str | None]
    severity: Mapped[int]
    reason: Mapped[str]
    source: Mapped[str]
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    completeness: Mapped[int]
    status: Mapped[str]
    outcome: Mapped[str | None]
    verification: Mapped[str | None]
    tier: Mapped[str]
    owner_id: Mapped[UUID | None]
    team_id: Mapped[UUID | None]
    first_owner_id: Mapped[UUID | None]
    acknowledged: Mapped[bool] = mapped_column(default=False)
    brief_missing: Mapped[bool] = mapped_column(default=False)
    assignment_failed: Mapped[bool] = mapped_column(default=False)
    raised_by_kind: Mapped[str]
    raised_by_email: Mapped[str | None]
    requester_id: Mapped[UUID | None]
    contact_id: Mapped[UUID | None]
    about_user_id: Mapped[UUID | None]
    restricted: Mapped[bool] = mapped_column(default=False)
    calendar_version_id: Mapped[UUID]
    zone: Mapped[str]
    ladder_number: Mapped[int]
    service_level_version_id: Mapped[UUID | None]
    playbook_version_id: Mapped[UUID | None]
    raised_at: Mapped[datetime]
    day_raised: Mapped[date]
    recorded_at: Mapped[datetime]
    close_target_at: Mapped[datetime]
    due_at: Mapped[datetime]
    resolve_by_at: Mapped[datetime]
    forecast_close_on: Mapped[date | None]
    waiting_party: Mapped[str | None]
    waiting_reason: Mapped[str | None]
    waiting_since: Mapped[datetime | None]
    resume_on: Mapped[date | None]
    wake_at: Mapped[datetime | None]
    wait_used_seconds: Mapped[int] = mapped_column(default=0)
    wait_exhausted: Mapped[bool] = mapped_column(default=False)
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    reopens: Mapped[int] = mapped_column(default=0)
    merged_into_id: Mapped[UUID | None]
    recurrence_of_id: Mapped[UUID | None]
    outage_id: Mapped[UUID | None]
    outage_seq: Mapped[int] = mapped_column(default=0)
    value_amount: Mapped[Decimal | None] = mapped_column(Numeric(18, 2))
    value_currency: Mapped[str]
    value_incomplete: Mapped[bool] = mapped_column(default=False)
    value_unconverted: Mapped[list[Any]] = mapped_column(default=list)
    priority_score: Mapped[Decimal] = mapped_column(Numeric(5, 1))
    priority_parts: Mapped[dict[str, Any]]
    priority_on: Mapped[date]
    repeats: Mapped[int] = mapped_column(default=0)
    account_version: Mapped[int]
    event_count: Mapped[int] = mapped_column(default=0)
    event_hash: Mapped[bytes]


class EscalationContract(TenantModel):
    """The contracts an escalation touches."""

    __tablename__ = "escalation_contract"
    __table_args__ = (
        UniqueConstraint("tenant_id", "escalation_id", "contract_id"),
        reference("escalation", "escalation_id"),
        reference("contract", "contract_id"),
    )

    escalation_id: Mapped[UUID]
    contract_id: Mapped[UUID]


class Link(TenantModel):
    """A source or related ticket in another system; `origin_id` is the escalation it came from in a merge."""

    __tablename__ = "link"
    __table_args__ = (
        reference("escalation", "escalation_id"),
        UniqueConstraint("tenant_id", "escalation_id", "system", "external_id"),
        Index("ix_link_external", "tenant_id", "system", "external_id"),
    )

    escalation_id: Mapped[UUID]
    origin_id: Mapped[UUID | None]
    system: Mapped[str]
    external_id: Mapped[str]
    url: Mapped[str | None]
    created_at: Mapped[datetime]


class Watcher(TenantModel):
    __tablename__ = "watcher"
    __table_args__ = (
        UniqueConstraint("tenant_id", "escalation_id", "user_id"),
        reference("escalation", "escalation_id"),
        reference("user", "user_id"),
    )

    escalation_id: Mapped[UUID]
    user_id: Mapped[UUID]


class AbsenceMove(TenantModel):
    """A case that left its owner's hands for this absence, with the team it was held for; one that stayed with them,
    because nobody else was there, has no `to_id`. `returned_at` is when somebody it had been taken from took it back.
    """

    __tablename__ = "absence_move"
    __table_args__ = (
        UniqueConstraint("tenant_id", "absence_id", "escalation_id"),
        reference("absence", "absence_id", ondelete="CASCADE"),
        reference("escalation", "escalation_id"),
        reference("user", "to_id"),
        Index("ix_absence_move_escalation", "tenant_id", "escalation_id"),
    )

    absence_id: Mapped[UUID]
    escalation_id: Mapped[UUID]
    team_id: Mapped[UUID | None]
    to_id: Mapped[UUID | None]
    moved_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]


class Request(TenantModel):
    """A raise or an extension that somebody other than the asker must answer; one pending of a kind at a time."""

    __tablename__ = "request"
    __table_args__ = (
        reference("escalation", "escalation_id"),
        reference("user", "asker_id"),
        reference("user", "answered_by_id"),
        one_of("kind", ("raise", "extension")),
        one_of("state", ("pending", "approved", "declined", "replaced", "void")),
        Index(
            "uq_request_pending",
            "tenant_id",
            "escalation_id",
            "kind",
            unique=True,
            postgresql_where=text("state = 'pending'"),
        ),
    )

    escalation_id: Mapped[UUID]
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="pending")
    asker_id: Mapped[UUID | None]
    asked_at: Mapped[datetime]
    until: Mapped[datetime | None]
    customer_agreed: Mapped[bool | None]
    reason: Mapped[str | None]
    answered_by_id: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]
