"""Opening clocks: what they count by, when they fall due and when the sweep must look at them, worked out by hand."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.auth.models import Tenant
from app.db import db, transaction
from app.errors import Invalid
from app.rows import insert_all
from app.sla import calendars, service
from app.sla.errors import NoTarget
from app.sla.ledger import Target
from app.sla.models import CalendarVersion, Clock, LadderVersion
from tests import NOW
from tests.conftest import TestTenant
from tests.sla.conftest import OFFICE

Statements = Callable[[], AbstractContextManager[list[str]]]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def open_one(kind: str, case: UUID, **options: Any) -> Clock:
    basis = service.basis(None, options.pop("zone", None), now=NOW)
    options = {"at": NOW, "now": NOW, **options}
    rows = service.open_clock(kind, escalation_id=case, basis=basis, **options)
    insert_all(rows)
    clock = rows[0]
    assert isinstance(clock, Clock)
    return clock


def change_settings(tenant: TestTenant, **changes: Any) -> None:
    with transaction():
        row = db.session.get_one(Tenant, tenant.id)
        row.settings = {**row.settings, **changes}


def test_a_new_tenant_has_office_hours_and_a_ladder_for_every_kind(tenant: TestTenant) -> None:
    with transaction():
        [calendar] = db.session.scalars(select(CalendarVersion)).all()
        kinds = set(db.session.scalars(select(LadderVersion.kind)))
    assert calendar.definition == OFFICE
    assert len(kinds) == 13


# NOW is Monday 10:00; hours are 9 to 17 UTC
@pytest.mark.parametrize(
    ("kind", "due", "looked_at", "step"),
    [
        ("decide", "2026-03-03T10:00", "2026-03-02T16:00", 0),  # 8 h; 75 % is 6 h
        ("acknowledge", "2026-03-02T14:00", "2026-03-02T13:00", 0),
        ("respond", "2026-03-03T10:00", "2026-03-02T16:00", 0),
        ("reply", "2026-03-03T10:00", "2026-03-02T16:00", 0),
        ("plan", "2026-03-09T10:00", "2026-03-05T16:00", 0),  # 75 % of 40 h is 30 h: 7 h today, 8, 8, 7
        ("still_on_it", "2026-03-09T10:00", "2026-03-05T16:00", 0),
        ("verify", "2026-03-09T10:00", "2026-03-04T14:00", 0),  # 50 % is 20 h: 7, 8, 5
        ("close", "2026-04-01T10:00", "2026-03-17T10:00", 0),  # half of 30 days, a Tuesday
        ("customer_update", "2026-03-09T10:00", "2026-03-05T16:00", 0),  # severity 3: 5 business days
    ],
)
def test_each_kind_starts_with_its_default_target_and_ladder(
    case: UUID, kind: str, due: str, looked_at: str, step: int
) -> None:
    with transaction():
        clock = open_one(kind, case)
    assert (clock.state, clock.due_at, clock.original_due_at) == ("running", utc(due), utc(due))
    assert (clock.next_step_at, clock.next_step, clock.not_before) == (utc(looked_at), step, NOW)


@pytest.mark.parametrize(("severity", "due"), [(1, "2026-03-03T10:00"), (2, "2026-03-04T10:00")])
def test_a_customer_update_is_due_by_severity(case: UUID, severity: int, due: str) -> None:
    with transaction():
        assert open_one("customer_update", case, severity=severity).due_at == utc(due)


def test_close_is_due_at_the_same_local_time_across_summer_time(case: UUID) -> None:
    with transaction():  # 11:00 in Berlin, which is 10:00 UTC in March and 09:00 UTC in April
        assert open_one("close", case, zone="Europe/Berlin").due_at == utc("2026-04-01T09:00")


def test_a_kind_without_a_default_needs_a_target(case: UUID) -> None:
    with transaction():
        with pytest.raises(NoTarget):
            open_one("tier", case)
        tier = open_one("tier", case, target=Target("business_seconds", 7200))
    assert tier.due_at == utc("2026-03-02T12:00")


def test_the_tenants_numbers_replace_the_defaults(tenant: TestTenant, case: UUID) -> None:
    change_settings(tenant, close_days=10, acknowledge_hours=2)
    with transaction():
        assert open_one("close", case).due_at == utc("2026-03-12T10:00")
        assert open_one("acknowledge", case).due_at == utc("2026-03-02T12:00")


def test_what_a_past_raise_missed_is_passed_over_and_logged(case: UUID) -> None:
    with transaction():
        basis = service.basis(now=NOW)
        # raised on 20 February, so half of its 30 days were over on 7 March, a Saturday: 6 March, 17:00
        rows = service.open_clock(
            "close",
            escalation_id=case,
            basis=basis,
            at=utc("2026-02-20T10:00"),
            now=utc("2026-03-20T12:00"),
            imported=True,
        )
    clock, *rest = rows
    assert isinstance(clock, Clock)
    assert (clock.due_at, clock.not_before) == (utc("2026-03-22T10:00"), utc("2026-03-20T12:00"))
    passed = [(row.step, row.at, row.outcome) for row in rest if row.__tablename__ == "step_log"]  # type: ignore[attr-defined]
    assert passed == [
        ("50%", utc("2026-03-06T17:00"), "passed_over"),
        ("-P7D", utc("2026-03-13T17:00"), "passed_over"),  # 15 March is a Sunday
        ("-P3D", utc("2026-03-19T10:00"), "passed_over"),
    ]
    # the day before due is Saturday 21 March: Friday, 17:00
    assert (clock.next_step_at, clock.next_step) == (utc("2026-03-20T17:00"), 3)


def test_what_was_overdue_before_we_knew_is_breached_at_its_own_moment(case: UUID) -> None:
    with transaction():
        clock = open_one("acknowledge", case, at=utc("2026-02-26T10:00"), imported=True)
    assert (clock.state, clock.breached_at) == ("breached", utc("2026-02-26T14:00"))
    # due + 1, 2 … business days; the import was at 10:00, due 14:00, so the second repeat is the first to come
    assert (clock.next_step_at, clock.next_step, clock.next_repeat) == (utc("2026-03-02T14:00"), 2, 1)


def test_a_clock_that_pauses_for_the_party_waited_on_starts_paused(case: UUID) -> None:
    with transaction():
        tier = open_one("tier", case, target=Target("business_seconds", 7200), waiting_on="vendor")
        update = open_one("customer_update", case, waiting_on="vendor")
    assert (tier.state, tier.due_at, tier.next_step_at) == ("paused", None, None)
    assert update.state == "running"


def test_opening_clocks_costs_no_statement_once_their_versions_are_kept(case: UUID, statements: Statements) -> None:
    with transaction():
        service.basis(now=NOW)
        with statements() as sent:
            basis = service.basis(now=NOW)
            for kind in ("close", "acknowledge", "respond"):
                service.open_clock(kind, escalation_id=case, basis=basis, at=NOW, now=NOW)
    assert sent == []


def test_calendar_and_zone_are_the_accounts_else_the_tenants(tenant: TestTenant) -> None:
    with transaction():
        calendars.publish_calendar("nights", {"timezone": "UTC", "weekly": {"mon": [["20:00", "04:00"]]}}, now=NOW)
    with transaction():
        named = service.basis("nights", "Asia/Tokyo", now=NOW)
        unknown = service.basis("not published yet", None, now=NOW)
        default = service.basis(now=NOW)
    assert (named.zone, named.calendar.add(NOW, 3600)) == ("Asia/Tokyo", utc("2026-03-02T21:00"))
    assert unknown == default
    assert default.zone == "UTC"


def test_office_hours_follow_the_tenants_zone_until_a_calendar_is_published(tenant: TestTenant) -> None:
    with transaction():
        before = service.basis(now=NOW)
    change_settings(tenant, timezone="Europe/Berlin")
    with transaction():
        moved = service.basis(now=NOW)
    with transaction():
        assert service.basis(now=NOW) == moved
        assert before.calendar.add(NOW, 8 * 3600) == utc("2026-03-03T10:00")  # what is open keeps its version
        assert moved.calendar.add(NOW, 6 * 3600) == utc("2026-03-02T16:00")  # 17:00 in Berlin
        calendars.publish_calendar("default", OFFICE, now=NOW)
    change_settings(tenant, timezone="Asia/Tokyo")
    with transaction():
        published = service.basis(now=NOW)
    assert published.zone == "Asia/Tokyo"
    assert published.calendar_version_id not in (before.calendar_version_id, moved.calendar_version_id)
    with transaction():
        assert published.calendar.add(NOW, 7 * 3600) == utc("2026-03-02T17:00")


def test_a_new_version_moves_only_what_is_raised_later(tenant: TestTenant) -> None:
    with transaction():
        before = service.basis(now=NOW)
        calendar = calendars.publish_calendar("default", {"always_open": True}, now=NOW)
        after = service.basis(now=NOW)
        assert [version.number for version in calendars.list_versions([calendar.id])[calendar.id]] == [1, 2]
    assert after.calendar_version_id == calendar.current_version_id
    with transaction():
        assert (before.calendar.day_seconds, after.calendar.day_seconds) == (8 * 3600, 24 * 3600)


def test_a_calendar_that_is_never_open_is_refused_and_nothing_is_stored(tenant: TestTenant) -> None:
    with pytest.raises(Invalid, match="never open"), transaction():
        calendars.publish_calendar("closed", {"weekly": {}}, now=NOW)
    with transaction():
        assert service.basis("closed", now=NOW) == service.basis(now=NOW)


def test_a_wait_ends_at_the_first_opening_of_its_day(tenant: TestTenant) -> None:
    with transaction():
        basis = service.basis(now=NOW)
        assert service.first_opening(date(2026, 3, 6), basis) == utc("2026-03-06T09:00")
        assert service.first_opening(date(2026, 3, 7), basis) == utc("2026-03-09T09:00")  # a Saturday


def test_the_working_deadline_leaves_the_customer_time_to_verify(tenant: TestTenant) -> None:
    with transaction():  # 1 April 10:00 less 40 business hours
        assert service.resolve_by(utc("2026-04-01T10:00"), service.basis(now=NOW)) == utc("2026-03-25T10:00")
