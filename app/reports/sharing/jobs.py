"""What the worker does for reports by mail."""

from datetime import datetime

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from app import clock, queue
from app.db import db, finding
from app.reports.sharing.deliveries import FIND_TENANTS
from app.reports.sharing.models import ReportSchedule
from app.reports.sharing.sending import send_tenant

log = structlog.get_logger()

SEND = "send_reports"
SECONDS = 20.0  # then other work has its turn


def send_reports() -> None:
    """Reports whose hour has come, tenant by tenant; one that fails holds up no other."""
    with finding() as session:
        tenants = list(session.scalars(FIND_TENANTS, {"now": clock.real_now()}))
    ends_at = clock.monotonic() + SECONDS
    for tenant_id in tenants:
        if queue.is_stopping():
            return
        try:
            if send_tenant(tenant_id, ends_at=ends_at) or clock.monotonic() > ends_at:
                queue.enqueue(SEND)
                return
        except OperationalError:
            raise
        except Exception:
            log.exception("reports_not_sent", tenant_id=str(tenant_id))


def next_moment(*, after: datetime | None = None) -> datetime | None:
    """When (tenant time) the next report of the tenant in scope is due."""
    asked = select(func.min(ReportSchedule.next_at)).where(ReportSchedule.active)
    return db.session.scalar(asked.where(ReportSchedule.next_at > after) if after else asked)
