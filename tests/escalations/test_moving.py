"""Absences that move work, through the job that does it: who gets it and why, once, whatever dies on the way."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from app import clock
from app.auth.models import User
from app.auth.queries import get_user
from app.auth.service import change_user
from app.db import db, finding, transaction
from app.escalations import jobs, moving
from app.escalations.models import AbsenceMove, Escalation
from app.escalations.move_jobs import WITH_MOVES
from app.escalations.timeline_models import Event, EventText
from app.notifications.models import Intent
from app.playbooks.models import Task
from app.routing.models import Absence, Assignment, Decision
from app.sla.models import Clock
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]
Make = Callable[..., User]
AsUser = Callable[..., ApiClient]
Statements = Callable[[], AbstractContextManager[list[str]]]
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def away(client: ApiClient) -> Callable[..., dict[str, Any]]:
    """`away(user, delegate)`: away from an hour ago for ten days, and the work moves, unless said otherwise."""

    def add(
        user: User, delegate: User | None = None, *, start: timedelta = -HOUR, end: timedelta = 10 * DAY, **fields: Any
    ) -> dict[str, Any]:
        with transaction():
            now = clock.now()
        body = {"starts_at": (now + start).isoformat(), "ends_at": (now + end).isoformat(), "mode": "move", **fields}
        if delegate is not None:
            body["delegate_email"] = delegate.email
        answer = client.post(f"/api/v1/users/{user.id}/absences", json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json
        return found

    return add


Away = Callable[..., dict[str, Any]]


def act(client: ApiClient, case: dict[str, Any], name: str, **body: Any) -> None:
    answer = client.post(f"/api/v1/escalations/{case['id']}/{name}", json=body)
    assert answer.status_code in (200, 201), answer.text


def owner_of(case: dict[str, Any]) -> UUID:
    with transaction():
        found = db.session.scalar(select(Escalation.owner_id).where(Escalation.id == UUID(case["id"])))
    assert found is not None
    return found


def moves(case: dict[str, Any]) -> list[tuple[str, str | None]]:
    """(cause, reason) of each time the case was given to somebody, in order."""
    with transaction():
        asked = (
            select(Event.facts, EventText.text)
            .outerjoin(EventText, EventText.event_id == Event.id)
            .where(Event.escalation_id == UUID(case["id"]), Event.kind == "assign")
            .order_by(Event.seq)
        )
        return [(row.facts["cause"], row.text) for row in db.session.execute(asked)]


def messages(user: User, kind: str) -> list[Intent]:
    with transaction():
        asked = select(Intent).where(Intent.user_id == user.id, Intent.kind == kind).order_by(Intent.id)
        return list(db.session.scalars(asked))


def list_path(user: User, absence: dict[str, Any]) -> str:
    return f"/api/v1/users/{user.id}/absences/{absence['id']}/hand-back"


# -- the start --------------------------------------------------------------------------------------------------------


def test_at_the_start_open_waiting_and_resolved_work_goes_to_the_delegate_who_is_told_why(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, away: Away
) -> None:
    fresh, waiting, resolved = (raise_case(title=title) for title in ("New", "Waits", "Solved"))
    for case in (waiting, resolved):
        act(client, case, "acknowledge")
    with transaction():
        resume_on = (clock.now() + 3 * DAY).date().isoformat()
    act(client, waiting, "wait", party="customer", reason="their logs", resume_on=resume_on)
    act(client, resolved, "resolve", summary="Fixed", root_cause="A full disk", preventable=False)
    absence = away(company.owner, company.csm)
    assert jobs.move_work_tenant(tenant.id) == 3
    assert {owner_of(case) for case in (fresh, waiting, resolved)} == {company.csm.id}
    day = datetime.fromisoformat(absence["ends_at"]).strftime("%d %b %Y")
    assert moves(fresh)[-1] == ("absence", f"Owner is absent until {day}.")
    told = messages(company.csm, "assigned")
    assert len(told) == 3
    assert "Why you: stands in for its owner, who is absent." in told[0].body
    assert f"Why now: Owner is absent until {day}." in told[0].body
    assert messages(company.owner, "hand_back") == []


def test_a_new_owner_has_to_acknowledge_anew_but_not_what_is_resolved(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, away: Away
) -> None:
    working, resolved = raise_case(), raise_case()
    for case in (working, resolved):
        act(client, case, "acknowledge")
    act(client, resolved, "resolve", summary="Fixed", root_cause="A full disk", preventable=False)
    away(company.owner, company.csm)
    jobs.move_work_tenant(tenant.id)
    with transaction():
        cycles = select(Clock.escalation_id, func.max(Clock.cycle)).where(Clock.kind == "acknowledge")
        found = dict(db.session.execute(cycles.group_by(Clock.escalation_id)).all())
        acknowledged = dict(db.session.execute(select(Escalation.id, Escalation.acknowledged)).all())
    assert found == {UUID(working["id"]): 2, UUID(resolved["id"]): 1}
    assert acknowledged == {UUID(working["id"]): False, UUID(resolved["id"]): True}


def test_what_is_requested_or_closed_is_left_alone(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, away: Away
) -> None:
    closed = raise_case()
    act(client, closed, "close-unresolved", outcome="withdrawn", reason="No longer needed")
    away(company.owner, company.csm)
    assert jobs.move_work_tenant(tenant.id) == 0
    assert owner_of(closed) == company.owner.id


def test_the_tasks_of_the_owner_follow_and_a_colleagues_stay(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, away: Away
) -> None:
    case = raise_case()
    act(client, case, "tasks", title="Call them")
    act(client, case, "tasks", title="Read the logs", assignee_email=company.boss.email)
    away(company.owner, company.csm)
    jobs.move_work_tenant(tenant.id)
    with transaction():
        tasks = db.session.execute(select(Task.title, Task.assignee_id).where(Task.kind == "manual")).all()
    assert dict(tasks) == {"Call them": company.csm.id, "Read the logs": company.boss.id}


def test_through_a_chain_the_first_who_is_present_gets_it(
    tenant: TestTenant, company: Company, raise_case: Raise, away: Away
) -> None:
    case = raise_case()
    away(company.csm, company.boss)
    away(company.owner, company.csm)
    jobs.move_work_tenant(tenant.id)
    assert owner_of(case) == company.boss.id


@pytest.mark.parametrize("how", ["without", "cycle", "about", "left"])
def test_without_anybody_who_stands_in_it_is_routed_afresh_without_the_absent(
    tenant: TestTenant, company: Company, raise_case: Raise, away: Away, how: str
) -> None:
    """The account owner is away, so the catch-all's duty owner, the admin, has it."""
    case = raise_case(**({"about_user": company.csm.email} if how == "about" else {}))
    away(company.owner, None if how == "without" else company.csm)
    if how == "cycle":  # refused when it is said; in rows from before it may stand
        away(company.csm)
        with transaction():
            circle = update(Absence).where(Absence.user_id == company.csm.id)
            db.session.execute(circle.values(delegate_id=company.owner.id))
    if how == "left":
        with transaction():
            change_user(get_user(company.csm.id), {"active": False})
    jobs.move_work_tenant(tenant.id)
    assert owner_of(case) == tenant.admin.id
    assert moves(case)[-1][0] == "absence"
    with transaction():
        last = db.session.scalars(select(Decision).order_by(Decision.id.desc()).limit(1)).one()
    assert (last.cause, last.inputs["exclude"]) == ("absence", [str(company.owner.id)])


