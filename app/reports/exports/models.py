"""Files of reports that the worker makes, and how far each is."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import one_of
from app.db import TenantModel, reference

STATES = ("waiting", "running", "done", "failed", "cancelled", "expired")
UNFINISHED = ("waiting", "running")
FORMATS = ("csv", "xlsx", "pdf")
UNPURGED = "purged_at IS NULL"


class ReportExport(TenantModel):
    """One file that somebody asked for; every moment but `as_of` is real time.

    `arguments` are as their schema reads them, with `as_of` fixed. `hidden` are the cases its owner could not see when
    it was made. Whoever holds it until `leased_until` is in its try number `tries`; each try writes a file of its own.
    `purged_at` is when its files were removed.
    """

    __tablename__ = "report_export"
    __table_args__ = (
        reference("user", "user_id"),
        one_of("state", STATES),
        one_of("format", FORMATS),
        Index("ix_report_export_user", "tenant_id", "user_id", "id"),
        Index("ix_report_export_unpurged", "tenant_id", "id", postgresql_where=text(UNPURGED)),
        {"info": {"finder": (UNPURGED, ("state", "leased_until", "expires_at", "purged_at"))}},
    )

    user_id: Mapped[UUID]
    report: Mapped[str]
    format: Mapped[str]
    arguments: Mapped[dict[str, Any]]
    as_of: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="waiting")
    rows_done: Mapped[int] = mapped_column(default=0)
    rows_total: Mapped[int | None]
    failure: Mapped[str | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    hidden: Mapped[list[UUID]] = mapped_column(default=list)
    tries: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None]
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]
