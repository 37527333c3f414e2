"""Heartbeats of processes, and imports with what they refused."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
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


class Import(TenantModel):
    """One streamed import and how far it is."""

    __tablename__ = "import"
    __table_args__ = (reference("user", "actor_id"), one_of("state", ("running", "done", "failed")))

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
