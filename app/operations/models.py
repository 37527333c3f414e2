"""Heartbeats of processes, daily jobs, sandbox clocks, and imports with what they refused."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import one_of
from app.db import Model, TenantModel, reference


class Heartbeat(Model):
    """A timer or worker process and when it was last alive (real time); not a tenant's."""

    __tablename__ = "heartbeat"
    __table_args__ = ({"info": {"machine": True}},)

    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)


class DailyJob(TenantModel):
    """When a job that runs once per day of the tenant ran last, and when (tenant time) it is due next.

    `retry_at` (real time) and `problem` are set while it fails.
    """

    __tablename__ = "daily_job"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        {"info": {"finder": ("true", ("name", "next_at", "retry_at"))}},
    )

    name: Mapped[str]
    ran_on: Mapped[date | None]
    next_at: Mapped[datetime]
    retry_at: Mapped[datetime | None]
    problem: Mapped[str | None]


class Advance(TenantModel):
    """The one advance of a sandbox tenant's clock; whoever holds the row's `id` and lease (real time) moves it."""

    __tablename__ = "sandbox_advance"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    leased_until: Mapped[datetime]


class Import(TenantModel):
    """One streamed import and how far it is; `beat_at` (real time) is when its process was last known to live."""

    __tablename__ = "import"
    __table_args__ = (
        reference("user", "actor_id"),
        one_of("state", ("running", "done", "failed")),
        Index("ix_import_running", "tenant_id", "beat_at", postgresql_where=text("state = 'running'")),
        {"info": {"finder": ("state = 'running'", ("state", "beat_at"))}},
    )

    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="running")
    dry_run: Mapped[bool] = mapped_column(default=False)
    actor_id: Mapped[UUID | None]
    total: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    stale: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str | None]
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class RejectedRow(TenantModel):
    """A refused row: its line and why."""

    __tablename__ = "import_error"
    __table_args__ = (
        reference("import", "import_id"),
        Index("ix_import_error_import", "tenant_id", "import_id", "line"),
    )

    import_id: Mapped[UUID]
    line: Mapped[int]
    field: Mapped[str | None]
    detail: Mapped[str]
