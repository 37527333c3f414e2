"""My deadlines in my own calendar: a secret address of mine, what I own behind it, and nothing else."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import select, text, update
from werkzeug.test import TestResponse

from app import clock
from app.auth import service as auth
from app.auth.models import CalendarFeed, User
from app.db import db, transaction
from app.escalations.deadlines import list_deadlines
from app.escalations.models import Escalation
from app.sla.models import Clock
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company

ME = "/api/v1/me/calendar-feed"
Raise = Callable[..., dict[str, Any]]
Clients = Callable[..., ApiClient]


@pytest.fixture
def owner(company: Company, as_user: Clients) -> ApiClient:
    return as_user(company.owner)


def subscribe(client: ApiClient) -> str:
    """The path of a new feed."""
    made = client.post(ME)
    assert made.status_code == 201, made.text
    return urlsplit(made.json["url"]).path


@pytest.fixture
def fetch(app: Flask) -> Callable[..., TestResponse]:
    """As a calendar client asks: with the address alone."""
    return ApiClient(app, None).get


def events(answer: TestResponse) -> list[Any]:
    assert answer.status_code == 200, answer.text
    return list(Calendar.from_ical(answer.data).walk("VEVENT"))


def test_the_feed_holds_each_deadline_of_what_i_own_at_its_due_time(
    owner: ApiClient, raise_case: Raise, fetch: Callable[..., TestResponse]
) -> None:
    case = raise_case()
    answer = fetch(subscribe(owner))
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    found = {str(one["summary"]): one["dtstart"].dt for one in events(answer)}
    due = {one["kind"]: datetime.fromisoformat(one["due_at"]) for one in case["clocks"] if one["due_at"]}
    assert found[f"Globex: close · {case['number']}"] == due["close"].replace(microsecond=0)
    assert found[f"Globex: acknowledge · {case['number']}"] == due["acknowledge"].replace(microsecond=0)
    assert len(found) == len(due)
    calendar = Calendar.from_ical(answer.data)
    assert (calendar["version"], "method" in calendar) == ("2.0", False)
    assert calendar["refresh-interval"].dt == timedelta(hours=1)


def test_a_kept_promise_leaves_the_calendar_and_a_moved_one_keeps_its_uid_with_a_higher_sequence(
    owner: ApiClient, client: ApiClient, raise_case: Raise, fetch: Callable[..., TestResponse]
) -> None:
    case, path = raise_case(), subscribe(owner)

    def close() -> Any:
        return next(one for one in events(fetch(path)) if "close" in one["summary"])

    before = close()
    until = datetime.fromisoformat(case["close_target_at"]) + timedelta(days=5)
    body = {"until": until.isoformat(), "reason": "a part is missing", "customer_agreed": True}
    assert client.post(f"/api/v1/escalations/{case['id']}/extend", json=body).status_code == 200
    assert owner.post(f"/api/v1/escalations/{case['id']}/acknowledge").status_code == 200
    after = close()
    assert after["uid"] == before["uid"]
    assert after["sequence"] > before["sequence"]
    assert after["dtstart"].dt == until.replace(microsecond=0)
    assert not [one for one in events(fetch(path)) if "acknowledge" in one["summary"]]


def test_what_others_own_and_what_is_over_is_not_in_it(
    owner: ApiClient, client: ApiClient, company: Company, raise_case: Raise, fetch: Callable[..., TestResponse]
) -> None:
    raise_case()
    over = raise_case()
    closing = {"reason": "asked twice", "outcome": "withdrawn"}
    assert client.post(f"/api/v1/escalations/{over['id']}/close-unresolved", json=closing).status_code == 200
    mine = {str(one["summary"]).rpartition(" ")[2] for one in events(fetch(subscribe(owner)))}
    assert mine == {"ESC-1"}
    assert events(fetch(subscribe(client))) == []


def test_a_restricted_case_shows_its_number_and_its_due_time_alone(
    owner: ApiClient, raise_case: Raise, fetch: Callable[..., TestResponse]
) -> None:
    raise_case(title="About the board", restricted=True)
    answer = fetch(subscribe(owner))
    assert {str(one["class"]) for one in events(answer)} == {"CONFIDENTIAL"}
    assert b"Globex" not in answer.data
    assert b"board" not in answer.data


def test_a_client_that_has_it_already_is_told_so_until_something_changes(
    owner: ApiClient, raise_case: Raise, fetch: Callable[..., TestResponse]
) -> None:
    raise_case()
    path = subscribe(owner)
    first = fetch(path)
    again = fetch(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    raise_case()
    assert fetch(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_lines_are_folded_and_a_title_of_many_words_comes_back_whole(
    owner: ApiClient, raise_case: Raise, fetch: Callable[..., TestResponse]
) -> None:
    title = 'Überall; Ärger, und "Zitate": ' + "Straße " * 30 + "Ende"
    raise_case(title=title)
    answer = fetch(subscribe(owner))
    assert all(len(line) <= 75 for line in answer.data.split(b"\r\n"))
    assert {str(one["description"]) for one in events(answer)} == {f"{title} (severity 2, open)"}


def test_a_new_address_takes_the_place_of_the_former_and_a_revoked_one_leads_nowhere(
    owner: ApiClient, fetch: Callable[..., TestResponse]
) -> None:
    assert owner.get(ME).status_code == 404
    former = subscribe(owner)
    path = subscribe(owner)
    assert fetch(former).status_code == 404
    assert fetch(path).status_code == 200
    assert owner.get(ME).json["last_used_at"] is not None
    assert "url" not in owner.get(ME).json
    assert owner.delete(ME).status_code == 204
    assert fetch(path).status_code == 404
    assert owner.delete(ME).status_code == 204


def test_the_address_is_not_kept(owner: ApiClient, company: Company, tenant: TestTenant) -> None:
    secret = subscribe(owner).rpartition("_")[2].removesuffix(".ics")
    with transaction():
        kept = db.session.scalars(select(CalendarFeed)).one()
    assert kept.user_id == company.owner.id
    assert secret.encode() not in kept.secret_hash
    replayed = [owner.post(ME, key="once").json["url"] for _ in range(2)]
    assert replayed[1] is None


def test_whoever_is_deactivated_has_no_feed(
    owner: ApiClient, company: Company, fetch: Callable[..., TestResponse]
) -> None:
    path = subscribe(owner)
    with transaction():
        auth.change_user(db.session.get_one(User, company.owner.id), {"active": False})
    assert fetch(path).status_code == 404


def test_an_address_that_is_cut_short_changed_or_of_another_tenant_leads_nowhere(
    owner: ApiClient, fetch: Callable[..., TestResponse], new_tenant: Callable[..., TestTenant]
) -> None:
    path = subscribe(owner)
    _, tenant, secret = path.removesuffix(".ics").split("_", 2)
    for token in (
        "x",
        "cal_",
        f"cal_{tenant}_{secret[:-1]}",
        f"cal_{new_tenant().id.hex}_{secret}",
        f"fh_{tenant}_{secret}",
    ):
        answer = fetch(f"/feeds/{token}.ics")
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_the_address_opens_nothing_but_the_feed(app: Flask, owner: ApiClient) -> None:
    token = subscribe(owner).rpartition("/")[2].removesuffix(".ics")
    assert ApiClient(app, token).get("/api/v1/escalations").status_code == 401
    assert ApiClient(app, token.replace("cal_", "fh_")).get("/api/v1/escalations").status_code == 401


def test_an_integration_which_reads_nothing_has_no_feed(as_user: Clients, make_user: Callable[..., User]) -> None:
    assert as_user(make_user("integration")).post(ME).status_code == 403


def test_a_feed_costs_four_statements_however_much_is_due(
    owner: ApiClient,
    raise_case: Raise,
    fetch: Callable[..., TestResponse],
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    for _ in range(3):
        raise_case()
    path = subscribe(owner)
    with statements() as sent:
        assert len(events(fetch(path))) > 3
    assert len(sent) <= 4, sent


def test_what_fell_due_long_ago_or_lies_years_ahead_is_left_out(company: Company, raise_case: Raise) -> None:
    case, now = raise_case(), clock.now()

    def due_at(moment: datetime) -> list[datetime]:
        with transaction():
            db.session.execute(update(Clock).values(due_at=moment))
        with transaction():
            assert db.session.get_one(Escalation, UUID(case["id"])).owner_id == company.owner.id
            return [one.due_at for one in list_deadlines(company.owner.id, now)]

    assert due_at(now - timedelta(days=91)) == []
    assert due_at(now + timedelta(days=367)) == []
    assert set(due_at(now - timedelta(days=89))) == {now - timedelta(days=89)}


@pytest.fixture
def give(client: ApiClient) -> Callable[..., str]:
    """A task of a case, due in ten days: the summary of its entry."""

    def make(case: dict[str, Any], assignee: User) -> str:
        due = (clock.now() + timedelta(days=10)).isoformat()
        body = {"title": "Send the logs", "assignee_email": assignee.email, "due_at": due}
        assert client.post(f"/api/v1/escalations/{case['id']}/tasks", json=body).status_code == 201
        return f"Globex: Send the logs · {case['number']}"

    return make


def summaries(answer: TestResponse) -> list[str]:
    return [str(one["summary"]) for one in events(answer)]


def test_a_task_stands_in_the_calendar_of_who_does_it_and_not_in_the_owners(
    owner: ApiClient,
    company: Company,
    as_user: Clients,
    raise_case: Raise,
    give: Callable[..., str],
    fetch: Callable[..., TestResponse],
) -> None:
    case = raise_case()
    colleagues, owners = subscribe(as_user(company.csm)), subscribe(owner)
    task = give(case, company.csm)
    assert summaries(fetch(colleagues)) == [task]
    assert task not in summaries(fetch(owners))
    assert f"Globex: close · {case['number']}" in summaries(fetch(owners))
    assert give(case, company.owner) in summaries(fetch(owners))
    [given] = [
        one
        for one in owner.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"]
        if one["assignee_id"] == str(company.csm.id)
    ]
    path = f"/api/v1/escalations/{case['id']}/tasks/{given['id']}"
    assert owner.patch(path, json={"state": "done"}, headers={"If-Match": f'"{given["version"]}"'}).status_code == 200
    assert summaries(fetch(colleagues)) == []


def test_a_task_of_a_restricted_case_stays_in_the_owners_calendar(
    owner: ApiClient,
    company: Company,
    as_user: Clients,
    raise_case: Raise,
    give: Callable[..., str],
    fetch: Callable[..., TestResponse],
) -> None:
    """Restricted after the task was given, the assignee may not see it: reminders go to the owner as well."""
    case = raise_case()
    before = len(events(fetch(subscribe(owner))))
    give(case, company.csm)
    with transaction():
        db.session.execute(text("update escalation set restricted = true where id = :id"), {"id": case["id"]})
    assert events(fetch(subscribe(as_user(company.csm)))) == []
    assert len(events(fetch(subscribe(owner)))) == before + 1


def test_of_more_than_fit_those_nearest_to_now_are_shown_in_order_of_their_due_times(
    company: Company, raise_case: Raise
) -> None:
    """Eighty days behind, one behind, two and ninety ahead: of two, the one behind and the two days ahead."""
    now = clock.now()
    days = dict(zip([raise_case()["id"] for _ in range(4)], (-80, -1, 2, 90), strict=True))
    with transaction():
        db.session.execute(update(Clock).where(Clock.kind != "close").values(due_at=now + timedelta(days=300)))
        for id_, ahead in days.items():
            due = update(Clock).where(Clock.kind == "close", Clock.escalation_id == UUID(id_))
            db.session.execute(due.values(due_at=now + timedelta(days=ahead)))
    with transaction():
        shown = [one.due_at for one in list_deadlines(company.owner.id, now, most=2)]
    assert shown == [now - timedelta(days=1), now + timedelta(days=2)]
