"""The sweep: what is due fires, in batches, exactly once, with any number of workers at it.

Reminders of a batch are one transaction: claimed, logged, posted and advanced together. A clock whose step is an
action is taken alone, its escalation locked before it as every use case does, so that the action's line stands in the
transaction of its effect: a kill at any moment loses nothing and does nothing twice.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError, OperationalError

from app import clock as clocks
from app.db import transaction
from app.escalations import engine, firing, set_aside
from app.escalations.firing import NOTIFY
from app.escalations.ladder_actions import act, lock_case
from app.sla import claims, due
from app.sla.due import Fired

log = structlog.get_logger()

BATCH = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """What one batch did: how many steps it fired, and whether there may be more."""

    fired: int
    more: bool


@contextmanager
def uncollected() -> Iterator[None]:
    """A batch's many small objects all live until its end: looking for garbage among them costs a third of its time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def sweep_tenant(tenant_id: UUID, now: datetime | None = None) -> int:
    """Fire what is due in one tenant until nothing is; answers how many steps. `now` is the tenant's unless given."""
    count = 0
    while True:
        swept = sweep_batch(tenant_id, now)
        count += swept.fired
        if not swept.more:
            return count


def sweep_batch(tenant_id: UUID, now: datetime | None = None, *, limit: int = BATCH) -> Swept:
    """The longest due clocks: reminders together, then each action alone."""
    try:
        with uncollected():
            claimed, fired, alone = _sweep_together(tenant_id, now, limit)
    except OperationalError:
        raise
    except DBAPIError:  # one row that the database refuses must not hold up the others
        log.exception("sweep_batch_refused", tenant_id=str(tenant_id))
        claimed, fired, alone = _claim_only(tenant_id, now, limit)
    for clock in alone:
        fired += sweep_alone(tenant_id, clock.escalation_id, clock.id, now)
    return Swept(fired, more=claimed == limit)


def _sweep_together(tenant_id: UUID, now: datetime | None, limit: int) -> tuple[int, int, list[due.DueClock]]:
    with transaction(tenant=tenant_id):
        at = now or clocks.now()
        claimed = claims.claim(limit, at)
        plans = due.plan_all(claimed, at)
        together = [fired for fired in plans if not acts(fired)]
        outgoing = firing.tell(together, at)
        outgoing.write(at)
        set_aside.raise_alarm([fired.problem for fired in outgoing.fired if fired.problem], at)
    steps = sum(len(fired.firings) for fired in together)
    return len(claimed), steps, [fired.clock for fired in plans if acts(fired)]


def _claim_only(tenant_id: UUID, now: datetime | None, limit: int) -> tuple[int, int, list[due.DueClock]]:
    with transaction(tenant=tenant_id):
        claimed = claims.claim(limit, now or clocks.now())
    return len(claimed), 0, claimed


def acts(fired: Fired) -> bool:
    """Whether a clock does more than remind: a step that is an action, or the lapse of an acknowledgement."""
    return lapses(fired) or any(one.action != NOTIFY for one in fired.firings)


def lapses(fired: Fired) -> bool:
    return fired.clock.kind == "still_on_it" and fired.just_breached


def sweep_alone(tenant_id: UUID, escalation_id: UUID, clock_id: UUID, now: datetime | None = None) -> int:
    """One clock in a transaction of its own, actions included; one that fails is set aside with the reason."""
    try:
        with transaction(tenant=tenant_id):
            at = now or clocks.now()
            lock_case(escalation_id)
            due_clock = claims.claim_one(clock_id, at)
            if due_clock is None:  # another worker was faster
                return 0
            fired = due.plan(due_clock, at)
            outgoing = firing.tell([fired], at)
            outgoing.write(at)
            if problem := outgoing.fired[0].problem:  # what cannot be told is not done either
                set_aside.raise_alarm([problem], at)
                return 0
            act(fired, at)
            if lapses(fired):
                engine.lapse(escalation_id, now=at)
            return len(fired.firings)
    except OperationalError:
        raise
    except Exception as error:  # whatever this clock ran into, the others go on
        log.exception("clock_set_aside", clock_id=str(clock_id), escalation_id=str(escalation_id))
        with transaction(tenant=tenant_id):
            claims.set_aside(clock_id, repr(error))
            set_aside.raise_alarm([repr(error)], now or clocks.now())
        return 0
