"""What of a case waits for its reader's hours, and what does not; NOW is Monday 2 March 2026, 10:00 UTC."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.accounts.models import Account
from app.auth.models import User
from app.db import db, transaction
from app.escalations import schedule, service
from app.escalations.jobs import reprioritise_tenant
from app.escalations.models import Escalation
from app.escalations.service import Act, NewEscalation
from app.escalations.sweep import sweep_batch, sweep_tenant
from app.notifications import preferences
from app.notifications.models import Intent
from app.notifications.quiet import DAYS
from app.routing import service as routing
from app.sla.models import Clock
from tests import NOW
from tests.conftest import TestTenant, actor_of
from tests.escalations.conftest import Company
from tests.escalations.due_rows import DUE, make_due

ALWAYS = {day: [["00:00", "23:59"]] for day in DAYS}  # told in the last minute of a day only


def march(day: int, hour: int = 10, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


LAST_MINUTE = march(2, 23, 59)


def wish(user: User, **changes: Any) -> None:
    with transaction():
        preferences.change_preferences(preferences.lock_preferences(user.id), changes)


@pytest.fixture
def raise_at(tenant: TestTenant, company: Company) -> Callable[..., UUID]:
    def make(severity: int, at: datetime = NOW, **fields: Any) -> UUID:
        new = NewEscalation(title="T", severity=severity, account_id=UUID(company.account_id), **fields)
        with transaction():
            return service.raise_escalation(new, act=Act(tenant.actor, at)).record.id

    return make


def told(user: User, kind: str | None = None) -> list[tuple[str, datetime, str]]:
    """(kind of clock or message, since when it is told, by what), in order."""
    with transaction():
        asked = select(Intent).where(Intent.user_id == user.id).order_by(Intent.hold_until, Intent.id)
        clocks = {row.id: row.kind for row in db.session.execute(select(Clock.id, Clock.kind))}
        found = db.session.scalars(asked).all()
    named = [(clocks[one.clock_id] if one.clock_id else one.kind, one.hold_until, one.channel) for one in found]
    return [one for one in named if kind is None or one[0] == kind]


@pytest.mark.parametrize(
    ("severity", "at", "expected"),
    [
        (1, march(2, 13), march(2, 13)),  # 75 % of four hours: everything of severity 1 passes
        (1, march(2, 14), march(2, 14)),
        (2, march(2, 13), LAST_MINUTE),
        (2, march(2, 14), march(2, 14)),  # the breach of acknowledge passes
        (3, march(2, 14), LAST_MINUTE),
        (4, march(2, 14), LAST_MINUTE),
    ],
)
def test_what_passes_quiet_hours_goes_by_severity_and_breach(
    tenant: TestTenant,
    company: Company,
    raise_at: Callable[..., UUID],
    severity: int,
    at: datetime,
    expected: datetime,
) -> None:
    raise_at(severity)
    wish(company.owner, quiet_hours=ALWAYS)
    sweep_tenant(tenant.id, now=at)
    assert told(company.owner, "acknowledge") == [("acknowledge", expected, "email")]


def test_of_severity_two_the_breaches_of_close_acknowledge_and_respond_pass_and_no_others(
    tenant: TestTenant, company: Company, raise_at: Callable[..., UUID]
) -> None:
    """Acknowledged on Tuesday, everything is let run out until Tue 7 April, swept at each step's own time."""
    case = raise_at(2, raised_by_kind="customer", raised_by_email="kim@globex.example")
    with transaction():
        service.acknowledge(case, act=Act(actor_of(company.owner), march(2, 11)))
    wish(company.owner, quiet_hours=ALWAYS)
    breaches = {"respond": march(3), "plan": march(9, 11), "still_on_it": march(9, 11)}
    for kind, at in {**breaches, "close": datetime(2026, 4, 1, 10, tzinfo=UTC)}.items():
        sweep_tenant(tenant.id, now=at - timedelta(seconds=1))
        sweep_tenant(tenant.id, now=at)
        passed = [(name, channel) for name, moment, channel in told(company.owner) if moment == at]
        assert ((kind, "email") in passed) is (kind in ("respond", "close")), kind


def test_the_day_after_the_breach_waits_again(
    tenant: TestTenant, company: Company, raise_at: Callable[..., UUID]
) -> None:
    raise_at(2)
    sweep_tenant(tenant.id, now=march(2, 14))
    wish(company.owner, quiet_hours=ALWAYS)
    sweep_tenant(tenant.id, now=march(3, 14))
    assert told(company.owner, "acknowledge")[-1] == ("acknowledge", march(3, 23, 59), "email")


