"""The sandbox clock: a tenant's time moves forward, stopping at each moment at which something is due by itself.

So a month in seconds gives exactly what a month would have given. The ordinary workers sweep a sandbox too; a stop
waits for what they hold, so that nothing of a later moment happens before it.
"""

import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from app import clock
from app.db import db, new_id, tenant_row, transaction
from app.escalations import jobs as escalations
from app.notifications import jobs as notifications
from app.operations import daily
from app.operations.errors import AdvanceRunning, NotASandbox
from app.operations.models import Advance
from app.reports import jobs as reports

log = structlog.get_logger()

LEASE = timedelta(minutes=2)  # renewed at each stop; a process that was killed leaves the clock free after it
LONGEST = timedelta(days=366)
PATIENCE_SECONDS = 10.0  # for what another worker holds at a stop
PAUSE_SECONDS = 0.02
DELIVERY_SECONDS = 5.0

DURATION = re.compile(r"P(?=.)(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?=.)(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?")
SET_OFFSET = text("update tenant set clock_offset = :offset where id = :id")
COUNT_FIRED = text(
    """
    select count(distinct (clock_id, cycle, due_version, step, repeat)) from step_log
    where fired_at >= :start and outcome <> 'passed_over'
    """
)


@dataclass(frozen=True)
class Lease:
    """The right to move this tenant's time, which was `began_at` at `offset` when it was given."""

    id: UUID
    tenant_id: UUID
    began_at: datetime
    offset: timedelta


def parse_duration(value: str) -> timedelta:
    """ISO 8601 weeks, days, hours, minutes, seconds; days are 24 h, so months and years are refused."""
    found = DURATION.fullmatch(value)
    if found is None:
        raise ValueError("expected an ISO 8601 duration of weeks, days, hours, minutes or seconds, such as P7D or PT8H")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    duration = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not timedelta(0) < duration <= LONGEST:
        raise ValueError("expected more than nothing and at most P366D")
    return duration


def take(*, real_now: datetime) -> Lease:
    """Take the tenant's clock in hand; refused on an ordinary tenant and while somebody else moves it."""
    row = tenant_row()
    if not row.sandbox:
        raise NotASandbox
    until = real_now + LEASE
    new = insert(Advance).values(tenant_id=row.id, id=new_id(), leased_until=until)
    taken = new.on_conflict_do_update(
        index_elements=["tenant_id"],
        set_={"id": new.excluded.id, "leased_until": until},
        where=Advance.leased_until <= real_now,
    ).returning(Advance.id)
    lease_id = db.session.scalar(taken)
    if lease_id is None:
        raise AdvanceRunning
    return Lease(lease_id, row.id, real_now + row.clock_offset, row.clock_offset)


def advance(lease: Lease, by: timedelta) -> None:
    """Move the clock by exactly this much, doing at each stop what is due then; ends the lease in any case."""
    try:
        target = lease.began_at + by
        stop: datetime | None = lease.began_at
        while stop is not None and stop <= target:
            now = _stop_at(lease, stop)
            _work(lease, now)
            stop = _next_stop(lease, after=now)
        with transaction(tenant=lease.tenant_id) as session:
            _renew(lease)
            session.execute(SET_OFFSET, {"id": lease.tenant_id, "offset": lease.offset + by})
        _work_once(lease, None)  # what fell due in the seconds that this took
    finally:
        with transaction(tenant=lease.tenant_id) as session:
            session.execute(delete(Advance).where(Advance.id == lease.id))


def count_fired(since: datetime) -> int:
    """How many steps fired since then, whoever swept them."""
    return db.session.scalar(COUNT_FIRED, {"start": since}) or 0


def _stop_at(lease: Lease, moment: datetime) -> datetime:
    """Set the tenant's time to the moment, never back; answers it."""
    with transaction(tenant=lease.tenant_id) as session:
        _renew(lease)
        moment = max(moment, clock.now())
        session.execute(SET_OFFSET, {"id": lease.tenant_id, "offset": moment - clock.real_now()})
    return moment


def _renew(lease: Lease) -> None:
    """Only the holder moves the clock: one that was thought dead finds its lease gone."""
    held = select(Advance).where(Advance.id == lease.id).with_for_update()
    mine = db.session.scalars(held).one_or_none()
    if mine is None:
        raise AdvanceRunning
    mine.leased_until = clock.real_now() + LEASE


def _work(lease: Lease, now: datetime) -> None:
    """Do all that is due by now, and wait for what another worker is doing of it."""
    give_up_at = clock.monotonic() + PATIENCE_SECONDS
    while _work_once(lease, now):
        if clock.monotonic() > give_up_at:
            log.warning("sandbox_left_work", tenant_id=str(lease.tenant_id), at=now.isoformat())
            return
        time.sleep(PAUSE_SECONDS)


def _work_once(lease: Lease, now: datetime | None) -> bool:
    """One round of everything that happens by itself, in the order of a worker's list; whether some is left."""
    escalations.move_work_tenant(lease.tenant_id, now)
    escalations.sweep_tenant(lease.tenant_id, now)
    escalations.wake_waiting_tenant(lease.tenant_id, now)
    escalations.apply_open_tenant(lease.tenant_id, now)
    escalations.offer_outages_tenant(lease.tenant_id, now)
    daily.run_due_tenant(lease.tenant_id, now)
    escalations.reprioritise_tenant(lease.tenant_id, now)
    reports.send_reports_tenant(lease.tenant_id, now)
    notifications.deliver_tenant(lease.tenant_id, DELIVERY_SECONDS)
    with transaction(tenant=lease.tenant_id):
        moments = (escalations.next_moment(), daily.next_moment(), reports.next_moment())
        return any(moment is not None and moment <= (now or clock.now()) for moment in moments)


def _next_stop(lease: Lease, *, after: datetime) -> datetime | None:
    with transaction(tenant=lease.tenant_id):
        moments = [source.next_moment(after=after) for source in (escalations, daily, reports)]
    return min((moment for moment in moments if moment is not None), default=None)