def test_with_everybody_away_it_stays_where_it_is_and_is_tried_once(
    tenant: TestTenant, company: Company, raise_case: Raise, away: Away
) -> None:
    case = raise_case()
    for person in (company.csm, company.manager, company.boss, tenant.admin, company.owner):
        away(person)
    jobs.move_work_tenant(tenant.id)
    first = owner_of(case)
    assert jobs.move_work_tenant(tenant.id) == 0
    assert owner_of(case) == first
    with transaction():
        assert db.session.scalar(select(Escalation.assignment_failed)) is True
        held = db.session.scalars(select(Assignment.owner_id).where(Assignment.released_at.is_(None))).all()
    assert held == [first]


def test_cover_moves_nothing(tenant: TestTenant, company: Company, raise_case: Raise, away: Away) -> None:
    case = raise_case()
    away(company.owner, company.csm, mode="cover")
    assert jobs.move_work_tenant(tenant.id) == 0
    assert owner_of(case) == company.owner.id


def test_nothing_moves_before_the_start_and_nothing_for_an_absence_that_passed_unseen(
    tenant: TestTenant, company: Company, raise_case: Raise, away: Away
) -> None:
    case = raise_case()
    away(company.owner, company.csm, start=HOUR)
    assert jobs.move_work_tenant(tenant.id) == 0
    with transaction():
        later = clock.now() + 11 * DAY
    assert jobs.move_work_tenant(tenant.id, later) == 0
    assert owner_of(case) == company.owner.id
    with transaction():
        assert db.session.scalars(select(Absence.next_at)).all() == [None]