def test_a_message_that_stands_for_a_breach_passes_as_the_breach_would_have(
    tenant: TestTenant, company: Company, raise_at: Callable[..., UUID]
) -> None:
    """Down from before the breach until the day after: one message tells of both."""
    raise_at(2)
    wish(company.owner, quiet_hours=ALWAYS)
    sweep_tenant(tenant.id, now=march(3, 14))
    assert told(company.owner, "acknowledge") == [("acknowledge", march(3, 14), "email")]


def test_quiet_hours_are_the_readers_own_and_hold_nobody_else_back(
    tenant: TestTenant, company: Company, raise_at: Callable[..., UUID]
) -> None:
    """22:00–07:00 in Auckland, UTC+13 in March: 14:00 UTC is 03:00 there, and 07:00 is 18:00 UTC."""
    raise_at(3)
    nights = {day: [["22:00", "07:00"]] for day in DAYS}
    wish(company.manager, quiet_hours=nights, timezone="Pacific/Auckland")
    sweep_tenant(tenant.id, now=march(2, 14))
    assert told(company.manager) == [("acknowledge", march(2, 18), "email")]
    assert told(company.owner, "acknowledge") == [("acknowledge", march(2, 14), "email")]


def test_a_delegates_quiet_hours_count_and_not_those_of_whom_they_stand_in_for(
    tenant: TestTenant, company: Company, raise_at: Callable[..., UUID]
) -> None:
    raise_at(3)
    wish(company.owner, quiet_hours=ALWAYS)
    wish(company.csm, quiet_hours={"mon": [["12:00", "16:00"]]})
    with transaction():
        away = {"starts_at": march(2, 12), "ends_at": march(9), "delegate_email": company.csm.email}
        routing.add_absence(company.owner.id, **away, actor=tenant.actor, now=march(2, 11))
    sweep_tenant(tenant.id, now=march(2, 13))
    assert told(company.csm) == [("acknowledge", march(2, 16), "email")]


def test_what_an_action_tells_waits_as_well_unless_it_is_of_severity_one(
    company: Company, raise_at: Callable[..., UUID]
) -> None:
    wish(company.owner, quiet_hours=ALWAYS)
    raise_at(2)
    raise_at(1)
    assert told(company.owner, "assigned") == [("assigned", NOW, "email"), ("assigned", LAST_MINUTE, "email")]


def test_a_digest_collects_what_is_not_urgent_and_the_rest_comes_by_itself(
    tenant: TestTenant, company: Company, raise_at: Callable[..., UUID]
) -> None:
    wish(company.owner, digest={"at": "08:00"})
    raise_at(2)
    for at in (march(2, 13), march(2, 14)):
        sweep_tenant(tenant.id, now=at)
    assert told(company.owner) == [
        ("acknowledge", march(2, 14), "email"),  # its breach
        ("assigned", march(3, 8), "digest"),
        ("acknowledge", march(3, 8), "digest"),  # three quarters of it
    ]


def test_the_schedule_says_what_is_held_until_when_and_what_carries_it(
    tenant: TestTenant, company: Company, raise_at: Callable[..., UUID]
) -> None:
    case = raise_at(2)
    wish(company.owner, digest={"at": "08:00"})
    sweep_tenant(tenant.id, now=march(2, 13))
    with transaction():
        record = db.session.scalars(select(Escalation).where(Escalation.id == case)).one()
        before, after = (schedule.schedule_of(record, at) for at in (march(2, 13), march(3, 8)))
    held = [one for one in before["upcoming"] if one["held_until"]]
    assert [(one["at"], one["step"], one["recipients"], one["held_until"], one["channel"]) for one in held] == [
        (march(2, 13), "75%", [company.owner.email], march(3, 8), "digest")
    ]
    assert before["sent"] == []
    assert [(one["step"], one["outcome"]) for one in after["sent"]] == [("75%", "sent")]


@pytest.mark.parametrize("wishes", [{"quiet_hours": ALWAYS}, {"digest": {"at": "08:00"}}])
def test_a_held_reminder_is_taken_back_when_its_cause_ends(
    tenant: TestTenant, company: Company, raise_at: Callable[..., UUID], wishes: dict[str, Any]
) -> None:
    case = raise_at(2)
    wish(company.owner, **wishes)
    sweep_tenant(tenant.id, now=march(2, 13))
    with transaction():
        service.acknowledge(case, act=Act(actor_of(company.owner), march(2, 13, 30)))
    with transaction():
        asked = select(Intent.state, Intent.reason).where(Intent.clock_id.is_not(None))
        assert db.session.execute(asked).all() == [("suppressed", "already_acted")]
        record = db.session.scalars(select(Escalation).where(Escalation.id == case)).one()
        steps = schedule.schedule_of(record, march(2, 14))
    line = next(one for one in steps["sent"] if one["clock"] == "acknowledge")
    assert (line["step"], line["outcome"], line["reason"]) == ("75%", "suppressed", "already_acted")
    assert [one for one in steps["upcoming"] if one["held_until"]] == []


