from uuid import uuid4

import pytest

from app.escalations.lifecycle import ACTIONS
from app.escalations.permissions import Actor, Pending, grants_extension, may_see, who_may

OWNER = Actor("csm", is_owner=True)
DELEGATE = Actor("specialist", is_delegate=True)
TEAM_LEAD = Actor("csm", acts_for_owner=True)
STRANGER = Actor("csm")
LINE = Actor("manager", above_owner=True)
OTHER_MANAGER = Actor("manager")
EXECUTIVE = Actor("executive")
ADMIN = Actor("admin")
ROBOT = Actor("integration")

WORK = (
    "acknowledge",
    "assign",
    "escalate",
    "wait",
    "resume",
    "resolve",
    "verify",
    "reopen",
    "merge",
    "plan",
    "qualify",
)


@pytest.mark.parametrize("action", [*WORK, "edit"])
def test_the_work_belongs_to_the_owner_and_who_acts_for_them(action: str) -> None:
    assert [who_may(action, a) for a in (OWNER, DELEGATE, TEAM_LEAD, LINE, ADMIN)] == [True] * 5
    assert [who_may(action, a) for a in (STRANGER, OTHER_MANAGER, EXECUTIVE, ROBOT)] == [False] * 4


@pytest.mark.parametrize(
    ("action", "kind"), [("qualify", "qualification"), ("escalate", "handover"), ("decision", "decision")]
)
def test_who_is_asked_may_answer_that_and_nothing_else(action: str, kind: str) -> None:
    asked = Actor("specialist", asked={kind: uuid4()})
    assert [one for one in (*WORK, "decision", "close-unresolved", "edit") if who_may(one, asked)] == [action]
    assert not who_may(action, Actor("integration", asked={kind: uuid4()}))


@pytest.mark.parametrize("action", ["decision", "close-unresolved"])
def test_managements_steps_are_for_a_manager_above_an_executive_or_an_admin(action: str) -> None:
    assert [who_may(action, a) for a in (LINE, EXECUTIVE, ADMIN)] == [True] * 3
    assert [who_may(action, a) for a in (OWNER, DELEGATE, STRANGER, OTHER_MANAGER, ROBOT)] == [False] * 5


@pytest.mark.parametrize("action", ["attempt", "update", "message", "comment", "link", "attachment", "watch"])
def test_anyone_who_sees_a_case_may_log_on_it_and_watch_it(action: str) -> None:
    assert all(who_may(action, a) for a in (OWNER, STRANGER, OTHER_MANAGER, EXECUTIVE, ADMIN))


def test_an_integration_raises_and_brings_messages_and_links_and_nothing_else() -> None:
    actions = [*ACTIONS, "raise", "attempt", "update", "message", "comment", "link", "edit"]
    eager = Actor("integration", is_owner=True, above_owner=True, is_approver=True)
    assert [a for a in actions if who_may(a, eager)] == ["raise", "message", "link"]


@pytest.mark.parametrize("action", ["approve", "decline"])
@pytest.mark.parametrize("pending", ["raise", "extension"])
@pytest.mark.parametrize("role", ["csm", "manager", "executive", "admin"])
def test_nobody_answers_their_own_request(action: str, pending: Pending, role: str) -> None:
    actor = Actor(role, above_owner=True, is_requester=True, is_approver=True)
    assert not who_may(action, actor, pending=pending)


def test_a_raise_is_approved_by_the_setting_an_executive_or_an_admin() -> None:
    assert [who_may("approve", a) for a in (Actor("csm", is_approver=True), EXECUTIVE, ADMIN)] == [True] * 3
    assert [who_may("approve", a) for a in (STRANGER, OTHER_MANAGER, OWNER)] == [False] * 3


def test_an_extension_is_granted_above_the_owner_and_never_by_them() -> None:
    assert [grants_extension(a) for a in (LINE, EXECUTIVE, ADMIN)] == [True] * 3
    assert [grants_extension(a) for a in (OWNER, DELEGATE, STRANGER, OTHER_MANAGER, ROBOT)] == [False] * 5
    assert not grants_extension(Actor("executive", is_owner=True))
    assert not grants_extension(Actor("admin", is_owner=True))


def test_an_extension_is_asked_for_by_who_works_on_it_or_granted_by_an_executive() -> None:
    assert [who_may("extend", a) for a in (OWNER, DELEGATE, LINE, EXECUTIVE, ADMIN)] == [True] * 5
    assert not who_may("extend", STRANGER)


def test_a_restricted_case_is_seen_by_few_and_one_about_a_colleague_never_by_them() -> None:
    assert [may_see(a, restricted=True) for a in (OWNER, DELEGATE, LINE, ADMIN)] == [True] * 4
    assert may_see(Actor("csm", is_watching=True), restricted=True)
    assert may_see(Actor("csm", is_approver=True), restricted=True)
    assert [may_see(a, restricted=True) for a in (STRANGER, TEAM_LEAD, OTHER_MANAGER, EXECUTIVE)] == [False] * 4
    assert may_see(STRANGER, restricted=False)
    assert not may_see(Actor("admin", is_about=True), restricted=False)
    assert not may_see(ROBOT, restricted=False)
