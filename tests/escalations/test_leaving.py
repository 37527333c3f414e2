"""Colleagues who are deactivated: what they held is moved, named as such, and nothing of it is lost."""

from collections.abc import Callable
from time import sleep
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import ProgrammingError

from app import queue
from app.auth.models import User
from app.db import db, finding, transaction
from app.escalations import jobs, moving
from app.escalations.models import Escalation
from app.escalations.timeline_models import Event
from app.operations import daily
from app.operations.rq_worker import TimeLimit
from app.playbooks.models import Task
from app.routing.models import Absence
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.test_moving import Away, Raise, act, away, messages, moves, owner_of

__all__ = ["away"]
Make = Callable[..., User]


@pytest.fixture
def nothing_else_to_move(as_superuser: Callable[[str], None]) -> None:
    """What earlier tests' tenants left to move would be counted, and would take of a run's time."""
    as_superuser('update "user" set leaving = false where leaving')
    as_superuser("update absence set next_at = null where next_at is not null")


def leave(client: ApiClient, user: User, **changes: Any) -> int:
    path = f"/api/v1/users/{user.id}"
    answer = client.patch(path, json=changes or {"active": False}, if_match=client.get(path).headers["ETag"])
    return answer.status_code


def is_leaving(user: User) -> bool | None:
    with transaction():
        return db.session.scalar(select(User.leaving).where(User.id == user.id))


def test_open_work_of_who_left_is_routed_afresh_and_the_timeline_says_why(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise
) -> None:
    """The account's owner is gone, so the duty owner, the admin, has it."""
    case, closed = raise_case(), raise_case()
    act(client, closed, "close-unresolved", outcome="withdrawn", reason="No longer needed")
    assert leave(client, company.owner) == 200
    assert is_leaving(company.owner) is True
    jobs.move_work()
    assert (owner_of(case), owner_of(closed)) == (tenant.admin.id, company.owner.id)
    assert moves(case)[-1] == ("deactivation", "Owner was deactivated.")
    assert is_leaving(company.owner) is False
    assert "Why now: Owner was deactivated." in messages(tenant.admin, "assigned")[-1].body
    assert jobs.move_work_tenant(tenant.id) == 0


def test_what_a_delegate_holds_goes_on_when_the_delegate_leaves_and_stays_on_the_list(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, away: Away
) -> None:
    case = raise_case()
    absence = away(company.owner, company.csm)
    jobs.move_work_tenant(tenant.id)
    assert owner_of(case) == company.csm.id
    leave(client, company.csm)
    jobs.move_work_tenant(tenant.id)
    assert owner_of(case) == tenant.admin.id
    path = f"/api/v1/users/{company.owner.id}/absences/{absence['id']}"
    assert [one["owner"]["id"] for one in client.get(f"{path}/hand-back").json["items"]] == [str(tenant.admin.id)]
    assert client.delete(path).status_code == 204
    assert client.post(f"{path}/hand-back", json={}).json["escalation_ids"] == [case["id"]]


def test_who_leaves_while_away_is_not_stood_in_for(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, away: Away
) -> None:
    case = raise_case()
    away(company.owner, company.csm, mode="cover")
    leave(client, company.owner)
    jobs.move_work_tenant(tenant.id)
    assert owner_of(case) == tenant.admin.id
    assert moves(case)[-1][0] == "deactivation"


def test_tasks_in_the_name_of_who_left_go_to_the_cases_owner_who_is_told(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise
) -> None:
    case = raise_case()
    act(client, case, "tasks", title="Read the logs", assignee_email=company.csm.email)
    leave(client, company.csm)
    assert jobs.move_work_tenant(tenant.id) == 1
    with transaction():
        task = db.session.scalars(select(Task).where(Task.kind == "manual")).one()
        event = db.session.scalars(select(Event).where(Event.kind == "task")).one()
    assert (task.assignee_id, task.role) == (company.owner.id, "owner")
    assert (event.facts["was"], event.facts["assignee"], event.facts["cause"]) == (
        str(company.csm.id),
        str(company.owner.id),
        "deactivation",
    )
    assert messages(company.owner, "task")[-1].body == "Read the logs. Csm was deactivated."


def test_the_decision_that_a_manager_was_asked_for_is_asked_of_the_next_and_never_of_the_owner(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise
) -> None:
    case = raise_case()
    act(client, case, "acknowledge")
    act(client, case, "escalate", reason="options_exhausted", brief="Tried all", to_tier="management")
    with transaction():
        assert db.session.scalars(select(Task.assignee_id).where(Task.kind == "decision")).all() == [company.manager.id]
    leave(client, company.manager)
    jobs.move_work_tenant(tenant.id)
    with transaction():
        task = db.session.scalars(select(Task).where(Task.kind == "decision")).one()
    assert (task.assignee_id, task.role) == (tenant.admin.id, "owner_manager")


def test_a_customers_message_on_a_closed_case_of_who_left_reaches_their_manager(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise
) -> None:
    case = raise_case()
    act(client, case, "close-unresolved", outcome="withdrawn", reason="No longer needed")
    leave(client, company.owner)
    jobs.move_work_tenant(tenant.id)
    act(client, case, "messages", **{"from": "jo@globex.example", "channel": "email", "text": "Again!"})
    daily.run_due_tenant(tenant.id)
    jobs.move_work_tenant(tenant.id)
    with transaction():
        task = db.session.scalars(select(Task).where(Task.kind == "customer_message")).one()
    assert task.assignee_id == company.manager.id
    assert len(messages(company.manager, "task")) == 1


