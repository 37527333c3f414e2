"""A policy replayed over the past: how far it is, what it gave each case, and what each owner would have held."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import one_of
from app.db import TenantModel, reference

STATES = ("waiting", "running", "measuring", "done", "cancelled", "failed")
RUNNING = "ended_at IS NULL"


class Simulation(TenantModel):
    """One replay of a policy over the cases raised from `since` until before `until`; times are the tenant's.

    `number` is the version's, None of rules that were sent along. `done` of `total` cases stand in `simulation_case`;
    `after_at` and `after_id` are the decision of the last one. `result` is what came of it.
    """

    __tablename__ = "simulation"
    __table_args__ = (
        reference("user", "asked_by"),
        one_of("state", STATES),
        Index("uq_simulation_running", "tenant_id", unique=True, postgresql_where=text(RUNNING)),
        {"info": {"finder": (RUNNING, ("ended_at",))}},
    )

    number: Mapped[int | None]
    rules: Mapped[list[Any]]
    weights: Mapped[dict[str, Any]]
    since: Mapped[datetime]
    until: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="waiting")
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    after_at: Mapped[datetime | None]
    after_id: Mapped[UUID | None]
    problem: Mapped[str | None]
    result: Mapped[dict[str, Any] | None]
    asked_by: Mapped[UUID | None]
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SimulationCase(TenantModel):
    """One past case: who owned it first and who would have. `place` is its number in order of time.

    `place` is below 0 for cases that were in hand when the period began: they weigh on both sides and are not counted.
    `todays` are facts its record did not keep, which were asked of today.
    """

    __tablename__ = "simulation_case"
    __table_args__ = (
        reference("simulation", "simulation_id"),
        reference("user", "real_owner_id"),
        reference("user", "owner_id"),
        reference("user", "closer_id"),
        UniqueConstraint("tenant_id", "simulation_id", "place"),
        Index("ix_simulation_case_owner", "tenant_id", "simulation_id", "owner_id"),
    )

    simulation_id: Mapped[UUID]
    place: Mapped[int]
    escalation_id: Mapped[UUID]
    number: Mapped[int | None]
    about_user_id: Mapped[UUID | None]
    account_id: Mapped[UUID]
    reason: Mapped[str]
    weight: Mapped[Decimal] = mapped_column(Numeric(6, 2))
    value: Mapped[Decimal] = mapped_column(Numeric(18, 2))
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    closed: Mapped[bool]
    real_owner_id: Mapped[UUID]
    real_failure: Mapped[str | None]
    owner_id: Mapped[UUID | None]
    team_id: Mapped[UUID | None]
    rule: Mapped[str | None]
    why: Mapped[str | None]
    failure: Mapped[str | None]
    closer_id: Mapped[UUID | None]
    todays: Mapped[list[str]] = mapped_column(default=list)


class SimulationLoad(TenantModel):
    """What one owner held by day, really and in the replay: each day's mean and peak in units of work."""

    __tablename__ = "simulation_load"
    __table_args__ = (
        reference("simulation", "simulation_id"),
        reference("user", "owner_id"),
        UniqueConstraint("tenant_id", "simulation_id", "owner_id"),
    )

    simulation_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    capacity: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    real_cases: Mapped[int]
    cases: Mapped[int]
    days: Mapped[list[Any]]
