"""What belongs to the end of a case: exit criteria, what will keep it from happening again, what its customer thinks of
it, what is learnt from it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
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


class Survey(TenantModel):
    """What a customer is asked once a case was closed with their word; answered once.

    The comment stands in the timeline, where it can be erased. `asked_at` and `answered_at` are tenant time;
    `opened_at`, when its page was first opened, is real time.
    """

    __tablename__ = "survey"
    __table_args__ = (
        reference("escalation", "escalation_id"),
        reference("user", "asked_by_id"),
        CheckConstraint("score BETWEEN 1 AND 5", name="score"),
        CheckConstraint("(score IS NULL) = (answered_at IS NULL)", name="answered_with_score"),
        Index("ix_survey_escalation", "tenant_id", "escalation_id", "id"),
    )

    escalation_id: Mapped[UUID]
    asked_by_id: Mapped[UUID | None]
    asked_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    openings: Mapped[int] = mapped_column(default=0)
    answered_at: Mapped[datetime | None]
    score: Mapped[int | None]


class Lesson(TenantModel):
    """The words by which a resolved case is found: its title, what the customer said, what was tried, what came of it.

    Among them stands the tenant, so that the index never walks through another's. Who reads it as a tenant is held up
    by row-level security, which lets no index of words be used; `find_lessons` looks in their place.
    """

    __tablename__ = "lesson"
    __table_args__ = (
        UniqueConstraint("tenant_id", "escalation_id"),
        reference("escalation", "escalation_id"),
        Index("ix_lesson_words", "words", postgresql_using="gin"),
        {"info": {"searched": ("escalation_id", "words")}},
    )

    escalation_id: Mapped[UUID]
    words: Mapped[str] = mapped_column(TSVECTOR)