def test_what_a_colleague_gives_to_somebody_away_stays_with_them(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, away: Away
) -> None:
    """They knew; and what was moved and is given back by hand is not moved again."""
    case = raise_case()
    away(company.owner, company.csm)
    jobs.move_work_tenant(tenant.id)
    act(client, case, "assign", owner_id=str(company.owner.id), reason="Only Owner can do it")
    assert jobs.move_work_tenant(tenant.id) == 0
    assert owner_of(case) == company.owner.id


def test_the_tenants_setting_is_the_mode_of_absences_that_name_none(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, away: Away
) -> None:
    case = raise_case()
    settings = client.get("/api/v1/settings")
    changed = client.patch("/api/v1/settings", json={"absence_mode": "move"}, if_match=settings.headers["ETag"])
    assert changed.json["absence_mode"] == "move"
    assert away(company.owner, company.csm, mode=None)["mode"] == "move"
    jobs.move_work_tenant(tenant.id)
    assert owner_of(case) == company.csm.id


# -- once, whatever dies ----------------------------------------------------------------------------------------------


def test_killed_between_two_cases_each_is_moved_once(
    tenant: TestTenant, company: Company, raise_case: Raise, away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [raise_case(title=f"Case {n}") for n in range(4)]
    away(company.owner, company.csm)
    calls, move = [], moving.move_for_absence

    def dies_in_the_third(*ids: UUID, **given: Any) -> bool:
        calls.append(ids)
        done = move(*ids, **given)
        if len(calls) == 3:
            raise KeyboardInterrupt  # the process is gone: nothing of this transaction is kept
        return done

    monkeypatch.setattr(moving, "move_for_absence", dies_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        jobs.move_work_tenant(tenant.id)
    assert sum(owner_of(case) == company.csm.id for case in cases) == 2
    assert jobs.move_work_tenant(tenant.id) == 2
    assert [[cause for cause, _ in moves(case)] for case in cases] == [["raise", "absence"]] * 4
    with transaction():
        assert db.session.scalar(select(func.count()).select_from(AbsenceMove)) == 4
        assert len(db.session.scalars(select(Decision).where(Decision.cause == "absence")).all()) == 4
    assert len(messages(company.csm, "assigned")) == 4


def test_one_case_that_cannot_be_moved_holds_up_no_other_and_is_tried_again(
    tenant: TestTenant, company: Company, raise_case: Raise, away: Away
) -> None:
    broken, other = raise_case(), raise_case()
    with transaction():
        zone = update(Escalation).where(Escalation.id == UUID(broken["id"]))
        db.session.execute(zone.values(zone="Mars/Olympus"))
    away(company.owner, company.csm)
    assert jobs.move_work_tenant(tenant.id) == 1
    assert (owner_of(broken), owner_of(other)) == (company.owner.id, company.csm.id)
    with transaction():
        db.session.execute(zone.values(zone="UTC"))
    assert jobs.move_work_tenant(tenant.id) == 1
    assert owner_of(broken) == company.csm.id


def is_found(tenant: TestTenant) -> bool:
    with finding() as session:
        return tenant.id in session.scalars(WITH_MOVES, {"now": clock.real_now()}).all()


def test_the_job_finds_only_tenants_with_work_to_move(
    tenant: TestTenant, company: Company, raise_case: Raise, away: Away
) -> None:
    raise_case()
    away(company.owner, company.csm, start=HOUR)
    assert not is_found(tenant)
    with transaction():
        begun = clock.now()
        db.session.execute(update(Absence).values(starts_at=begun, next_at=begun))
    assert is_found(tenant)
    jobs.move_work()
    assert not is_found(tenant)
    assert len(messages(company.csm, "assigned")) == 1


def test_a_move_costs_a_bounded_number_of_statements(
    tenant: TestTenant, company: Company, raise_case: Raise, away: Away, statements: Statements
) -> None:
    first = raise_case()
    act_on = away(company.owner, company.csm)
    with transaction(), statements() as sent:
        assert moving.move_for_absence(UUID(first["id"]), UUID(act_on["id"]), now=clock.now())
    assert len(sent) <= 20, sent


# -- the end ----------------------------------------------------------------------------------------------------------


def test_who_is_back_is_told_once_and_takes_back_what_they_choose(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, away: Away, as_user: AsUser
) -> None:
    kept, returned, ended = (raise_case(title=title) for title in ("Kept", "Returned", "Ended"))
    absence = away(company.owner, company.csm)
    jobs.move_work_tenant(tenant.id)
    act(client, ended, "close-unresolved", outcome="withdrawn", reason="No longer needed")
    assert client.delete(list_path(company.owner, absence).removesuffix("/hand-back")).status_code == 204
    for _ in range(2):
        jobs.move_work_tenant(tenant.id)
    [told] = messages(company.owner, "hand_back")
    assert (told.subject, "Ended" in told.body) == ("You are back: what was yours can be taken back", False)
    assert f"{returned['number']} Returned (Globex), now with Csm" in told.body
    person, path = as_user(company.owner), list_path(company.owner, absence)
    listed = person.get(path).json["items"]
    assert [(one["escalation_id"], one["owner"]["email"]) for one in listed] == [
        (kept["id"], "csm@example.com"),
        (returned["id"], "csm@example.com"),
    ]
    taken = person.post(path, json={"escalation_ids": [returned["id"]]})
    assert taken.json == {"escalation_ids": [returned["id"]], "more": True}
    assert (owner_of(returned), owner_of(kept)) == (company.owner.id, company.csm.id)
    assert moves(returned)[-1][0] == "hand_back"
    assert messages(company.csm, "reassigned")[0].body == "Owner is back."
    with transaction():
        asked = select(Clock.cycle).where(Clock.escalation_id == UUID(returned["id"]), Clock.kind == "acknowledge")
        assert sorted(db.session.scalars(asked)) == [1, 2, 3]
    assert [one["escalation_id"] for one in person.get(path).json["items"]] == [kept["id"]]


def test_who_goes_from_one_absence_into_the_next_is_told_when_they_are_really_back(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, away: Away
) -> None:
    raise_case()
    first = away(company.owner, company.csm, end=DAY)
    ends_at = datetime.fromisoformat(first["ends_at"])
    body = {"starts_at": first["ends_at"], "ends_at": (ends_at + DAY).isoformat(), "mode": "cover"}
    assert client.post(f"/api/v1/users/{company.owner.id}/absences", json=body).status_code == 201
    jobs.move_work_tenant(tenant.id)
    jobs.move_work_tenant(tenant.id, ends_at)
    assert messages(company.owner, "hand_back") == []
    jobs.move_work_tenant(tenant.id, ends_at + DAY)
    assert len(messages(company.owner, "hand_back")) == 1


def test_all_are_taken_back_at_once_by_the_line_above(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, away: Away, as_user: AsUser
) -> None:
    cases = [raise_case() for _ in range(3)]
    absence = away(company.owner, company.csm)
    jobs.move_work_tenant(tenant.id)
    path = list_path(company.owner, absence)
    manager = as_user(company.manager)
    assert (manager.post(path, json={}).status_code, manager.post(path, json={}).json["code"]) == (409, "still_away")
    client.delete(path.removesuffix("/hand-back"))
    assert len(manager.post(path, json={}).json["escalation_ids"]) == 3
    assert {owner_of(case) for case in cases} == {company.owner.id}
    assert manager.post(path, json={}).json == {"escalation_ids": [], "more": False}
    jobs.move_work_tenant(tenant.id)
    assert messages(company.owner, "hand_back") == []  # there was nothing left to take back


def test_only_the_person_their_line_and_admins_see_the_list(
    company: Company, raise_case: Raise, away: Away, as_user: AsUser, make_user: Make
) -> None:
    absence = away(company.owner, company.csm)
    path = list_path(company.owner, absence)
    for user, status in ((company.owner, 200), (company.boss, 200), (company.csm, 403), (make_user("manager"), 403)):
        assert as_user(user).get(path).status_code == status
        assert as_user(user).post(path, json={"escalation_ids": []}).status_code == (403 if status == 403 else 422)
    assert as_user(company.csm).get(list_path(company.csm, absence)).status_code == 404


def test_what_is_not_on_the_list_is_refused_by_name(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, away: Away
) -> None:
    moved = raise_case()
    absence = away(company.owner, company.csm)
    jobs.move_work_tenant(tenant.id)
    path = list_path(company.owner, absence)
    client.delete(path.removesuffix("/hand-back"))
    other = raise_case()
    answer = client.post(path, json={"escalation_ids": [moved["id"], other["id"]]})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/escalation_ids/1")
    assert owner_of(moved) == company.csm.id


def test_a_case_moved_twice_goes_back_to_the_first_and_leaves_the_list_of_the_second(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, away: Away
) -> None:
    case = raise_case()
    first = away(company.owner, company.csm)
    jobs.move_work_tenant(tenant.id)
    second = away(company.csm, company.boss)
    jobs.move_work_tenant(tenant.id)
    assert owner_of(case) == company.boss.id
    paths = [list_path(user, absence) for user, absence in ((company.owner, first), (company.csm, second))]
    assert [len(client.get(path).json["items"]) for path in paths] == [1, 1]
    client.delete(paths[0].removesuffix("/hand-back"))
    client.post(paths[0], json={})
    assert owner_of(case) == company.owner.id
    assert [len(client.get(path).json["items"]) for path in paths] == [0, 0]


def test_a_restricted_case_shows_on_the_list_to_who_was_away_and_a_case_about_them_to_nobody(
    tenant: TestTenant, company: Company, raise_case: Raise, away: Away, as_user: AsUser
) -> None:
    hidden, about = raise_case(restricted=True), raise_case()
    absence = away(company.owner, company.csm)
    jobs.move_work_tenant(tenant.id)
    with transaction():
        named = update(Escalation).where(Escalation.id == UUID(about["id"])).values(about_user_id=company.owner.id)
        db.session.execute(named)
    listed = as_user(company.owner).get(list_path(company.owner, absence)).json["items"]
    assert [one["escalation_id"] for one in listed] == [hidden["id"]]


def test_the_list_is_paged(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Raise, away: Away, statements: Statements
) -> None:
    cases = [raise_case() for _ in range(5)]
    absence = away(company.owner, company.csm)
    jobs.move_work_tenant(tenant.id)
    path = list_path(company.owner, absence)
    first = client.get(f"{path}?limit=3").json
    rest = client.get(f"{path}?limit=3&cursor={first['next_cursor']}").json
    assert {one["escalation_id"] for one in first["items"] + rest["items"]} == {case["id"] for case in cases}
    assert rest["next_cursor"] is None
