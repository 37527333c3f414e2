"""Imports whose process died are closed, so that nobody waits for them."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import text, update

from app import clock, queue
from app.db import db, finding, transaction
from app.operations.models import Import

log = structlog.get_logger()

SILENCE = timedelta(minutes=15)  # longer than a slow sender needs for a thousand rows
FAILURE = (
    "nothing was heard of it for 15 minutes: its process or its sender died. "
    "What landed stays; import the same file again, rows that landed count as unchanged"
)
FIND_SILENT = text("select distinct tenant_id from import where state = 'running' and beat_at <= :before")


def end_abandoned(now: datetime | None = None) -> None:
    """Mark as failed every import that says running and has been silent for too long (real time)."""
    before = (now or clock.real_now()) - SILENCE
    with finding() as session:
        tenants = session.scalars(FIND_SILENT, {"before": before}).all()
    for tenant_id in tenants:
        if queue.is_stopping():
            return
        _end_abandoned(tenant_id, before)


def _end_abandoned(tenant_id: UUID, before: datetime) -> None:
    ended = update(Import).where(Import.state == "running", Import.beat_at <= before)
    ended = ended.values(state="failed", failure=FAILURE, ended_at=clock.real_now())
    with transaction(tenant=tenant_id):
        for import_id in db.session.scalars(ended.returning(Import.id)):
            log.warning("import_abandoned", tenant_id=str(tenant_id), import_id=str(import_id))
