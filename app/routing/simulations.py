"""Simulations: asked for, one at a time, shown, cancelled; the work itself is `simulation_work`'s."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from app.auth.actor import Actor
from app.auth.settings import tenant_settings
from app.db import db, take_turn
from app.errors import NotFound, invalid
from app.routing import policies
from app.routing.errors import SimulationOver, SimulationRunning
from app.routing.models import PolicyVersion
from app.routing.queries import get_policy_version
from app.routing.simulation_models import Simulation, SimulationCase, SimulationLoad
from app.routing.simulation_reading import count_cases

DAYS = 90
MAX_DAYS = 366
KEPT = 20


def start(
    *,
    number: int | None = None,
    rules: Any = None,
    weights: Any = None,
    first: date | None = None,
    last: date | None = None,
    actor: Actor,
    now: datetime,
) -> Simulation:
    """Have it done in the background: a version, or rules that are checked as if saved; one at a time per tenant."""
    since, until = period(first, last, now=now)
    if rules is None:
        version = _version(number)
        number, written, given = version.number, version.rules, version.weights
    else:
        written, given = policies.checked(rules, weights or {})
    take_turn("simulation")
    if (running := find_running()) is not None:
        raise SimulationRunning(
            f"Another one is {running.done} of {running.total} cases far", simulation_id=str(running.id)
        )
    _forget_old()
    simulation = Simulation(
        number=number,
        rules=written,
        weights=given,
        since=since,
        until=until,
        total=count_cases(since, until),
        asked_by=actor.user_id,
        asked_at=now,
    )
    db.session.add(simulation)
    db.session.flush()
    return simulation


def period(first: date | None, last: date | None, *, now: datetime) -> tuple[datetime, datetime]:
    """From the beginning of the first day to the end of the last, or to now; the last 90 days unless said."""
    zone = ZoneInfo(tenant_settings().timezone)
    if last is not None and _midnight(last, zone) > now:
        raise invalid("to", "expected a day that has begun")
    until = now if last is None else min(_midnight(last + timedelta(days=1), zone), now)
    since = until - timedelta(days=DAYS) if first is None else _midnight(first, zone)
    if since >= until:
        raise invalid("from", "expected a day not after `to`, that has begun")
    if until - since > timedelta(days=MAX_DAYS):
        raise invalid("from", f"expected at most {MAX_DAYS} days")
    return since, until


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)


def cancel(simulation: Simulation, *, now: datetime) -> None:
    """It stops after the batch it is in; what was found so far stays to be read."""
    if simulation.ended_at is not None:
        raise SimulationOver(f"It is {simulation.state}")
    simulation.state, simulation.ended_at = "cancelled", now


def get_simulation(simulation_id: UUID, *, lock: bool = False) -> Simulation:
    asked = select(Simulation).where(Simulation.id == simulation_id)
    found = db.session.scalar(asked.with_for_update() if lock else asked)
    if found is None:
        raise NotFound("There is no such simulation")
    return found


def find_running() -> Simulation | None:
    return db.session.scalar(select(Simulation).where(Simulation.ended_at.is_(None)))


def list_simulations(*, before: UUID | None, limit: int) -> Sequence[Simulation]:
    """Newest first."""
    asked = select(Simulation).order_by(Simulation.id.desc()).limit(limit)
    return db.session.scalars(asked.where(Simulation.id < before) if before else asked).all()


def _version(number: int | None) -> PolicyVersion:
    """The one asked for, else the draft, else the one in force."""
    try:
        return get_policy_version(number) if number is not None else _newest()
    except NotFound as missing:
        raise invalid("number", missing.detail) from None


def _newest() -> PolicyVersion:
    return policies.find_draft() or get_policy_version(policies.current_number())


def _forget_old() -> None:
    """The latest stay; of those before, nothing."""
    old = db.session.scalars(select(Simulation.id).order_by(Simulation.id.desc()).offset(KEPT - 1)).all()
    for model, column in (
        (SimulationCase, SimulationCase.simulation_id),
        (SimulationLoad, SimulationLoad.simulation_id),
        (Simulation, Simulation.id),
    ):
        if old:
            db.session.execute(delete(model).where(column.in_(old)).execution_options(synchronize_session=False))
