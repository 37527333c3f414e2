"""Absences through the API: who may say them, what is refused, what ends them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from flask import Flask

from app import clock
from app.auth.models import User
from app.auth.queries import get_user
from app.auth.service import change_user
from app.db import transaction
from app.routing import service as routing
from tests import NOW
from tests.conftest import ApiClient, TestTenant, actor_of

Make = Callable[..., User]
AsUser = Callable[..., ApiClient]
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def path(user: User, absence: dict[str, Any] | None = None) -> str:
    return f"/api/v1/users/{user.id}/absences" + (f"/{absence['id']}" if absence else "")


def away(start: timedelta = -HOUR, end: timedelta = DAY, **fields: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {"starts_at": (now + start).isoformat(), "ends_at": (now + end).isoformat(), **fields}


def add(client: ApiClient, user: User, **fields: Any) -> dict[str, Any]:
    answer = client.post(path(user), json=away(**fields))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


@pytest.fixture
def anna(make_user: Make) -> User:
    return make_user("csm", "anna@example.com")


def test_an_absence_names_its_delegate_and_takes_the_tenants_mode(
    client: ApiClient, anna: User, make_user: Make
) -> None:
    ben = make_user("csm", "ben@example.com")
    made = add(client, anna, delegate_email="BEN@example.com")
    assert (made["user_id"], made["delegate_id"]) == (str(anna.id), str(ben.id))
    assert (made["delegate_email"], made["mode"]) == ("ben@example.com", "cover")
    assert client.get(path(anna)).json == {"items": [made], "next_cursor": None}


def test_an_absence_says_whether_work_moves_or_is_covered(client: ApiClient, anna: User) -> None:
    assert add(client, anna, mode="move")["mode"] == "move"
    later = client.post(path(anna), json=away(start=2 * DAY, end=3 * DAY, mode="cover"))
    assert later.json["mode"] == "cover"


def test_only_the_person_their_line_and_admins_may_say_it(client: ApiClient, as_user: AsUser, make_user: Make) -> None:
    boss = make_user("executive")
    manager = make_user("manager", manager=boss)
    person = make_user("csm", manager=manager)
    for caller, status in ((person, 201), (manager, 201), (boss, 201), (make_user("manager"), 403)):
        answer = as_user(caller).post(path(person), json=away(start=DAY, end=2 * DAY))
        assert answer.status_code == status, caller.role
        if status == 201:
            assert as_user(make_user("csm")).delete(path(person, answer.json)).status_code == 403
            assert as_user(caller).delete(path(person, answer.json)).status_code == 204
    assert as_user(person).post(path(manager), json=away()).status_code == 403
    assert as_user(make_user("integration")).post(path(person), json=away()).status_code == 403


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"start": DAY, "end": DAY}, "/ends_at"),
        ({"start": DAY, "end": HOUR}, "/ends_at"),
        ({"start": -2 * DAY, "end": -DAY}, "/ends_at"),
        ({"delegate_email": "anna@example.com"}, "/delegate_email"),
        ({"delegate_email": "nobody@example.com"}, "/delegate_email"),
        ({"delegate_email": "robot@example.com"}, "/delegate_email"),
        ({"delegate_email": "left@example.com"}, "/delegate_email"),
        ({"delegate_email": "no address"}, "/delegate_email"),
        ({"mode": "vanish"}, "/mode"),
        ({"starts_at": "2026-12-01T09:00:00"}, "/starts_at"),
        ({"ends_at": "tomorrow"}, "/ends_at"),
        ({"timezone": "Mars/Olympus"}, "/timezone"),
    ],
)
def test_a_faulty_absence_is_refused_by_field(
    client: ApiClient, anna: User, make_user: Make, fields: dict[str, Any], pointer: str
) -> None:
    make_user("integration", "robot@example.com")
    left = make_user("csm", "left@example.com")
    with transaction():
        change_user(get_user(left.id), {"active": False})
    answer = client.post(path(anna), json=away(**fields))
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)
    assert client.get(path(anna)).json["items"] == []


def test_an_absence_needs_both_its_ends(client: ApiClient, anna: User) -> None:
    answer = client.post(path(anna), json={})
    assert [error["pointer"] for error in answer.json["errors"]] == ["/starts_at", "/ends_at"]


def test_nobody_is_away_twice_at_once_but_one_absence_may_follow_another(client: ApiClient, anna: User) -> None:
    body = away(start=DAY, end=2 * DAY)
    first = client.post(path(anna), json=body).json
    for overlapping in (body, away(start=-DAY, end=9 * DAY), away(start=DAY + HOUR, end=DAY + 2 * HOUR)):
        answer = client.post(path(anna), json=overlapping)
        assert (answer.status_code, answer.json["code"]) == (409, "absences_overlap")
        assert answer.json["absence_id"] == first["id"]
    after = {"starts_at": body["ends_at"], "ends_at": away(end=3 * DAY)["ends_at"]}
    before = {"starts_at": away()["starts_at"], "ends_at": body["starts_at"]}
    assert [client.post(path(anna), json=one).status_code for one in (after, before)] == [201, 201]
    starts = [one["starts_at"] for one in client.get(path(anna)).json["items"]]
    assert starts == sorted(starts, reverse=True)
    assert len(starts) == 3


def test_of_two_said_at_the_same_moment_one_is_refused(app: Flask, client: ApiClient, anna: User) -> None:
    barrier = Barrier(6)

    def say(_: int) -> int:
        barrier.wait(timeout=30)
        return client.post(path(anna), json=away()).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(say, range(6))) == [201, *[409] * 5]
    assert len(client.get(path(anna)).json["items"]) == 1


def test_back_early_it_ends_now_and_stays_on_record(client: ApiClient, anna: User) -> None:
    absence = add(client, anna)
    assert client.delete(path(anna, absence)).status_code == 204
    [kept] = client.get(path(anna)).json["items"]
    assert kept["starts_at"] == absence["starts_at"]
    assert datetime.fromisoformat(kept["ends_at"]) <= datetime.now(UTC)
    again = client.delete(path(anna, absence))
    assert (again.status_code, again.json["code"]) == (409, "absence_over")
    assert client.post(path(anna), json=away(start=HOUR)).status_code == 201


def test_one_that_has_not_begun_is_taken_back(client: ApiClient, anna: User) -> None:
    absence = add(client, anna, start=DAY, end=2 * DAY)
    assert client.delete(path(anna, absence)).status_code == 204
    assert client.get(path(anna)).json["items"] == []
    assert client.delete(path(anna, absence)).status_code == 404


def test_an_absence_of_somebody_else_is_not_found_under_this_person(
    client: ApiClient, anna: User, make_user: Make
) -> None:
    other = make_user("csm")
    assert client.delete(path(other, add(client, anna))).status_code == 404


def test_absences_are_paged(client: ApiClient, anna: User) -> None:
    for day in range(5):
        add(client, anna, start=day * DAY, end=(day + 1) * DAY - HOUR)
    first = client.get(f"{path(anna)}?limit=3").json
    rest = client.get(f"{path(anna)}?limit=3&cursor={first['next_cursor']}").json
    starts = [one["starts_at"] for one in first["items"] + rest["items"]]
    assert (len(starts), starts) == (5, sorted(starts, reverse=True))


def test_who_stands_in_is_found_through_chains_and_only_while_away(tenant: TestTenant, make_user: Make) -> None:
    anna, ben, cleo, dora = (make_user("csm", f"{name}@example.com") for name in ("anna", "ben", "cleo", "dora"))
    with transaction():
        for user, delegate, start, end in (
            (anna, ben, 0, 48),
            (ben, cleo, 24, 48),
            (cleo, None, 36, 48),
            (dora, anna, 0, 12),
        ):
            routing.add_absence(
                user.id,
                starts_at=clock.now() + start * HOUR,
                ends_at=clock.now() + end * HOUR,
                delegate_email=delegate.email if delegate else None,
                actor=actor_of(tenant.admin),
                now=clock.now(),
            )
    everybody = [anna.id, ben.id, cleo.id, dora.id]

    def found(hours: int) -> dict[str, str | None]:
        names = {user.id: user.email.partition("@")[0] for user in (anna, ben, cleo, dora)}
        with transaction():
            stand_ins = routing.find_stand_ins(everybody, now=clock.now() + timedelta(hours=hours, minutes=1))
        return {names[id_]: names[by.id] if by else None for id_, by in stand_ins.items()}

    assert found(-1) == {}
    assert found(1) == {"anna": "ben", "dora": "ben"}
    assert found(13) == {"anna": "ben"}
    assert found(25) == {"anna": "cleo", "ben": "cleo"}
    assert found(37) == {"anna": None, "ben": None, "cleo": None}
    assert found(48) == {}


def test_whom_a_case_is_about_or_who_left_is_no_delegate(tenant: TestTenant, make_user: Make) -> None:
    anna, ben, cleo = (make_user("csm", f"{name}@example.com") for name in ("anna", "ben", "cleo"))
    with transaction():
        for user, delegate in ((anna, ben), (ben, cleo)):
            span = {"starts_at": NOW, "ends_at": NOW + DAY, "delegate_email": delegate.email}
            routing.add_absence(user.id, **span, actor=actor_of(tenant.admin), now=NOW)
        assert {by and by.id for by in routing.find_stand_ins([anna.id], now=NOW).values()} == {cleo.id}
        assert routing.find_stand_ins([anna.id], now=NOW, about_user_id=ben.id) == {anna.id: None}
        change_user(get_user(cleo.id), {"active": False})
        assert routing.find_stand_ins([anna.id, ben.id], now=NOW) == {anna.id: None, ben.id: None}
