"""Offering what outages say, by itself: of those that told something, to the cases that are behind."""

from collections import deque
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from app import clock, queue
from app.db import finding, transaction
from app.escalations.outages import offering

RUN_SECONDS = 5.0  # then other work has its turn

# In no order, so that none is always last.
WITH_NEWS = text("select distinct tenant_id from outage where not settled and news_seq > 0")


def offer_outages(seconds: float = RUN_SECONDS) -> int:
    """Every tenant's cases that are behind, a batch each in turn; what is left at the end is called for."""
    with finding() as session:
        waiting = deque(session.scalars(WITH_NEWS))
    count, ends_at = 0, clock.monotonic() + seconds
    while waiting and clock.monotonic() < ends_at and not queue.is_stopping():
        done = offer_batch(waiting[0])
        count += done
        if done == offering.BATCH:
            waiting.rotate(-1)
        else:
            waiting.popleft()
    if waiting:
        queue.enqueue(offering.JOB)
    return count


def offer_outages_tenant(tenant_id: UUID, now: datetime | None = None) -> int:
    """As `offer_outages`, for one tenant and to the end."""
    count = 0
    while done := offer_batch(tenant_id, now):
        count += done
    return count


def offer_batch(tenant_id: UUID, now: datetime | None = None) -> int:
    """One batch in a transaction of its own; when nothing is left, what has ended is settled in another, which holds no
    case while it waits for an outage."""
    with transaction(tenant=tenant_id):
        done = offering.offer_batch(now or clock.now())
    if done < offering.BATCH:
        with transaction(tenant=tenant_id):
            offering.settle(now or clock.now())
    return done
