"""The customer's word on a resolution: confirmed, refused or unanswered, never one for another."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app import clock
from app.db import transaction
from app.escalations import engine
from tests.conftest import ApiClient

Raise = Callable[..., dict[str, Any]]
WORDS = {"summary": "Fixed", "root_cause": "A full disk", "preventable": True}
YES = {"accepted": True, "confirmed_by": "Jo Weber", "channel": "call", "comment": "Well done."}
NO = {"accepted": False, "confirmed_by": "Jo Weber", "channel": "email", "comment": "Not yet."}


@pytest.fixture
def case(client: ApiClient, raise_case: Raise) -> str:
    """The path of a resolved case."""
    path = f"/api/v1/escalations/{raise_case()['id']}"
    client.post(f"{path}/acknowledge", json={})
    assert client.post(f"{path}/resolve", json=WORDS).status_code == 200
    return path


def run_out(case: str) -> None:
    with transaction():
        now = clock.now() + timedelta(minutes=1)
        assert engine.verify_unanswered(UUID(case.rpartition("/")[2]), now=now, at=now)


def words(client: ApiClient, case: str) -> list[tuple[Any, ...]]:
    found = client.get(case).json["quality_control"]
    return [(one["word"], one["confirmed_by"], one["channel"], one["comment"], one["logged_by"]) for one in found]


def test_until_the_customer_spoke_nothing_is_shown(client: ApiClient, case: str) -> None:
    assert client.get(case).json["quality_control"] == []


def test_a_confirmation_shows_whose_it_was_and_how(client: ApiClient, case: str) -> None:
    closed = client.post(f"{case}/verify", json=YES).json
    assert (closed["outcome"], closed["verification"]) == ("resolved", "confirmed")
    assert words(client, case) == [("confirmed", "Jo Weber", "call", "Well done.", "admin@example.com")]


def test_a_refusal_is_no_confirmation_and_stays_in_the_record(client: ApiClient, case: str) -> None:
    back = client.post(f"{case}/verify", json=NO).json
    assert (back["status"], back["outcome"], back["verification"]) == ("in_progress", None, None)
    client.post(f"{case}/resolve", json=WORDS)
    client.post(f"{case}/verify", json=YES)
    assert [word for word, *_ in words(client, case)] == ["refused", "confirmed"]


def test_silence_is_shown_as_silence(client: ApiClient, case: str) -> None:
    run_out(case)
    assert client.get(case).json["verification"] == "unanswered"
    assert words(client, case) == [("unanswered", None, None, None, None)]


@pytest.mark.parametrize("again", [YES, NO])
def test_a_second_word_is_refused_with_the_first(client: ApiClient, case: str, again: dict[str, Any]) -> None:
    client.post(f"{case}/verify", json=YES)
    before = client.get(f"{case}/timeline").json["items"]
    refused = client.post(f"{case}/verify", json=again)

    assert (refused.status_code, refused.json["code"]) == (409, "step_not_allowed")
    assert refused.json["detail"].startswith("It was confirmed by Jo Weber (call) on ")
    assert refused.json["allowed"] == ["reopen", "watch"]
    assert client.get(f"{case}/timeline").json["items"] == before
    assert client.get(case).json["verification"] == "confirmed"


def test_a_word_after_silence_does_not_make_it_a_confirmation(client: ApiClient, case: str) -> None:
    run_out(case)
    refused = client.post(f"{case}/verify", json=YES)
    assert (refused.status_code, "closed without an answer" in refused.json["detail"]) == (409, True)
    assert client.get(case).json["verification"] == "unanswered"


def test_a_case_ended_unresolved_was_verified_by_nobody(client: ApiClient, case: str) -> None:
    ended = client.post(f"{case}/close-unresolved", json={"outcome": "withdrawn", "reason": "They left us."}).json
    assert (ended["verification"], ended["quality_control"]) == (None, [])
    refused = client.post(f"{case}/verify", json=YES)
    assert refused.json["code"] == "step_not_allowed"


def test_a_reopening_takes_the_confirmation_back_and_keeps_that_it_was_given(client: ApiClient, case: str) -> None:
    client.post(f"{case}/verify", json=YES)
    again = client.post(f"{case}/reopen", json={"reason": "It is back."}).json
    assert (again["status"], again["verification"], again["outcome"]) == ("in_progress", None, None)
    assert [one["word"] for one in again["quality_control"]] == ["confirmed"]
    client.post(f"{case}/resolve", json=WORDS)
    run_out(case)
    assert [word for word, *_ in words(client, case)] == ["confirmed", "unanswered"]
    assert client.get(case).json["verification"] == "unanswered"
