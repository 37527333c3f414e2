"""Who is away when a step fires: whom their delegates are, what they are told, and what the log says of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.auth.models import User
from app.db import db, transaction
from app.escalations.audience import Audience
from app.escalations.models import Watcher
from app.escalations.sweep import sweep_batch
from app.notifications.models import Intent
from app.routing import service as routing
from app.routing.models import Absence
from app.sla.models import StepLog
from tests import NOW
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.due_rows import DUE, make_due
from tests.escalations.test_sweep import Watched, april, march

Make = Callable[..., User]
Away = Callable[..., None]
LATER = april(30)


@pytest.fixture
def away(tenant: TestTenant) -> Away:
    """`away(user, delegate)`: absent in the whole of March and April 2026, or between the moments given."""

    def add(user: User, delegate: User | None = None, start: datetime = NOW, end: datetime = LATER) -> None:
        with transaction():
            routing.add_absence(
                user.id,
                starts_at=start,
                ends_at=end,
                delegate_email=delegate.email if delegate else None,
                actor=tenant.actor,
                now=NOW,
            )

    return add


@pytest.fixture
def watched(tenant: TestTenant, company: Company) -> Watched:
    """Raised before anybody is away, so that the account owner has it."""
    return Watched(tenant, company)


def message_to(watched: Watched, user: User, kind: str) -> Intent:
    [message] = [one for one in watched.messages(kind) if one.user_id == user.id]
    return message


def delegations(watched: Watched, kind: str) -> dict[str, str | None]:
    """Who was absent, and who was told in their place."""
    with transaction():
        asked = (StepLog.escalation_id == watched.id, StepLog.kind == kind, StepLog.reason == "absent")
        lines = db.session.scalars(select(StepLog).where(*asked)).all()
    return {watched.name(line.recipient): line.delegate_id and watched.name(str(line.delegate_id)) for line in lines}


def test_the_delegate_is_told_in_the_absent_owners_place_and_the_log_names_both(
    watched: Watched, company: Company, away: Away
) -> None:
    away(company.owner, company.csm)
    watched.sweep(march(2, 13))
    assert watched.log("acknowledge") == [(march(2, 13), "75%", "csm")]
    assert watched.log("acknowledge", "suppressed") == [(march(2, 13), "75%", "owner")]
    assert delegations(watched, "acknowledge") == {"owner": "csm"}
    why = message_to(watched, company.csm, "acknowledge").why
    assert why == "You get this in place of Owner, who is absent and is its owner."


def test_who_is_told_for_themselves_and_for_others_gets_one_message_that_says_so(
    watched: Watched, company: Company, away: Away
) -> None:
    """At 0 the close ladder names owner, CSM, manager, account owner (the owner here) and sponsor."""
    away(company.owner, company.csm)
    away(company.manager, company.csm)
    watched.sweep(april(1))
    assert [who for _, step, who in watched.log("close") if step == "0"] == ["boss", "csm"]
    message = message_to(watched, company.csm, "close")
    assert message.why == (
        "You get this because you are the account's CSM, and in place of Owner, who is absent and is its owner and the "
        "account owner, and in place of Manager, who is absent and is the owner's manager."
    )
    with transaction():
        asked = (StepLog.recipient == str(company.csm.id), StepLog.kind == "close", StepLog.step == "0")
        assert db.session.scalars(select(StepLog).where(*asked)).one().roles == [
            "csm",
            "owner",
            "account_owner",
            "owner_manager",
        ]


def test_a_chain_of_delegates_is_followed_to_its_first_present_one(
    watched: Watched, company: Company, away: Away
) -> None:
    away(company.owner, company.csm)
    away(company.csm, company.boss)
    watched.sweep(march(2, 13))
    assert watched.log("acknowledge") == [(march(2, 13), "75%", "boss")]
    assert delegations(watched, "acknowledge") == {"owner": "boss"}


def test_a_chain_that_loops_or_ends_yields_nobody_and_the_manager_is_told(
    watched: Watched, company: Company, away: Away
) -> None:
    """Nobody can say a circle; one that stands in the rows all the same harms nobody."""
    away(company.owner, company.csm)
    away(company.csm)
    with transaction():
        circle = update(Absence).where(Absence.user_id == company.csm.id).values(delegate_id=company.owner.id)
        db.session.execute(circle.execution_options(synchronize_session=False))
    watched.sweep(march(2, 13))
    assert watched.log("acknowledge") == [(march(2, 13), "75%", "manager")]
    assert delegations(watched, "acknowledge") == {"owner": None}
    assert message_to(watched, company.manager, "acknowledge").why == (
        "You get this because you are the owner's manager."
    )


def test_with_nobody_reached_the_managers_delegate_and_then_who_is_on_duty_is_told(
    watched: Watched, company: Company, away: Away
) -> None:
    away(company.owner)
    away(company.manager, company.boss, end=march(2, 14))
    watched.sweep(march(2, 13))
    assert watched.log("acknowledge") == [(march(2, 13), "75%", "boss")]
    away(company.manager, start=march(2, 14))
    watched.sweep(march(2, 14))
    assert watched.log("acknowledge")[1:] == [(march(2, 14), "0", "admin")]


def test_a_delegate_who_left_or_whom_the_case_is_about_hears_nothing(
    tenant: TestTenant, company: Company, away: Away
) -> None:
    watched = Watched(tenant, company)
    about_csm = Watched(tenant, company)
    about_csm.id = about_csm.raise_case(about_user=company.csm.email)
    away(company.owner, company.csm)
    about_csm.sweep(march(2, 13))
    assert about_csm.log("acknowledge") == [(march(2, 13), "75%", "manager")]
    assert delegations(about_csm, "acknowledge") == {"owner": None}
    assert watched.log("acknowledge") == [(march(2, 13), "75%", "csm")]
    with transaction():
        db.session.execute(update(User).where(User.id == company.csm.id).values(active=False))
    watched.sweep(march(2, 14))
    assert [who for _, step, who in watched.log("acknowledge") if step == "0"] == ["manager"]


def test_before_and_after_an_absence_the_owner_is_told(watched: Watched, company: Company, away: Away) -> None:
    """Half-open: absent from the moment of the first step until before the second."""
    away(company.owner, company.csm, start=march(2, 13), end=march(2, 14))
    watched.sweep(march(2, 13))
    watched.sweep(march(2, 14))
    told = [(step, who) for _, step, who in watched.log("acknowledge")]
    assert told == [("75%", "csm"), ("0", "manager"), ("0", "owner")]


@pytest.mark.parametrize(("restricted", "told"), [(False, {"owner", "boss"}), (True, {"owner"})])
def test_a_watchers_delegate_is_told_but_not_of_a_restricted_case(
    watched: Watched, company: Company, away: Away, restricted: bool, told: set[str]
) -> None:
    """Who stands in for the owner must see the case; watching is the watcher's own."""
    watched.id = watched.raise_case(restricted=restricted)
    away(company.csm, company.boss)
    with transaction():
        db.session.add(Watcher(escalation_id=watched.id, user_id=company.csm.id))
        db.session.flush()
        reached = Audience([watched.id], ["owner", "watchers"], now=NOW).resolve(watched.id, ["owner", "watchers"])
    assert {watched.names[id_] for id_ in reached.told} == told
    assert {watched.names[id_]: reason for id_, reason in reached.passed_by.items()} == {"csm": "absent"}


