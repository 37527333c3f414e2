"""Due clocks: what fires, what folds, what is written, and that nothing happens twice."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Thread
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.db import db, new_id, transaction
from app.rows import insert_all
from app.sla import claims, service
from app.sla.clocks import Clocks
from app.sla.due import Fired, Firing, fold, plan_all
from app.sla.ledger import Target
from app.sla.models import CalendarVersion, Clock, ClockEntry, StepLog
from tests import NOW
from tests.conftest import TestTenant

Statements = Callable[[], AbstractContextManager[list[str]]]
TIER = Target("business_seconds", 4 * 3600)


def utc(text: str) -> datetime:
    """A moment; a bare clock time is on the day of NOW."""
    return datetime.fromisoformat(text if "T" in text else f"2026-03-02T{text}").replace(tzinfo=UTC)


def open_clocks(case: UUID, *kinds: str) -> None:
    with transaction():
        basis = service.basis(now=NOW)
        for kind in kinds:
            target = TIER if kind == "tier" else None
            insert_all(service.open_clock(kind, escalation_id=case, basis=basis, at=NOW, now=NOW, target=target))


def lines_of(fired: Fired) -> list[claims.Line]:
    return [
        claims.Line(fired.clock, f.offset, f.repeat, f.action, "-", f.at, "sent", roles=f.roles, folded=len(f.earlier))
        for f in fired.firings
    ]


def sweep(now: datetime) -> list[Fired]:
    """One batch, as the loop above does it, each step told to one recipient."""
    with transaction():
        fired = plan_all(claims.claim(100, now), now)
        claims.write(fired, [line for one in fired for line in lines_of(one)], now)
    return fired


def steps(fired: list[Fired]) -> list[tuple[str, int]]:
    return [(firing.offset, firing.repeat) for one in fired for firing in one.firings]


def row(kind: str) -> Clock:
    with transaction():
        return db.session.scalars(select(Clock).where(Clock.kind == kind)).one()


def test_nothing_fires_before_its_time_and_each_step_once(case: UUID) -> None:
    open_clocks(case, "acknowledge")
    assert sweep(utc("12:59:59")) == []
    assert steps(sweep(utc("13:00"))) == [("75%", 0)]
    assert sweep(utc("13:59")) == []
    assert steps(sweep(utc("14:00:05"))) == [("0", 0)]
    assert sweep(utc("14:01")) == []
    assert row("acknowledge").next_step_at == utc("2026-03-03T14:00")


def test_a_breach_is_written_at_its_own_moment_with_when_we_knew(
    case: UUID, equals_rebuilt: Callable[[UUID], int]
) -> None:
    open_clocks(case, "acknowledge", "close")
    [fired] = sweep(utc("14:00:05"))
    assert fired.just_breached
    clock = row("acknowledge")
    assert (clock.state, clock.breached_at, clock.entries) == ("breached", utc("14:00"), 2)
    with transaction():
        breach = db.session.scalars(select(ClockEntry).where(ClockEntry.type == "breach")).one()
    assert (breach.at, breach.recorded_at, breach.seq) == (utc("14:00"), utc("14:00:05"), 2)
    assert equals_rebuilt(case) == 2


def test_after_downtime_repeats_fold_into_the_last_and_each_person_hears_once(case: UUID) -> None:
    open_clocks(case, "acknowledge")
    [fired] = sweep(utc("2026-03-06T15:00"))  # Friday; due Monday 14:00, then every business day
    assert [(f.offset, f.repeat, len(f.earlier)) for f in fired.firings] == [("75%", 0, 0), ("0", 0, 0), ("+P1D", 3, 3)]
    people = {"owner": "Olga", "owner_manager": "Max"}
    told = fold((firing, [people[role] for role in firing.roles]) for firing in fired.firings)
    assert [(one.person, one.firing.offset, one.firing.repeat, one.stands_for) for one in told] == [
        ("Olga", "+P1D", 3, 6),
        ("Max", "+P1D", 3, 5),
    ]
    assert [(due.step.offset, due.repeat) for due in told[1].folded] == [
        ("0", 0),
        ("+P1D", 0),
        ("+P1D", 1),
        ("+P1D", 2),
    ]
    assert row("acknowledge").next_step_at == utc("2026-03-09T14:00")


def test_who_is_not_meant_by_the_last_step_still_hears_the_last_meant_for_them(case: UUID) -> None:
    open_clocks(case, "close")
    [fired] = sweep(utc("2026-03-29T12:00"))  # due 1 April: 7 and 3 days before are over
    assert [(f.offset, f.at) for f in fired.firings] == [
        ("50%", utc("2026-03-17T10:00")),
        ("-P7D", utc("2026-03-25T10:00")),
        ("-P3D", utc("2026-03-27T17:00")),  # 29 March is a Sunday
    ]
    told = fold((firing, firing.roles) for firing in fired.firings)
    assert {one.person: (one.firing.offset, one.stands_for) for one in told} == {
        "csm": ("-P7D", 1),
        "owner": ("-P3D", 3),
        "owner_manager": ("-P3D", 1),
    }


def test_of_several_actions_of_a_kind_only_the_last_is_done(case: UUID) -> None:
    open_clocks(case, "verify")
    [fired] = sweep(utc("2026-03-20T12:00"))
    assert [(f.offset, f.action) for f in fired.firings] == [("50%", "notify"), ("80%", "notify"), ("0", "close")]
    assert row("verify").next_step_at is None


def test_at_due_the_tier_clock_tells_and_escalates(case: UUID) -> None:
    open_clocks(case, "tier")
    sweep(utc("13:00"))
    [fired] = sweep(utc("14:00"))
    assert [(f.offset, f.action, f.roles) for f in fired.firings] == [
        ("0", "notify", ("owner", "owner_manager")),
        ("0", "escalate", ("next_tier",)),
    ]


def test_a_line_that_stands_already_is_not_new(case: UUID) -> None:
    open_clocks(case, "acknowledge")
    with transaction():
        [fired] = plan_all(claims.claim(10, utc("13:00")), utc("13:00"))
        first = claims.write([fired], lines_of(fired), utc("13:00"))
    with transaction():
        again = claims.write_lines(lines_of(fired), utc("13:01"))
    assert (len(first), again) == (1, set())


def test_a_clock_held_by_one_worker_is_skipped_by_another(app: Flask, tenant: TestTenant, case: UUID) -> None:
    open_clocks(case, "acknowledge", "close")
    others: list[UUID] = []

    def claim_too() -> None:
        with app.app_context(), transaction(tenant=tenant.id):
            others.extend(clock.id for clock in claims.claim(10, utc("2026-03-17T10:00")))

    with transaction():
        [mine] = claims.claim(1, utc("2026-03-17T10:00"))
        thread = Thread(target=claim_too)
        thread.start()
        thread.join(10)
    assert mine.kind == "acknowledge"
    assert len(others) == 1
    assert mine.id not in others


def test_a_clock_that_cannot_be_planned_is_set_aside_and_holds_up_no_other(case: UUID) -> None:
    open_clocks(case, "acknowledge", "respond")
    with transaction():
        db.session.execute(update(Clock).where(Clock.kind == "acknowledge").values(next_step=99))
    fired = sweep(utc("16:30"))
    assert steps(fired) == [("75%", 0)]
    poisoned = row("acknowledge")
    assert (poisoned.next_step_at, poisoned.problem) == (None, "IndexError('tuple index out of range')")
    with transaction():
        clocks = Clocks.load(case)
        clocks.fulfil("acknowledge", utc("16:40"), utc("16:40"))
        clocks.save()
    assert (row("acknowledge").state, row("acknowledge").problem) == ("missed", None)


def test_passing_the_original_due_time_of_an_extended_clock_is_written_and_told_to_nobody(
    case: UUID, equals_rebuilt: Callable[[UUID], int]
) -> None:
    open_clocks(case, "close")
    sweep(utc("2026-03-29T12:00"))
    with transaction():
        clocks = Clocks.load(case)
        at = utc("2026-03-30T10:00")
        clocks.extend("close", utc("2026-04-20T10:00"), at=at, now=at)
        clocks.save()
    [fired] = sweep(utc("2026-04-01T10:00"))
    assert (fired.firings, fired.breaches, fired.just_breached) == ([], [utc("2026-04-01T10:00")], False)
    assert (row("close").state, row("close").next_step_at) == ("running", utc("2026-04-13T10:00"))
    assert equals_rebuilt(case) == 1
    [late] = sweep(utc("2026-04-20T10:00"))
    assert (late.breaches, late.just_breached) == ([utc("2026-04-20T10:00")], True)
    assert [f.offset for f in late.firings] == ["-P7D", "-P3D", "-P1D", "0"]
    assert equals_rebuilt(case) == 1


def test_a_breach_by_a_tightened_promise_fires_the_step_at_due_once(case: UUID) -> None:
    open_clocks(case, "tier")
    with transaction():
        clocks = Clocks.load(case)
        one = Target("business_seconds", 3600)
        clocks.retarget("tier", one, at=utc("12:30"), now=utc("12:30"), because="severity")
        clocks.save()
    [fired] = sweep(utc("12:30"))
    assert [(f.offset, f.action, f.at) for f in fired.firings] == [
        ("0", "notify", utc("12:30")),
        ("0", "escalate", utc("12:30")),
    ]
    assert fired.breaches == []
    assert sweep(utc("16:00")) == []


def test_what_has_ended_is_not_claimed(case: UUID) -> None:
    open_clocks(case, "acknowledge")
    with transaction():
        clocks = Clocks.load(case)
        clocks.fulfil("acknowledge", utc("12:00"), utc("12:00"))
        clocks.save()
    assert sweep(utc("2026-03-09T12:00")) == []


def test_a_batch_costs_four_statements(case: UUID, statements: Statements) -> None:
    open_clocks(case, "acknowledge", "close", "plan", "respond")
    now = utc("2026-04-01T12:00")
    with transaction(), statements() as sent:
        fired = plan_all(claims.claim(100, now), now)
        claims.write(fired, [line for one in fired for line in lines_of(one)], now)
    assert len(fired) == 4
    assert len(sent) == 4  # claim, advance, breaches, log


@pytest.mark.parametrize("seed", range(10))
def test_a_sweep_late_or_often_covers_every_step_exactly_once(
    case: UUID, equals_rebuilt: Callable[[UUID], int], seed: int
) -> None:
    open_clocks(case, "close", "acknowledge", "tier", "verify")
    random, now, end = Random(seed), NOW, utc("2026-04-12T00:00")
    covered: list[tuple[str, str, int, str]] = []
    while now < end:
        now = min(end, now + timedelta(hours=random.choice((1, 5, 40, 300))))
        for one in sweep(now):
            for firing in one.firings:
                covered += [(one.clock.kind, *key) for key in _covered(firing)]
        equals_rebuilt(case)
    assert len(covered) == len(set(covered))
    with transaction():
        assert len(db.session.scalars(select(StepLog.id)).all()) <= len(covered)
    # acknowledge and tier: 75 %, 0 and five repeats; tier escalates once more
    assert sum(kind == "acknowledge" for kind, *_ in covered) == 7
    assert sum(kind == "tier" for kind, *_ in covered) == 8
    assert sum(kind == "verify" for kind, *_ in covered) == 3
    # close, due 1 April 10:00: five steps up to due, then 2 to 11 April daily and 8 April for the sponsor
    assert sum(kind == "close" for kind, *_ in covered) == 5 + 10 + 1


def _covered(firing: Firing) -> list[tuple[str, int, str]]:
    return [
        (firing.offset, firing.repeat, firing.action),
        *((due.step.offset, due.repeat, due.step.action) for due in firing.earlier),
    ]


def test_a_clock_whose_calendar_cannot_be_read_is_set_aside_with_no_other(tenant: TestTenant, case: UUID) -> None:
    open_clocks(case, "acknowledge", "respond")
    broken = CalendarVersion(
        id=new_id(), calendar_id=one_calendar(), number=99, definition={"weekly": {}}, created_at=NOW
    )
    with transaction():
        insert_all([broken])
        db.session.execute(update(Clock).where(Clock.kind == "acknowledge").values(calendar_version_id=broken.id))
    assert steps(sweep(utc("16:30"))) == [("75%", 0)]
    assert "cannot be read" in (row("acknowledge").problem or "")


def one_calendar() -> UUID:
    with transaction():
        return db.session.scalars(select(CalendarVersion.calendar_id)).one()


def test_a_wait_that_ends_repeats_no_reminder_of_a_clock_that_was_breached_before_it(
    case: UUID, equals_rebuilt: Callable[[UUID], int]
) -> None:
    open_clocks(case, "tier")  # due 14:00, then every business day
    assert steps(sweep(utc("14:00"))) == [("75%", 0), ("0", 0), ("0", 0)]
    with transaction():
        clocks = Clocks.load(case)
        clocks.pause(utc("15:00"), utc("15:00"), party="customer")
        clocks.save()
    with transaction():
        clocks = Clocks.load(case)
        clocks.resume(utc("16:00"), utc("16:00"))
        clocks.save()
    assert steps(sweep(utc("16:30"))) == []
    assert row("tier").next_step_at == utc("2026-03-03T14:00")
    assert steps(sweep(utc("2026-03-03T14:00"))) == [("+P1D", 0)]
    assert equals_rebuilt(case) == 1
