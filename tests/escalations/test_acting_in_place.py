"""What who stands in for somebody absent may do, what it counts as, and whom the events name."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app import clock
from app.auth import changes as settings
from app.auth import queries as users
from app.auth.models import User
from app.db import transaction
from app.escalations.permissions import Actor, as_approver, grants_extension, in_places
from app.routing import service as routing
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.test_actions import RESOLUTION, clocks_of, do

Raise = Callable[..., dict[str, Any]]
AsUser = Callable[[User], ApiClient]
Make = Callable[..., User]
Away = Callable[..., None]
ME, OWNER, MANAGER, BOSS, LEAD = (UUID(int=n) for n in range(1, 6))


def standing(*absent: UUID, owner: UUID = OWNER, above: tuple[UUID, ...] = (MANAGER, BOSS), **given: Any) -> Actor:
    actor = Actor(given.pop("role", "csm"))
    return in_places(actor, ME, absent=absent, owner_id=owner, above=above, lead_id=given.pop("lead", None))


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        # (owner, delegate, leads, above, in whose place)
        (standing(), (False, False, False, False, None)),
        (standing(OWNER), (False, True, False, False, OWNER)),
        (standing(BOSS), (False, False, False, True, BOSS)),
        (standing(MANAGER, BOSS), (False, False, False, True, MANAGER)),
        (standing(LEAD, lead=LEAD), (False, False, True, False, LEAD)),
        (standing(OWNER, MANAGER), (False, True, False, False, OWNER)),  # not above whose work it does
        (standing(MANAGER, owner=ME), (True, False, False, False, None)),  # nor above oneself
        (standing(OWNER, above=(ME, BOSS)), (False, True, False, True, OWNER)),  # above in person
        (standing(BOSS, above=(ME, BOSS)), (False, False, False, True, None)),
        (standing(MANAGER, lead=ME), (False, False, True, True, None)),
        (standing(OWNER, owner=None), (False, False, False, False, None)),
    ],
)
def test_how_one_stands_in_the_place_of_the_absent(actor: Actor, expected: tuple[Any, ...]) -> None:
    found = (actor.is_owner, actor.is_delegate, actor.acts_for_owner, actor.above_owner, actor.in_place_of)
    assert found == expected


def test_an_extension_is_granted_in_the_managers_place_but_not_by_whose_work_it_is() -> None:
    assert grants_extension(standing(MANAGER))
    assert not grants_extension(standing(MANAGER, owner=ME))
    assert not grants_extension(standing(MANAGER, OWNER))


def test_a_raise_is_approved_in_the_place_of_an_absent_approver() -> None:
    delegate = standing(MANAGER, owner=None, above=())
    assert as_approver(delegate, ME, [BOSS, MANAGER]) == Actor(
        "csm", is_approver=True, in_place_of=MANAGER, absent=frozenset({MANAGER})
    )
    assert as_approver(delegate, ME, [ME, MANAGER]).in_place_of is None
    assert not as_approver(delegate, ME, [BOSS]).is_approver


@pytest.fixture
def away(tenant: TestTenant) -> Away:
    """`away(user, delegate)`: absent for a week from now on."""

    def add(user: User, delegate: User | None = None) -> None:
        now = clock.now()
        email = delegate.email if delegate else None
        with transaction():
            routing.add_absence(
                user.id,
                starts_at=now - timedelta(minutes=1),
                ends_at=now + timedelta(days=7),
                delegate_email=email,
                actor=tenant.actor,
                now=now,
            )

    return add


@pytest.fixture
def helper(make_user: Make) -> User:
    return make_user("specialist", "helper@example.com")


def events(client: ApiClient, case: dict[str, Any], kind: str) -> list[tuple[str, str | None]]:
    """(who acted, for whom) of each event of this kind."""
    items = client.get(f"/api/v1/escalations/{case['id']}/timeline?limit=200").json["items"]
    return [(event["actor"]["email"], event["acting_for_id"]) for event in items if event["kind"] == kind]


def inbox(client: ApiClient, kind: str) -> list[str | None]:
    """Why this person got each message of this kind."""
    return [one["why"] for one in client.get("/api/v1/notifications?limit=200").json["items"] if one["kind"] == kind]


def test_the_delegates_acknowledgement_and_signs_of_work_count_as_the_owners(
    raise_case: Raise, company: Company, away: Away, helper: User, as_user: AsUser, client: ApiClient
) -> None:
    case = raise_case()
    delegate = as_user(helper)
    assert do(delegate, case, "acknowledge", 403)["code"] == "not_yours"
    away(company.owner, helper)
    record = do(delegate, case, "acknowledge")
    assert (record["status"], clocks_of(record)["acknowledge"]) == ("in_progress", "met")
    assert record["owner"]["email"] == company.owner.email
    before = [one for one in record["clocks"] if one["kind"] == "still_on_it"]
    record = do(delegate, case, "attempts", 200, what="Restarted", result="Nothing")
    cycles = [(one["cycle"], one["state"]) for one in record["clocks"] if one["kind"] == "still_on_it"]
    assert len(before) == 1
    assert sorted(cycles) == [(1, "met"), (2, "running")]
    do(delegate, case, "resolve", **RESOLUTION)
    for kind in ("acknowledge", "attempt", "resolve"):
        assert events(client, case, kind) == [(helper.email, str(company.owner.id))]


def test_a_strangers_note_acts_for_nobody_and_a_delegate_of_nobody_here_is_a_stranger(
    raise_case: Raise, company: Company, away: Away, helper: User, as_user: AsUser, client: ApiClient
) -> None:
    case = raise_case()
    away(company.csm, helper)
    do(as_user(helper), case, "comments", text="I know them")
    assert events(client, case, "comment") == [(helper.email, None)]
    assert do(as_user(helper), case, "acknowledge", 403)["code"] == "not_yours"


def test_a_delegate_who_is_away_as_well_acts_no_more_and_theirs_does(
    raise_case: Raise, company: Company, away: Away, helper: User, make_user: Make, as_user: AsUser
) -> None:
    case = raise_case()
    last = make_user("csm", "last@example.com")
    away(company.owner, helper)
    away(helper, last)
    assert do(as_user(helper), case, "acknowledge", 403)["code"] == "not_yours"
    do(as_user(last), case, "acknowledge")


def test_the_absent_owner_may_still_act_for_themselves(
    raise_case: Raise, company: Company, away: Away, helper: User, as_user: AsUser, client: ApiClient
) -> None:
    case = raise_case()
    away(company.owner, helper)
    do(as_user(company.owner), case, "acknowledge")
    assert events(client, case, "acknowledge") == [(company.owner.email, None)]


def test_a_managers_delegate_decides_and_grants_in_their_place(
    raise_case: Raise, company: Company, away: Away, helper: User, as_user: AsUser, client: ApiClient
) -> None:
    case = raise_case()
    decision = {"choice": "go_on", "reason": "Nearly there"}
    assert do(as_user(helper), case, "decision", 403, **decision)["code"] == "not_yours"
    away(company.manager, helper)
    do(as_user(helper), case, "decision", **decision)
    assert events(client, case, "decision") == [(helper.email, str(company.manager.id))]
    until = (datetime.now(UTC) + timedelta(days=40)).isoformat()
    record = do(as_user(helper), case, "extend", until=until, reason="Parts", customer_agreed=True)
    assert (record["pending"], record["due_at"] != record["close_target_at"]) == ([], True)


def test_an_owner_who_stands_in_for_their_manager_cannot_grant_their_own_extension(
    raise_case: Raise, company: Company, away: Away, as_user: AsUser
) -> None:
    case = raise_case()
    away(company.manager, company.owner)
    until = (datetime.now(UTC) + timedelta(days=40)).isoformat()
    asked = {"until": until, "reason": "Parts", "customer_agreed": True}
    record = do(as_user(company.owner), case, "extend", **asked)
    assert [one["kind"] for one in record["pending"]] == ["extension"]
    assert do(as_user(company.owner), case, "approve", 403)["status"] == 403
    refused = do(as_user(company.owner), case, "decision", 403, choice="go_on", reason="Mine")
    assert refused["code"] == "not_yours"


def test_an_absent_approvers_delegate_is_asked_and_answers_in_their_place(
    company: Company, away: Away, helper: User, as_user: AsUser, client: ApiClient
) -> None:
    with transaction():
        asked = {"approval": {"asked": True, "approvers": [company.manager.email]}}
        settings.update_settings(users.get_tenant(lock=True), asked)
    away(company.manager, helper)
    body = {"account_id": company.account_id, "title": "T", "severity": 2, "restricted": True}
    case = as_user(company.csm).post("/api/v1/escalations", json=body).json
    assert case["status"] == "requested"
    assert inbox(as_user(helper), "approval_asked") == ["You get this in place of Manager, who is absent."]
    assert inbox(as_user(company.manager), "approval_asked") == [None]
    delegate = as_user(helper)
    assert delegate.get(f"/api/v1/escalations/{case['id']}").status_code == 200
    assert do(as_user(company.owner), case, "approve", 404)["code"] == "not_found"
    assert do(delegate, case, "approve")["status"] == "open"
    assert events(client, case, "approve") == [(helper.email, str(company.manager.id))]


def test_a_restricted_case_is_seen_by_the_owners_delegate_for_as_long_as_they_are_away(
    raise_case: Raise, company: Company, away: Away, helper: User, as_user: AsUser, client: ApiClient
) -> None:
    case = raise_case(restricted=True)
    delegate, path = as_user(helper), f"/api/v1/escalations/{case['id']}"

    def seen() -> tuple[int, int, list[str]]:
        listed = [item["id"] for item in delegate.get("/api/v1/escalations").json["items"]]
        return delegate.get(path).status_code, delegate.get(f"{path}/timeline").status_code, listed

    assert seen() == (404, 404, [])
    away(company.owner, helper)
    assert seen() == (200, 200, [case["id"]])
    [absence] = client.get(f"/api/v1/users/{company.owner.id}/absences").json["items"]
    client.delete(f"/api/v1/users/{company.owner.id}/absences/{absence['id']}")
    assert seen() == (404, 404, [])


def test_whom_a_case_is_about_neither_acts_nor_passes_the_place_on(
    raise_case: Raise, company: Company, away: Away, helper: User, as_user: AsUser
) -> None:
    case = raise_case(about_user=helper.email, restricted=True)
    away(company.owner, helper)
    away(helper, company.csm)
    assert do(as_user(helper), case, "acknowledge", 404)["code"] == "not_found"
    assert do(as_user(company.csm), case, "acknowledge", 404)["code"] == "not_found"
    assert as_user(company.csm).get(f"/api/v1/escalations/{case['id']}").status_code == 404


def test_what_an_absent_owner_is_told_their_delegate_hears_as_well(
    raise_case: Raise, company: Company, away: Away, helper: User, as_user: AsUser
) -> None:
    case = raise_case()
    away(company.owner, helper)
    do(as_user(company.manager), case, "decision", choice="go_on", reason="Nearly there")
    assert inbox(as_user(company.owner), "decision") == [None]
    assert inbox(as_user(helper), "decision") == ["You get this in place of Owner, who is absent."]


def test_a_closed_case_whose_owner_is_away_is_routed_afresh_when_it_is_opened_again(
    raise_case: Raise, company: Company, away: Away, helper: User, as_user: AsUser
) -> None:
    case = raise_case()
    do(as_user(company.manager), case, "close-unresolved", outcome="mistaken", reason="Not ours")
    away(company.owner, helper)
    record = do(as_user(company.manager), case, "reopen", reason="Ours after all")
    assert record["owner"]["email"] == helper.email


def test_a_raise_while_the_account_owner_is_away_stays_within_sixteen_statements(
    raise_case: Raise, company: Company, away: Away, helper: User, statements: Any
) -> None:
    raise_case()
    away(company.owner, helper)
    with statements() as sent:
        case = raise_case(raised_by={"kind": "customer", "email": "new@globex.example"})
    assert case["owner"]["email"] == helper.email
    assert len(sent) <= 16, sent
