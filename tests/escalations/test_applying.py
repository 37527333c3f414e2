"""Apply to open: what is shown before, what moves, what stays, and when; every moment worked out by hand.

NOW is Monday 2 March 2026, 10:00; the tenant's hours are Monday to Friday, 9 to 17, in UTC.
"""

import time
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.auth import changes as settings
from app.auth import queries as users
from app.auth.settings import tenant_settings
from app.db import db, new_id, transaction
from app.escalations import applying, counting, jobs, service, shifting
from app.escalations.service import Hop, Resolution, Wait, Word
from app.escalations.shifting import Counted
from app.escalations.sweep import sweep_tenant
from app.escalations.timeline_models import Event
from app.rows import insert_all
from app.sla import calendars, ladders, levels
from app.sla import service as sla
from app.sla.models import Application, ApplicationCase, Clock, ClockEntry, StepLog
from app.sla.verifying import verify_batch
from tests import NOW
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.test_service_levels import GOLD, Case, contract, march, publish

SILVER: dict[str, Any] = {"respond": {"business_hours": 6}, "reply": {"business_hours": 6}}


@pytest.fixture(autouse=True)
def rebuilt(tenant: TestTenant) -> Iterator[None]:
    """After each test every clock is what its ledger says, and the sweep waits for it at the right moment."""
    yield
    with transaction():
        differences = verify_batch().differences
    assert [str(one) for one in differences if one.field != "ledger"] == []


@pytest.fixture
def silver(company: Company) -> None:
    publish("silver", **SILVER)
    contract("K-1", "silver", "120000.00")


def wanted(kind: str, now: datetime, spread: timedelta = timedelta(0)) -> Application:
    """Of the one service level, the calendar `default`, the ladders or the zone, as they are now."""
    if kind == "service_level":
        [level] = levels.list_levels(after=None, limit=5)
        name, number, version_id = sla.current_service_level(level.id)
        of = {"subject_id": level.id, "version_id": version_id}
    elif kind == "calendar":
        [default] = [one for one in calendars.list_calendars(after=None, limit=5) if one.name == "default"]
        name, number, version_id = sla.current_calendar(default.id)
        of = {"subject_id": default.id, "version_id": version_id}
    else:
        name, number = ("ladders", sla.current_ladder()) if kind == "ladder" else (tenant_settings().timezone, 0)
        of = {}
    return applying.new_application(kind, name, number=number, now=now, spread=spread, **of)


def preview(kind: str, now: datetime) -> Counted:
    with transaction():
        return counting.preview(wanted(kind, now), now)


def apply(tenant: TestTenant, kind: str, now: datetime) -> Application:
    """Start it and let the job do all that it may do now."""
    with transaction():
        found = applying.start(wanted(kind, now))
    jobs.apply_open_tenant(tenant.id, now)
    with transaction():
        return applying.get_application(found.id)


def numbers(found: Application | Counted) -> tuple[int, int, int, int]:
    return found.escalations, found.clocks, found.breached, found.steps


def ledger(case: Case, kind: str) -> list[tuple[str, datetime, str | None]]:
    with transaction():
        asked = select(ClockEntry).join(Clock, Clock.id == ClockEntry.clock_id).order_by(ClockEntry.seq)
        found = db.session.scalars(asked.where(Clock.escalation_id == case.id, Clock.kind == kind))
        return [(entry.type, entry.at, entry.facts.get("because")) for entry in found]


def test_a_tighter_level_keeps_the_time_used_and_says_why_it_moved(
    tenant: TestTenant, company: Company, silver: None
) -> None:
    """Six hours from 10:00 are up at 16:00; two of them used, three promised: one is left at noon."""
    case = Case(tenant, company)
    publish("silver", **{**SILVER, "respond": {"business_hours": 3}})
    assert case.dues()["respond"] == march(2, 16)
    shown = preview("service_level", march(2, 12))
    assert numbers(shown) == (1, 1, 0, 0)
    [example] = shown.examples
    assert (example["clock"], example["was"], example["becomes"]) == ("respond", march(2, 16), march(2, 13))
    assert case.dues()["respond"] == march(2, 16)  # a preview changes nothing
    done = apply(tenant, "service_level", march(2, 12))
    assert (done.phase, done.total, numbers(done), done.ended_at) == ("done", 1, (1, 1, 0, 0), march(2, 12))
    assert case.dues()["respond"] == march(2, 13)
    assert ledger(case, "respond")[-1] == ("retarget", march(2, 12), "service level silver 2")
    assert ledger(case, "close") == [("activate", NOW, None)]
    with transaction():
        event = db.session.scalars(select(Event).where(Event.escalation_id == case.id, Event.kind == "retarget")).one()
    assert (event.facts["because"], event.facts["clocks"]) == ("service level silver 2", ["respond"])


