"""Daily jobs: once per day of the tenant's own time, whoever asks and however often."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from app import clock
from app.db import transaction
from app.operations import daily
from app.operations.models import DailyJob
from tests import NOW


@pytest.fixture
def ran(monkeypatch):
    days = []
    monkeypatch.setattr(daily, "DAILY", {"count": days.append})
    return days


def run(now):
    with transaction():
        return daily.run("count", now)


def row():
    with transaction() as session:
        return session.scalars(select(DailyJob).where(DailyJob.name == "count")).one()


def move_to(zone):
    with transaction() as session:
        change = text("update tenant set settings = settings || jsonb_build_object('timezone', cast(:zone as text))")
        session.execute(change, {"zone": zone})


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        (datetime(2026, 3, 2, 10, tzinfo=UTC), "UTC", datetime(2026, 3, 3, tzinfo=UTC)),
        (datetime(2026, 3, 2, 10, tzinfo=UTC), "America/New_York", datetime(2026, 3, 3, 5, tzinfo=UTC)),
        (datetime(2026, 3, 2, 23, 30, tzinfo=UTC), "Asia/Tokyo", datetime(2026, 3, 3, 15, tzinfo=UTC)),
        # Cairo's clocks go from 00:00 to 01:00 on 24 April 2026: that day begins at 01:00 (+03:00)
        (datetime(2026, 4, 23, 10, tzinfo=UTC), "Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC)),
    ],
)
def test_a_day_begins_at_the_tenants_midnight(now, zone, expected):
    assert daily.next_day(now, ZoneInfo(zone)) == expected


def test_it_runs_once_a_day_and_again_on_the_next(tenant, ran):
    assert [run(NOW), run(NOW + timedelta(hours=5)), run(NOW + timedelta(hours=14))] == [True, False, True]
    assert ran == [NOW, NOW + timedelta(hours=14)]
    assert (row().ran_on, row().next_at) == (date(2026, 3, 3), datetime(2026, 3, 4, tzinfo=UTC))


def test_days_that_nobody_worked_are_not_made_up_for(tenant, ran):
    run(NOW)
    assert run(NOW + timedelta(days=9))
    assert len(ran) == 2


def test_the_day_is_the_tenants_own(tenant, ran):
    move_to("Asia/Tokyo")
    run(NOW)  # 19:00 in Tokyo
    assert row().next_at == datetime(2026, 3, 2, 15, tzinfo=UTC)
    assert run(datetime(2026, 3, 2, 15, tzinfo=UTC))


def test_a_zone_changed_to_the_west_does_not_repeat_the_day(tenant, ran):
    move_to("Asia/Tokyo")
    run(datetime(2026, 3, 2, 16, tzinfo=UTC))  # already the 3rd in Tokyo
    move_to("America/New_York")
    with transaction() as session:
        session.execute(text("update daily_job set next_at = :at"), {"at": NOW})
    assert run(datetime(2026, 3, 2, 17, tzinfo=UTC))  # the 2nd in New York
    assert len(ran) == 1
    assert row().next_at == datetime(2026, 3, 3, 5, tzinfo=UTC)


def test_a_job_held_by_another_process_is_left_to_it(app, tenant, ran):
    run(NOW)
    tomorrow = NOW + timedelta(days=1)

    def elsewhere():
        with app.app_context(), transaction(tenant=tenant.id):
            return daily.run("count", tomorrow)

    with transaction() as session, ThreadPoolExecutor() as pool:
        session.execute(text("select from daily_job for update"))
        assert pool.submit(elsewhere).result(10) is False
    assert elsewhere() is True


def test_a_failing_job_is_noted_and_tried_again_after_5_minutes(tenant, monkeypatch):
    def fail(now):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(daily, "DAILY", {"count": fail})
    daily.run_safely(tenant.id, "count")
    noted = row()
    assert noted.problem == "ZeroDivisionError: by zero"
    assert noted.ran_on is None
    assert timedelta(minutes=4) < noted.retry_at - clock.real_now() <= timedelta(minutes=5)
