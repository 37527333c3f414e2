"""A restricted case is heard of by who may see it: owner, line above, who stands in for them, watchers and admins."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.accounts.models import Account
from app.auth import changes as settings
from app.auth import queries as users
from app.auth.models import User
from app.db import db, transaction
from app.errors import Invalid
from app.escalations import engine, service
from app.escalations.deciding import TITLE
from app.escalations.holders import EVENT
from app.escalations.jobs import reprioritise_tenant
from app.escalations.service import Act, NewEscalation
from app.escalations.sweep import sweep_tenant
from app.escalations.timeline_models import Event
from app.notifications.models import Intent
from app.playbooks.models import Task
from app.routing import service as routing
from tests import NOW
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.test_sweep import april, march

Make = Callable[..., User]


class Case:
    """A case of the company, and whom its messages went to."""

    def __init__(self, tenant: TestTenant, company: Company) -> None:
        self.tenant, self.company = tenant, company
        self.id = UUID(int=0)

    def raised(self, *, restricted: bool = True) -> "Case":
        new = NewEscalation(
            title="About the board", severity=2, account_id=UUID(self.company.account_id), restricted=restricted
        )
        with transaction():
            self.id = service.raise_escalation(new, act=Act(self.tenant.actor, NOW)).record.id
        return self

    def told(self, kind: str) -> list[str | None]:
        with transaction():
            asked = select(Intent.address).where(Intent.escalation_id == self.id, Intent.kind == kind)
            return sorted(db.session.scalars(asked), key=str)

    def ask_decision(self) -> str | None:
        """Management is asked to decide; who has the task."""
        with transaction():
            engine.ask_decision(self.id, now=march(3), reason="It stands still.")
            asked = select(User.email).join(Task, Task.assignee_id == User.id)
            return db.session.scalar(asked.where(Task.escalation_id == self.id, Task.kind == "decision"))


@pytest.fixture
def case(tenant: TestTenant, company: Company) -> Case:
    return Case(tenant, company)


@pytest.fixture
def away(tenant: TestTenant) -> Callable[..., None]:
    def add(user: User, delegate: User | None = None) -> None:
        span: dict[str, Any] = {"starts_at": NOW, "ends_at": april(30), "actor": tenant.actor, "now": NOW}
        with transaction():
            routing.add_absence(user.id, delegate_email=delegate.email if delegate else None, **span)

    return add


@pytest.fixture
def put_on_duty() -> Callable[[User], None]:
    def put(user: User) -> None:
        with transaction():
            settings.update_settings(users.get_tenant(lock=True), {"duty_owner_email": user.email})

    return put


@pytest.mark.parametrize(("restricted", "stranger"), [(False, ["helper@example.com"]), (True, [])])
def test_who_stands_in_for_an_absent_admin_hears_of_a_case_without_owner_but_not_of_a_restricted_one(
    case: Case, make_user: Make, away: Callable[..., None], restricted: bool, stranger: list[str]
) -> None:
    """The account owner and everybody else the rules name are away: the duty owner, an admin, has it."""
    helper, admin = make_user("specialist", "helper@example.com"), make_user("admin", "second@example.com")
    away(case.company.owner)
    away(admin, helper)
    case.raised(restricted=restricted)
    assert [one for one in case.told("assignment_failed") if one != case.tenant.admin.email] == sorted(
        [*stranger, "second@example.com"]
    )


def test_who_stands_in_for_the_owner_or_their_line_hears_of_a_restricted_case(
    case: Case, make_user: Make, away: Callable[..., None]
) -> None:
    first, second = make_user("specialist", "first@example.com"), make_user("specialist", "second@example.com")
    case.raised()
    away(case.company.owner, first)
    away(case.company.manager, second)
    assert case.ask_decision() == "manager@example.com"
    assert case.told("decision_asked") == [
        "first@example.com",
        "manager@example.com",
        "owner@example.com",
        "second@example.com",
    ]


@pytest.mark.parametrize(("restricted", "decider"), [(False, "duty@example.com"), (True, "admin")])
def test_who_is_on_duty_is_not_asked_to_decide_on_a_restricted_case(
    case: Case,
    make_user: Make,
    away: Callable[..., None],
    put_on_duty: Callable[[User], None],
    restricted: bool,
    decider: str,
) -> None:
    put_on_duty(make_user("specialist", "duty@example.com"))
    case.raised(restricted=restricted)
    away(case.company.manager)
    asked = case.ask_decision()
    assert asked == (case.tenant.admin.email if decider == "admin" else decider)
    assert case.told("decision_asked") == sorted([str(asked), "owner@example.com"])


def test_an_absent_admins_delegate_does_not_decide_on_a_restricted_case(
    case: Case, make_user: Make, away: Callable[..., None], put_on_duty: Callable[[User], None]
) -> None:
    """Both are away: the admin in person, though absent, before somebody who may not see it."""
    helper, admin = make_user("specialist", "helper@example.com"), make_user("admin", "aa@example.com")
    put_on_duty(admin)
    case.raised()
    away(case.company.manager)
    away(admin, helper)
    assert case.ask_decision() == case.tenant.admin.email
    assert "helper@example.com" not in case.told("decision_asked")


@pytest.mark.parametrize(("restricted", "heard"), [(False, "duty@example.com"), (True, "admin")])
def test_with_owner_and_manager_away_a_restricted_cases_reminder_goes_to_the_admins_not_to_who_is_on_duty(
    case: Case,
    make_user: Make,
    away: Callable[..., None],
    put_on_duty: Callable[[User], None],
    restricted: bool,
    heard: str,
) -> None:
    put_on_duty(make_user("specialist", "duty@example.com"))
    case.raised(restricted=restricted)
    away(case.company.owner)
    away(case.company.manager)
    sweep_tenant(case.tenant.id, now=march(2, 13))
    assert case.told("reminder") == [case.tenant.admin.email if heard == "admin" else heard]


@pytest.mark.parametrize(
    ("restricted", "heard"), [(False, ["above@example.com", "owner@example.com"]), (True, ["owner@example.com"])]
)
def test_of_an_account_that_is_gone_its_owners_manager_hears_unless_the_case_is_restricted_and_not_in_their_line(
    case: Case, make_user: Make, restricted: bool, heard: list[str]
) -> None:
    """The case stays with its owner; the account has been given to somebody of another line."""
    other = make_user("csm", "other@example.com", manager=make_user("manager", "above@example.com"))
    case.raised(restricted=restricted)
    with transaction():
        gone = {"gone_at": march(2, 11), "owner_email": other.email, "version": Account.version + 1}
        db.session.execute(update(Account).where(Account.id == UUID(case.company.account_id)).values(gone))
    reprioritise_tenant(case.tenant.id, march(2, 12))
    assert case.told("account_gone") == heard


def test_of_an_account_that_is_gone_the_line_above_hears_of_a_restricted_case(case: Case) -> None:
    case.raised()
    with transaction():
        gone = {"gone_at": march(2, 11), "version": Account.version + 1}
        db.session.execute(update(Account).where(Account.id == UUID(case.company.account_id)).values(gone))
    reprioritise_tenant(case.tenant.id, march(2, 12))
    assert case.told("account_gone") == ["manager@example.com", "owner@example.com"]


@pytest.mark.parametrize(("restricted", "asked"), [(False, "expert@example.com"), (True, "owner")])
def test_the_question_of_a_tier_stays_with_the_owner_of_a_restricted_case(
    case: Case, make_user: Make, restricted: bool, asked: str
) -> None:
    expert = make_user("specialist", "expert@example.com")
    with transaction():
        routing.upsert_team("Second line", tier="tier_2", members=[{"email": expert.email}], now=NOW)
    case.raised(restricted=restricted)
    with transaction():
        hop = service.Hop(reason="outside_expertise", brief="Tried everything of tier 1.")
        service.escalate(case.id, act=Act(case.tenant.actor, NOW), hop=hop)
    assert case.told("qualification") == [case.company.owner.email if asked == "owner" else asked]


@pytest.mark.parametrize(("role", "accepted"), [("specialist", False), ("admin", True)])
def test_a_task_of_a_restricted_case_goes_only_to_who_may_see_it(
    case: Case, make_user: Make, role: str, accepted: bool
) -> None:
    colleague = make_user(role, "colleague@example.com")
    case.raised()
    new = service.NewTask("Read the minutes", assignee_email=colleague.email)
    if not accepted:
        with transaction(), pytest.raises(Invalid) as refused:
            service.add_task(case.id, act=Act(case.tenant.actor, NOW), new=new)
        assert [error["pointer"] for error in refused.value.errors] == ["/assignee_email"]
        return
    with transaction():
        assert service.add_task(case.id, act=Act(case.tenant.actor, NOW), new=new).assignee_id == colleague.id


def given(case: Case, title: str) -> tuple[str | None, str]:
    """Who has a task, and as what."""
    with transaction():
        asked = select(User.email, Task.role).join(Task, Task.assignee_id == User.id)
        email, role = db.session.execute(asked.where(Task.escalation_id == case.id, Task.title == title)).one()
        return email, role


def heard(user: User) -> list[Intent]:
    with transaction():
        return list(db.session.scalars(select(Intent).where(Intent.user_id == user.id).order_by(Intent.id)))


def passed_on(case: Case) -> list[tuple[str, str, str]]:
    """(why, from, to) of each task the timeline says was passed on."""
    with transaction():
        facts = db.session.scalars(select(Event.facts).where(Event.escalation_id == case.id, Event.kind == EVENT))
        emails = {str(id_): email for id_, email in db.session.execute(select(User.id, User.email))}
        return [
            (one["because"], emails[task["was"]], emails[task["assignee"]]) for one in facts for task in one["tasks"]
        ]


def restrict(case: Case) -> None:
    with transaction():
        service.edit(case.id, act=Act(case.tenant.actor, march(2, 12)), changes={"restricted": True})


def test_tasks_in_the_name_of_who_may_not_see_a_case_that_becomes_restricted_are_its_owners(
    case: Case, make_user: Make
) -> None:
    """A task by hand and the question of a tier; the owner's manager, who may see it, keeps theirs."""
    expert, helper = make_user("specialist", "expert@example.com"), make_user("specialist", "helper@example.com")
    with transaction():
        routing.upsert_team("Second line", tier="tier_2", members=[{"email": expert.email}], now=NOW)
    case.raised(restricted=False)
    act, manager = Act(case.tenant.actor, NOW), case.company.manager
    with transaction():
        service.escalate(case.id, act=act, hop=service.Hop(reason="outside_expertise", brief="Tried everything."))
    with transaction():
        question = db.session.scalars(select(Task.title).where(Task.kind == "qualification")).all()[-1]
    for title, doer in (("Read the minutes", helper), ("Call the board", manager)):
        with transaction():
            service.add_task(case.id, act=act, new=service.NewTask(title, assignee_email=doer.email))
    assert [given(case, title) for title in (question, "Read the minutes")] == [
        ("expert@example.com", "tier"),
        ("helper@example.com", "assignee"),
    ]

    restrict(case)

    owner = case.company.owner.email
    assert given(case, question) == (owner, "owner")
    assert given(case, "Read the minutes") == (owner, "owner")
    assert given(case, "Call the board") == ("manager@example.com", "assignee")
    assert sorted(passed_on(case)) == [
        ("restricted", "expert@example.com", owner),
        ("restricted", "helper@example.com", owner),
    ]
    for loser in (expert, helper):
        last = heard(loser)[-1]
        assert (last.subject, last.escalation_id) == ("ESC-1: what you had to do there is no longer yours", None)
        told = f"{last.subject} {last.body} {last.why}"
        assert not [secret for secret in ("board", "Globex", "minutes", question) if secret in told]
    assert "Read the minutes" in heard(case.company.owner)[-1].body


