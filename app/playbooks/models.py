"""Playbooks with their versions, and the tasks of an escalation."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import one_of
from app.db import TenantModel, Versioned, reference

STATES = ("open", "done", "waived")
KINDS = (
    "intake",
    "qualification",
    "customer_message",
    "handover",
    "manual",
    "ladder",
    "decision",
    "playbook",
    "outage_update",
    "outage_resolution",
)
OPEN_OFFER = "state = 'open' AND kind IN ('outage_update', 'outage_resolution')"


class PlaybookModel(Versioned, TenantModel):
    """A named playbook; what it says lies in its versions. Without a current one it is a draft and nobody gets it."""

    __tablename__ = "playbook"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str]
    current_version_id: Mapped[UUID | None]
    retired_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class PlaybookVersion(TenantModel):
    """A definition as saved, frozen: what is open keeps the one it started with, whatever is published later."""

    __tablename__ = "playbook_version"
    __table_args__ = (
        reference("playbook", "playbook_id"),
        UniqueConstraint("tenant_id", "playbook_id", "number"),
        {"info": {"append_only": True}},
    )

    playbook_id: Mapped[UUID]
    number: Mapped[int]
    definition: Mapped[dict[str, Any]]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]


class Task(Versioned, TenantModel):
    """Something to do on an escalation; it belongs to a role (`owner`) or a team and follows who holds it.

    One of a playbook has its `key`; without `ready_at` it waits for those of its `after` that are still open, and
    `due`, a length of business time, counts from when it is ready. One that offers what an outage says names that
    event; there is one open offer at a time.
    """

    __tablename__ = "task"
    __table_args__ = (
        reference("escalation", "escalation_id"),
        reference("user", "assignee_id"),
        reference("outage_event", "outage_event_id"),
        one_of("state", STATES),
        one_of("kind", KINDS),
        Index("ix_task_escalation", "tenant_id", "escalation_id"),
        Index("uq_task_offer", "tenant_id", "escalation_id", unique=True, postgresql_where=text(OPEN_OFFER)),
        Index("ix_task_assignee", "tenant_id", "assignee_id", postgresql_where=text("state = 'open'")),
        Index("ix_task_ended", "tenant_id", "assignee_id", "ended_at", postgresql_where=text("state <> 'open'")),
    )

    escalation_id: Mapped[UUID]
    origin_id: Mapped[UUID | None]
    kind: Mapped[str]
    key: Mapped[str | None]
    title: Mapped[str]
    role: Mapped[str]
    assignee_id: Mapped[UUID | None]
    required: Mapped[bool] = mapped_column(default=False)
    customer_visible: Mapped[bool] = mapped_column(default=False)
    after: Mapped[list[Any]] = mapped_column(default=list)
    due: Mapped[dict[str, Any] | None]
    state: Mapped[str] = mapped_column(default="open")
    reason: Mapped[str | None]
    outage_event_id: Mapped[UUID | None]
    due_at: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
