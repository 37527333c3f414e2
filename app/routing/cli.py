"""What `firsthand routing simulate` does; operations registers the command and draws the bar."""

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from app import clock, queue
from app.auth.actor import SYSTEM
from app.db import transaction
from app.routing import simulation_jobs, simulations
from app.routing.simulation_models import Simulation

STEP_SECONDS = 0.5  # between two looks at how far it is
__all__ = ["Simulation", "simulate"]


def simulate(tenant_id: UUID, *, number: int | None, first: date | None, last: date | None) -> Iterator[Simulation]:
    """Start one and work on it here, beside any worker that does; how far it is after each step, and how it ended."""
    with transaction(tenant=tenant_id):
        found = simulations.start(number=number, first=first, last=last, actor=SYSTEM, now=clock.now())
        simulation_id = found.id
    yield found
    while found.ended_at is None:
        ends_at = clock.monotonic() + STEP_SECONDS
        if not simulation_jobs.simulate_tenant(tenant_id, ends_at=ends_at):
            queue.pause(ends_at - clock.monotonic())
        with transaction(tenant=tenant_id):
            found = simulations.get_simulation(simulation_id)
        yield found