def test_a_promise_already_used_up_breaks_at_once_and_fires_once(
    tenant: TestTenant, company: Company, silver: None
) -> None:
    case = Case(tenant, company)
    publish("silver", **{**SILVER, "respond": {"business_hours": 1}})
    shown = preview("service_level", march(2, 12))
    assert (numbers(shown), shown.firing) == ((1, 1, 1, 1), 1)
    assert numbers(apply(tenant, "service_level", march(2, 12))) == (1, 1, 1, 1)
    [respond] = case.clocks("respond")
    assert (respond.state, respond.due_at, respond.breached_at) == ("breached", march(2, 12), march(2, 12))
    assert respond.elapsed_seconds == 2 * 3600
    assert sweep_tenant(tenant.id, now=march(2, 12)) == 1
    assert sweep_tenant(tenant.id, now=march(2, 12)) == 0
    with transaction():
        told = db.session.scalars(select(StepLog).where(StepLog.kind == "respond", StepLog.outcome == "sent")).all()
        passed = select(StepLog.step).where(StepLog.kind == "respond", StepLog.outcome == "passed_over")
        assert list(db.session.scalars(passed)) == ["75%"]
    assert {(one.step, one.at) for one in told} == {("0", march(2, 12))}


def test_a_softer_level_gives_a_broken_promise_its_time_back_and_close_never_moves(
    tenant: TestTenant, company: Company, silver: None
) -> None:
    case = Case(tenant, company)
    sweep_tenant(tenant.id, now=march(2, 16))
    assert case.clocks("respond")[0].state == "breached"
    publish("silver", respond={"business_days": 2}, close_days=5)
    apply(tenant, "service_level", march(3, 9))
    [respond] = case.clocks("respond")
    assert (respond.state, respond.due_at) == ("running", march(4, 10))  # seven of sixteen hours were used on Monday
    assert case.dues()["close"] == case.record().due_at == datetime.fromisoformat("2026-04-01T10:00Z")


def test_what_a_level_newly_asks_for_begins_now_and_what_it_asks_no_more_ends(
    tenant: TestTenant, company: Company, silver: None
) -> None:
    case = Case(tenant, company)
    publish("silver", **SILVER, executive_update=1, tiers={"tier_1": {"business_hours": 4}})
    shown = preview("service_level", march(2, 12))
    assert sorted((one["clock"], one["what"], one["becomes"]) for one in shown.examples) == [
        ("executive_update", "started", march(3, 12)),
        ("tier", "started", march(2, 16)),
    ]
    assert apply(tenant, "service_level", march(2, 12)).clocks == 2
    assert (case.dues()["executive_update"], case.dues()["tier"]) == (march(3, 12), march(2, 16))
    assert ledger(case, "tier") == [("activate", march(2, 12), "service level silver 2")]
    publish("silver", **SILVER)
    assert apply(tenant, "service_level", march(2, 12, 30)).clocks == 2
    assert not {"executive_update", "tier"} & set(case.dues())
    assert ledger(case, "tier")[-1] == ("cancel", march(2, 12, 30), "service level silver 3")
    case.do(service.escalate, march(2, 14), hop=Hop(reason="time", brief="Nothing helped"))
    assert len(case.clocks("tier")) == 1


def test_a_severity_that_fell_keeps_its_earlier_update_unless_the_new_level_is_tighter_still(
    tenant: TestTenant, company: Company, silver: None
) -> None:
    publish("silver", customer_update={"1": 1, "2": 2, "3": 4, "4": 5})
    case = Case(tenant, company, severity=1)
    told = {"audiences": ["customer"], "channel": "email", "content": "We work on it", "at": None}
    case.do(service.add_update, march(2, 11), **told)
    case.do(service.edit, march(2, 12), changes={"severity": 3, "severity_reason": "A workaround"})
    publish("silver", customer_update={"1": 1, "2": 1, "3": 3, "4": 5})
    apply(tenant, "service_level", march(2, 12, 30))
    assert case.dues()["customer_update"] == march(3, 11)
    case.do(service.add_update, march(3, 10), **told)
    assert case.dues()["customer_update"] == march(6)  # the next cycle: three business days


