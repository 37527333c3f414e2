"""What is kept of reports that people come back to, are sent, or show to others."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from app.db import TenantModel, Versioned, reference


class ReportView(Versioned, TenantModel):
    """A report with its arguments under a name; `shared` with everybody who may read reports, else the owner's own.

    `report` is one of `sharing.kinds`, `arguments` as `sharing.arguments.checked` gives them.
    """

    __tablename__ = "report_view"
    __table_args__ = (
        reference("user", "owner_id"),
        UniqueConstraint("tenant_id", "owner_id", "name"),
        Index("ix_report_view_name", "tenant_id", "name", "id"),
    )

    name: Mapped[str]
    report: Mapped[str]
    arguments: Mapped[dict[str, Any]]
    owner_id: Mapped[UUID]
    shared: Mapped[bool]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
