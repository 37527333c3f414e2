"""What routing does by itself; each job finds its own work and may run anywhere, any number of times at once."""

from datetime import datetime

from sqlalchemy import text

from app import clock, queue
from app.db import finding
from app.routing.learning import course, history, store, training
from app.routing.simulation_jobs import simulate, simulate_tenant

__all__ = ["learn", "simulate", "simulate_tenant", "want_model"]

WITH_WANTED = text(
    """
    select distinct tenant_id from suggestion_model
    where state = 'wanted' and (leased_until is null or leased_until <= :now)
    """
)


def learn() -> int:
    """Every model of who closes what that was asked for; answers how many were trained, skipped or failed."""
    with finding() as session:
        tenants = session.scalars(WITH_WANTED, {"now": clock.real_now()}).all()
    return sum(training.train_tenant(tenant_id) for tenant_id in tenants if not queue.is_stopping())


def want_model(now: datetime) -> bool:
    """Ask for a new model, inside the caller's transaction, when cases were closed since the newest or it is gone."""
    if not course.is_installed():
        return False
    closed, newest = history.count_closed(), store.newest()
    if closed < course.LEAST_ROWS or (newest is not None and newest.state != "failed" and newest.closed == closed):
        return False
    store.want(now, closed=closed)
    return True
