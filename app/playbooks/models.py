"""Tasks of an escalation."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import one_of
from app.db import TenantModel, Versioned, reference

STATES = ("open", "done", "waived")
KINDS = ("intake", "qualification", "customer_message", "handover", "manual", "ladder", "decision")


class Task(Versioned, TenantModel):
    """Something to do on an escalation; it belongs to a role (`owner`) or a team and follows who holds it."""

    __tablename__ = "task"
    __table_args__ = (
        reference("escalation", "escalation_id"),
        reference("user", "assignee_id"),
        one_of("state", STATES),
        one_of("kind", KINDS),
        Index("ix_task_escalation", "tenant_id", "escalation_id"),
        Index("ix_task_assignee", "tenant_id", "assignee_id", postgresql_where=text("state = 'open'")),
    )

    escalation_id: Mapped[UUID]
    origin_id: Mapped[UUID | None]
    kind: Mapped[str]
    title: Mapped[str]
    role: Mapped[str]
    assignee_id: Mapped[UUID | None]
    required: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default="open")
    reason: Mapped[str | None]
    due_at: Mapped[datetime | None]
    ready_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
