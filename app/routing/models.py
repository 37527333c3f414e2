"""Teams, skills, absences, policy versions, decisions kept for ever, and who holds what now."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.auth.models import one_of
from app.auth.settings import ABSENCE_MODES
from app.db import TenantModel, Versioned, reference
from app.routing.learning.wanted import STATES as MODEL_STATES
from app.routing.learning.wanted import Wanted

MISROUTES = (
    "wrong_team",
    "wrong_person",
    "lacks_skill",
    "no_capacity",
    "wrong_account",
    "conflict_of_interest",
    "other",
)


class Team(Versioned, TenantModel):
    """People who take work of one tier; `calendar` names when those of them work who have none of their own."""

    __tablename__ = "team"
    __table_args__ = (UniqueConstraint("tenant_id", "name"), reference("user", "lead_id"))

    name: Mapped[str]
    tier: Mapped[str | None]
    lead_id: Mapped[UUID | None]
    calendar: Mapped[str | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)


class Membership(TenantModel):
    """A user in a team; `capacity` in work weight (4, 3, 2, 1 by severity), NULL for the tenant's default.

    `weight` multiplies their score when the team's work is given out: a newcomer at 0.5 must fit twice as well.
    """

    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("tenant_id", "team_id", "user_id"),
        reference("team", "team_id"),
        reference("user", "user_id"),
        CheckConstraint("capacity >= 0", name="capacity"),
        CheckConstraint("weight > 0 AND weight <= 1", name="weight"),
        Index("ix_membership_user", "tenant_id", "user_id"),
    )

    team_id: Mapped[UUID]
    user_id: Mapped[UUID]
    capacity: Mapped[int | None]
    weight: Mapped[Decimal] = mapped_column(Numeric(3, 2), default=Decimal(1))


class Skill(Versioned, TenantModel):
    """What somebody can do, by a name that is one whatever its case."""

    __tablename__ = "skill"
    __table_args__ = (Index("uq_skill_name", "tenant_id", text("lower(name)"), unique=True),)

    name: Mapped[str]
    created_at: Mapped[datetime]


class UserSkill(TenantModel):
    """How well a colleague masters a skill, from 1 to 5."""

    __tablename__ = "user_skill"
    __table_args__ = (
        UniqueConstraint("tenant_id", "user_id", "skill_id"),
        reference("user", "user_id"),
        reference("skill", "skill_id"),
        CheckConstraint("level BETWEEN 1 AND 5", name="level"),
        Index("ix_user_skill_skill", "tenant_id", "skill_id"),
    )

    user_id: Mapped[UUID]
    skill_id: Mapped[UUID]
    level: Mapped[int]


class Absence(TenantModel):
    """Somebody is away from `starts_at` until before `ends_at`; the delegate, if one is named, stands in meanwhile.

    `mode`: `cover` leaves their work theirs, `move` makes the delegate its owner. `next_at` is when there is something
    to do for it by itself: at its start to move the work, at its end to offer it again; NULL when there is nothing (any
    more). One that was ended early ends when it was.
    """

    __tablename__ = "absence"
    __table_args__ = (
        reference("user", "user_id"),
        reference("user", "delegate_id"),
        one_of("mode", ABSENCE_MODES),
        CheckConstraint("ends_at > starts_at", name="span"),
        CheckConstraint("delegate_id <> user_id", name="delegate"),
        Index("ix_absence_ends", "tenant_id", "ends_at"),
        Index("ix_absence_user", "tenant_id", "user_id", "starts_at"),
        Index("ix_absence_delegate", "tenant_id", "delegate_id"),
        Index("ix_absence_next", "tenant_id", "next_at", postgresql_where=text("next_at IS NOT NULL")),
        {"info": {"finder": ("next_at IS NOT NULL", ("next_at",))}},
    )

    user_id: Mapped[UUID]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    delegate_id: Mapped[UUID | None]
    mode: Mapped[str]
    next_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class PolicyVersion(TenantModel):
    """A routing policy; the tenant's `policy` number says which is current. A published one is frozen."""

    __tablename__ = "policy_version"
    __table_args__ = (UniqueConstraint("tenant_id", "number"), {"info": {"append_only": True}})

    number: Mapped[int]
    rules: Mapped[list[Any]]
    weights: Mapped[dict[str, Any]]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]


