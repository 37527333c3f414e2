"""What belongs to the end of a case: exit criteria, and what will keep it from happening again."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import one_of
from app.db import TenantModel, Versioned, reference

CRITERION_STATES = ("open", "met", "waived")
PREVENTION_STATES = ("open", "done", "dropped")


class ExitCriterion(Versioned, TenantModel):
    """What must hold before a case is called resolved, once something was said of it.

    One `agreed_with` the customer is this case's own; one without is the playbook's, in the words that were settled.
    """

    __tablename__ = "exit_criterion"
    __table_args__ = (
        UniqueConstraint("tenant_id", "escalation_id", "key"),
        reference("escalation", "escalation_id"),
        reference("user", "settled_by_id"),
        one_of("state", CRITERION_STATES),
    )

    escalation_id: Mapped[UUID]
    key: Mapped[str]
    text: Mapped[str]
    agreed_with: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="open")
    reason: Mapped[str | None]
    settled_by_id: Mapped[UUID | None]
    settled_at: Mapped[datetime | None]


class PreventionAction(Versioned, TenantModel):
    """Something somebody does so that a case does not happen again; it outlives the case.

    `remind_on` is the day its owner is next reminded, none once it has ended. `due_on` and `remind_on` are days in the
    tenant's zone.
    """

    __tablename__ = "prevention_action"
    __table_args__ = (
        reference("escalation", "escalation_id"),
        reference("user", "owner_id"),
        reference("user", "ended_by_id"),
        one_of("state", PREVENTION_STATES),
        Index("ix_prevention_action_escalation", "tenant_id", "escalation_id"),
        Index("ix_prevention_action_due", "tenant_id", "due_on", "id"),
        Index("ix_prevention_action_owner", "tenant_id", "owner_id", "due_on", "id"),
        Index("ix_prevention_action_remind", "tenant_id", "remind_on", postgresql_where=text("state = 'open'")),
    )

    escalation_id: Mapped[UUID]
    action: Mapped[str]
    owner_id: Mapped[UUID]
    due_on: Mapped[date]
    remind_on: Mapped[date | None]
    state: Mapped[str] = mapped_column(default="open")
    reason: Mapped[str | None]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[UUID | None]
