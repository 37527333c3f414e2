"""An incident log of three incidents whose figures are worked out by hand, counted and played."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from app.db import transaction
from bench import incidents, log_figures, replay_report
from bench.player import Player
from bench.replay import hourly, play_here


def row(
    number: str, state: str, at: str, *, moved: int = 0, reopened: int = 0, group: str = "?", who: str = "?"
) -> dict[str, str]:
    """One update; the three columns of final values hold nonsense, since nothing may look at them."""
    return {
        "number": number, "incident_state": state, "reassignment_count": str(moved), "reopen_count": str(reopened),
        "sys_updated_at": at, "caller_id": "Caller 1", "location": "Location 1", "category": "Category 7",
        "subcategory": "?", "u_symptom": "?", "priority": "3 - Moderate", "assignment_group": group,
        "assigned_to": who, "opened_at": "?", "resolved_at": "1/1/2030 00:00", "closed_at": "1/1/2030 00:00",
    }  # fmt: skip


# The first is closed 4 days after it began, through two more hands, with a wait. The second is resolved twice and
# closed twice; its last closing is 12 days after its beginning. The third takes 31 days and a minute.
LOG = [
    row("INC1", "New", "1/3/2016 09:00", group="Group 1"),
    row("INC2", "Active", "1/3/2016 10:00", group="Group 1", who="Resolver 1"),
    row("INC3", "Resolved", "1/3/2016 10:30", group="Group 2", who="Resolver 2"),
    row("INC1", "Active", "1/3/2016 11:00", moved=1, group="Group 1", who="Resolver 1"),
    row("INC1", "Awaiting User Info", "2/3/2016 09:00", moved=1, group="Group 1", who="Resolver 1"),
    row("INC2", "Resolved", "2/3/2016 10:00", group="Group 1", who="Resolver 1"),
    row("INC2", "Active", "3/3/2016 10:00", reopened=1, group="Group 1", who="Resolver 1"),
    row("INC1", "Resolved", "3/3/2016 12:00", moved=2, group="Group 2", who="Resolver 2"),
    row("INC2", "Closed", "3/3/2016 15:00", reopened=1, group="Group 1", who="Resolver 1"),
    row("INC2", "Active", "4/3/2016 10:00", reopened=2, group="Group 1", who="Resolver 1"),
    row("INC1", "Closed", "5/3/2016 09:00", moved=2, group="Group 2", who="Resolver 2"),
    row("INC2", "Closed", "13/3/2016 10:00", reopened=2, group="Group 1", who="Resolver 1"),
    row("INC2", "Closed", "14/3/2016 10:00", reopened=2, group="Group 1", who="Resolver 1"),
    row("INC3", "Closed", "1/4/2016 10:31", group="Group 2", who="Resolver 2"),
]
# 2 of 3 within 30 days; the middle of 4, 12 and 31 days; 2, 0 and 0 reassignments.
FIGURES = {
    "incidents": 3,
    "closed_within_30_days": 0.666667,
    "median_days_to_close": 12.0,
    "mean_reassignments": 0.666667,
}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, LOG[0])
        writer.writeheader()
        writer.writerows(LOG)
    return path


def test_a_day_is_read_before_its_month() -> None:
    assert incidents.moment("4/3/2016 09:05") == datetime(2016, 3, 4, 9, 5, tzinfo=UTC)


def test_plain_counting_finds_what_is_worked_out_by_hand(log: Path) -> None:
    assert incidents.count(incidents.read(log)) == FIGURES


def test_a_limit_takes_the_first_incidents_with_all_their_events(log: Path) -> None:
    assert {event.incident for event in incidents.read(log, limit=2)} == {"INC1", "INC2"}
    assert len(incidents.read(log, limit=2)) == 12


def test_the_services_say_the_same_as_plain_counting(app: Flask, log: Path) -> None:
    events = incidents.read(log)
    with app.app_context():
        player = Player(events)
        for hour, happening in hourly(events):
            player.sweep(hour)
            player.play(happening)
        played = player.results()
        with transaction(tenant=player.tenant_id) as session:
            told = list(session.scalars(text("select step from step_log where kind = 'close' and outcome = 'sent'")))
    assert incidents.figures(played["incidents"], played["spans"], played["reassigned"]) == FIGURES
    # INC3 alone is open for 15 days and more: its owner hears of the half-way point and of each step up to its due.
    assert sorted(told) == ["-P1D", "-P3D", "-P7D", "0", "50%"]
    assert played["reminders"] >= len(told)


# The middle of March: INC1 closed on its 4th day, INC2 on its 12th, INC3 open for 14 days; of three at risk one closes
# by day 4, of the two left one by day 12. Every first holder takes over from whom it was routed to (3), INC1 goes to
# Resolver 1 (by name: its group was the holder) and to Resolver 2.
MIDDLE = {
    "raised": 3, "on_time": 2, "late": 0, "open_overdue": 0, "open_not_due": 1, "open": 1, "ended": 2, "reroutes": 5,
    "accounts": 1, "share": 1.0, "median_days": 12, "closed_by_day": [(0, 3, 0), (4, 3, 1), (12, 2, 1)],
    "months": {"2016-03-01": {"raised": 3, "on_time": 2, "late": 0, "open_overdue": 0, "open_not_due": 1}},
}  # fmt: skip
# INC3 is closed a minute after its target, on its begun 32nd day.
END = {
    "late": 1, "open": 0, "ended": 3, "accounts": 0, "share": 0.6667, "median_days": 12,
    "closed_by_day": [(0, 3, 0), (4, 3, 1), (12, 2, 1), (32, 1, 1)],
}  # fmt: skip


def test_figures_counted_from_the_file_alone_are_those_worked_out_by_hand(log: Path) -> None:
    rows = log_figures.read(log)
    assert log_figures.figures(rows, datetime(2016, 3, 15, tzinfo=UTC)) == MIDDLE
    ended = log_figures.figures(rows, datetime(2016, 4, 2, tzinfo=UTC))
    assert {name: ended[name] for name in END} == END
    assert log_figures.figures(rows, datetime(2016, 4, 2, tzinfo=UTC), incidents={"INC3"})["raised"] == 1
    assert len(log_figures.read(log, limit=2)) == 2


def test_the_report_says_what_the_file_says_at_each_moment_also_when_asked_again(app: Flask, log: Path) -> None:
    events = replay_report.held(incidents.read(log))
    moments = [
        datetime(2016, 3, 3, 12, tzinfo=UTC),
        datetime(2016, 3, 15, tzinfo=UTC),
        *replay_report.moments_of(events),
    ]
    assert len(moments) == 4
    with app.app_context():
        player, reports = play_here(events, sorted(moments))
        played = {**player.results(), "numbers": {"INC1", "INC2", "INC3"}, "reports": reports}
    assert reports[datetime(2016, 3, 15, tzinfo=UTC)] == MIDDLE
    compared = replay_report.compare(log, 0, [played])
    assert (compared["answers"], compared["median_days"], compared["share"]) == (4, 12, 0.6667)


def test_a_report_that_differs_from_the_file_is_said(log: Path) -> None:
    wrong = {"numbers": {"INC1", "INC2", "INC3"}, "reports": {datetime(2016, 3, 15, tzinfo=UTC): {**MIDDLE, "late": 1}}}
    with pytest.raises(AssertionError, match="the report says"):
        replay_report.compare(log, 0, [wrong])