class PolicyPublication(TenantModel):
    """A version came into force; `previous_number` was in force before, and a newer one there says: rolled back.

    `unrouted` is how many of the `cases` looked at before would have found no owner by its rules, None when nobody
    looked; `reason` is why it was published all the same, or why it was taken up again.
    """

    __tablename__ = "policy_publication"
    __table_args__ = (
        reference("user", "published_by"),
        Index("ix_policy_publication_number", "tenant_id", "number", "id"),
        {"info": {"append_only": True}},
    )

    number: Mapped[int]
    previous_number: Mapped[int | None]
    published_at: Mapped[datetime]
    published_by: Mapped[UUID | None]
    reason: Mapped[str | None]
    cases: Mapped[int | None]
    unrouted: Mapped[int | None]

    @property
    def kind(self) -> str:
        """What it was: `roll_back` when an older version took the place of a newer one."""
        return "roll_back" if self.previous_number and self.number < self.previous_number else "publish"


class Decision(TenantModel):
    """Why somebody owns an escalation: rules looked at, candidates with numbers, inputs, policy version."""

    __tablename__ = "decision"
    __table_args__ = (
        reference("user", "owner_id"),
        Index("ix_decision_escalation", "tenant_id", "escalation_id", "at"),
        Index("ix_decision_raised", "tenant_id", "at", "id", postgresql_where=text("cause = 'raise'")),
        Index("ix_decision_failed", "tenant_id", "at", postgresql_where=text("failure IS NOT NULL")),
        {"info": {"append_only": True}},
    )

    escalation_id: Mapped[UUID]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    policy_number: Mapped[int]
    cause: Mapped[str]
    rule: Mapped[str | None]
    why: Mapped[str]
    owner_id: Mapped[UUID]
    team_id: Mapped[UUID | None]
    failure: Mapped[str | None]
    rules: Mapped[list[Any]]
    candidates: Mapped[list[Any]]
    excluded: Mapped[dict[str, Any]]
    inputs: Mapped[dict[str, Any]]


class Assignment(TenantModel):
    """Who holds an escalation and how heavy it is; open ones have no `released_at`. Load is their sum.

    `closed` says that the case ended in these hands; `reason` is the escalation's, to find a previous owner by.
    """

    __tablename__ = "assignment"
    __table_args__ = (
        reference("user", "owner_id"),
        Index("ix_assignment_owner", "tenant_id", "owner_id", postgresql_where=text("released_at IS NULL")),
        Index(
            "uq_assignment_escalation",
            "tenant_id",
            "escalation_id",
            unique=True,
            postgresql_where=text("released_at IS NULL"),
        ),
        Index("ix_assignment_account", "tenant_id", "account_id", "reason", text("escalation_id DESC")),
        Index("ix_assignment_last", "tenant_id", "owner_id", text("assigned_at DESC")),
        Index("ix_assignment_escalation", "tenant_id", "escalation_id", "assigned_at"),
        Index("ix_assignment_closed", "tenant_id", "released_at", postgresql_where=text("closed")),
    )

    escalation_id: Mapped[UUID]
    account_id: Mapped[UUID]
    reason: Mapped[str]
    owner_id: Mapped[UUID]
    team_id: Mapped[UUID | None]
    weight: Mapped[Decimal] = mapped_column(Numeric(6, 2))
    value: Mapped[Decimal | None] = mapped_column(Numeric(18, 2))
    assigned_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    closed: Mapped[bool] = mapped_column(default=False)


class Misroute(TenantModel):
    """Why the decision that gave a case to its owner was wrong, as said when the case was given on.

    `reroute_id` is the decision that took its place. One for an absence or a hand-back is never the wrong one: the
    decision is meant that found whom it stood in for.
    """

    __tablename__ = "misroute"
    __table_args__ = (
        reference("decision", "decision_id"),
        reference("decision", "reroute_id"),
        UniqueConstraint("tenant_id", "reroute_id"),
        one_of("reason", MISROUTES),
        Index("ix_misroute_decision", "tenant_id", "decision_id"),
        {"info": {"append_only": True}},
    )

    escalation_id: Mapped[UUID]
    decision_id: Mapped[UUID]
    reroute_id: Mapped[UUID]
    reason: Mapped[str]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class SuggestionModel(Wanted):
    """Who closes what, learnt from closed cases; the tenant's `suggestion_model` number says which one is asked.

    `content` (`learning.model`) is NULL, too, after what it was learnt from was erased. `closed` counts the closed
    cases when it was asked for.
    """

    __tablename__ = "suggestion_model"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        one_of("state", MODEL_STATES),
        {"info": {"finder": ("state = 'wanted'", ("state", "leased_until"))}},
    )

    asked_by: Mapped[UUID | None]
    closed: Mapped[int]
    trained_at: Mapped[datetime | None]
