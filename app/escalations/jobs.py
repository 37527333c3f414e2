"""What time brings about by itself; each job finds its own work and may run anywhere, any number of times at once.

Tenants are found by comparing their rows with their own time, and take turns batch by batch.
"""

from collections import deque
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.exc import OperationalError

from app import clock, queue
from app.db import db, finding, transaction
from app.escalations import applying, engine, priorities, seals
from app.escalations.attachments.jobs import scan_attachments, tidy_attachments
from app.escalations.move_jobs import move_work, move_work_tenant
from app.escalations.moving import note_left_work
from app.escalations.outages.jobs import offer_outages, offer_outages_tenant
from app.escalations.prevention_reminders import remind as remind_prevention
from app.escalations.sweep import sweep_batch, sweep_tenant
from app.sla import queries as clocks

__all__ = [
    "apply_open",
    "apply_open_tenant",
    "move_work",
    "move_work_tenant",
    "next_due",
    "next_moment",
    "note_left_work",
    "offer_outages",
    "offer_outages_tenant",
    "remind_prevention",
    "reprioritise",
    "reprioritise_tenant",
    "scan_attachments",
    "seal_timelines",
    "seal_timelines_tenant",
    "sweep",
    "sweep_tenant",
    "tidy_attachments",
    "wake_waiting",
    "wake_waiting_tenant",
]
log = structlog.get_logger()

RUN_SECONDS = 20.0
SWEEP = "sweep"
APPLY_SECONDS = 5.0  # then other work has its turn
APPLY = "apply_open"

# In no order, so that none is always last.
ALL = text("select id from tenant order by random()")
WITH_ENDED_WAITS = text(
    """
    select t.id from tenant t
    where exists (select from escalation e where e.tenant_id = t.id and e.status = 'waiting'
                  and e.wake_at <= :now + t.clock_offset)
    order by random()
    """
)
WITH_APPLICATIONS = text(
    """
    select t.id from tenant t
    where exists (select from application a where a.tenant_id = t.id and a.ended_at is null)
    order by random()
    """
)
LIST_ENDED_WAITS = text("select id from escalation where status = 'waiting' and wake_at <= :now order by wake_at")
NEXT_MOMENT = text(
    """
    select least((select min(next_step_at) from clock where next_step_at > x.after),
                 (select min(wake_at) from escalation where status = 'waiting' and wake_at > x.after),
                 (select min(moment) from absence a cross join lateral (values (a.next_at), (a.ends_at)) m(moment)
                  where a.next_at is not null and moment > x.after),
                 (select min(hold_until) from intent where state = 'pending' and hold_until > :now
                                                       and hold_until > x.after))
    from (select coalesce(cast(:after as timestamptz), '-infinity') as after) x
    """
)


def list_tenants(question: TextClause) -> list[UUID]:
    """The tenants with work of a kind, each compared with its own time."""
    values = {"now": clock.real_now()} if ":now" in question.text else {}
    with finding() as session:
        return list(session.scalars(question, values))


def sweep(seconds: float = RUN_SECONDS) -> int:
    """Fire every tenant's due steps, a batch each in turn; after `seconds` the rest is left to the next run.

    A full batch calls another worker to help, who claims what is left beside this one.
    """
    with finding():
        waiting = deque(clocks.find_tenants_due(clock.real_now()))
    count, ends_at = 0, clock.monotonic() + seconds
    while waiting and clock.monotonic() < ends_at and not queue.is_stopping():
        tenant_id = waiting.popleft()
        swept = sweep_batch(tenant_id)
        count += swept.fired
        if swept.more:
            waiting.append(tenant_id)
            queue.enqueue(SWEEP)
    if waiting:
        queue.enqueue(SWEEP)
    return count


def next_due() -> datetime | None:
    """When (real time) a step of any tenant's clocks falls due next: the timer ticks then, if not before."""
    with finding():
        return clocks.find_next_due(clock.real_now())


def wake_waiting() -> int:
    """Every wait whose budget or `resume_on` has come; answers how many."""
    return sum(wake_waiting_tenant(tenant_id) for tenant_id in list_tenants(WITH_ENDED_WAITS))


def wake_waiting_tenant(tenant_id: UUID, now: datetime | None = None) -> int:
    """As `wake_waiting`, for one tenant; each in its own transaction, and one that fails holds up no other."""
    with transaction(tenant=tenant_id):
        ended = list(db.session.scalars(LIST_ENDED_WAITS, {"now": now or clock.now()}))
    return sum(_wake(tenant_id, escalation_id, now) for escalation_id in ended)


def _wake(tenant_id: UUID, escalation_id: UUID, now: datetime | None) -> bool:
    try:
        with transaction(tenant=tenant_id):
            return engine.wake_waiting(escalation_id, now=now or clock.now()) is not None
    except OperationalError:
        raise
    except Exception:  # whatever this case ran into, the others wake; it is tried again at the next tick
        log.exception("wait_not_ended", tenant_id=str(tenant_id), escalation_id=str(escalation_id))
        return False


def apply_open() -> int:
    """Every application of newer versions to what is open, as far as it may go now; answers how many batches."""
    ends_at = clock.monotonic() + APPLY_SECONDS
    return sum(apply_open_tenant(tenant_id, ends_at=ends_at) for tenant_id in list_tenants(WITH_APPLICATIONS))


def apply_open_tenant(tenant_id: UUID, now: datetime | None = None, *, ends_at: float | None = None) -> int:
    """As `apply_open`, for one tenant, in batches of one transaction each; what is left at the end is called for."""
    with transaction(tenant=tenant_id):
        running = deque(applying.list_running())
    count = 0
    while running and not queue.is_stopping():
        if ends_at is not None and clock.monotonic() > ends_at:
            queue.enqueue(APPLY)
            break
        with transaction(tenant=tenant_id):
            more = applying.apply_batch(running[0], now or clock.now())
        count += 1
        if not more:
            running.popleft()
    return count


def next_moment(*, after: datetime | None = None) -> datetime | None:
    """When (tenant time) something of the tenant in scope is next due by itself: a step, the end of a wait, a message,
    an absence that moves work, the next turn of what is applied to open cases.

    Two statements inside the caller's transaction. A moment that has passed says that there is work now, unless only
    what comes `after` a moment is asked for.
    """
    moment: datetime | None = db.session.scalar(NEXT_MOMENT, {"now": clock.now(), "after": after})
    turns = [turn for turn in applying.list_turns() if after is None or turn > after]
    return min([*turns, *([moment] if moment else [])], default=None)


def reprioritise() -> int:
    """Cases whose account changed, and all of them once a day: value, snapshot and priority; answers how many."""
    return sum(reprioritise_tenant(tenant_id) for tenant_id in list_tenants(ALL))


def reprioritise_tenant(tenant_id: UUID, now: datetime | None = None) -> int:
    """As `reprioritise`, for one tenant, in batches of one transaction each."""
    count = 0
    while True:
        with transaction(tenant=tenant_id):
            done = priorities.reprioritise_batch(now or clock.now())
        count += done
        if done < priorities.BATCH or queue.is_stopping():
            return count


def seal_timelines(now: datetime) -> bool:
    """Today's signed list of the timelines that changed, inside the caller's transaction; False if it is there."""
    return seals.seal(now)


def seal_timelines_tenant(tenant_id: UUID, now: datetime | None = None) -> bool:
    """As `seal_timelines`, in a transaction of its own."""
    with transaction(tenant=tenant_id):
        return seals.seal(now or clock.now())