@pytest.mark.parametrize("wishes", [{"quiet_hours": ALWAYS}, {"digest": {"at": "08:00"}}])
def test_a_merge_takes_back_what_is_held_of_the_merged_case(
    tenant: TestTenant, company: Company, raise_at: Callable[..., UUID], wishes: dict[str, Any]
) -> None:
    survivor, loser = raise_at(2), raise_at(2, NOW + timedelta(minutes=1))
    wish(company.owner, **wishes)
    sweep_tenant(tenant.id, now=march(2, 13, 1))
    with transaction():
        service.merge(loser, act=Act(actor_of(company.manager), march(2, 13, 30)), into_id=survivor, reason="same")
    with transaction():
        asked = select(Intent.escalation_id, Intent.state, Intent.reason).where(Intent.clock_id.is_not(None))
        found = {tuple(row) for row in db.session.execute(asked)}
    assert found == {(survivor, "pending", None), (loser, "suppressed", "merged")}


def test_an_account_that_is_gone_is_told_in_the_digest(
    tenant: TestTenant, company: Company, raise_at: Callable[..., UUID]
) -> None:
    raise_at(2)
    wish(company.owner, digest={"at": "08:00"})
    with transaction():
        gone = {"gone_at": march(2, 11), "version": Account.version + 1}
        db.session.execute(update(Account).where(Account.id == UUID(company.account_id)).values(gone))
    reprioritise_tenant(tenant.id, march(2, 12))
    assert told(company.owner, "account_gone") == [("account_gone", march(3, 8), "digest")]


