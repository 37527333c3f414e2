"""The end of files that were made: removed when they expire, with what tries that were stopped left behind."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, select, text

from app import clock, queue
from app.db import current_tenant, db, finding, tenant_scope, transaction
from app.reports.exports.models import ReportExport
from app.reports.exports.service import key_of
from app.store import STORE_ERRORS, get_store

log = structlog.get_logger()

AT_ONCE = 100
KEPT = timedelta(days=30)  # what was asked for, without its file
WITH_EXPIRED = text("select distinct tenant_id from report_export where purged_at is null and expires_at <= :now")


def tidy_exports() -> int:
    """Remove the files that have expired; answers how many. A store that is away is asked again at the next run."""
    now, removed = clock.real_now(), 0
    with finding() as session:
        tenants = list(session.scalars(WITH_EXPIRED, {"now": now}))
    for tenant_id in tenants:
        if queue.is_stopping():
            break
        with tenant_scope(tenant_id):
            try:
                removed += _tidy_tenant(now)
            except STORE_ERRORS:
                log.warning("store_not_tidied_of_exports", tenant_id=str(tenant_id), exc_info=True)
    return removed


def _tidy_tenant(now: datetime) -> int:
    with transaction():
        gone = select(ReportExport).where(ReportExport.purged_at.is_(None), ReportExport.expires_at <= now)
        found = list(db.session.scalars(gone.order_by(ReportExport.id).limit(AT_ONCE).with_for_update()))
        for export in found:
            _purge(export, now)
        db.session.flush()
        old = (ReportExport.purged_at.is_not(None), ReportExport.asked_at <= now - KEPT)
        db.session.execute(delete(ReportExport).where(*old))
    if found:
        log.info("exports_tidied", tenant_id=str(current_tenant()), files=len(found))
    return len(found)


def _purge(export: ReportExport, now: datetime) -> None:
    """Each try had a file of its own."""
    for number in range(1, export.tries + 1):
        get_store().delete(key_of(export, number))
    export.purged_at = now
    if export.state == "done":
        export.state = "expired"