def test_a_calendar_moves_business_clocks_and_never_close(tenant: TestTenant, company: Company) -> None:
    """Tuesday becomes a holiday. At noon on Monday 6 of 8 hours of `respond` are left: 5 today, 1 on Wednesday."""
    case = Case(tenant, company)
    before = case.record()
    assert before.resolve_by_at == datetime.fromisoformat("2026-03-25T10:00Z")
    with transaction():
        definition = {**calendars.office_hours("UTC"), "holidays": ["2026-03-03", "2026-03-30"]}
        calendars.publish_calendar("default", definition, now=march(2, 12))
    assert case.dues()["respond"] == march(3)
    assert numbers(preview("calendar", march(2, 12))) == (1, 1, 0, 0)
    done = apply(tenant, "calendar", march(2, 12))
    assert (done.phase, numbers(done)) == ("done", (1, 1, 0, 0))
    assert case.dues() == {
        "acknowledge": march(2, 14),
        "respond": march(4, 10),
        "close": datetime.fromisoformat("2026-04-01T10:00Z"),
    }
    assert ledger(case, "respond")[-1] == ("retarget", march(2, 12), "calendar default 2")
    assert ledger(case, "acknowledge")[-1][0] == "retarget"
    assert ledger(case, "close") == [("activate", NOW, None)]
    after = case.record()
    assert (after.due_at, after.close_target_at) == (before.due_at, before.close_target_at)
    # five business days before Wednesday 1 April 10:00, of which Monday the 30th is none any more
    assert after.resolve_by_at == datetime.fromisoformat("2026-03-24T10:00Z")


def test_a_business_day_of_another_length_makes_a_promise_of_days_longer(tenant: TestTenant, company: Company) -> None:
    case = Case(tenant, company)
    with transaction():
        definition = {**calendars.office_hours("UTC"), "day_seconds": 4 * 3600}
        calendars.publish_calendar("default", definition, now=march(2, 12))
    apply(tenant, "calendar", march(2, 12))
    # one business day is four hours now, of which two were used; four business hours stay four
    assert (case.dues()["respond"], case.dues()["acknowledge"]) == (march(2, 14), march(2, 14))


def test_paused_time_survives_and_the_wait_goes_on_by_the_new_calendar(
    tenant: TestTenant, company: Company, silver: None
) -> None:
    """Acknowledged 11:00, waiting from 12:00 with a budget of three days: 24 hours, five of them gone at closing."""
    with transaction():
        settings.update_settings(users.get_tenant(lock=True), {"wait_budget_business_days": 3})
    case = Case(tenant, company)
    case.do(service.acknowledge, march(2, 11))
    case.do(service.wait, march(2, 12), on=Wait("customer", "logs", march(5).date()))
    assert case.record().wake_at == march(5, 9)  # 19 hours from Tuesday 9:00 would last until Thursday 12:00
    sweep_tenant(tenant.id, now=march(2, 20))
    with transaction():
        calendars.publish_calendar("default", {"timezone": "UTC", "always_open": True, "day_seconds": 28800}, now=NOW)
    apply(tenant, "calendar", march(2, 20))
    [_, still] = case.clocks("still_on_it")
    assert (still.state, still.due_at) == ("paused", None)
    record = case.record()
    assert (record.wake_at, record.waiting_since) == (march(3, 15), march(2, 12))  # 19 hours around the clock
    case.do(service.resume, march(2, 22), user=tenant.admin)
    assert case.record().wait_used_seconds == 7 * 3600  # five until closing, two around the clock
    assert case.dues()["still_on_it"] == march(4, 14)  # forty hours around the clock, none used before the wait


def test_new_ladders_fire_no_step_that_lies_in_the_past(tenant: TestTenant, company: Company) -> None:
    """`acknowledge` is due at 14:00. At noon the new ladder's 25 % (11:00) has passed; its 80 % (13:12) is to come."""
    case = Case(tenant, company)
    with transaction():
        steps = [{"offset": "25%", "audience": ["owner"]}, {"offset": "80%", "audience": ["owner"]}]
        ladders.publish_ladder("acknowledge", steps, now=march(2, 12))
    shown = preview("ladder", march(2, 12))
    assert numbers(shown) == (1, 0, 0, 0)  # no due time moves, nothing fires
    apply(tenant, "ladder", march(2, 12))
    sweep_tenant(tenant.id, now=march(2, 14))
    with transaction():
        log = select(StepLog.step, StepLog.outcome).where(StepLog.kind == "acknowledge").order_by(StepLog.at)
        assert [tuple(row) for row in db.session.execute(log)] == [("25%", "passed_over"), ("80%", "sent")]
    assert [entry[0] for entry in ledger(case, "acknowledge")] == ["activate", "retarget", "breach"]
    assert ledger(case, "close") == [("activate", NOW, None)]  # its ladder reads the same
    assert case.record().ladder_number == 2


