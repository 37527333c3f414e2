"""What I cover for somebody absent stands in my lists and my calendar, named as theirs, and no longer than that."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app import clock
from app.auth.models import User
from app.db import db, transaction
from app.escalations.covering import list_tasks
from app.escalations.deadlines import list_deadlines
from app.escalations.models import Escalation
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.test_calendar_feed import events, fetch, subscribe
from tests.escalations.test_moving import Away, Raise, act, away

__all__ = ["away", "fetch"]
AsUser = Callable[..., ApiClient]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MINE = "/api/v1/escalations?owner=me"


def listed(client: ApiClient, path: str = MINE) -> list[tuple[str, str | None]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return [(one["number"], one["covering"]) for one in answer.json["items"]]


def tasks(client: ApiClient) -> list[tuple[str, str, str | None]]:
    answer = client.get("/api/v1/me/tasks")
    assert answer.status_code == 200, answer.text
    return [(one["number"], one["title"], one["covering"]) for one in answer.json["items"] if one["kind"] != "intake"]


def test_my_list_has_what_i_cover_marked_with_whose_it_is(
    client: ApiClient, company: Company, raise_case: Raise, away: Away, as_user: AsUser
) -> None:
    theirs, ended, mine = raise_case(), raise_case(), raise_case()
    act(client, mine, "assign", owner_id=str(company.csm.id), reason="Knows it")
    act(client, ended, "close-unresolved", outcome="withdrawn", reason="No longer needed")
    csm = as_user(company.csm)
    assert listed(csm) == [(mine["number"], None)]
    absence = away(company.owner, company.csm, mode="cover")
    assert sorted(listed(csm)) == [(theirs["number"], "owner@example.com"), (mine["number"], None)]
    assert sorted(listed(as_user(company.owner))) == [(theirs["number"], None), (ended["number"], None)]
    assert listed(csm, "/api/v1/escalations?owner=csm@example.com") == [(mine["number"], None)]
    client.delete(f"/api/v1/users/{company.owner.id}/absences/{absence['id']}")
    assert listed(csm) == [(mine["number"], None)]


def test_through_a_chain_the_one_who_is_present_covers_for_all_and_who_is_away_for_nobody(
    company: Company, raise_case: Raise, away: Away, as_user: AsUser
) -> None:
    case = raise_case()
    away(company.owner, company.csm, mode="cover")
    away(company.csm, company.boss, mode="cover")
    assert listed(as_user(company.boss)) == [(case["number"], "owner@example.com")]
    assert listed(as_user(company.csm)) == []
    assert listed(as_user(company.manager)) == []


def test_a_case_about_somebody_of_the_chain_is_covered_by_nobody_behind_them(
    company: Company, raise_case: Raise, away: Away, as_user: AsUser, fetch: Callable[..., Any]
) -> None:
    raise_case(about_user=company.csm.email)
    away(company.owner, company.csm, mode="cover")
    away(company.csm, company.boss, mode="cover")
    for user in (company.csm, company.boss):
        assert listed(as_user(user)) == []
        assert events(fetch(subscribe(as_user(user)))) == []
        assert as_user(user).get("/api/v1/me/tasks").json["items"] == []


def test_a_restricted_case_is_covered_and_the_calendar_says_no_more_of_it_than_before(
    company: Company, raise_case: Raise, away: Away, as_user: AsUser, fetch: Callable[..., Any]
) -> None:
    case = raise_case(restricted=True)
    away(company.owner, company.csm, mode="cover")
    csm = as_user(company.csm)
    assert listed(csm) == [(case["number"], "owner@example.com")]
    content = fetch(subscribe(csm)).data
    assert case["number"].encode() in content
    assert b"owner@example.com" not in content


def test_the_calendar_has_the_deadlines_i_cover_and_says_for_whom(
    client: ApiClient, company: Company, raise_case: Raise, away: Away, as_user: AsUser, fetch: Callable[..., Any]
) -> None:
    case = raise_case()
    csm = as_user(company.csm)
    path = subscribe(csm)
    assert events(fetch(path)) == []
    away(company.owner, company.csm, mode="cover")
    found = {str(one["summary"]) for one in events(fetch(path))}
    assert f"Globex: acknowledge · {case['number']} (covering: owner@example.com)" in found
    assert len(found) == len([one for one in case["clocks"] if one["due_at"]])


def test_a_task_of_somebody_absent_is_in_the_calendar_and_list_of_who_covers_and_its_owners_list_is_theirs(
    client: ApiClient, company: Company, raise_case: Raise, away: Away, as_user: AsUser, fetch: Callable[..., Any]
) -> None:
    """`csm` does a task on the owner's case and is away; `boss` covers."""
    case = raise_case()
    with transaction():
        due = (clock.now() + 5 * DAY).isoformat()
    act(client, case, "tasks", title="Read the logs", assignee_email=company.csm.email, due_at=due)
    act(client, case, "tasks", title="Call them")
    boss = as_user(company.boss)
    assert tasks(boss) == []
    away(company.csm, company.boss, mode="cover")
    assert tasks(boss) == [(case["number"], "Read the logs", "csm@example.com")]
    assert {str(one["summary"]) for one in events(fetch(subscribe(boss)))} == {
        f"Globex: Read the logs · {case['number']} (covering: csm@example.com)"
    }
    assert tasks(as_user(company.owner)) == [(case["number"], "Call them", None)]
    away(company.owner, company.boss, mode="cover")
    assert tasks(boss) == [
        (case["number"], "Read the logs", "csm@example.com"),
        (case["number"], "Call them", "owner@example.com"),
    ]