def test_a_task_of_a_restricted_case_comes_to_its_new_owner_when_who_has_it_is_no_longer_in_the_line(
    case: Case, make_user: Make
) -> None:
    case.raised()
    act = Act(case.tenant.actor, NOW)
    with transaction():
        new = service.NewTask("Call the board", assignee_email=case.company.manager.email)
        service.add_task(case.id, act=act, new=new)
    other = make_user("csm", "other@example.com", manager=make_user("manager", "another@example.com"))
    with transaction():
        service.assign(case.id, act=act, to=service.NewOwner(owner_id=other.id), reason="Knows the board")
    assert given(case, "Call the board") == ("other@example.com", "owner")
    assert ("owner", "manager@example.com", "other@example.com") in passed_on(case)


def test_who_stops_watching_a_restricted_case_keeps_no_task_of_it(
    case: Case, make_user: Make, as_user: Callable[..., ApiClient]
) -> None:
    watcher = make_user("specialist", "watcher@example.com")
    case.raised(restricted=False)
    path = f"/api/v1/escalations/{case.id}/watch"
    assert as_user(watcher).post(path, json={"watching": True}).status_code == 200
    restrict(case)
    with transaction():
        new = service.NewTask("Read the minutes", assignee_email=watcher.email)
        service.add_task(case.id, act=Act(case.tenant.actor, march(2, 12)), new=new)
    assert given(case, "Read the minutes") == ("watcher@example.com", "assignee")
    as_user(watcher).post(path, json={"watching": False})
    assert given(case, "Read the minutes") == (case.company.owner.email, "owner")
    assert passed_on(case)[-1] == ("watch", "watcher@example.com", case.company.owner.email)