def test_a_changed_zone_reaches_open_cases_by_word_only_and_leaves_close(tenant: TestTenant, company: Company) -> None:
    case = Case(tenant, company)
    with transaction():
        settings.update_settings(users.get_tenant(lock=True), {"timezone": "Asia/Tokyo"})
    assert case.record().zone == "UTC"
    due = case.dues()
    apply(tenant, "zone", march(2, 12))
    assert (case.record().zone, case.dues()) == ("Asia/Tokyo", due)
    assert {row.kind: row.zone for row in case.clocks()} == {
        "acknowledge": "Asia/Tokyo",
        "respond": "Asia/Tokyo",
        "close": "UTC",
    }


def shift_stored(case: Case, kinds: Collection[str], by: timedelta) -> None:
    """Due times as another release of the time zone database would have left them."""
    with transaction():
        other = {"due_at": Clock.due_at + by, "next_step_at": Clock.next_step_at + by}
        stored = (Clock.escalation_id == case.id, Clock.kind.in_(kinds))
        db.session.execute(update(Clock).where(*stored).values(other).execution_options(synchronize_session=False))


@pytest.fixture
def early(rebuilt: None, tenant: TestTenant, company: Company) -> Iterator[Case]:
    """A case whose due times are stored an hour early; afterwards `close`, which nothing moves, is put back."""
    case = Case(tenant, company)
    close = case.dues()["close"]
    assert close is not None
    shift_stored(case, ["respond", "close"], -timedelta(hours=1))
    yield case
    now = case.clocks("close")[0].due_at
    assert now is not None
    shift_stored(case, ["close"], close - now)


def test_other_rules_of_a_zone_reach_stored_due_times_by_word_only(
    tenant: TestTenant, company: Company, early: Case
) -> None:
    case, other = early, Case(tenant, company)
    [example] = preview("zone", march(2, 12)).examples
    assert (example["clock"], example["was"], example["becomes"]) == ("respond", march(3, 9), march(3, 10))
    done = apply(tenant, "zone", march(2, 12))
    assert (done.phase, done.counted, done.total, numbers(done)) == ("done", 2, 1, (1, 1, 0, 0))
    assert case.dues()["respond"] == march(3, 10)
    assert case.dues()["close"] == datetime.fromisoformat("2026-04-01T09:00Z")
    assert ledger(case, "respond")[-1] == ("retarget", march(2, 12), "zone")
    assert len(ledger(other, "respond")) == 1


def test_what_resolve_had_ended_counts_by_the_new_calendar_when_it_is_taken_up_again(
    tenant: TestTenant, company: Company
) -> None:
    case = Case(tenant, company)
    case.do(service.acknowledge, march(2, 11))
    case.do(service.resolve, march(2, 13), resolution=Resolution("Fixed", "A bug", preventable=True))
    with transaction():
        definition = {**calendars.office_hours("UTC"), "holidays": ["2026-03-04"]}
        calendars.publish_calendar("default", definition, now=march(2, 14))
    apply(tenant, "calendar", march(2, 14))
    case.do(service.verify, march(3, 10), word=Word(accepted=False, confirmed_by="Jo", channel="call"))
    # 38 hours of `plan` are left on Tuesday 10:00: 7, none on Wednesday, 8, 8, 8 until Monday, 7 on Tuesday
    assert case.dues()["plan"] == march(10, 16)


def test_ended_cases_and_those_at_the_newest_version_are_left_alone(
    tenant: TestTenant, company: Company, silver: None
) -> None:
    ended = Case(tenant, company)
    ended.do(service.close_unresolved, march(2, 11), user=company.boss, outcome="withdrawn", reason="No need")
    publish("silver", **{**SILVER, "respond": {"business_hours": 3}})
    Case(tenant, company)
    done = apply(tenant, "service_level", march(2, 12))
    assert (done.phase, done.total, numbers(done)) == ("done", 0, (0, 0, 0, 0))


def cases(tenant: TestTenant, company: Company, count: int) -> list[Case]:
    return [Case(tenant, company, title=f"Case {n}") for n in range(count)]


def broken() -> int:
    with transaction():
        asked = select(func.count()).select_from(Clock).where(Clock.kind == "respond", Clock.state == "breached")
        return db.session.scalar(asked) or 0


