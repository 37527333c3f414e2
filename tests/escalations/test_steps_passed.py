"""Steps that lay in the past are passed over, breaches by a change fire once, and each reason for silence is logged.

Every moment is computed by hand; NOW is Monday 2 March 2026, 10:00 UTC, the calendar Monday to Friday 09:00–17:00.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.accounts import service as accounts
from app.auth.models import User
from app.db import db, transaction
from app.escalations import schedule, service
from app.escalations.models import Escalation
from app.escalations.service import Act, Extension, NewEscalation, Resolution, Wait, Word
from app.rows import insert_all
from app.sla import service as sla
from app.sla.ledger import Target
from app.sla.models import StepLog
from tests import NOW
from tests.conftest import TestTenant
from tests.escalations.conftest import Company
from tests.escalations.test_sweep import Watched, april, march, watched

__all__ = ["watched"]
FIXED = Resolution(summary="Fixed", root_cause="A bug", preventable=True)


def told_at(watched: Watched, kind: str, at: datetime) -> list[tuple[str, str]]:
    """(step, to whom) of what was told of steps of this moment."""
    return [(step, who) for moment, step, who in watched.log(kind) if moment == at]


def passed_over(watched: Watched, kind: str) -> list[tuple[datetime, str]]:
    return [(at, step) for at, step, _ in watched.log(kind, "passed_over")]


def test_at_the_start_what_lay_before_we_knew_is_passed_over(tenant: TestTenant, company: Company) -> None:
    """Raised Tue 10 February 10:00 and reported today: due Thu 12 March, half of it on Wed 25 February."""
    watched = Watched(tenant, company)
    watched.id = watched.raise_case(raised_at=datetime(2026, 2, 10, 10, tzinfo=UTC))
    assert passed_over(watched, "close") == [(datetime(2026, 2, 25, 10, tzinfo=UTC), "50%")]
    watched.sweep(march(5) - timedelta(seconds=1))
    assert watched.log("close") == []
    watched.sweep(march(5))
    assert watched.log("close") == [(march(5), "-P7D", "csm"), (march(5), "-P7D", "owner")]


def test_at_a_move_what_lies_in_the_past_of_the_new_span_is_passed_over(watched: Watched) -> None:
    """Extended on 27 March 12:00 to 6 April 10:00: half of 35 days is Thu 19 March 22:00, so that day's closing; seven
    days before is Mon 30 March."""
    watched.sweep(march(25))
    until = Extension(until=april(6), reason="the vendor", customer_agreed=True)
    with transaction():
        service.extend(watched.id, act=watched.act(march(27, 12), watched.company.manager), extension=until)
    before = watched.log("close")
    watched.sweep(march(30) - timedelta(seconds=1))
    assert watched.log("close") == before
    assert (march(19, 17), "50%") in passed_over(watched, "close")
    watched.sweep(march(30))
    assert told_at(watched, "close", march(30)) == [("-P7D", "csm"), ("-P7D", "owner")]


def test_at_a_resume_what_would_have_come_meanwhile_is_passed_over(watched: Watched) -> None:
    """Four hours from 10:00; waiting from 13:30, half an hour before due, until Tue 09:00: due 09:30, and three
    quarters an hour of opening before that, Mon 16:30. The 75 % of 13:00 was missed while we were down."""
    with transaction():
        shared = {"escalation_id": watched.id, "basis": sla.basis(now=NOW), "at": NOW, "now": NOW}
        insert_all(sla.open_clock("tier", target=Target("business_seconds", 4 * 3600), **shared))
    watched.do(service.acknowledge, march(2, 10, 30))
    watched.do(service.wait, march(2, 13, 30), on=Wait("customer", "logs", date(2026, 3, 4)))
    watched.do(service.resume, march(3, 9))
    watched.sweep(march(3, 9, 29))
    assert watched.log("tier") == []
    assert (march(2, 16, 30), "75%") in passed_over(watched, "tier")
    watched.sweep(march(3, 9, 30))
    assert watched.log("tier") == [(march(3, 9, 30), "0", "manager"), (march(3, 9, 30), "0", "owner")]


def test_a_promise_tightened_below_what_was_used_breaches_then_and_says_so_once(
    tenant: TestTenant, company: Company
) -> None:
    """At severity 4 the next update is due after five days, at 1 after one: raised on Thursday after three, it is due
    and broken at that moment; the daily reminder follows on Friday."""
    watched = Watched(tenant, company)
    with transaction():
        db.session.execute(update(Escalation).where(Escalation.id == watched.id).values(severity=4))
    watched.do(service.acknowledge, march(2, 11))
    told = {"audiences": ["customer"], "channel": "email", "content": "We are on it", "at": None}
    with transaction():
        service.add_update(watched.id, act=watched.act(march(2, 11)), **told)
    raised = march(5, 12)
    watched.do(service.edit, raised, changes={"severity": 1})
    for at in (raised, raised, march(6, 11, 59)):
        watched.sweep(at)
    assert watched.log("customer_update") == [(raised, "0", "manager"), (raised, "0", "owner")]
    clock = watched.clock("customer_update")
    assert (clock.state, clock.due_at, clock.breached_at) == ("breached", raised, raised)
    watched.sweep(march(6, 12))
    assert told_at(watched, "customer_update", march(6, 12)) == [("+P1D", "manager"), ("+P1D", "owner")]


def test_a_close_that_fell_due_while_closed_is_broken_at_the_reopening_and_says_so_once(watched: Watched) -> None:
    """Due Wed 1 April 10:00, closed on 26 March, reopened on Thu 2 April 12:00."""
    watched.do(service.acknowledge, march(2, 11))
    watched.do(service.resolve, march(24), resolution=FIXED)
    watched.do(service.verify, march(26), word=Word(accepted=True, confirmed_by="Kim", channel="call"))
    watched.sweep(april(2))
    reopened = april(2, 12)
    watched.do(service.reopen, reopened, reason="It is back")
    for at in (reopened, reopened, april(3, 9)):
        watched.sweep(at)
    assert told_at(watched, "close", reopened) == [(("0"), who) for who in ("boss", "csm", "manager", "owner")]
    assert watched.clock("close").breached_at == reopened
    assert [at for at, step, _ in watched.log("close") if step == "0"] == [reopened] * 4


def test_at_and_after_due_a_step_keeps_its_time_though_nobody_is_at_work(tenant: TestTenant, company: Company) -> None:
    """Raised Fri 6 March, due Sun 5 April; a day before is Saturday, so Friday's closing; a day after is Monday."""
    watched = Watched(tenant, company)
    watched.id = watched.raise_case(march(6))
    for at in (april(3, 17), april(5), april(6)):
        watched.sweep(at - timedelta(seconds=1))
        watched.sweep(at)
    moments = {step: at for at, step, _ in watched.log("close")}
    assert (moments["-P1D"], moments["0"], moments["+P1D"]) == (april(3, 17), april(5), april(6))