def test_a_decision_asked_of_who_may_not_see_the_case_after_a_merge_is_asked_of_who_may(
    case: Case, make_user: Make, away: Callable[..., None], put_on_duty: Callable[[User], None]
) -> None:
    duty = make_user("specialist", "duty@example.com")
    put_on_duty(duty)
    case.raised(restricted=False)
    away(case.company.manager)
    assert case.ask_decision() == "duty@example.com"
    secret = Case(case.tenant, case.company).raised()
    with transaction():
        service.merge(secret.id, act=Act(case.tenant.actor, march(3)), into_id=case.id, reason="Same")
    assert given(case, TITLE)[0] == case.tenant.admin.email


def test_when_the_owners_line_changes_a_task_in_the_name_of_who_left_it_is_the_owners_at_the_next_tick(
    case: Case, make_user: Make, as_user: Callable[..., ApiClient]
) -> None:
    case.raised()
    owner = case.company.owner
    with transaction():
        new = service.NewTask("Call the board", assignee_email=case.company.manager.email)
        service.add_task(case.id, act=Act(case.tenant.actor, NOW), new=new)
    other = make_user("manager", "another@example.com")
    client, path = as_user(case.tenant.admin), f"/api/v1/users/{owner.id}"
    moved = client.patch(path, json={"manager_email": other.email}, if_match=client.get(path).headers["ETag"])
    assert moved.status_code == 200
    reprioritise_tenant(case.tenant.id, march(2, 12))
    assert given(case, "Call the board") == (owner.email, "owner")
    assert passed_on(case) == [("holder", "manager@example.com", owner.email)]


def test_a_decision_asked_of_who_may_not_see_a_case_that_becomes_restricted_is_asked_of_who_may(
    case: Case, make_user: Make, away: Callable[..., None], put_on_duty: Callable[[User], None]
) -> None:
    duty = make_user("specialist", "duty@example.com")
    put_on_duty(duty)
    case.raised(restricted=False)
    away(case.company.manager)
    assert case.ask_decision() == "duty@example.com"
    restrict(case)
    assert given(case, TITLE) == (case.tenant.admin.email, "owner_manager")
    assert passed_on(case) == [("restricted", "duty@example.com", case.tenant.admin.email)]
    assert heard(duty)[-1].subject == "ESC-1: what you had to do there is no longer yours"
