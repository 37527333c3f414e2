"""What the sweep sends over a case's life, by the printed ladders and hand-computed moments."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from app.accounts import service as accounts
from app.auth import changes as settings
from app.auth import queries as users
from app.auth import service as auth
from app.auth.actor import Actor
from app.auth.models import User
from app.db import db, transaction
from app.escalations import service
from app.escalations.models import Escalation
from app.escalations.service import Act, NewEscalation, Resolution, Wait, Word
from app.escalations.set_aside import take_up_again
from app.escalations.sweep import Swept, sweep_batch, sweep_tenant
from app.escalations.timeline_models import Event
from app.notifications.models import Intent
from app.notifications.preferences import change_preferences, lock_preferences
from app.rows import insert_all
from app.sla import service as sla
from app.sla.ledger import Target
from app.sla.models import Clock, LadderVersion, StepLog
from tests import NOW
from tests.conftest import TestTenant, actor_of
from tests.escalations.conftest import Company
from tests.escalations.due_rows import DUE, counts, expected, make_due

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def march(day: int, hour: int = 10, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def april(day: int, hour: int = 10) -> datetime:
    return datetime(2026, 4, day, hour, tzinfo=UTC)


class Watched:
    """One case of the test's tenant, swept at moments of the test's choosing."""

    def __init__(self, tenant: TestTenant, company: Company, raised_by: User | None = None) -> None:
        self.tenant = tenant
        self.company = company
        self.actor = actor_of(raised_by) if raised_by else tenant.actor
        self.id = self.raise_case()
        self.names = {user.id: user.email.partition("@")[0] for user in (company.owner, company.manager)}
        self.names |= {user.id: user.email.partition("@")[0] for user in (company.csm, company.boss, tenant.admin)}

    def raise_case(self, at: datetime = NOW, **fields: Any) -> UUID:
        said: dict[str, Any] = {"title": "Exports fail", "severity": 2, **fields}
        new = NewEscalation(account_id=UUID(self.company.account_id), **said)
        with transaction():
            return service.raise_escalation(new, act=Act(self.actor, at)).record.id

    def act(self, at: datetime, user: User | None = None) -> Act:
        actor: Actor = actor_of(user or self.company.owner)
        return Act(actor, at)

    def do(self, action: Callable[..., Any], at: datetime, **fields: Any) -> None:
        with transaction():
            action(self.id, act=self.act(at), **fields)

    def sweep(self, at: datetime) -> int:
        return sweep_tenant(self.tenant.id, now=at)

    def log(self, kind: str, outcome: str = "sent") -> list[tuple[datetime, str, str]]:
        """(the step's moment, the step as written, to whom), in order."""
        asked = (StepLog.escalation_id == self.id, StepLog.kind == kind, StepLog.outcome == outcome)
        with transaction():
            rows = db.session.scalars(select(StepLog).where(*asked)).all()
        return sorted((row.at, row.step, self.name(row.recipient)) for row in rows)

    def name(self, recipient: str) -> str:
        return "-" if recipient == "-" else self.names[UUID(recipient)]

    def messages(self, kind: str | None = None) -> list[Intent]:
        with transaction():
            asked = select(Intent).where(Intent.clock_id.is_not(None), Intent.escalation_id == self.id)
            found = db.session.scalars(asked.order_by(Intent.id)).all()
            clocks = {row.id: row.kind for row in db.session.execute(select(Clock.id, Clock.kind))}
        return [one for one in found if kind is None or clocks[one.clock_id or self.id] == kind]

    def clock(self, kind: str) -> Clock:
        with transaction():
            asked = (Clock.escalation_id == self.id, Clock.kind == kind)
            return db.session.scalars(select(Clock).where(*asked).order_by(Clock.cycle.desc())).first() or Clock()

    def record(self) -> Escalation:
        with transaction():
            return db.session.scalars(select(Escalation).where(Escalation.id == self.id)).one()


@pytest.fixture
def watched(tenant: TestTenant, company: Company) -> Watched:
    return Watched(tenant, company)


def test_the_close_ladder_tells_whom_it_names_at_local_times_over_thirty_days(
    tenant: TestTenant, company: Company
) -> None:
    """Raised Mon 2 March 11:00 in Berlin, due Wed 1 April 11:00 there: 09:00 UTC, since summer time has begun."""
    with transaction():
        accounts.upsert_account("crm", "A-1", {"timezone": "Europe/Berlin"}, now=NOW)
    watched = Watched(tenant, company)
    moments = [march(17), march(25), march(27, 17), march(31, 9), april(1, 9), april(2, 9), april(3, 9)]
    for moment in moments:
        watched.sweep(moment - timedelta(seconds=1))
        watched.sweep(moment)
    assert watched.log("close") == [
        (march(17), "50%", "owner"),
        (march(25), "-P7D", "csm"),
        (march(25), "-P7D", "owner"),
        (march(27, 17), "-P3D", "manager"),  # Sunday the 29th falls outside the calendar: Friday's closing
        (march(27, 17), "-P3D", "owner"),
        (march(31, 9), "-P1D", "manager"),
        (march(31, 9), "-P1D", "owner"),
        (april(1, 9), "0", "boss"),
        (april(1, 9), "0", "csm"),
        (april(1, 9), "0", "manager"),
        (april(1, 9), "0", "owner"),
        (april(2, 9), "+P1D", "manager"),
        (april(2, 9), "+P1D", "owner"),
        (april(3, 9), "+P1D", "manager"),
        (april(3, 9), "+P1D", "owner"),
    ]
    assert watched.clock("close").state == "breached"


def test_each_step_fires_when_swept_late_at_its_own_moment_and_never_before(watched: Watched) -> None:
    assert watched.sweep(march(2, 12) + 59 * HOUR / 60) == 0
    assert watched.sweep(march(2, 13)) == 1  # 75 % of four hours
    assert watched.sweep(march(2, 13)) == 0
    assert watched.log("acknowledge") == [(march(2, 13), "75%", "owner")]


def test_unacknowledged_the_owner_and_manager_hear_it_five_business_days_and_no_longer(watched: Watched) -> None:
    for day in (2, 3, 4, 5, 6, 9, 10, 11):
        watched.sweep(march(day, 14))
    told = [(at, step) for at, step, who in watched.log("acknowledge") if who == "manager"]
    assert told == [(march(2, 14), "0"), *((march(day, 14), "+P1D") for day in (3, 4, 5, 6, 9))]


def test_one_message_names_the_fact_the_due_time_and_all_the_roles(watched: Watched) -> None:
    watched.sweep(march(31))
    to_owner = next(one for one in watched.messages("close") if one.user_id == watched.company.owner.id)
    assert to_owner.subject == "Globex: close by Wed 01 Apr 10:00 · ESC-1"
    assert to_owner.why == "You get this because you are its owner and the account owner."
    assert "Exports fail (severity 2, open)" in to_owner.body
    assert "Due Wed 01 Apr 2026 10:00 (UTC)." in to_owner.body
    assert "Left: 1 day." in to_owner.body
    assert to_owner.hold_until == march(31)


def test_seven_days_before_the_message_names_the_working_deadline(watched: Watched) -> None:
    watched.sweep(march(25))
    to_csm = next(one for one in watched.messages("close") if one.user_id == watched.company.csm.id)
    # due Wed 1 April 10:00 less five business days
    assert "it must be resolved by Wed 25 Mar 2026 10:00 (UTC)." in to_csm.body
    assert to_csm.why == "You get this because you are the account's CSM."


def test_after_downtime_each_person_hears_the_latest_step_once_and_what_it_stands_for(watched: Watched) -> None:
    watched.sweep(march(28))  # 50 %, -7d and -3d have passed
    assert watched.log("close") == [
        (march(25), "-P7D", "csm"),
        (march(27, 17), "-P3D", "manager"),
        (march(27, 17), "-P3D", "owner"),
    ]
    assert watched.log("close", "folded") == [(march(17), "50%", "owner"), (march(25), "-P7D", "owner")]
    to_owner = [one for one in watched.messages("close") if one.user_id == watched.company.owner.id]
    assert len(to_owner) == 1
    assert "stands for 3 reminders" in to_owner[0].body
    assert "Fri 27 Mar 2026 17:00" in to_owner[0].body


def test_a_second_sweep_at_the_same_moment_writes_nothing(watched: Watched) -> None:
    watched.sweep(march(28))
    with transaction():
        before = db.session.execute(text("select (select count(*) from step_log), (select count(*) from intent)")).one()
    assert watched.sweep(march(28)) == 0
    with transaction():
        after = db.session.execute(text("select (select count(*) from step_log), (select count(*) from intent)")).one()
    assert before == after


def test_a_role_nobody_holds_is_logged_and_the_others_are_told(watched: Watched) -> None:
    with transaction():
        accounts.upsert_account("crm", "A-1", {"csm_email": None}, now=NOW)
    watched.sweep(march(25))
    assert [who for _, step, who in watched.log("close") if step == "-P7D"] == ["owner"]
    assert watched.log("close", "suppressed") == [(march(25), "-P7D", "-")]


def test_whoever_has_left_is_passed_by_and_their_manager_told_instead(watched: Watched) -> None:
    with transaction():
        db.session.execute(update(User).where(User.id == watched.company.owner.id).values(active=False))
    watched.sweep(march(2, 13))
    assert watched.log("acknowledge") == [(march(2, 13), "75%", "manager")]
    assert (march(2, 13), "75%", "owner") in watched.log("acknowledge", "suppressed")


def test_with_nobody_above_either_who_is_on_duty_is_told(watched: Watched) -> None:
    gone = [watched.company.owner.id, watched.company.manager.id]
    with transaction():
        db.session.execute(update(User).where(User.id.in_(gone)).values(active=False))
    watched.sweep(march(2, 13))
    assert watched.log("acknowledge") == [(march(2, 13), "75%", "admin")]


def test_whom_a_case_is_about_is_never_told(tenant: TestTenant, company: Company) -> None:
    watched = Watched(tenant, company)
    watched.id = watched.raise_case(about_user=company.manager.email)
    watched.sweep(march(2, 14))
    assert {who for _, _, who in watched.log("acknowledge")} == {"owner"}


def test_while_resolved_close_reminders_go_to_the_owner_alone_and_await_the_customers_word(watched: Watched) -> None:
    watched.do(service.acknowledge, march(2, 11))
    resolution = Resolution(summary="Fixed", root_cause="A bug", preventable=True)
    watched.do(service.resolve, march(24, 9), resolution=resolution)
    watched.sweep(march(25))
    told = [(at, step, who) for at, step, who in watched.log("close") if step == "-P7D"]
    assert told == [(march(25), "-P7D", "owner")]
    assert watched.messages("close")[-1].subject.startswith("Globex: the customer's word is awaited, close by")


def test_an_unanswered_verification_closes_the_case_and_is_never_called_confirmed(watched: Watched) -> None:
    """Resolved Tue 3 March 10:00: five business days later is Tue 10 March 10:00; half is Thu 5 March 14:00."""
    watched.do(service.acknowledge, march(2, 11))
    resolution = Resolution(summary="Fixed", root_cause="A bug", preventable=True)
    watched.do(service.resolve, march(3), resolution=resolution)
    for at in (march(5, 14), march(9), march(10) - timedelta(seconds=1)):
        watched.sweep(at)
    assert watched.log("verify") == [(march(5, 14), "50%", "owner"), (march(9), "80%", "owner")]
    assert watched.record().status == "resolved"
    watched.sweep(march(10, 12))
    record = watched.record()
    assert (record.status, record.outcome, record.verification) == ("closed", "resolved", "unanswered")
    assert record.closed_at == march(10)
    assert watched.log("verify", "done") == [(march(10), "0", "-")]
    assert (watched.clock("verify").state, watched.clock("close").state) == ("missed", "met")
    assert watched.sweep(april(20)) == 0


def test_an_answer_just_before_the_sweep_leaves_nothing_to_close(watched: Watched) -> None:
    watched.do(service.acknowledge, march(2, 11))
    watched.do(service.resolve, march(3), resolution=Resolution(summary="Fixed", root_cause="A bug", preventable=True))
    watched.do(service.verify, march(10, 9), word=Word(accepted=True, confirmed_by="Kim", channel="call"))
    watched.sweep(march(10, 12))
    assert watched.record().verification == "confirmed"
    assert watched.log("verify", "done") == []


def test_without_a_sign_of_work_the_acknowledgement_lapses_once_and_starts_again(watched: Watched) -> None:
    watched.do(service.acknowledge, march(2, 11))
    watched.sweep(march(9, 11))  # five business days
    record, clock = watched.record(), watched.clock("acknowledge")
    assert not record.acknowledged
    assert (clock.cycle, clock.state, clock.started_at) == (2, "running", march(9, 11))
    watched.sweep(march(9, 12))
    with transaction():
        asked = (Event.escalation_id == watched.id, Event.kind == "lapse")
        assert len(db.session.scalars(select(Event).where(*asked)).all()) == 1


def test_a_reminder_not_yet_sent_is_taken_back_when_its_cause_ends(watched: Watched) -> None:
    watched.sweep(march(2, 13))
    watched.do(service.acknowledge, march(2, 13, 30))
    assert [(one.state, one.reason) for one in watched.messages("acknowledge")] == [("suppressed", "already_acted")]
    watched.sweep(march(2, 15))
    assert len(watched.log("acknowledge")) == 1


def test_a_clock_that_cannot_be_swept_is_set_aside_and_the_others_go_on(watched: Watched) -> None:
    sound = watched.raise_case()
    with transaction():
        broken = (Clock.escalation_id == watched.id, Clock.kind == "acknowledge")
        db.session.execute(update(Clock).where(*broken).values(zone="Nowhere/Nothing"))
    watched.sweep(march(2, 13))
    assert watched.log("acknowledge") == []
    clock = watched.clock("acknowledge")
    assert (clock.problem is not None, clock.next_step_at) == (True, None)
    watched.id = sound
    assert watched.log("acknowledge") == [(march(2, 13), "75%", "owner")]


def test_a_waiting_case_keeps_its_close_clock_running(watched: Watched) -> None:
    watched.do(service.acknowledge, march(2, 11))
    watched.do(service.wait, march(16, 9), on=Wait("customer", "logs", march(20).date()))
    watched.sweep(march(17))
    assert (march(17), "50%", "owner") in watched.log("close")


def test_a_tier_that_ran_out_hops_up_once_flagged_until_its_brief_is_written(watched: Watched) -> None:
    with transaction():
        record = db.session.scalars(select(Escalation).where(Escalation.id == watched.id)).one()
        four_hours = Target("business_seconds", 4 * 3600)
        shared = {"escalation_id": record.id, "basis": sla.basis(now=NOW), "at": NOW, "now": NOW}
        insert_all(sla.open_clock("tier", target=four_hours, **shared))
    watched.sweep(march(2, 14))
    watched.sweep(march(2, 14))
    record = watched.record()
    assert (record.tier, record.brief_missing) == ("tier_2", True)
    assert watched.log("tier", "done") == [(march(2, 14), "0", "-")]
    assert (watched.clock("tier").state, watched.clock("tier").breached_at) == ("missed", march(2, 14))


def test_a_raise_that_waits_for_approval_reminds_approver_their_manager_and_then_the_admins(
    tenant: TestTenant, company: Company
) -> None:
    """Asked Mon 2 March 10:00, one business day to decide: Tue 10:00, of which 75 % are used up Mon 16:00."""
    with transaction():
        changes = {"approval": {"asked": True, "approvers": [company.manager.email]}}
        settings.update_settings(users.get_tenant(lock=True), changes)
    watched = Watched(tenant, company, raised_by=company.csm)
    for at in (march(2, 16), march(3), march(4)):
        watched.sweep(at)
    assert watched.log("decide") == [
        (march(2, 16), "75%", "manager"),
        (march(3), "0", "boss"),
        (march(3), "0", "manager"),
        (march(4), "+P1D", "admin"),
        (march(4), "+P1D", "boss"),
        (march(4), "+P1D", "manager"),
    ]


def test_a_batch_costs_the_same_few_statements_however_many_are_due(
    tenant: TestTenant, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    make_due(tenant, 40)
    with statements() as sent:
        assert sweep_batch(tenant.id, DUE) == Swept(fired=200, more=False)
    assert len(sent) <= 8, sent


def test_a_clock_whose_reminder_cannot_be_written_does_not_act_either_and_the_admins_hear_of_it(
    tenant: TestTenant,
) -> None:
    """Who owns the resolved case wants to be told by the hours of a zone that is no more; its word is due by now."""
    make_due(tenant, 0, resolved=1)
    with transaction():
        change_preferences(lock_preferences(tenant.admin.id), {"timezone": "Europe/Berlin"})
    with transaction():
        db.session.execute(text("update preference set timezone = 'Nowhere/Nothing'"))
    assert sweep_tenant(tenant.id, DUE) == 0
    with transaction():
        case = db.session.scalars(select(Escalation)).one()
        verify = db.session.scalars(select(Clock).where(Clock.kind == "verify")).one()
        alarms = db.session.scalars(select(Intent).where(Intent.kind == "set_aside")).all()
    assert (case.status, verify.state, verify.next_step_at) == ("resolved", "running", None)
    assert "Nowhere/Nothing" in (verify.problem or "")
    assert [(one.user_id, one.at) for one in alarms] == [(tenant.admin.id, DUE)]
    assert counts()["done"] == 0
    with transaction():
        db.session.execute(text("update preference set timezone = 'Europe/Berlin'"))
        assert take_up_again() == 1
    sweep_tenant(tenant.id, DUE)
    assert counts() == expected(0, resolved=1)


def test_an_action_that_fails_sets_its_clock_aside_and_leaves_nothing_half_done(watched: Watched) -> None:
    """A ladder that routes afresh, in a tenant whose policy cannot be found."""
    steps = [{"offset": "0", "audience": ["owner"]}, {"offset": "0", "audience": [], "action": "reassign"}]
    with transaction():
        insert_all([LadderVersion(kind="plan", number=2, steps=steps, created_at=NOW)])
        basis = replace(sla.basis(now=NOW), ladder_number=2)
        insert_all(sla.open_clock("plan", escalation_id=watched.id, basis=basis, at=NOW, now=NOW))
        auth.set_current(policy=99)
    watched.sweep(march(9, 10))
    plan = watched.clock("plan")
    assert (plan.next_step_at, "policy version 99" in (plan.problem or "")) == (None, True)
    assert watched.log("plan") == watched.log("plan", "done") == []
    assert watched.messages("plan") == []
    assert watched.log("acknowledge") != []
