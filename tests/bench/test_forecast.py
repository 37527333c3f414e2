"""How an incident log becomes histories, and that what is written as the base model can be read again."""

import tomllib
from datetime import UTC, datetime, timedelta

import pytest

from app.reports.forecast.course import Loads, looks_of
from app.reports.forecast.hazard import Hazard
from app.reports.forecast.measures import Measures, Quality
from bench import forecast
from bench.incidents import Event

BEGAN = datetime(2016, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def update(day: float, state: str, *, assignee: str | None = "Ann", reassignments: int = 0, reopens: int = 0) -> Event:
    at = BEGAN + day * DAY
    return Event("INC1", at, state, reassignments, reopens, 3, "Caller", "Location", "Group", assignee, "-")


STORY = [
    update(0, "New", assignee=None),
    update(1, "Active"),
    update(2, "Active"),  # worked on: nothing that a fact would say
    update(3, "Awaiting Vendor", reassignments=1),
    update(5, "Resolved", reassignments=1),
    update(6, "Active", reassignments=1, reopens=1),
    update(20, "Resolved", reassignments=1, reopens=1),
    update(25, "Closed", reassignments=1, reopens=1),
]


def test_each_update_says_what_was_known_from_its_moment_on() -> None:
    [case] = forecast.cases_of(STORY)
    known = [
        ((s.known_from - BEGAN) / DAY, s.status, s.owner, s.reroutes, s.reopens, s.waiting_for) for s in case.states
    ]
    assert known == [
        (0, "open", None, 0, 0, None),
        (1, "in_progress", "Ann", 0, 0, None),
        (3, "waiting", "Ann", 1, 0, "vendor"),
        (5, "resolved", "Ann", 1, 0, None),
        (6, "in_progress", "Ann", 1, 1, None),
        (20, "resolved", "Ann", 1, 1, None),
        (25, "closed", "Ann", 1, 1, None),
    ]
    assert case.states[4].resolved_at is None
    assert (case.states[5].resolved_at, case.states[6].closed_at) == (BEGAN + 20 * DAY, BEGAN + 25 * DAY)


@pytest.mark.parametrize(("closed_on", "standing", "missed"), [(25, "on_time", False), (31, "late", True)])
def test_thirty_days_from_the_first_update_decide(closed_on: int, standing: str, missed: bool) -> None:
    [case] = forecast.cases_of([*STORY[:-1], update(closed_on, "Closed", reassignments=1, reopens=1)])
    assert case.states[-1].standing == standing
    looks = looks_of(case, Loads([case]), known_until=BEGAN + 90 * DAY)
    assert {look.missed for look in looks} == {missed}
    assert len(looks) == min(closed_on, 30)


def test_the_base_model_is_written_as_it_is_read() -> None:
    model = Hazard(-3.5, {"severity=1": 0.25, "age=3": -1.0}, {"severity": 0.1}, 900)
    quality = Quality(0.09, 0.88)
    found = Measures(100, 0.2, quality, quality, quality, (), 0.01)
    read = tomllib.loads(forecast.written(model, found))
    assert Hazard.of(read) == model
    assert read["measured"]["model"] == {"brier": 0.09, "auc": 0.88}