def test_repeats_missed_are_folded_into_the_last_and_counted(watched: Watched) -> None:
    """Down from Monday until Friday 6 March 15:00: 75 % and due on Monday, then the same hour on four days."""
    watched.sweep(march(6, 15))
    assert watched.log("acknowledge") == [(march(6, 14), "+P1D", "manager"), (march(6, 14), "+P1D", "owner")]
    folded = watched.log("acknowledge", "folded")
    assert [(at, step) for at, step, who in folded if who == "owner"] == [
        (march(2, 13), "75%"),
        (march(2, 14), "0"),
        (march(3, 14), "+P1D"),
        (march(4, 14), "+P1D"),
        (march(5, 14), "+P1D"),
    ]
    assert [step for _, step, who in folded if who == "manager"] == ["0", "+P1D", "+P1D", "+P1D"]
    bodies = {watched.names[one.user_id]: one.body for one in watched.messages("acknowledge") if one.user_id}
    assert "stands for 6 reminders that could not go out; the last was due Fri 06 Mar 2026 14:00" in bodies["owner"]
    assert "stands for 5 reminders" in bodies["manager"]
    assert len(bodies) == len(watched.messages("acknowledge")) == 2


def reasons(watched: Watched, kind: str, at: datetime) -> set[tuple[str, str | None]]:
    """(to whom, why not) as the schedule shows it."""
    with transaction():
        record = db.session.scalars(select(Escalation).where(Escalation.id == watched.id)).one()
        sent = schedule.schedule_of(record, at)["sent"]
    return {
        (one["recipient"], one["reason"]) for one in sent if one["clock"] == kind and one["outcome"] == "suppressed"
    }


def test_who_has_left_is_absent(watched: Watched) -> None:
    with transaction():
        db.session.execute(update(User).where(User.id == watched.company.owner.id).values(active=False))
    watched.sweep(march(2, 13))
    assert reasons(watched, "acknowledge", march(2, 13)) == {("owner@example.com", "absent")}


def test_a_role_without_anybody_has_no_address(watched: Watched) -> None:
    with transaction():
        accounts.upsert_account("crm", "A-1", {"csm_email": None}, now=NOW)
    watched.sweep(march(25))
    assert reasons(watched, "close", march(25)) == {("-", "no_address")}
    with transaction():
        line = db.session.scalars(select(StepLog).where(StepLog.reason == "no_address")).one()
    assert (line.roles, line.step) == (["csm"], "-P7D")


def test_somebody_without_an_address_is_passed_by_and_the_others_hear_it(watched: Watched) -> None:
    with transaction():
        db.session.execute(update(User).where(User.id == watched.company.manager.id).values(email=""))
    watched.sweep(march(2, 14))
    assert watched.log("acknowledge") == [(march(2, 14), "0", "owner")]
    assert reasons(watched, "acknowledge", march(2, 14)) == {("", "no_address")}


@pytest.mark.parametrize("action", ["acknowledge", "merge"])
def test_what_was_not_sent_yet_is_taken_back_with_its_reason(watched: Watched, action: str) -> None:
    survivor = watched.id
    watched.id = watched.raise_case(march(2, 10, 1))
    watched.sweep(march(2, 13, 1))
    act: dict[str, Any] = {"into_id": survivor, "reason": "the same"} if action == "merge" else {}
    with transaction():
        getattr(service, action)(watched.id, act=watched.act(march(2, 13, 30), watched.company.manager), **act)
    expected = "merged" if action == "merge" else "already_acted"
    assert reasons(watched, "acknowledge", march(2, 14)) == {("owner@example.com", expected)}


def test_a_case_that_ended_while_we_were_down_is_told_to_nobody(tenant: TestTenant, company: Company) -> None:
    """Its acknowledgement was due while the sweep was down, and its clocks were left behind by a broken import."""
    watched = Watched(tenant, company)
    for status, reason in (("closed", "already_acted"), ("merged", "merged")):
        new = NewEscalation(title="T", severity=2, account_id=watched.record().account_id)
        with transaction():
            watched.id = service.raise_escalation(new, act=Act(tenant.actor, NOW)).record.id
            db.session.execute(update(Escalation).where(Escalation.id == watched.id).values(status=status))
        watched.sweep(march(2, 13))
        assert watched.log("acknowledge") == []
        assert reasons(watched, "acknowledge", march(2, 13)) == {("-", reason)}
