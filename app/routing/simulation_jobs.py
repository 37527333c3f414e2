"""Simulations done in the background, a slice of each tenant's in turn; may run anywhere, any number at once."""

from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app import clock, queue
from app.db import finding, transaction
from app.routing import simulation_work, simulations

log = structlog.get_logger()

SIMULATE = "simulate"
SLICE_SECONDS = 10.0  # then another tenant has its turn
RUN_SECONDS = 20.0  # then other work
# In no order, so that none is always last.
FIND = text("select tenant_id from simulation where ended_at is null group by tenant_id order by random()")


def simulate() -> None:
    """Every tenant's simulation, as far as a slice of time brings it; what is left calls for another run."""
    with finding() as session:
        tenants = list(session.scalars(FIND))
    more, ends_at = False, clock.monotonic() + RUN_SECONDS
    for tenant_id in queue.in_time(tenants, ends_at=ends_at):
        more = simulate_tenant(tenant_id, ends_at=clock.monotonic() + SLICE_SECONDS) or more
    if tenants or more:
        queue.enqueue(SIMULATE)


def simulate_tenant(tenant_id: UUID, *, ends_at: float | None = None) -> bool:
    """Batches of one transaction each until it is done or the time is up; whether there is more to do."""
    with transaction(tenant=tenant_id):
        running = simulations.find_running()
    return running is not None and _work(tenant_id, running.id, ends_at)


def _work(tenant_id: UUID, simulation_id: UUID, ends_at: float | None) -> bool:
    work: simulation_work.Work | None = None
    while True:
        try:
            with transaction(tenant=tenant_id):
                worked = simulation_work.run_batch(simulation_id, work, now=clock.now())
        except OperationalError:
            raise
        except Exception as error:
            log.exception("simulation_failed", tenant_id=str(tenant_id), simulation_id=str(simulation_id))
            with transaction(tenant=tenant_id):
                simulation_work.fail(simulation_id, type(error).__name__, now=clock.now())
            return False
        if not worked.more:
            return False
        work = worked.work
        if queue.is_stopping() or (ends_at is not None and clock.monotonic() > ends_at):
            return True