def test_what_fires_at_once_is_spread_evenly_and_the_rest_moves_at_once(
    tenant: TestTenant, company: Company, silver: None
) -> None:
    """Five cases break at noon, over 40 minutes: one at once, then one every ten minutes; a sixth only moves."""
    cases(tenant, company, 5)
    late = Case(tenant, company, at=march(2, 11, 30))
    publish("silver", **{**SILVER, "respond": {"business_hours": 1}})
    with transaction():
        found = applying.start(wanted("service_level", march(2, 12), timedelta(minutes=40)))
    seen = []
    for minute in (0, 9, 10, 19, 20, 35, 40):
        jobs.apply_open_tenant(tenant.id, march(2, 12, minute))
        seen.append(broken())
        if minute == 0:
            assert late.dues()["respond"] == march(2, 12, 30)
    assert seen == [1, 1, 2, 2, 3, 4, 5]
    with transaction():
        done = applying.get_application(found.id)
        at = db.session.scalars(select(Clock.breached_at).where(Clock.state == "breached").order_by(Clock.breached_at))
        assert list(at) == [march(2, 12, minute) for minute in (0, 10, 20, 35, 40)]
    assert (done.phase, done.firing, done.fired, numbers(done)) == ("done", 5, 5, (6, 6, 5, 5))


def test_who_is_answered_before_its_turn_is_moved_without_firing(
    tenant: TestTenant, company: Company, silver: None
) -> None:
    first, second = cases(tenant, company, 2)
    publish("silver", **{**SILVER, "respond": {"business_hours": 1}})
    with transaction():
        found = applying.start(wanted("service_level", march(2, 12), timedelta(hours=1)))
    jobs.apply_open_tenant(tenant.id, march(2, 12))
    told = {"audiences": ["customer"], "channel": "email", "content": "We work on it", "at": None}
    second.do(service.add_update, march(2, 12, 30), **told)
    sweep_tenant(tenant.id, now=march(2, 13))
    jobs.apply_open_tenant(tenant.id, march(2, 13))
    assert [case.clocks("respond")[0].state for case in (first, second)] == ["breached", "met"]
    with transaction():
        assert (applying.get_application(found.id).fired, applying.get_application(found.id).phase) == (1, "done")


def cut_off(found: Application) -> None:
    """A batch whose process is killed before it could commit."""
    with transaction():
        applying.apply_batch(found.id, march(2, 12))
        raise KeyboardInterrupt


