"""The periodic move of work: absences that have begun or ended, and colleagues who left.

What is left to do lies in rows, `absence.next_at` and `user.leaving`, and each case is moved in a transaction of its
own: killed anywhere, the next run goes on with the rest.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app import clock, queue
from app.db import finding, transaction
from app.escalations import handing_back, moving
from app.routing import service as routing

log = structlog.get_logger()

# In no order, so that none is always last.
WITH_MOVES = text(
    """
    select t.id from tenant t
    where exists (select from absence a where a.tenant_id = t.id and a.next_at <= :now + t.clock_offset)
    or exists (select from "user" u where u.tenant_id = t.id and u.leaving)
    order by random()
    """
)


def move_work() -> int:
    """Everything that absences and departures move, of every tenant; answers how many cases and tasks were moved."""
    with finding() as session:
        found = list(session.scalars(WITH_MOVES, {"now": clock.real_now()}))
    return sum(move_work_tenant(tenant_id) for tenant_id in found)


def move_work_tenant(tenant_id: UUID, now: datetime | None = None) -> int:
    """As `move_work`, for one tenant."""
    with transaction(tenant=tenant_id):
        absences, leaving = routing.list_due(now or clock.now()), routing.list_leaving()
    count = sum(_move_for_absence(tenant_id, absence_id, now) for absence_id in absences)
    return count + sum(_move_for_leaver(tenant_id, user_id, now) for user_id in leaving)


def _move_for_absence(tenant_id: UUID, absence_id: UUID, now: datetime | None) -> int:
    with transaction(tenant=tenant_id):
        cases = moving.list_to_move(absence_id)

    def move(escalation_id: UUID) -> bool:
        return moving.move_for_absence(escalation_id, absence_id, now=now or clock.now())

    count = _each(tenant_id, move, [(case_id,) for case_id in cases])
    with transaction(tenant=tenant_id):
        handing_back.settle(absence_id, now=now or clock.now())
    return count


def _move_for_leaver(tenant_id: UUID, user_id: UUID, now: datetime | None) -> int:
    with transaction(tenant=tenant_id):
        cases = moving.list_held(user_id)

    def move(escalation_id: UUID) -> bool:
        return moving.move_for_leaver(escalation_id, user_id, now=now or clock.now())

    def move_task(escalation_id: UUID, task_id: UUID) -> bool:
        return moving.move_task(escalation_id, task_id, user_id, now=now or clock.now())

    count = _each(tenant_id, move, [(case_id,) for case_id in cases])
    with transaction(tenant=tenant_id):
        tasks = moving.list_tasks(user_id)
    count += _each(tenant_id, move_task, tasks)
    with transaction(tenant=tenant_id):
        moving.settle_leaver(user_id)
    return count


def _each(tenant_id: UUID, move: Callable[..., bool], found: Iterable[tuple[UUID, ...]]) -> int:
    """Each in its own transaction: whatever one ran into, the others are moved; it is tried again at the next run."""
    count = 0
    for ids in found:
        if queue.is_stopping():
            break
        try:
            with transaction(tenant=tenant_id):
                count += move(*ids)
        except OperationalError:
            raise
        except Exception:
            log.exception("work_not_moved", tenant_id=str(tenant_id), ids=[str(id_) for id_ in ids])
    return count
