"""What else time brings about: waits that end, priorities kept current, timelines sealed, tenants in turn."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from app import clock
from app.accounts import service as accounts
from app.accounts.models import Account
from app.auth.models import User
from app.db import db, transaction
from app.escalations import jobs, seals
from app.escalations.course_models import Snapshot
from app.escalations.models import Escalation
from app.escalations.timeline_models import Event, TimelineSeal
from app.notifications.models import Intent
from app.routing import service as routing
from app.sla.models import StepLog
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]
DAY = timedelta(days=1)


def record(case: dict[str, Any]) -> Escalation:
    with transaction():
        return db.session.scalars(select(Escalation).where(Escalation.id == UUID(case["id"]))).one()


def act(client: ApiClient, case: dict[str, Any], action: str, **body: Any) -> None:
    answer = client.post(f"/api/v1/escalations/{case['id']}/{action}", json=body)
    assert answer.status_code == 200, answer.text


def test_a_wait_ends_by_itself_at_the_first_opening_of_its_day(
    tenant: TestTenant, client: ApiClient, raise_case: Raise
) -> None:
    case = raise_case()
    act(client, case, "acknowledge")
    today = clock.now()
    monday = (today + (7 - today.weekday()) * DAY).date()
    act(client, case, "wait", party="customer", reason="logs", resume_on=monday.isoformat())
    wake_at = record(case).wake_at
    assert wake_at is not None
    assert (wake_at.date(), wake_at.hour) == (monday, 9)
    with transaction():
        moments = [jobs.next_moment(after=wake_at - timedelta(seconds=1)), jobs.next_moment()]
    assert moments[0] == wake_at
    assert jobs.wake_waiting_tenant(tenant.id, wake_at - timedelta(seconds=1)) == 0
    assert jobs.wake_waiting_tenant(tenant.id, wake_at) == 1
    assert record(case).status == "in_progress"
    assert jobs.wake_waiting_tenant(tenant.id, wake_at) == 0


def test_every_tenants_due_steps_are_found_by_its_own_time(
    tenant: TestTenant, client: ApiClient, raise_case: Raise
) -> None:
    """The tenant's time stands a week ahead of the machine's: its acknowledgement is long overdue there."""
    case = raise_case()
    with transaction():
        db.session.execute(text("update tenant set clock_offset = interval '8 days' where id = :id"), {"id": tenant.id})
    assert jobs.sweep(seconds=300) >= 1  # tenants of other tests have their turn before it
    with transaction():
        told = db.session.scalars(select(StepLog).where(StepLog.escalation_id == UUID(case["id"]))).all()
    assert {line.kind for line in told} == {"acknowledge"}


def test_a_changed_account_moves_value_and_priority_with_a_snapshot_as_of_the_change(
    tenant: TestTenant, raise_case: Raise
) -> None:
    case = raise_case()
    before = record(case)
    changed_at = clock.now() + timedelta(hours=1)
    with transaction():
        accounts.upsert_contract("crm", "A-1", "K-1", {"arr": "480000.00"}, now=changed_at)
        accounts.upsert_account("crm", "A-1", {"health": 0}, now=changed_at)
    later = changed_at + timedelta(minutes=5)
    assert jobs.reprioritise_tenant(tenant.id, later) == 1
    after = record(case)
    assert (str(before.value_amount), str(after.value_amount)) == ("120000.00", "480000.00")
    # health 40 → 0 is four of its ten points
    assert after.priority_parts["health"] - before.priority_parts["health"] == pytest.approx(4)
    assert after.version == before.version
    with transaction():
        taken = db.session.scalars(select(Snapshot).where(Snapshot.cause == "account")).one()
    assert (taken.at, taken.recorded_at, str(taken.value_amount)) == (changed_at, later, "480000.00")
    assert jobs.reprioritise_tenant(tenant.id, later) == 0


def test_priority_follows_age_once_a_day_and_a_change_of_five_points_is_noted(
    tenant: TestTenant, client: ApiClient, raise_case: Raise
) -> None:
    case = raise_case()
    before = record(case)
    assert jobs.reprioritise_tenant(tenant.id) == 0
    halfway = before.raised_at + 15 * DAY
    assert jobs.reprioritise_tenant(tenant.id, halfway) == 1
    after = record(case)
    assert after.priority_parts["age"] == pytest.approx(7.5)  # half of its fifteen points
    with transaction():
        noted = db.session.scalars(select(Event).where(Event.kind == "priority")).all()
    assert len(noted) == 1
    assert client.get(f"/api/v1/escalations/{case['id']}/timeline/verify").json["intact"] is True


def test_owner_and_account_owners_manager_hear_once_that_an_account_is_gone(
    tenant: TestTenant, raise_case: Raise, company: Company
) -> None:
    case = raise_case()
    for _ in range(2):
        with transaction():
            gone = {"gone_at": clock.now(), "version": Account.version + 1}
            db.session.execute(update(Account).where(Account.id == UUID(company.account_id)).values(gone))
        jobs.reprioritise_tenant(tenant.id)
        with transaction():
            gone_at = db.session.scalar(select(Account.gone_at))
            db.session.execute(update(Account).values(gone_at=gone_at))
    with transaction():
        told = db.session.scalars(select(Intent.user_id).where(Intent.kind == "account_gone")).all()
    assert set(told) == {company.owner.id, company.manager.id}
    assert str(record(case).value_amount) == "120000.00"


def test_who_stands_in_for_the_owner_hears_that_an_account_is_gone(
    tenant: TestTenant, raise_case: Raise, company: Company, make_user: Callable[..., User]
) -> None:
    raise_case()
    helper, now = make_user("csm", "helper@example.com"), clock.now()
    with transaction():
        span = {"starts_at": now, "ends_at": now + DAY, "delegate_email": helper.email}
        routing.add_absence(company.owner.id, **span, actor=tenant.actor, now=now)
        gone = {"gone_at": now, "version": Account.version + 1}
        db.session.execute(update(Account).where(Account.id == UUID(company.account_id)).values(gone))
    jobs.reprioritise_tenant(tenant.id)
    with transaction():
        told = db.session.scalars(select(Intent).where(Intent.kind == "account_gone")).all()
    assert {one.user_id: one.why for one in told} == {
        company.owner.id: "You get this because you are its owner.",
        company.manager.id: "You get this because you are the manager of the account's owner.",
        helper.id: "You get this in place of Owner, who is absent and is its owner.",
    }


def test_a_day_has_one_signed_list_of_what_changed_since_the_last(
    tenant: TestTenant, client: ApiClient, raise_case: Raise
) -> None:
    case, other = raise_case(), raise_case(title="Another")
    assert jobs.seal_timelines_tenant(tenant.id)
    assert not jobs.seal_timelines_tenant(tenant.id)
    with transaction():
        sealed = db.session.scalars(select(TimelineSeal)).one()
    assert {entry[0] for entry in sealed.entries} == {case["id"], other["id"]}
    act(client, case, "acknowledge")
    verified = client.get(f"/api/v1/escalations/{case['id']}/timeline/verify").json
    assert (verified["intact"], verified["first_fault"]) == (True, None)


def test_a_tail_that_was_signed_and_is_missing_shows(tenant: TestTenant, raise_case: Raise) -> None:
    case = raise_case()
    kept = record(case)
    with transaction():
        entries = [[case["id"], kept.event_count + 1, "00" * 32]]
        today = clock.now().date()
        signature = seals.sign_list(today, entries)
        db.session.add(TimelineSeal(sealed_on=today, sealed_at=clock.now(), entries=entries, signature=signature))
    with transaction():
        found = seals.verify(record_in_scope(case))
    assert not found["intact"]
    assert "signed on" in found["first_fault"]["detail"]


def record_in_scope(case: dict[str, Any]) -> Escalation:
    return db.session.scalars(select(Escalation).where(Escalation.id == UUID(case["id"]))).one()


def test_a_signed_list_that_was_changed_shows(tenant: TestTenant, raise_case: Raise) -> None:
    case = raise_case()
    with transaction():
        kept = record_in_scope(case)
        entries = [[case["id"], kept.event_count, kept.event_hash.hex()]]
        today = clock.now().date()
        db.session.add(TimelineSeal(sealed_on=today, sealed_at=clock.now(), entries=entries, signature=b"forged"))
    with transaction():
        found = seals.verify(record_in_scope(case))
    assert "was changed" in found["first_fault"]["detail"]