def test_a_kill_in_the_middle_leaves_each_case_old_or_new_and_the_next_run_goes_on(
    tenant: TestTenant, company: Company, silver: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cases(tenant, company, 5)
    publish("silver", **{**SILVER, "respond": {"business_hours": 3}})
    monkeypatch.setattr(shifting, "BATCH", 2)
    with transaction():
        found = applying.start(wanted("service_level", march(2, 12)))
    with transaction():
        applying.apply_batch(found.id, march(2, 12))
    with pytest.raises(KeyboardInterrupt):
        cut_off(found)
    with transaction():
        assert applying.get_application(found.id).escalations == 2
    assert [case.dues()["respond"] for case in made] == [march(2, 13)] * 2 + [march(2, 16)] * 3
    jobs.apply_open_tenant(tenant.id, march(2, 12))
    jobs.apply_open_tenant(tenant.id, march(2, 12))
    assert {case.dues()["respond"] for case in made} == {march(2, 13)}
    assert [len(ledger(case, "respond")) for case in made] == [2] * 5
    with transaction():
        done = applying.get_application(found.id)
    assert (done.phase, numbers(done)) == ("done", (5, 5, 0, 0))


def test_two_workers_at_one_application_move_each_case_once(
    app: Flask, tenant: TestTenant, company: Company, silver: None
) -> None:
    made = cases(tenant, company, 6)
    publish("silver", **{**SILVER, "respond": {"business_hours": 3}})
    with transaction():
        found = applying.start(wanted("service_level", march(2, 12)))

    def work() -> None:
        with app.app_context():
            jobs.apply_open_tenant(tenant.id, march(2, 12))
            db.session.remove()

    workers = [Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    jobs.apply_open_tenant(tenant.id, march(2, 12))
    assert [len(ledger(case, "respond")) for case in made] == [2] * 6
    with transaction():
        assert numbers(applying.get_application(found.id)) == (6, 6, 0, 0)


def test_a_case_raised_at_a_later_level_is_not_brought_back_by_an_application_still_under_way(
    tenant: TestTenant, company: Company, silver: None
) -> None:
    """Raised 12:10 with five hours promised: four hours and fifty minutes today, ten minutes tomorrow."""
    first, second = cases(tenant, company, 2)
    publish("silver", **{**SILVER, "respond": {"business_hours": 1}})
    with transaction():
        found = applying.start(wanted("service_level", march(2, 12), timedelta(hours=1)))
    jobs.apply_open_tenant(tenant.id, march(2, 12))
    publish("silver", **{**SILVER, "respond": {"business_hours": 5}})
    late = Case(tenant, company, at=march(2, 12, 10))
    sweep_tenant(tenant.id, now=march(2, 13))
    jobs.apply_open_tenant(tenant.id, march(2, 13))
    assert late.dues()["respond"] == march(3, 9, 10)
    assert len(ledger(late, "respond")) == 1
    assert [case.clocks("respond")[0].state for case in (first, second)] == ["breached", "breached"]
    with transaction():
        assert applying.get_application(found.id).phase == "done"


def test_a_case_raised_at_a_later_calendar_is_not_brought_back_by_an_application_still_under_way(
    tenant: TestTenant, company: Company
) -> None:
    """Tuesday becomes a holiday, then Wednesday too: a day from Monday noon ends on Thursday."""
    early = Case(tenant, company)
    for holidays in (["2026-03-03"], ["2026-03-03", "2026-03-04"]):
        with transaction():
            definition = {**calendars.office_hours("UTC"), "holidays": holidays}
            calendars.publish_calendar("default", definition, now=march(2, 12))
        if len(holidays) == 1:
            with transaction():
                applying.start(wanted("calendar", march(2, 12)))
    late = Case(tenant, company, at=march(2, 12))
    jobs.apply_open_tenant(tenant.id, march(2, 12))
    assert (early.dues()["respond"], late.dues()["respond"]) == (march(4, 10), march(5, 12))
    assert len(ledger(late, "respond")) == 1


def running() -> list[Application]:
    with transaction():
        return [applying.get_application(id_) for id_ in applying.list_running()]


def test_two_who_start_at_the_same_moment_leave_one_under_way(
    app: Flask, tenant: TestTenant, company: Company, silver: None
) -> None:
    cases(tenant, company, 1)
    publish("silver", **{**SILVER, "respond": {"business_hours": 3}})
    together, started = Barrier(2), []

    def ask() -> None:
        with app.app_context(), transaction(tenant=tenant.id):
            asked = wanted("service_level", march(2, 12))
            together.wait(10)
            started.append(applying.start(asked).id)
            time.sleep(0.2)  # the other asks while this one is not committed

    threads = [Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(started) == 2
    assert [one.id for one in running()] == [started[1]]


def test_an_older_version_asked_for_late_does_not_take_the_place_of_a_newer_one(
    tenant: TestTenant, company: Company, silver: None
) -> None:
    publish("silver", **{**SILVER, "respond": {"business_hours": 3}})
    with transaction():
        older = wanted("service_level", march(2, 12))
    publish("silver", **{**SILVER, "respond": {"business_hours": 4}})
    with transaction():
        newer = applying.start(wanted("service_level", march(2, 12)))
    with transaction():
        assert applying.start(older).id == newer.id
    assert [(one.id, one.number) for one in running()] == [(newer.id, 3)]


def test_another_zone_takes_the_place_of_the_one_under_way(tenant: TestTenant, company: Company) -> None:
    with transaction():
        applying.start(wanted("zone", march(2, 12)))
    with transaction():
        settings.update_settings(users.get_tenant(lock=True), {"timezone": "Asia/Tokyo"})
    with transaction():
        applying.start(wanted("zone", march(2, 12)))
    assert [one.name for one in running()] == ["Asia/Tokyo"]


def test_any_number_of_cases_that_cannot_be_moved_is_left_out(
    tenant: TestTenant, company: Company, silver: None
) -> None:
    """More than one statement may have parameters."""
    cases(tenant, company, 2)
    publish("silver", **{**SILVER, "respond": {"business_hours": 3}})
    with transaction():
        asked = wanted("service_level", march(2, 12))
        asked.failed_ids = [new_id() for _ in range(70_000)]
        assert counting.preview(asked, march(2, 12)).escalations == 2


def test_what_is_due_fires_before_its_case_moves(tenant: TestTenant, company: Company, silver: None) -> None:
    """At 15:00 `acknowledge` is an hour overdue and not swept: the case waits for the sweep, which loses nothing."""
    case = Case(tenant, company)
    publish("silver", **{**SILVER, "respond": {"business_hours": 8}})
    done = apply(tenant, "service_level", march(2, 15))
    assert (done.phase, done.escalations) == ("spreading", 0)
    sweep_tenant(tenant.id, now=march(2, 15))
    jobs.apply_open_tenant(tenant.id, march(2, 15))
    assert case.dues()["respond"] == march(3)
    with transaction():
        sent = select(StepLog.kind, StepLog.step).where(StepLog.outcome == "sent").distinct()
        assert {tuple(row) for row in db.session.execute(sent)} == {("acknowledge", "0"), ("respond", "75%")}


def test_a_case_that_cannot_be_moved_is_named_and_holds_up_no_other(
    tenant: TestTenant, company: Company, silver: None
) -> None:
    odd, sound = cases(tenant, company, 2)
    confuse(odd)
    publish("silver", **{**SILVER, "respond": {"business_hours": 3}})
    done = apply(tenant, "service_level", march(2, 12))
    assert (done.phase, done.failed_ids, done.escalations) == ("done", [odd.id], 1)
    assert sound.dues()["respond"] == march(2, 13)


@pytest.mark.parametrize("kind", ["zone", "service_level"])
def test_a_case_that_cannot_be_counted_is_named_as_well(
    tenant: TestTenant, company: Company, silver: None, kind: str
) -> None:
    odd, sound = cases(tenant, company, 2)
    confuse(odd)
    publish("silver", **{**SILVER, "respond": {"business_hours": 3}})
    with transaction():
        settings.update_settings(users.get_tenant(lock=True), {"timezone": "Asia/Tokyo"})
        found = applying.start(wanted(kind, march(2, 12), timedelta(minutes=10)))
    jobs.apply_open_tenant(tenant.id, march(2, 12))
    with transaction():
        done = applying.get_application(found.id)
    assert (done.phase, done.failed_ids, done.escalations) == ("done", [odd.id], 1)
    if kind == "zone":
        assert (sound.record().zone, odd.record().zone) == ("Asia/Tokyo", "UTC")


def confuse(odd: Case) -> None:
    """Its ledger names a calendar that nobody published."""
    with transaction():
        asked = (Clock.escalation_id == odd.id, Clock.kind == "respond")
        clock = db.session.scalars(select(Clock).where(*asked)).one()
        row = {
            "clock_id": clock.id,
            "escalation_id": odd.id,
            "seq": 2,
            "type": "retarget",
            "at": NOW,
            "recorded_at": NOW,
        }
        insert_all([ClockEntry(**row, facts={"calendar": str(new_id())})])
        clock.entries = 2


def test_a_preview_is_counted_a_batch_at_a_time_and_moves_nothing(
    tenant: TestTenant, company: Company, silver: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cases(tenant, company, 5)
    publish("silver", **{**SILVER, "respond": {"business_hours": 1}})
    monkeypatch.setattr(shifting, "BATCH", 2)
    monkeypatch.setattr(shifting, "MOST_EXAMPLES", 3)
    with transaction():
        asked = wanted("service_level", march(2, 12))
        asked.preview, asked.phase = True, "counting"
        found = applying.start(asked)
    seen = []
    for _ in range(3):
        with transaction():
            more = applying.apply_batch(found.id, march(2, 12))
        with transaction():
            one = applying.get_application(found.id)
        seen.append((one.phase, one.counted, one.total, more))
    assert seen == [("counting", 2, 5, True), ("counting", 4, 5, True), ("done", 5, 5, False)]
    assert (numbers(one), one.firing, one.ended_at) == ((5, 5, 5, 5), 5, march(2, 12))
    assert [example["becomes"] for example in one.examples] == ["2026-03-02T12:00:00Z"] * 3
    assert {case.dues()["respond"] for case in made} == {march(2, 16)}


def test_counting_for_a_spread_or_a_zone_goes_a_batch_at_a_time(
    tenant: TestTenant, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cases(tenant, company, 5)
    monkeypatch.setattr(shifting, "BATCH", 2)
    with transaction():
        settings.update_settings(users.get_tenant(lock=True), {"timezone": "Asia/Tokyo"})
        found = applying.start(wanted("zone", march(2, 12)))
    with transaction():
        applying.apply_batch(found.id, march(2, 12))
    with pytest.raises(KeyboardInterrupt):
        cut_off(found)
    with transaction():
        assert applying.get_application(found.id).counted == 2
    jobs.apply_open_tenant(tenant.id, march(2, 12))
    with transaction():
        done = applying.get_application(found.id)
        assert db.session.scalars(select(ApplicationCase)).all() == []
    assert (done.phase, done.counted, done.total, done.escalations) == ("done", 5, 5, 5)
    assert {case.record().zone for case in made} == {"Asia/Tokyo"}


def test_a_preview_of_many_cases_is_answered_later(
    client: ApiClient, tenant: TestTenant, company: Company, silver: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cases(tenant, company, 2)
    publish("silver", **{**SILVER, "respond": {"business_hours": 30}})
    level = client.get("/api/v1/service-levels").json["items"][0]["id"]
    path = f"/api/v1/service-levels/{level}/apply-to-open"
    monkeypatch.setattr(counting, "MOST_AT_ONCE", 2)
    assert client.post(path, json={"preview": True}).status_code == 200
    monkeypatch.setattr(counting, "MOST_AT_ONCE", 1)
    begun = client.post(path, json={"preview": True})
    assert (begun.status_code, begun.json["preview"], begun.json["phase"]) == (202, True, "counting")
    applied = client.post(path, json={"spread_minutes": 5}).json
    assert (applied["preview"], applied["phase"]) == (False, "counting")  # neither takes the other's place
    with transaction():
        assert applying.apply_batch(UUID(begun.json["id"]), march(2, 12)) is False
    shown = client.get(begun.headers["Location"]).json
    assert (shown["phase"], shown["counted"], shown["total"], shown["escalations"]) == ("done", 2, 2, 2)
    assert [(one["escalation_id"], one["clock"]) for one in shown["examples"]] == [
        (str(case.id), "respond") for case in made
    ]
    # thirty hours from Monday 10:00: 7, 8, 8 until Wednesday, 7 on Thursday
    assert {(one["was"], one["becomes"]) for one in shown["examples"]} == {
        ("2026-03-02T16:00:00Z", "2026-03-05T16:00:00Z")
    }
    assert "examples" not in client.get("/api/v1/applications").json["items"][0]


def test_the_doors_preview_start_and_follow_an_application(
    client: ApiClient, tenant: TestTenant, company: Company, as_user: Callable[..., ApiClient]
) -> None:
    level = client.post("/api/v1/service-levels", json={"name": "gold", **GOLD}).headers["Location"]
    contract("K-1", "gold")
    body = {"account_id": company.account_id, "title": "T", "severity": 2}
    raised = client.post("/api/v1/escalations", json=body).json
    assert raised["service_level"] == {"name": "gold", "number": 1}
    client.post("/api/v1/service-levels", json={"name": "gold", **GOLD, "executive_update": 9})
    shown = client.post(f"{level}/apply-to-open", json={"preview": True})
    assert (shown.status_code, shown.json["escalations"], shown.json["clocks"]) == (200, 1, 1)
    assert [(one["number"], one["clock"]) for one in shown.json["examples"]] == [("ESC-1", "executive_update")]
    assert client.get("/api/v1/applications").json["items"] == []
    begun = client.post(f"{level}/apply-to-open", json={"spread_minutes": 30})
    assert (begun.status_code, begun.json["phase"], begun.json["spread_minutes"]) == (202, "counting", 30)
    again = client.post(f"{level}/apply-to-open", json={})
    jobs.apply_open()
    followed = client.get(again.headers["Location"]).json
    assert (followed["phase"], followed["escalations"], followed["total"]) == ("done", 1, 1)
    listed = client.get("/api/v1/applications").json["items"]
    assert [(one["id"], one["phase"]) for one in listed] == [(followed["id"], "done"), (begun.json["id"], "replaced")]
    record = client.get(f"/api/v1/escalations/{raised['id']}").json
    assert record["service_level"] == {"name": "gold", "number": 2}
    assert record["version"] > raised["version"]
    assert client.get(f"/api/v1/escalations/{raised['id']}/timeline/verify").json["intact"] is True
    for path in ("/api/v1/ladders", "/api/v1/zones"):
        assert client.post(f"{path}/apply-to-open", json={"preview": True}).json["escalations"] == 0
    assert as_user(company.csm).post(f"{level}/apply-to-open", json={}).status_code == 403


@pytest.mark.parametrize("spread", [-1, 10081, 1.5, "P1D"])
def test_a_spread_that_cannot_be_meant_is_refused_by_field(client: ApiClient, spread: Any) -> None:
    answer = client.post("/api/v1/ladders/apply-to-open", json={"spread_minutes": spread})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/spread_minutes")


def test_a_batch_takes_few_statements_however_many_cases(
    tenant: TestTenant, company: Company, silver: None, statements: Any
) -> None:
    cases(tenant, company, 12)
    publish("silver", **{**SILVER, "respond": {"business_hours": 3}})
    with transaction():
        found = applying.start(wanted("service_level", march(2, 12)))
    with transaction(), statements() as sent:
        applying.apply_batch(found.id, march(2, 12))
    assert len(sent) <= 10, sent  # one of them takes back what was held of the due times that moved
