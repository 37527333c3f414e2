"""Versions on the wire: the latest few stand beside what they are versions of, and all of them have pages."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.conftest import ApiClient

HALF = {"offset": "50%", "audience": ["owner"]}
# Where each is published, and what publishes its next version; a tenant has its first ladder from the start.
THINGS: list[tuple[str, dict[str, Any]]] = [
    ("/api/v1/calendars", {"name": "day", "weekly": {"mon": [["09:00", "17:00"]]}}),
    ("/api/v1/service-levels", {"name": "gold", "close_days": 20}),
    ("/api/v1/ladders", {"kind": "plan", "steps": [HALF]}),
]


def publish(client: ApiClient, path: str, body: dict[str, Any], times: int) -> str:
    """The path of what was published so many times."""
    answers = [client.post(path, json=body) for _ in range(times)]
    assert {answer.status_code for answer in answers} == {201}
    where: str = answers[-1].headers["Location"]
    return where


def numbers(versions: list[dict[str, Any]]) -> list[int]:
    return [one["number"] for one in versions]


@pytest.mark.parametrize(("path", "body"), THINGS)
def test_the_latest_twenty_versions_stand_beside_it_and_older_ones_on_pages_of_their_own(
    client: ApiClient, path: str, body: dict[str, Any]
) -> None:
    first = 2 if path.endswith("ladders") else 1
    where = publish(client, path, body, 22)
    newest = first + 21
    read = client.get(where).json
    assert (read["number"], numbers(read["versions"])) == (newest, list(range(newest - 19, newest + 1)))
    listed = client.get(path).json["items"]
    assert max(len(one["versions"]) for one in listed) == 20
    page = client.get(f"{where}/versions?limit=21").json
    assert numbers(page["items"]) == list(range(newest, newest - 21, -1))
    rest = client.get(f"{where}/versions?limit=21&cursor={page['next_cursor']}").json
    assert (numbers(rest["items"]), rest["next_cursor"]) == (list(range(newest - 21, 0, -1)), None)
    assert {key for one in rest["items"] for key in one} == set(read["versions"][0])


def test_many_versions_cost_a_list_no_statement_more(
    client: ApiClient, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    for path, body in THINGS:
        where = publish(client, path, body, 3)
        for asked in (path, where, f"{where}/versions"):
            with statements() as sent:
                assert client.get(asked).status_code == 200
            assert len(sent) <= 4, (asked, sent)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/calendars/00000000-0000-7000-8000-000000000000/versions",
        "/api/v1/service-levels/00000000-0000-7000-8000-000000000000/versions",
        "/api/v1/ladders/sleep/versions",
    ],
)
def test_versions_of_what_does_not_exist_are_not_found(client: ApiClient, path: str) -> None:
    assert client.get(path).status_code == 404