def test_preferences_cost_a_batch_one_statement(
    tenant: TestTenant, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    make_due(tenant, 40)
    wish(tenant.admin, digest={"at": "08:00"})
    with statements() as sent:
        sweep_batch(tenant.id, DUE)
    assert len([one for one in sent if "from preference" in one]) == 1
    assert len(sent) <= 9, sent


def test_preferences_cost_a_raise_one_statement_and_it_stays_within_sixteen(
    company: Company, raise_case: Callable[..., Any], statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    wish(company.owner, digest={"at": "08:00"})
    raise_case()
    with statements() as sent:
        raise_case()
    assert len([one for one in sent if "from preference" in one]) == 1
    assert len(sent) <= 16, sent


def reminders(kind: str) -> list[tuple[str, str, str | None]]:
    """(to whom, state, reason) of what was written about clocks of this kind, in order of addresses."""
    with transaction():
        asked = select(Intent.address, Intent.state, Intent.reason).join(Clock, Clock.id == Intent.clock_id)
        found = db.session.execute(asked.where(Clock.kind == kind).order_by(Intent.address, Intent.id))
        return [(row.address.partition("@")[0], row.state, row.reason) for row in found]


HALFWAY = march(17)  # of the thirty days from the 2nd: the owner is told


@pytest.mark.parametrize("wishes", [{"quiet_hours": ALWAYS}, {"digest": {"at": "08:00"}}])
def test_a_held_reminder_is_taken_back_when_its_due_time_is_extended(
    tenant: TestTenant, company: Company, raise_at: Callable[..., UUID], wishes: dict[str, Any]
) -> None:
    case = raise_at(3)
    wish(company.owner, **wishes)
    sweep_tenant(tenant.id, now=HALFWAY)
    assert reminders("close") == [("owner", "pending", None)]
    extension = service.Extension(until=datetime(2026, 4, 20, 10, tzinfo=UTC), reason="Parts", customer_agreed=True)
    with transaction():
        service.extend(case, act=Act(actor_of(company.manager), march(17, 11)), extension=extension)
    assert reminders("close") == [("owner", "suppressed", "already_acted")]
    acknowledge = [state for _, state, _ in reminders("acknowledge")]
    assert acknowledge
    assert set(acknowledge) == {"pending"}  # whose due time is as it was


def test_a_held_reminder_is_taken_back_when_its_clock_stands_still(
    tenant: TestTenant, company: Company, raise_at: Callable[..., UUID]
) -> None:
    """Work is to show within five business days of Mon 2 at 10: three quarters pass on Thu 5 at 16."""
    case = raise_at(3)
    wish(company.owner, quiet_hours=ALWAYS)
    with transaction():
        service.acknowledge(case, act=Act(actor_of(company.owner), march(2)))
    sweep_tenant(tenant.id, now=march(5, 16))
    assert reminders("still_on_it") == [("owner", "pending", None)]
    with transaction():
        waiting = service.Wait("customer", "logs", march(10).date())
        service.wait(case, act=Act(tenant.actor, march(5, 16, 30)), on=waiting)
    assert reminders("still_on_it") == [("owner", "suppressed", "already_acted")]


def test_a_held_reminder_of_a_task_is_taken_back_when_the_task_is_put_off(
    tenant: TestTenant, company: Company, raise_at: Callable[..., UUID]
) -> None:
    case = raise_at(3)
    wish(company.owner, quiet_hours=ALWAYS)
    act = Act(actor_of(company.owner), march(2, 12))
    with transaction():
        task = service.add_task(case, act=act, new=service.NewTask("Call", due_at=march(4, 12)))
    sweep_tenant(tenant.id, now=march(3, 16))
    assert reminders("task") == [("owner", "pending", None)]
    with transaction():
        later = {"changes": {"due_at": march(6, 12)}, "check": lambda found: None}
        service.change_task(case, task.id, act=Act(actor_of(company.owner), march(3, 16, 30)), **later)
    assert reminders("task") == [("owner", "suppressed", "already_acted")]


@pytest.mark.parametrize("wishes", [{"quiet_hours": ALWAYS}, {"digest": {"at": "08:00"}}])
def test_a_held_reminder_to_the_owner_is_taken_back_when_the_case_has_another(
    tenant: TestTenant, company: Company, raise_at: Callable[..., UUID], wishes: dict[str, Any]
) -> None:
    case = raise_at(3)
    other = raise_at(3)
    wish(company.owner, **wishes)
    sweep_tenant(tenant.id, now=HALFWAY)
    with transaction():
        to = service.NewOwner(owner_id=company.csm.id)
        service.assign(case, act=Act(actor_of(company.manager), march(17, 11)), to=to, reason="Knows it")
    with transaction():
        asked = select(Intent.escalation_id, Intent.state, Intent.reason).join(Clock, Clock.id == Intent.clock_id)
        found = {tuple(row) for row in db.session.execute(asked.where(Clock.kind == "close"))}
    assert found == {(case, "suppressed", "already_acted"), (other, "pending", None)}


def test_of_a_new_owner_those_told_in_another_role_keep_what_they_were_to_be_told(
    tenant: TestTenant, company: Company, raise_at: Callable[..., UUID]
) -> None:
    """Seven days before due the owner and the CSM are told; one day before, the account owner as well."""
    case = raise_at(3)
    for user in (company.owner, company.csm, company.manager):
        wish(user, quiet_hours=ALWAYS)
    sweep_tenant(tenant.id, now=march(25))
    assert reminders("close") == [("csm", "pending", None), ("owner", "pending", None)]
    with transaction():
        to = service.NewOwner(owner_id=company.boss.id)
        service.assign(case, act=Act(actor_of(company.manager), march(25, 11)), to=to, reason="Knows it")
    assert reminders("close") == [("csm", "pending", None), ("owner", "suppressed", "already_acted")]


def test_the_account_owner_still_hears_what_they_were_told_as_such(
    tenant: TestTenant, company: Company, raise_at: Callable[..., UUID]
) -> None:
    """Of severity 3 even the breach of close waits; at 0 the company's owner is told as owner and account owner."""
    case = raise_at(3)
    wish(company.owner, quiet_hours=ALWAYS)
    sweep_tenant(tenant.id, now=datetime(2026, 4, 1, 10, tzinfo=UTC))
    with transaction():
        to = service.NewOwner(owner_id=company.csm.id)
        act = Act(actor_of(company.manager), datetime(2026, 4, 1, 11, tzinfo=UTC))
        service.assign(case, act=act, to=to, reason="Knows it")
    assert [one for one in reminders("close") if one[0] == "owner"] == [("owner", "pending", None)]


def test_who_was_told_in_the_old_owners_place_has_it_taken_back_as_well(
    tenant: TestTenant, company: Company, raise_at: Callable[..., UUID], make_user: Callable[..., User]
) -> None:
    case, stand_in = raise_at(3), make_user("csm", "stand-in@example.com")
    wish(stand_in, quiet_hours=ALWAYS)
    with transaction():
        away = {"starts_at": march(16), "ends_at": march(20), "delegate_email": stand_in.email}
        routing.add_absence(company.owner.id, **away, actor=tenant.actor, now=march(11))
    sweep_tenant(tenant.id, now=HALFWAY)
    assert reminders("close") == [("stand-in", "pending", None)]
    with transaction():
        to = service.NewOwner(owner_id=company.csm.id)
        service.assign(case, act=Act(actor_of(company.manager), march(17, 11)), to=to, reason="Knows it")
    assert reminders("close") == [("stand-in", "suppressed", "already_acted")]
