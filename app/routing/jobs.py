"""What routing does by itself; each job finds its own work and may run anywhere, any number of times at once."""

from datetime import datetime

from sqlalchemy import text

from app import clock, queue
from app.db import finding
from app.routing.learning import course, history, store, training
from app.routing.simulation_jobs import simulate, simulate_tenant

__all__ = ["learn", "simulate", "simulate_tenant", "want_model"]

LEARN = "learn"
RUN_SECONDS = 20.0

WITH_WANTED = text(
    """
    select tenant_id from suggestion_model
    where state = 'wanted' and (leased_until is null or leased_until <= :now)
    group by tenant_id order by random()
    """
)


def learn() -> int:
    """Models of who closes what that were asked for, one tenant after the other; answers how many were done with.

    Each takes seconds: after `RUN_SECONDS` the rest is left to the next run, so that other jobs have their turn.
    """
    with finding() as session:
        waiting = list(session.scalars(WITH_WANTED, {"now": clock.real_now()}))
    ends_at = clock.monotonic() + RUN_SECONDS
    count = sum(training.train_tenant(tenant_id) for tenant_id in queue.in_time(waiting, ends_at=ends_at))
    if waiting:
        queue.enqueue(LEARN)
    return count


def want_model(now: datetime) -> bool:
    """Ask for a new model, inside the caller's transaction, when cases were closed since the newest or it is gone."""
    if not course.is_installed():
        return False
    closed, newest = history.count_closed(), store.newest()
    if closed < course.LEAST_ROWS or (newest is not None and newest.state != "failed" and newest.closed == closed):
        return False
    store.want(now, closed=closed)
    return True