def test_a_restricted_cases_task_is_for_its_owner_and_who_covers_for_them_alone(
    client: ApiClient, company: Company, raise_case: Raise, away: Away, as_user: AsUser
) -> None:
    case = raise_case()
    act(client, case, "tasks", title="Read the logs", assignee_email=company.csm.email)
    assert tasks(as_user(company.csm)) == [(case["number"], "Read the logs", None)]
    with transaction():
        db.session.execute(update(Escalation).values(restricted=True))
    assert tasks(as_user(company.csm)) == []
    act(client, case, "tasks", title="Call them")
    away(company.owner, company.csm, mode="cover")
    assert tasks(as_user(company.csm)) == [
        (case["number"], "Read the logs", None),
        (case["number"], "Call them", "owner@example.com"),
    ]


def test_a_restricted_cases_task_is_listed_to_whoever_may_see_it(
    client: ApiClient, company: Company, raise_case: Raise, away: Away, as_user: AsUser, make_user: Callable[..., User]
) -> None:
    """The line above, who stands in for it, watchers and admins; everybody else has nothing to do there."""
    case = raise_case()
    watcher, stranger, helper = (make_user("csm", f"{name}@example.com") for name in ("watcher", "stranger", "helper"))
    act(as_user(watcher), case, "watch", watching=True)
    doers = (company.manager, company.boss, watcher, stranger)
    for user in doers:
        act(client, case, "tasks", title=f"For {user.email}", assignee_email=user.email)
    act(client, case, "tasks", title="For an admin", assignee_email="admin@example.com")
    with transaction():
        db.session.execute(update(Escalation).values(restricted=True))

    for user in doers[:3]:
        assert tasks(as_user(user)) == [(case["number"], f"For {user.email}", None)]
    assert tasks(as_user(stranger)) == []
    assert tasks(client) == [(case["number"], "For an admin", None)]
    away(company.manager, helper, mode="cover")
    assert tasks(as_user(helper)) == [(case["number"], "For manager@example.com", "manager@example.com")]


def test_my_tasks_are_paged_by_due_time_those_without_last(
    client: ApiClient, company: Company, raise_case: Raise, as_user: AsUser
) -> None:
    case = raise_case()
    with transaction():
        now = clock.now()
    for title, days in (("Third", None), ("Second", 2), ("First", 1)):
        due = {"due_at": (now + days * DAY).isoformat()} if days else {}
        act(client, case, "tasks", title=title, assignee_email=company.csm.email, **due)
    csm, seen, cursor = as_user(company.csm), [], ""
    for _ in range(3):
        page = csm.get(f"/api/v1/me/tasks?limit=1{cursor}").json
        seen += [one["title"] for one in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert (seen, page["next_cursor"]) == (["First", "Second", "Third"], None)


def test_covering_costs_no_statement_more(
    tenant: TestTenant,
    company: Company,
    raise_case: Raise,
    away: Away,
    as_user: AsUser,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    raise_case()
    csm = as_user(company.csm)

    def count(read: Callable[[], object]) -> int:
        read()
        with statements() as sent:
            read()
        return len(sent)

    def deadlines() -> None:
        with transaction():
            list_deadlines(company.csm.id, clock.now())

    def mine() -> None:
        with transaction():
            list_tasks(company.csm.id, clock.now(), after=None, limit=50)

    before = [count(read) for read in (lambda: csm.get(MINE), deadlines, mine)]
    away(company.owner, company.csm, mode="cover")
    assert [count(read) for read in (lambda: csm.get(MINE), deadlines, mine)] == before
    assert before[0] <= 4
    assert before[1:] == [3, 3]  # the scope, the tenant, and the list


@pytest.mark.parametrize("who", ["owner=", "owner=you", "owner=me,nonsense"])
def test_a_wrong_owner_is_refused_by_name(client: ApiClient, who: str) -> None:
    answer = client.get(f"/api/v1/escalations?{who}")
    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, "owner")
