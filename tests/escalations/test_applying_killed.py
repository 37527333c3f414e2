"""Workers killed while they apply a calendar to open cases: each clock is re-targeted once. Real processes."""

import random
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, select

from app.db import db, transaction
from app.escalations import applying, jobs
from app.escalations.timeline_models import Event
from app.sla import calendars
from app.sla import service as sla
from app.sla.models import Clock, ClockEntry
from app.sla.verifying import verify_batch
from tests import NOW
from tests.conftest import TestTenant
from tests.escalations.due_rows import TASKS_EACH, make_due
from tests.escalations.test_sweep_killed import Sweepers, sweepers

__all__ = ["sweepers"]
CASES = 120
AT = NOW + timedelta(hours=1)  # Monday 11:00


def test_killed_twenty_times_every_clock_of_every_case_is_moved_once(
    tenant: TestTenant, sweepers: Callable[..., object]
) -> None:
    """Four hours from 10:00 end at 14:00; with an hour's lunch from now on, at 15:00."""
    make_due(tenant, CASES)
    with transaction():
        lunch = {day: [["09:00", "12:00"], ["13:00", "17:00"]] for day in calendars.WORKDAYS}
        calendar = calendars.publish_calendar("default", {"timezone": "UTC", "weekly": lunch}, now=AT)
        name, number, version_id = sla.current_calendar(calendar.id)
        of = {"subject_id": calendar.id, "version_id": version_id}
        wanted = applying.new_application("calendar", name, number=number, now=AT, spread=timedelta(0), **of)
        found = applying.start(wanted)
    chance = random.Random(7)
    kills = []
    with sweepers(tenant, limit=2, program="applier", at=AT) as started:  # type: ignore[attr-defined]
        for _ in range(20):
            pid = started.start()
            time.sleep(chance.uniform(0.01, 0.12))
            kills.append(Sweepers.kill(pid))
            Sweepers.wait(pid)
    assert sum(kills) >= 5
    jobs.apply_open_tenant(tenant.id, AT)
    with transaction():
        done = applying.get_application(found.id)
        moved = select(Clock.due_at, func.count()).where(Clock.kind == "task").group_by(Clock.due_at)
        assert db.session.execute(moved).all() == [(NOW + timedelta(hours=5), CASES * TASKS_EACH)]
        entries = select(func.count()).where(ClockEntry.type == "retarget").group_by(ClockEntry.clock_id)
        assert db.session.scalars(entries).all() == [1] * (CASES * TASKS_EACH)
        events = select(func.count()).where(Event.kind == "retarget").group_by(Event.escalation_id)
        assert db.session.scalars(events).all() == [1] * CASES
        assert verify_batch(limit=CASES * TASKS_EACH).differences == []
    assert (done.phase, done.escalations, done.clocks) == ("done", CASES, CASES * TASKS_EACH)
