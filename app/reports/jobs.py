"""What the worker does for reports: facts and sums follow what is recorded; both can be made anew from it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app import clock, queue
from app.auth.settings import tenant_settings
from app.db import finding, transaction
from app.reports import making, sums
from app.reports.exports.making import make_exports
from app.reports.exports.tidying import tidy_exports
from app.reports.forecast.training import learn_forecast, want_forecast
from app.reports.making import forget_root_causes
from app.reports.noting import note_accounts
from app.reports.sharing.jobs import next_moment, send_reports
from app.reports.sharing.sending import send_tenant

__all__ = [
    "fold_tenant",
    "forget_root_causes",
    "learn_forecast",
    "make_exports",
    "next_moment",
    "note_accounts",
    "rebuild_tenant",
    "report_facts",
    "send_reports",
    "send_reports_tenant",
    "tidy_exports",
    "want_forecast",
]

log = structlog.get_logger()

SECONDS = 5.0  # then other work has its turn
FOLD = "report_facts"
AT_ONCE = making.BATCH  # cases in a slice
# In no order, so that none is always last.
ALL = text("select id from tenant order by random()")


def report_facts() -> None:
    """Every tenant's facts, brought up to now; one that fails holds up no other."""
    with finding() as session:
        tenants = list(session.scalars(ALL))
    ends_at = clock.monotonic() + SECONDS
    for tenant_id in tenants:
        if queue.is_stopping():
            return
        try:
            if fold_tenant(tenant_id, ends_at=ends_at):
                queue.enqueue(FOLD)
        except OperationalError:
            raise
        except Exception:
            log.exception("facts_not_made", tenant_id=str(tenant_id))


def fold_tenant(
    tenant_id: UUID,
    now: datetime | None = None,
    *,
    ends_at: float | None = None,
    seen: Callable[[], object] = lambda: None,
) -> bool:
    """One tenant's facts in slices, a transaction each; whether some is left at the end of the time."""
    while True:
        with transaction(tenant=tenant_id):
            cursor = making.claim()
            if cursor is None:
                return False
            more = making.fold_slice(cursor, now or clock.now())
            more = (not more and sums.sum_days(cursor, ZoneInfo(tenant_settings().timezone))) or more
        seen()
        if not more:
            return False
        if queue.is_stopping() or (ends_at is not None and clock.monotonic() > ends_at):
            return True


def rebuild_tenant(tenant_id: UUID, now: datetime | None = None, *, seen: Callable[[], object] = lambda: None) -> None:
    """Make facts and sums anew from the timeline; until they are, reports answer that they are made.

    First what is new is folded, so that everything made anew lies before the cursor. The facts of a case give way to
    its new ones in one transaction: who has begun to read meanwhile does not find them gone.
    """
    fold_tenant(tenant_id, now)
    with transaction(tenant=tenant_id):
        cursor = making.claim(wait=True)
        if cursor is not None:
            cursor.after_id, cursor.summed_until = making.START, None
    fold_tenant(tenant_id, now, seen=seen)


def send_reports_tenant(tenant_id: UUID, now: datetime | None = None) -> None:
    """Reports by mail of one tenant, a sandbox whose clock is moved: its facts are first made up to the very moment."""
    with transaction(tenant=tenant_id):
        moment, due = now or clock.now(), next_moment()
    if due is not None and due <= moment:
        fold_tenant(tenant_id, moment + making.SETTLE)
    send_tenant(tenant_id, moment)
