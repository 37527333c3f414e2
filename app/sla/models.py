"""Promises as rows: versioned calendars and ladders, clocks over an append-only ledger, the log of steps."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from app.auth.models import one_of
from app.db import TenantModel, Versioned, reference
from app.sla.targets import CLOCK_KINDS

KINDS = CLOCK_KINDS
STATES = ("running", "paused", "breached", "met", "missed", "cancelled")
ENTRY_TYPES = ("activate", "reopen", "resume", "pause", "fulfil", "cancel", "breach", "retarget")
TARGET_KINDS = ("calendar_days", "business_seconds", "fixed")
OUTCOMES = ("sent", "done", "suppressed", "folded", "passed_over")


class CalendarModel(Versioned, TenantModel):
    """A named calendar; what it says lies in its versions."""

    __tablename__ = "calendar"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str]
    current_version_id: Mapped[UUID | None]
    created_at: Mapped[datetime]


class CalendarVersion(TenantModel):
    """A published definition, frozen: open escalations keep the one they started with."""

    __tablename__ = "calendar_version"
    __table_args__ = (
        reference("calendar", "calendar_id"),
        UniqueConstraint("tenant_id", "calendar_id", "number"),
        {"info": {"append_only": True}},
    )

    calendar_id: Mapped[UUID]
    number: Mapped[int]
    definition: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class ServiceLevel(Versioned, TenantModel):
    """A named service level; what it promises lies in its versions. A retired one holds for what is open, no more."""

    __tablename__ = "service_level"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str]
    current_version_id: Mapped[UUID | None]
    retired_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class ServiceLevelVersion(TenantModel):
    """A published definition, frozen: open escalations keep the one they started with."""

    __tablename__ = "service_level_version"
    __table_args__ = (
        reference("service_level", "service_level_id"),
        UniqueConstraint("tenant_id", "service_level_id", "number"),
        {"info": {"append_only": True}},
    )

    service_level_id: Mapped[UUID]
    number: Mapped[int]
    definition: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class LadderVersion(TenantModel):
    """The steps of one kind of clock, frozen; `number` is the tenant's `ladder` version, or that of a playbook's own.

    With a `playbook_version_id` it holds for its very number only, without one until its kind has a newer one.
    """

    __tablename__ = "ladder_version"
    __table_args__ = (
        reference("playbook_version", "playbook_version_id"),
        UniqueConstraint("tenant_id", "kind", "number"),
        Index(
            "ix_ladder_version_playbook",
            "tenant_id",
            "playbook_version_id",
            postgresql_where=text("playbook_version_id IS NOT NULL"),
        ),
        {"info": {"append_only": True}},
    )

    kind: Mapped[str]
    number: Mapped[int]
    steps: Mapped[list[Any]]
    playbook_version_id: Mapped[UUID | None]
    created_at: Mapped[datetime]


class Clock(TenantModel):
    """The stored present of a ledger; rebuilding from the ledger gives the same row.

    One row is one cycle with a ledger of its own. `target_value` is days for `calendar_days`, seconds for
    `business_seconds`; `elapsed_seconds` and `paused_seconds` are as of when the ledger was last written.
    `next_step_at` is the moment of the next ladder step, breach or original breach, NULL when nothing is to come: the
    sweep works by it.
    """

    __tablename__ = "clock"
    __table_args__ = (
        reference("escalation", "escalation_id"),
        reference("calendar_version", "calendar_version_id"),
        UniqueConstraint("tenant_id", "escalation_id", "kind", "subject", "cycle"),
        one_of("kind", KINDS),
        one_of("state", STATES),
        one_of("target_kind", TARGET_KINDS),
        Index("ix_clock_due", "tenant_id", "next_step_at", postgresql_where=text("next_step_at IS NOT NULL")),
        Index(
            "ix_clock_due_at",
            "tenant_id",
            "due_at",
            postgresql_where=text("kind = 'close' AND ended_at IS NULL"),
        ),
        Index("ix_clock_problem", "tenant_id", "id", postgresql_where=text("problem IS NOT NULL")),
        {"info": {"finder": ("next_step_at IS NOT NULL OR problem IS NOT NULL", ("next_step_at", "problem"))}},
    )

    escalation_id: Mapped[UUID]
    kind: Mapped[str]
    subject: Mapped[str] = mapped_column(default="-")
    cycle: Mapped[int]
    state: Mapped[str]
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    started_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    original_due_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    target_kind: Mapped[str]
    target_value: Mapped[int]
    calendar_version_id: Mapped[UUID]
    zone: Mapped[str]
    ladder_number: Mapped[int]
    due_version: Mapped[int] = mapped_column(default=1)
    not_before: Mapped[datetime]
    elapsed_seconds: Mapped[int] = mapped_column(default=0)
    paused_seconds: Mapped[int] = mapped_column(default=0)
    next_step_at: Mapped[datetime | None]
    next_step: Mapped[int | None]
    next_repeat: Mapped[int] = mapped_column(default=0)
    entries: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str | None]


class ClockEntry(TenantModel):
    """The ledger: what happened to a clock, when, and when we knew.

    `facts` holds what the clock machine needs besides: the target promised, the calendar version that counts from then
    on, the due time an extension granted, when a clock was taken in from elsewhere, and because of what. The database
    stamps each with the number of its transaction, by which all of them are read in an order that nothing gets behind.
    """

    __tablename__ = "clock_entry"
    __table_args__ = (
        reference("clock", "clock_id"),
        UniqueConstraint("tenant_id", "clock_id", "seq"),
        one_of("type", ENTRY_TYPES),
        Index("ix_clock_entry_transaction", "tenant_id", "transaction_id", "clock_id", "seq"),
        Index(
            "ix_clock_entry_recorded", "recorded_at", postgresql_using="brin", postgresql_with={"autosummarize": "on"}
        ),
        {"info": {"append_only": True, "stamped": True}},
    )

    clock_id: Mapped[UUID]
    escalation_id: Mapped[UUID]
    seq: Mapped[int]
    type: Mapped[str]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    transaction_id: Mapped[int] = mapped_column(BigInteger)


class StepLog(TenantModel):
    """What each step of a ladder did or why it did not; the unique key is what makes a reminder exactly once.

    `delegate_id` is who was told in the place of an absent recipient.
    """

    __tablename__ = "step_log"
    __table_args__ = (
        reference("clock", "clock_id"),
        reference("user", "delegate_id"),
        UniqueConstraint("tenant_id", "clock_id", "cycle", "due_version", "step", "repeat", "recipient", "action"),
        one_of("outcome", OUTCOMES),
        Index("ix_step_log_escalation", "tenant_id", "escalation_id", "at"),
        {"info": {"append_only": True}},
    )

    clock_id: Mapped[UUID]
    escalation_id: Mapped[UUID]
    kind: Mapped[str]
    cycle: Mapped[int]
    due_version: Mapped[int]
    step: Mapped[str]
    repeat: Mapped[int]
    action: Mapped[str]
    recipient: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    channel: Mapped[str | None]
    outcome: Mapped[str]
    reason: Mapped[str | None]
    folded: Mapped[int] = mapped_column(default=0)
    delegate_id: Mapped[UUID | None]
    at: Mapped[datetime]
    fired_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Application(TenantModel):
    """A newer version brought to what is open, in the background; the escalations' rows say which have it.

    `phase`: `counting` how much fires at once, `moving` what fires nothing, `spreading` the rest over
    `spread_seconds` (tenant time), until `done`, or `replaced` by a later one. `after_id` is where
    `counting` or `moving` stands.
    `total` escalations were to be moved when it began, `firing` of them by firing something at once; `fired` is how
    many of those have been let go. `failed_ids` are cases that could not be moved and keep what they had. A `preview`
    ends when all are counted and moves nothing: its numbers and `examples` say what would be. `counted` of `total`
    cases have been looked at.
    """

    __tablename__ = "application"
    __table_args__ = (
        reference("user", "actor_id"),
        one_of("kind", ("service_level", "calendar", "ladder", "zone")),
        one_of("phase", ("counting", "moving", "spreading", "done", "replaced")),
        Index(
            "uq_application_open",
            "tenant_id",
            "kind",
            "name",
            "preview",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        {"info": {"finder": ("ended_at IS NULL", ("started_at", "ended_at"))}},
    )

    kind: Mapped[str]
    name: Mapped[str]
    subject_id: Mapped[UUID | None]
    version_id: Mapped[UUID | None]
    number: Mapped[int]
    phase: Mapped[str]
    spread_seconds: Mapped[int]
    after_id: Mapped[UUID | None]
    total: Mapped[int]
    firing: Mapped[int] = mapped_column(default=0)
    fired: Mapped[int] = mapped_column(default=0)
    escalations: Mapped[int] = mapped_column(default=0)
    clocks: Mapped[int] = mapped_column(default=0)
    breached: Mapped[int] = mapped_column(default=0)
    steps: Mapped[int] = mapped_column(default=0)
    failed_ids: Mapped[list[UUID]] = mapped_column(default=list)
    preview: Mapped[bool] = mapped_column(default=False)
    counted: Mapped[int] = mapped_column(default=0)
    examples: Mapped[list[Any]] = mapped_column(default=list)
    actor_id: Mapped[UUID | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    @property
    def label(self) -> str:
        """What ledgers and timelines give as the cause."""
        if self.kind == "zone":
            return "zone"
        of = f"{self.kind.replace('_', ' ')} {self.name}" if self.subject_id else self.name
        return f"{of} {self.number}"


class ApplicationCase(TenantModel):
    """A case that other zone rules are still to reach, which no version on its own row tells."""

    __tablename__ = "application_case"
    __table_args__ = (
        reference("application", "application_id"),
        reference("escalation", "escalation_id"),
        UniqueConstraint("tenant_id", "application_id", "escalation_id"),
    )

    application_id: Mapped[UUID]
    escalation_id: Mapped[UUID]
