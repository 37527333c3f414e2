"""Delegates who would come back to where they began."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Barrier

import pytest
from werkzeug.test import TestResponse

from app.auth.models import User
from tests.conftest import ApiClient

Make = Callable[..., User]
START = (datetime.now(UTC) + timedelta(days=30)).replace(hour=9, minute=0, second=0, microsecond=0)


def day(number: int) -> str:
    return (START + timedelta(days=number)).isoformat()


@pytest.fixture
def say(client: ApiClient) -> Callable[..., TestResponse]:
    """`say(anna, 1, 5, ben)`: Anna is away from day 1 to day 5 and Ben stands in."""

    def add(user: User, start: int, end: int, delegate: User | None = None) -> TestResponse:
        body = {"starts_at": day(start), "ends_at": day(end), "delegate_email": delegate.email if delegate else None}
        return client.post(f"/api/v1/users/{user.id}/absences", json=body)

    return add


Say = Callable[..., TestResponse]


def test_two_who_would_stand_in_for_each_other_at_one_time_are_refused_by_field(make_user: Make, say: Say) -> None:
    anna, ben = make_user(), make_user()
    assert say(anna, 1, 5, ben).status_code == 201
    refused = say(ben, 4, 9, anna)
    assert (refused.status_code, [e["pointer"] for e in refused.json["errors"]]) == (422, ["/delegate_email"])
    assert f"from {day(4)} to {day(5)} {anna.email} is away too" in refused.json["errors"][0]["detail"]
    assert say(ben, 5, 9, anna).status_code == 201  # Anna is back by then


def test_a_circle_is_found_through_any_number_of_others(make_user: Make, say: Say) -> None:
    people = [make_user() for _ in range(8)]
    for one, following in pairwise(people):
        assert say(one, 1, 9, following).status_code == 201
    refused = say(people[-1], 3, 4, people[0])
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/delegate_email")
    assert people[-2].email in refused.json["errors"][0]["detail"]
    assert say(people[-1], 3, 4).status_code == 201  # away with nobody standing in


def test_times_that_touch_one_after_the_other_but_never_all_at_once_are_no_circle(make_user: Make, say: Say) -> None:
    anna, ben, cat = make_user(), make_user(), make_user()
    assert say(anna, 1, 3, ben).status_code == 201
    assert say(ben, 2, 6, cat).status_code == 201
    assert say(cat, 4, 8, anna).status_code == 201  # while Cat is away with Anna standing in, Anna is there
    assert say(anna, 5, 7, ben).status_code == 422


def test_of_two_who_name_each_other_at_the_same_moment_one_is_refused(make_user: Make, say: Say) -> None:
    anna, ben = make_user(), make_user()
    together = Barrier(2)

    def name(pair: tuple[User, User]) -> int:
        together.wait()
        return say(pair[0], 1, 5, pair[1]).status_code

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(name, [(anna, ben), (ben, anna)])) == [201, 422]
