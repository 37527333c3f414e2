"""How long each audience has heard nothing: counted from the last update, else from the raise."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.escalations.silence import silence_of
from tests.conftest import ApiClient

Raise = Callable[..., dict[str, Any]]
RAISED = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)


def days(n: float) -> datetime:
    return RAISED + timedelta(days=n)


@pytest.mark.parametrize(
    ("told", "clocks", "expected"),
    [
        (None, [], (None, 6, None)),
        (5.5, [], (5.5, 1, None)),
        (6, [], (6, 0, None)),
        (3, [("customer_update", "running", 9)], (3, 3, 9)),
        (3, [("customer_update", "running", 9), ("reply", "breached", 5)], (3, 3, 5)),
        (3, [("customer_update", "met", 4), ("customer_update", "paused", None)], (3, 3, None)),
        (3, [("executive_update", "running", 4), ("close", "running", 4)], (3, 3, None)),
    ],
)
def test_silence_counts_whole_days_and_names_the_next_promise(
    told: float | None, clocks: list[tuple[str, str, float | None]], expected: tuple[float | None, int, float | None]
) -> None:
    promised = [(kind, state, None if at is None else days(at)) for kind, state, at in clocks]
    heard = {"customer": None if told is None else days(told)}
    found = silence_of("in_progress", RAISED, heard, promised, now=days(6.9))

    last, count, due = expected
    assert found is not None
    assert found["customer"] == {
        "last_told_at": None if last is None else days(last),
        "days": count,
        "next_due_at": None if due is None else days(due),
    }


@pytest.mark.parametrize("status", ["requested", "declined", "closed", "merged"])
def test_nobody_waits_for_news_of_a_case_that_is_not_open(status: str) -> None:
    assert silence_of(status, RAISED, {}, [], now=days(1)) is None


def test_the_record_says_who_heard_what_when(client: ApiClient, raise_case: Raise, statements: Any) -> None:
    case = raise_case(raised_by={"kind": "customer", "email": "ines@globex.example"})
    path = f"/api/v1/escalations/{case['id']}"
    before = client.get(path).json["silence"]
    assert case["silence"] == before
    due = next(one["due_at"] for one in case["clocks"] if one["kind"] == "respond")
    assert before["customer"] == {"last_told_at": None, "days": 0, "next_due_at": due}

    body = {"audience": ["customer", "executive"], "channel": "call", "text": "We are on it."}
    answered = client.post(f"{path}/updates", json=body).json
    with statements() as seen:
        after = client.get(path).json["silence"]
    assert len([one for one in seen if "from escalation" in one.lower()]) == 1
    assert answered["silence"] == after
    assert after["customer"]["last_told_at"] == after["executive"]["last_told_at"] is not None
    assert after["account_team"]["last_told_at"] is None
    promised = next(one["due_at"] for one in answered["clocks"] if one["kind"] == "customer_update")
    assert (after["customer"]["next_due_at"], after["executive"]["next_due_at"]) == (promised, None)


def test_silence_ends_with_the_case(client: ApiClient, raise_case: Raise) -> None:
    case = raise_case()
    path = f"/api/v1/escalations/{case['id']}"
    closed = client.post(f"{path}/close-unresolved", json={"outcome": "mistaken", "reason": "Meant for another"})

    assert (closed.status_code, closed.json["silence"]) == (200, None)


def test_a_list_says_how_long_each_customer_has_heard_nothing(
    client: ApiClient, raise_case: Raise, statements: Any
) -> None:
    told, untold = raise_case(title="Told"), raise_case(title="Untold")
    closed = raise_case(title="Closed")
    for case, audience in ((told, "customer"), (untold, "executive")):
        body = {"audience": audience, "channel": "call", "text": "We are on it."}
        assert client.post(f"/api/v1/escalations/{case['id']}/updates", json=body).status_code == 200
    client.post(f"/api/v1/escalations/{closed['id']}/close-unresolved", json={"outcome": "mistaken", "reason": "No"})
    with statements() as seen:
        lines = client.get("/api/v1/escalations").json["items"]
    assert len([one for one in seen if "from escalation" in one.lower()]) == 1

    heard = {line["title"]: line["customer_silence"] for line in lines}
    last = client.get(f"/api/v1/escalations/{told['id']}").json["silence"]["customer"]["last_told_at"]
    assert heard == {
        "Told": {"last_told_at": last, "days": 0}, "Untold": {"last_told_at": None, "days": 0}, "Closed": None
    }  # fmt: skip
