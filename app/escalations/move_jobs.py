"""The periodic move of work: absences that have begun or ended, and colleagues who left.

What is left to do lies in rows, `absence.next_at` and `user.leaving`, and each case is moved in a transaction of its
own: killed anywhere, the next run goes on with the rest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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

MOVE = "move_work"
RUN_SECONDS = 20.0

# In no order, so that none is always last.
WITH_MOVES = text(
    """
    select t.id from tenant t
    where exists (select from absence a where a.tenant_id = t.id and a.next_at <= :now + t.clock_offset)
    or exists (select from "user" u where u.tenant_id = t.id and u.leaving)
    order by random()
    """
)


@dataclass
class _Run:
    """One tenant's moves until the time is up: how many there were, and whether there may be more."""

    tenant_id: UUID
    now: datetime | None
    ends_at: float | None
    count: int = 0
    more: bool = False

    def is_over(self) -> bool:
        late = self.ends_at is not None and clock.monotonic() > self.ends_at
        self.more = self.more or late or queue.is_stopping()
        return self.more

    def moment(self) -> datetime:
        return self.now or clock.now()


def move_work(seconds: float = RUN_SECONDS) -> int:
    """Everything that absences and departures move, of every tenant; answers how many cases and tasks were moved.

    After `seconds` the rest is left to the next run, so that other jobs have their turn.
    """
    with finding() as session:
        waiting = list(session.scalars(WITH_MOVES, {"now": clock.real_now()}))
    count, more, ends_at = 0, False, clock.monotonic() + seconds
    for tenant_id in queue.in_time(waiting, ends_at=ends_at):
        run = _run(tenant_id, None, ends_at)
        count, more = count + run.count, more or run.more
    if waiting or more:
        queue.enqueue(MOVE)
    return count


def move_work_tenant(tenant_id: UUID, now: datetime | None = None) -> int:
    """As `move_work`, for one tenant and to the end."""
    return _run(tenant_id, now, None).count


def _run(tenant_id: UUID, now: datetime | None, ends_at: float | None) -> _Run:
    run = _Run(tenant_id, now, ends_at)
    with transaction(tenant=tenant_id):
        absences, leaving = routing.list_due(run.moment()), routing.list_leaving()
    for absence_id in absences:
        if not run.is_over():
            _move_for_absence(run, absence_id)
    for user_id in leaving:
        if not run.is_over():
            _move_for_leaver(run, user_id)
    return run


def _move_for_absence(run: _Run, absence_id: UUID) -> None:
    def find(after: UUID | None) -> list[tuple[UUID, ...]]:
        return [(case_id,) for case_id in moving.list_to_move(absence_id, after=after, limit=moving.PAGE)]

    def move(escalation_id: UUID) -> bool:
        return moving.move_for_absence(escalation_id, absence_id, now=run.moment())

    _each(run, find, move)
    with transaction(tenant=run.tenant_id):
        handing_back.settle(absence_id, now=run.moment())


def _move_for_leaver(run: _Run, user_id: UUID) -> None:
    def find(after: UUID | None) -> list[tuple[UUID, ...]]:
        return [(case_id,) for case_id in moving.list_held(user_id, after=after, limit=moving.PAGE)]

    def find_tasks(after: UUID | None) -> Sequence[tuple[UUID, ...]]:
        return moving.list_tasks(user_id, after=after, limit=moving.PAGE)

    def move(escalation_id: UUID) -> bool:
        return moving.move_for_leaver(escalation_id, user_id, now=run.moment())

    def move_task(escalation_id: UUID, task_id: UUID) -> bool:
        return moving.move_task(escalation_id, task_id, user_id, now=run.moment())

    _each(run, find, move)
    _each(run, find_tasks, move_task)
    with transaction(tenant=run.tenant_id):
        moving.settle_leaver(user_id, now=run.moment())


def _each(run: _Run, find: Callable[[UUID | None], Sequence[tuple[UUID, ...]]], move: Callable[..., bool]) -> None:
    """Page by page, each in its own transaction, until the time is up; who could not be moved is passed by."""
    after: UUID | None = None
    while not run.is_over():
        with transaction(tenant=run.tenant_id):
            found = find(after)
        for ids in found:
            if run.is_over():
                return
            run.count += _move(run, move, ids)
            after = ids[-1]
        if len(found) < moving.PAGE:
            return


def _move(run: _Run, move: Callable[..., bool], ids: tuple[UUID, ...]) -> bool:
    """Whatever one ran into, the others are moved; it is tried again at the next run."""
    try:
        with transaction(tenant=run.tenant_id):
            return move(*ids)
    except OperationalError:
        raise
    except Exception:
        log.exception("work_not_moved", tenant_id=str(run.tenant_id), ids=[str(id_) for id_ in ids])
        return False
