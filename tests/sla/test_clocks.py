"""Clocks changed by use cases: the ledger grows, the row follows, reminders of what has ended are taken back."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.db import db, new_id, transaction
from app.notifications.models import Intent
from app.rows import insert_all
from app.sla import service
from app.sla.clocks import Clocks
from app.sla.ledger import Target
from app.sla.models import Clock, ClockEntry, StepLog
from tests import NOW
from tests.conftest import TestTenant
from tests.sla.test_due import sweep

Statements = Callable[[], AbstractContextManager[list[str]]]
TIER = Target("business_seconds", 4 * 3600)


def utc(text: str) -> datetime:
    """A moment; a bare clock time is on the day of NOW."""
    return datetime.fromisoformat(text if "T" in text else f"2026-03-02T{text}").replace(tzinfo=UTC)


@pytest.fixture
def clocked(case: UUID) -> UUID:
    """The case with close, acknowledge and a 4-hour tier clock, all started Monday 10:00."""
    with transaction():
        basis = service.basis(now=NOW)
        for kind, target in (("close", None), ("acknowledge", None), ("tier", TIER)):
            insert_all(service.open_clock(kind, escalation_id=case, basis=basis, at=NOW, now=NOW, target=target))
    return case


def change(case: UUID, *calls: Callable[[Clocks], Any]) -> Clocks:
    with transaction():
        clocks = Clocks.load(case)
        for call in calls:
            call(clocks)
        clocks.save()
    return clocks


def stored(case: UUID, kind: str, cycle: int = 1) -> Clock:
    with transaction():
        return db.session.scalars(
            select(Clock).where(Clock.escalation_id == case, Clock.kind == kind, Clock.cycle == cycle)
        ).one()


def ledger(clock: Clock) -> list[tuple[str, datetime]]:
    with transaction():
        entries = db.session.scalars(
            select(ClockEntry).where(ClockEntry.clock_id == clock.id).order_by(ClockEntry.seq)
        ).all()
    return [(entry.type, entry.at) for entry in entries]


def test_an_acknowledgement_in_time_is_met(clocked: UUID, equals_rebuilt: Callable[[UUID], int]) -> None:
    change(clocked, lambda c: c.fulfil("acknowledge", utc("14:00"), utc("14:00")))
    clock = stored(clocked, "acknowledge")
    assert (clock.state, clock.ended_at, clock.next_step_at, clock.elapsed_seconds) == (
        "met",
        utc("14:00"),
        None,
        4 * 3600,
    )
    assert equals_rebuilt(clocked) == 3


def test_a_late_one_is_missed_though_no_sweep_saw_it(clocked: UUID) -> None:
    change(clocked, lambda c: c.fulfil("acknowledge", utc("15:00"), utc("15:00")))
    clock = stored(clocked, "acknowledge")
    assert (clock.state, clock.breached_at) == ("missed", utc("14:00"))
    assert ledger(clock) == [("activate", NOW), ("breach", utc("14:00")), ("fulfil", utc("15:00"))]


def test_what_happened_in_time_and_was_logged_late_makes_the_breach_void(
    clocked: UUID, equals_rebuilt: Callable[[UUID], int]
) -> None:
    sweep(utc("14:30"))
    assert stored(clocked, "acknowledge").state == "breached"
    change(clocked, lambda c: c.fulfil("acknowledge", utc("13:30"), utc("15:00")))
    clock = stored(clocked, "acknowledge")
    assert (clock.state, clock.flags, clock.ended_at) == ("met", ["logged_late"], utc("13:30"))
    assert ("breach", utc("14:00")) in ledger(clock)
    assert equals_rebuilt(clocked) == 3


def test_a_new_owner_starts_a_new_cycle_and_the_old_one_ends(clocked: UUID) -> None:
    change(clocked, lambda c: c.start("acknowledge", at=utc("12:00"), now=utc("12:00"), because="assign"))
    assert stored(clocked, "acknowledge", 1).state == "cancelled"
    second = stored(clocked, "acknowledge", 2)
    assert (second.state, second.due_at) == ("running", utc("16:00"))


def test_waiting_stops_what_pauses_for_that_party_and_never_close(
    clocked: UUID, equals_rebuilt: Callable[[UUID], int]
) -> None:
    due = stored(clocked, "close").due_at
    change(clocked, lambda c: c.pause(utc("11:00"), utc("11:00"), party="vendor"))
    tier = stored(clocked, "tier")
    assert (tier.state, tier.due_at, tier.next_step_at, tier.elapsed_seconds) == ("paused", None, None, 3600)
    assert stored(clocked, "acknowledge").state == "running"
    tuesday = utc("2026-03-03T09:00")
    change(clocked, lambda c: c.resume(tuesday, tuesday))
    tier = stored(clocked, "tier")
    assert (tier.state, tier.due_at, tier.due_version) == ("running", utc("2026-03-03T12:00"), 2)
    assert (tier.paused_seconds, tier.not_before) == (6 * 3600, tuesday)
    assert (tier.next_step_at, tier.next_step) == (utc("2026-03-03T11:00"), 0)  # 75 % of 4 hours worked
    assert stored(clocked, "close").due_at == due
    assert equals_rebuilt(clocked) == 3


def test_a_tightened_promise_keeps_the_time_used_and_breaches_at_once_when_it_is_used_up(
    clocked: UUID, equals_rebuilt: Callable[[UUID], int]
) -> None:
    three = Target("business_seconds", 3 * 3600)
    change(clocked, lambda c: c.retarget("tier", three, at=utc("11:00"), now=utc("11:00"), because="severity"))
    assert stored(clocked, "tier").due_at == utc("13:00")
    one = Target("business_seconds", 3600)
    change(clocked, lambda c: c.retarget("tier", one, at=utc("12:30"), now=utc("12:30"), because="severity"))
    tier = stored(clocked, "tier")
    assert (tier.state, tier.due_at, tier.breached_at) == ("breached", utc("12:30"), utc("12:30"))
    assert (tier.next_step_at, tier.next_step) == (utc("12:30"), 1)  # its step at due fires, once
    assert ledger(tier)[-2:] == [("retarget", utc("12:30")), ("breach", utc("12:30"))]
    assert equals_rebuilt(clocked) == 3


def test_a_softer_target_leaves_the_running_cycle_when_asked_to(clocked: UUID) -> None:
    eight = Target("business_seconds", 8 * 3600)
    change(
        clocked,
        lambda c: c.retarget("tier", eight, at=utc("11:00"), now=utc("11:00"), because="severity", keep_earlier=True),
    )
    assert (stored(clocked, "tier").due_at, stored(clocked, "tier").entries) == (utc("14:00"), 1)


def test_an_extension_moves_due_and_ladder_and_keeps_the_original(
    clocked: UUID, equals_rebuilt: Callable[[UUID], int]
) -> None:
    granted, until = utc("2026-03-30T10:00"), utc("2026-04-10T10:00")
    change(clocked, lambda c: c.extend("close", until, at=granted, now=granted))
    clock = stored(clocked, "close")
    original = utc("2026-04-01T10:00")
    assert (clock.state, clock.due_at, clock.original_due_at, clock.due_version) == ("running", until, original, 2)
    assert (clock.next_step_at, clock.next_step) == (original, None)  # the original breach is noted at its moment
    with transaction():
        logs = db.session.scalars(select(StepLog).where(StepLog.clock_id == clock.id).order_by(StepLog.at)).all()
    # half of the time to 10 April is 21 March 22:00, a Saturday: the last closing before
    assert [(log.step, log.at, log.outcome, log.due_version) for log in logs] == [
        ("50%", utc("2026-03-20T17:00"), "passed_over", 2)
    ]
    change(clocked, lambda c: c.fulfil("close", utc("2026-04-05T10:00"), utc("2026-04-05T10:00")))
    clock = stored(clocked, "close")
    assert (clock.state, clock.flags) == ("met", ["late_by_original"])
    assert ("breach", original) in ledger(clock)
    assert equals_rebuilt(clocked) == 3


def test_close_that_fell_due_while_closed_breaches_at_the_moment_of_reopening(
    clocked: UUID, equals_rebuilt: Callable[[UUID], int]
) -> None:
    closed, reopened = utc("2026-03-30T10:00"), utc("2026-04-08T10:00")
    change(
        clocked,
        lambda c: c.fulfil("close", closed, closed, because="close"),
        lambda c: c.end_case(closed, closed),
    )
    change(clocked, lambda c: c.reopen(at=reopened, now=reopened))
    clock = stored(clocked, "close")
    assert (clock.state, clock.breached_at, clock.due_at) == ("breached", reopened, utc("2026-04-01T10:00"))
    assert (clock.next_step_at, clock.next_step) == (reopened, 4)  # the step at due, once
    assert equals_rebuilt(clocked) == 3


def test_reopening_takes_up_what_resolve_ended_and_leaves_what_had_been_met(clocked: UUID) -> None:
    change(
        clocked,
        lambda c: c.fulfil("acknowledge", utc("11:00"), utc("11:00"), because="acknowledge"),
        lambda c: c.fulfil("tier", utc("12:00"), utc("12:00"), because="resolve"),
    )
    later = utc("2026-03-03T11:00")
    change(clocked, lambda c: c.reopen(at=later, now=later))
    assert stored(clocked, "acknowledge").state == "met"
    tier = stored(clocked, "tier")
    assert (tier.state, tier.due_at, tier.cycle) == ("running", utc("2026-03-03T13:00"), 1)  # 2 of its 4 hours left


def test_the_end_of_a_case_cancels_what_runs_and_misses_what_was_breached(clocked: UUID) -> None:
    at = utc("15:00")
    change(clocked, lambda c: c.fulfil("close", at, at), lambda c: c.end_case(at, at))
    assert [stored(clocked, kind).state for kind in ("close", "acknowledge", "tier")] == ["met", "missed", "missed"]


def test_an_unsent_reminder_of_an_ended_clock_is_taken_back_in_the_same_transaction(
    tenant: TestTenant, clocked: UUID
) -> None:
    ended, other = stored(clocked, "acknowledge"), stored(clocked, "close")
    with transaction():
        insert_all(
            Intent(
                id=new_id(),
                user_id=tenant.admin.id,
                channel="email",
                kind="reminder",
                subject="s",
                body="b",
                escalation_id=clocked,
                clock_id=clock.id,
                dedupe_key=str(clock.id),
                at=NOW,
                hold_until=NOW + timedelta(hours=9),
                recorded_at=NOW,
            )
            for clock in (ended, other)
        )
    change(clocked, lambda c: c.fulfil("acknowledge", utc("11:00"), utc("11:00")))
    with transaction():
        states = dict(db.session.execute(select(Intent.clock_id, Intent.state)).all())
        reason = db.session.scalar(select(Intent.reason).where(Intent.clock_id == ended.id))
    assert states == {ended.id: "suppressed", other.id: "pending"}
    assert reason == "already_acted"


def test_loading_takes_two_statements_and_saving_three(clocked: UUID, statements: Statements) -> None:
    with transaction():
        with statements() as loading:
            clocks = Clocks.load(clocked)
        with statements() as saving:
            clocks.fulfil("acknowledge", utc("11:00"), utc("11:00"))
            clocks.start("still_on_it", at=utc("11:00"), now=utc("11:00"))
            clocks.start("plan", at=utc("11:00"), now=utc("11:00"))
            clocks.save()
    assert (len(loading), len(saving)) == (2, 3)


def test_nothing_changed_is_nothing_written(clocked: UUID, statements: Statements) -> None:
    with transaction():
        clocks = Clocks.load(clocked)
        clocks.fulfil("verify", utc("11:00"), utc("11:00"))
        with statements() as saving:
            clocks.save()
    assert saving == []


@pytest.mark.parametrize("seed", range(25))
def test_the_stored_row_is_always_what_the_ledger_says(
    clocked: UUID, equals_rebuilt: Callable[[UUID], int], seed: int
) -> None:
    random, at = Random(seed), NOW
    for _ in range(8):
        now = at + timedelta(minutes=random.choice((0, 7, 90, 1_300, 9_000)))
        happened = max(NOW, now - timedelta(minutes=random.choice((0, 0, 30, 1_000))))
        change(clocked, *(random_call(random, happened, now) for _ in range(random.randint(1, 3))))
        equals_rebuilt(clocked)
        at = now


def random_call(random: Random, at: datetime, now: datetime) -> Callable[[Clocks], Any]:
    kind = random.choice(("close", "acknowledge", "tier", "still_on_it", "customer_update"))
    target = Target("business_seconds", random.choice((1_800, 7_200, 90_000)))
    until = now + timedelta(days=random.choice((1, 9)))
    start = {"target": TIER} if kind == "tier" else {}
    return random.choice(
        (
            lambda c: c.fulfil(kind, at, now, because=random.choice(("resolve", "acknowledge"))),
            lambda c: c.cancel(kind, at=at, now=now),
            lambda c: c.start(kind, at=at, now=now, waiting_on=random.choice((None, "customer")), **start),
            lambda c: c.pause(at, now, party=random.choice(("customer", "vendor"))),
            lambda c: c.resume(at, now),
            lambda c: c.extend(kind, until, at=now, now=now),
            lambda c: kind != "close" and c.retarget(kind, target, at=now, now=now, because="severity"),
            lambda c: c.reopen(at=now, now=now),
            lambda c: c.end_case(at, now),
        )
    )


def test_a_target_by_severity_follows_it_up_at_once_and_down_from_the_next_cycle(case: UUID) -> None:
    with transaction():
        basis = service.basis(now=NOW)
        insert_all(service.open_clock("customer_update", escalation_id=case, basis=basis, at=NOW, now=NOW, severity=2))
    assert stored(case, "customer_update").due_at == utc("2026-03-04T10:00")
    noon = utc("12:00")
    change(case, lambda c: c.retarget_severity(1, at=noon, now=noon, lowered=False))
    assert stored(case, "customer_update").due_at == utc("2026-03-03T10:00")  # 6 of 8 hours left
    one = utc("13:00")
    change(case, lambda c: c.retarget_severity(4, at=one, now=one, lowered=True))
    change(case, lambda c: c.retarget_severity(1, at=one, now=one, lowered=False))
    same = stored(case, "customer_update")
    assert (same.due_at, same.entries) == (utc("2026-03-03T10:00"), 2)  # neither a softer nor the same promise is noted
    change(case, lambda c: c.fulfil("customer_update", one, one), lambda c: c.start("customer_update", at=one, now=one))
    assert stored(case, "customer_update", 2).due_at == utc("2026-03-09T13:00")


def test_an_act_before_the_cycle_began_counts_at_its_beginning(clocked: UUID) -> None:
    change(clocked, lambda c: c.start("acknowledge", at=utc("12:00"), now=utc("12:00")))
    change(clocked, lambda c: c.fulfil("acknowledge", utc("11:00"), utc("12:30")))
    second = stored(clocked, "acknowledge", 2)
    assert (second.state, second.ended_at, second.elapsed_seconds) == ("met", utc("12:00"), 0)
