"""What an incident's first row tells of it, who held it last, and what was known of it at a midnight."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench import route_replay
from bench.incidents import MISSING

COLUMNS = (
    "number", "incident_state", "opened_at", "sys_updated_at", "sys_mod_count", "assignment_group", *route_replay.FACTS,
)  # fmt: skip


def line(number: str, state: str, at: str, group: str, *, changes: int = 0, **facts: str) -> dict[str, str]:
    known = {"opened_at": "1/3/2016 09:00", "sys_updated_at": at, "sys_mod_count": str(changes), **facts}
    return dict.fromkeys(COLUMNS, MISSING) | {
        "number": number, "incident_state": state, "assignment_group": group, **known,
    }  # fmt: skip


LOG = [
    line("INC1", "Closed", "12/3/2016 09:00", "Group 3", changes=3, category="Category 9", opened_by="Opened by 1"),
    line("INC1", "New", "1/3/2016 09:05", MISSING, category="Category 1", opened_by="Opened by 1"),
    line("INC1", "Resolved", "2/3/2016 09:00", "Group 2", changes=2, category="Category 9", opened_by="Opened by 1"),
    line("INC1", "Active", "1/3/2016 10:00", "Group 1", changes=1, category="Category 9", opened_by="Opened by 1"),
    line("INC2", "New", "1/3/2016 08:05", MISSING, opened_at="1/3/2016 08:00"),
    line("INC3", "New", "28/2/2016 08:05", "Group 5", opened_at="28/2/2016 08:00", u_symptom="Symptom 5"),
]


@pytest.fixture
def incidents(tmp_path: Path) -> list[route_replay.Incident]:
    path = tmp_path / "log.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(LOG)
    return route_replay.read(path)


def test_incidents_stand_by_their_opening_and_one_that_no_group_held_is_left_out(
    incidents: list[route_replay.Incident],
) -> None:
    assert [incident.row.at.date().isoformat() for incident in incidents] == ["2016-02-28", "2016-03-01"]


def test_the_facts_are_the_first_rows_and_the_answer_is_the_last_group(
    incidents: list[route_replay.Incident],
) -> None:
    first = incidents[1]
    assert first.row.facts["category"] == "Category 1"
    assert first.row.facts["opened_by"] == "Opened by 1"
    assert first.row.facts["location"] is None
    assert (first.row.first, first.first_named, first.row.owner) == (MISSING, "Group 1", "Group 3")


def test_neither_the_dispatchers_choice_nor_what_tells_of_the_end_is_a_fact() -> None:
    told = {"assignment_group", "assigned_to", "resolved_by", "closed_code", "made_sla", "sys_created_by"}
    assert not told & set(route_replay.FACTS)


@pytest.mark.parametrize(
    ("day", "closed", "resolved"),
    [(2, None, None), (3, None, "Group 2"), (12, None, "Group 2"), (13, "Group 3", "Group 3")],
)
def test_at_a_midnight_only_what_had_happened_is_known(
    incidents: list[route_replay.Incident], day: int, closed: str | None, resolved: str | None
) -> None:
    midnight = datetime(2016, 3, day, tzinfo=UTC)
    by_closed, by_resolved = (incidents[1].known(midnight, states) for states in route_replay.DAILY.values())
    assert (by_closed.owner if by_closed else None) == closed
    assert (by_resolved.owner if by_resolved else None) == resolved


def test_without_the_file_it_says_so() -> None:
    assert route_replay.run(file="no such file")["skipped"] == "there is no file no such file; name one with --file"