def test_whoever_was_taken_back_before_the_job_came_keeps_their_work(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise
) -> None:
    case = raise_case()
    leave(client, company.owner)
    leave(client, company.owner, active=True)
    assert is_leaving(company.owner) is False
    jobs.move_work_tenant(tenant.id)
    assert owner_of(case) == company.owner.id


def test_who_becomes_an_integration_holds_nothing_any_more(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise
) -> None:
    case = raise_case()
    leave(client, company.owner, role="integration")
    jobs.move_work_tenant(tenant.id)
    assert owner_of(case) == tenant.admin.id


def test_who_is_on_duty_cannot_be_deactivated(tenant: TestTenant, client: ApiClient) -> None:
    assert leave(client, tenant.admin) == 409
    assert is_leaving(tenant.admin) is False


def test_work_given_in_the_moment_somebody_left_is_found_the_next_day(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise
) -> None:
    case = raise_case()
    with transaction():
        db.session.execute(update(User).where(User.id == company.owner.id).values(active=False))
    assert jobs.move_work_tenant(tenant.id) == 0
    daily.run_due_tenant(tenant.id)
    assert jobs.move_work_tenant(tenant.id) == 1
    assert owner_of(case) == tenant.admin.id


def test_one_case_that_cannot_be_moved_keeps_who_left_in_sight(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise
) -> None:
    broken, other = raise_case(), raise_case()
    with transaction():
        zone = update(Escalation).where(Escalation.id == UUID(broken["id"]))
        db.session.execute(zone.values(zone="Mars/Olympus"))
    leave(client, company.owner)
    assert jobs.move_work_tenant(tenant.id) == 1
    assert (owner_of(other), is_leaving(company.owner)) == (tenant.admin.id, True)
    with transaction():
        db.session.execute(zone.values(zone="UTC"))
    assert jobs.move_work_tenant(tenant.id) == 1
    assert is_leaving(company.owner) is False


@pytest.mark.parametrize("capacity", [0, 24])
def test_a_team_whose_lead_left_and_whose_members_have_no_room_still_finds_an_owner(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, make_user: Make, capacity: int
) -> None:
    """The team's only other member takes it within capacity; with none, the lead is gone and the duty owner has it."""
    member, lead = make_user("specialist"), make_user("manager")
    team = client.post("/api/v1/teams", json={"name": "Support", "lead_email": lead.email}).json
    for user, room in ((company.owner, 24), (member, capacity)):
        client.put(f"/api/v1/teams/{team['id']}/members/{user.id}", json={"capacity": room}, if_match="*")
    rule = {"name": "team", "when": {"all": []}, "target": {"kind": "team", "team": "Support"}}
    policy = client.get("/api/v1/routing/policy")
    saved = client.put("/api/v1/routing/policy", json={"rules": [rule]}, if_match=policy.headers["ETag"])
    client.post("/api/v1/routing/policy/publish", json={"number": saved.json["draft"]["number"]})
    case = raise_case()
    leave(client, lead)
    leave(client, company.owner)
    jobs.move_work_tenant(tenant.id)
    assert owner_of(case) == (tenant.admin.id if capacity == 0 else member.id)


def test_the_finder_sees_of_users_and_absences_only_that_there_is_work(
    tenant: TestTenant, client: ApiClient, company: Company, away: Away
) -> None:
    away(company.csm, company.boss, mode="cover")
    away(company.boss)
    leave(client, company.manager)
    with finding() as session:
        users = session.scalars(text('select tenant_id from "user"')).all()
        absences = session.scalars(text("select tenant_id from absence")).all()
    assert (users.count(tenant.id), absences.count(tenant.id)) == (1, 1)
    with finding() as session, pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text('select email from "user"'))
    with transaction():
        assert len(db.session.scalars(select(Absence)).all()) == 2


@pytest.mark.usefixtures("nothing_else_to_move")
def test_more_cases_than_a_page_are_moved_page_by_page(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of them can't be moved, and is passed by."""
    cases = [raise_case() for _ in range(4)]
    with transaction():
        db.session.execute(update(Escalation).where(Escalation.id == UUID(cases[1]["id"])).values(zone="Mars/Olympus"))
    leave(client, company.owner)
    monkeypatch.setattr(moving, "PAGE", 1)
    assert jobs.move_work() == 3
    assert [owner_of(case) == tenant.admin.id for case in cases] == [True, False, True, True]
    assert is_leaving(company.owner) is True


@pytest.mark.usefixtures("nothing_else_to_move")
def test_when_the_time_is_up_the_rest_is_left_to_the_next_run(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each case takes a second; a run of 0.8 seconds moves one of three."""
    for _ in range(3):
        raise_case()
    leave(client, company.owner)
    move = moving.move_for_leaver

    def slowly(*args: Any, **kwargs: Any) -> bool:
        sleep(1)
        return move(*args, **kwargs)

    monkeypatch.setattr(moving, "move_for_leaver", slowly)
    first = jobs.move_work(0.8)
    assert (first, is_leaving(company.owner)) == (1, True)
    assert jobs.move_work() == 2
    assert is_leaving(company.owner) is False


@pytest.mark.usefixtures("nothing_else_to_move")
def test_a_job_whose_time_is_up_ends_and_takes_no_case_for_broken(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [raise_case() for _ in range(2)]
    leave(client, company.owner)
    with monkeypatch.context() as slow:
        slow.setattr(moving, "move_for_leaver", lambda *args, **kwargs: sleep(30))
        with pytest.raises(queue.OutOfTime), TimeLimit(1):
            jobs.move_work()
    assert jobs.move_work() == 2
    assert {owner_of(case) for case in cases} == {tenant.admin.id}