def test_the_schedule_names_who_would_be_told_now_and_who_was_told_for_whom(
    tenant: TestTenant, client: ApiClient, raise_case: Callable[..., dict[str, Any]], company: Company
) -> None:
    case = raise_case()
    now = datetime.fromisoformat(case["raised_at"])
    absence = {"starts_at": now.isoformat(), "ends_at": (now + timedelta(days=60)).isoformat()}
    body = {**absence, "delegate_email": company.csm.email}
    assert client.post(f"/api/v1/users/{company.owner.id}/absences", json=body).status_code == 201
    path = f"/api/v1/escalations/{case['id']}/schedule"
    coming = [one for one in client.get(path).json["upcoming"] if one["clock"] == "acknowledge"]
    assert [one["recipients"] for one in coming[:2]] == [
        ["csm@example.com"],
        ["csm@example.com", "manager@example.com"],
    ]
    watched = Watched.__new__(Watched)
    watched.tenant = tenant
    watched.sweep(datetime.fromisoformat(coming[0]["at"]))
    schedule = client.get(path).json
    sent = [(one["recipient"], one["outcome"], one["reason"], one["delegated_to"]) for one in schedule["sent"]]
    assert sent == [("owner@example.com", "suppressed", "absent", "csm@example.com")]
    held = [one["recipients"] for one in schedule["upcoming"] if one["held_until"]]
    assert held == [["csm@example.com"]]


def test_absences_cost_a_batch_no_statement_more(
    tenant: TestTenant, make_user: Make, away: Away, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    make_due(tenant, 10)
    away(tenant.admin, make_user("admin"))
    with statements() as sent:
        assert sweep_batch(tenant.id, DUE).fired == 50
    assert len(sent) <= 8, sent
