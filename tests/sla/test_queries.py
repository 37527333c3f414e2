"""What is shown of promises: live clocks, steps to come and behind, and how far the sweep is behind."""

from datetime import timedelta
from uuid import UUID

from flask import Flask

from app import clock
from app.db import finding, new_id, transaction
from app.escalations.clock_schemas import ClockSchema
from app.notifications.models import Intent
from app.rows import insert_all
from app.sla import claims, queries, service
from app.sla.clocks import Clocks
from app.sla.due import plan_all
from tests import NOW
from tests.conftest import TestTenant
from tests.sla.test_due import Statements, open_clocks, row, sweep, utc


def test_a_clock_is_shown_as_due_times_say_though_no_sweep_ran(case: UUID) -> None:
    open_clocks(case, "acknowledge")
    with transaction():
        [at_noon] = queries.list_clocks(case, utc("12:00"))
        [at_five] = queries.list_clocks(case, utc("16:00"))
    assert (at_noon.state.state, at_noon.state.elapsed_seconds) == ("running", 7200)
    assert (at_five.state.state, at_five.state.breached_at) == ("breached", utc("14:00"))


def test_a_clock_on_the_wire_has_its_ledger_and_moves(case: UUID) -> None:
    open_clocks(case, "acknowledge", "tier")
    with transaction():
        clocks = Clocks.load(case)
        clocks.pause(utc("11:00"), utc("11:00"), party="vendor")
        clocks.resume(utc("12:00"), utc("12:00"))
        clocks.save()
    with transaction():
        shown = ClockSchema(many=True).dump(queries.list_clocks(case, utc("13:00")))
    tier = next(one for one in shown if one["kind"] == "tier")
    assert (tier["cycle"], tier["state"], tier["flags"], tier["due_at"]) == (1, "running", [], "2026-03-02T15:00:00Z")
    assert (tier["elapsed_seconds"], tier["paused_seconds"]) == (7200, 3600)
    assert [(entry["type"], entry["at"], entry["void"]) for entry in tier["ledger"]] == [
        ("activate", "2026-03-02T10:00:00Z", False),
        ("pause", "2026-03-02T11:00:00Z", False),
        ("resume", "2026-03-02T12:00:00Z", False),
    ]
    assert tier["ledger"][0]["target"] == {"kind": "business_seconds", "value": 14400}
    assert tier["moves"] == [
        {
            "at": "2026-03-02T12:00:00Z",
            "was": "2026-03-02T14:00:00Z",
            "is": "2026-03-02T15:00:00Z",
            "because": "resume",
        }
    ]


def test_clocks_are_shown_in_two_statements(case: UUID, statements: Statements) -> None:
    open_clocks(case, "acknowledge", "close", "plan")
    with transaction(), statements() as sent:
        assert len(queries.list_clocks(case, NOW)) == 3
    assert len(sent) == 2


def test_the_steps_to_come_are_those_that_will_fire(case: UUID) -> None:
    open_clocks(case, "close", "acknowledge")
    sweep(utc("13:00"))
    with transaction():
        rows = Clocks.load(case, lock=False).rows()
        coming = queries.upcoming_steps(rows, until=utc("2026-04-03T12:00"))
    by_kind = [(step.clock.kind, step.step, step.repeat) for step in coming]
    assert [key for key in by_kind if key[0] == "acknowledge"] == [
        ("acknowledge", "0", 0),
        *(("acknowledge", "+P1D", repeat) for repeat in range(5)),
    ]
    assert [(step.step, step.at) for step in coming if step.clock.kind == "close"] == [
        ("50%", utc("2026-03-17T10:00")),
        ("-P7D", utc("2026-03-25T10:00")),
        ("-P3D", utc("2026-03-27T17:00")),
        ("-P1D", utc("2026-03-31T10:00")),
        ("0", utc("2026-04-01T10:00")),
        ("+P1D", utc("2026-04-02T10:00")),
        ("+P1D", utc("2026-04-03T10:00")),
    ]
    fired = [
        (one.clock.kind, firing.offset, firing.repeat)
        for moment in sorted({step.at for step in coming})
        for one in sweep(moment)
        for firing in one.firings
    ]
    assert sorted(fired) == sorted(by_kind)


def test_what_was_told_names_the_person_and_what_became_of_the_message(tenant: TestTenant, case: UUID) -> None:
    open_clocks(case, "acknowledge")
    with transaction():
        [fired] = plan_all(claims.claim(10, utc("13:00")), utc("13:00"))
        lines = [
            claims.Line(
                fired.clock, "75%", 0, "notify", str(tenant.admin.id), utc("13:00"), "sent", ["owner"], "email"
            ),
            claims.Line(fired.clock, "75%", 0, "notify", "-", utc("13:00"), "suppressed", ["csm"], reason="no_address"),
        ]
        claims.write([fired], lines, utc("13:00"))
        insert_all([message(tenant, case, fired.clock.id, f"step:{lines[0].id}")])
    with transaction():
        told, empty = queries.sent_steps(case, utc("13:00"), most=10)
        assert (told["recipient"], told["outcome"], told["held_until"]) == (
            "admin@example.com",
            "sent",
            utc("2026-03-03T08:00"),
        )
        assert (empty["recipient"], empty["outcome"], empty["reason"]) == ("-", "suppressed", "no_address")
        clocks = Clocks.load(case)
        clocks.fulfil("acknowledge", utc("13:30"), utc("13:30"))
        clocks.save()
    with transaction():
        told, _ = queries.sent_steps(case, utc("13:30"), most=10)
    assert (told["outcome"], told["reason"], told["held_until"]) == ("suppressed", "already_acted", None)


def message(tenant: TestTenant, case: UUID, clock_id: UUID, key: str) -> Intent:
    return Intent(
        id=new_id(),
        user_id=tenant.admin.id,
        channel="email",
        kind="reminder",
        subject="s",
        body="b",
        escalation_id=case,
        clock_id=clock_id,
        dedupe_key=key,
        at=utc("13:00"),
        hold_until=utc("2026-03-03T08:00"),
        recorded_at=NOW,
    )


def test_the_finder_names_tenants_by_their_own_time_and_when_the_next_step_of_any_is_due(
    app: Flask, tenant: TestTenant, case: UUID
) -> None:
    real_now = clock.real_now()
    with transaction():
        basis = service.basis(now=NOW)
        started = real_now - timedelta(days=60)
        insert_all(service.open_clock("close", escalation_id=case, basis=basis, at=started, now=started))
    due = row("close").next_step_at
    assert due is not None
    with finding():
        assert tenant.id in queries.find_tenants_due(due)
        assert tenant.id not in queries.find_tenants_due(due - timedelta(seconds=1))
        assert queries.find_next_due(due - timedelta(microseconds=1)) == due
        assert queries.find_next_due(due) != due
