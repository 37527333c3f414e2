"""In what order a person's work stands, and under which word. It is Wednesday 25 November 2026, 10:00 in Berlin."""

from datetime import UTC, datetime, timedelta

import pytest

from app.panels.grouping import Line, group, group_of, lines_of

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("due_at", "waits", "word"),
    [
        ("2026-11-20T09:00", False, "now"),
        ("2026-11-20T09:00", True, "now"),
        ("2026-11-25T11:00", False, "now"),
        ("2026-11-25T11:01", False, "today"),
        ("2026-11-25T22:59", False, "today"),
        ("2026-11-25T22:59", True, "today"),
        ("2026-11-25T23:00", False, "week"),
        ("2026-11-25T23:00", True, "waiting"),
        ("2026-12-01T22:59", False, "week"),
        ("2026-12-01T23:00", False, "later"),
        (None, False, "later"),
        (None, True, "waiting"),
    ],
)
def test_a_line_stands_under_the_word_for_how_soon_it_is_due_where_the_viewer_is(due_at, waits, word):
    due = datetime.fromisoformat(f"{due_at}+00:00") if due_at else None
    assert group_of(Line("case", due, {}, waits), now=NOW, zone=BERLIN) == word


def test_groups_come_by_urgency_lines_by_due_time_and_empty_groups_not_at_all():
    lines = [Line("case", NOW + timedelta(days=days), {"n": days}) for days in (3, 30, -1, 2)]
    lines.append(Line("task", None, {"n": None}))
    told = [(one.key, [line.content["n"] for line in one.lines]) for one in group(lines, now=NOW, zone=BERLIN)]
    assert told == [("now", [-1]), ("week", [2, 3]), ("later", [30, None])]


def test_a_task_with_a_clock_tells_its_case_and_one_without_stands_beside_it():
    pressed = {"id": 1, "status": "open", "pressing": {"clock": "task", "at": NOW}}
    other = {"id": 2, "status": "waiting", "pressing": {"clock": "close", "at": NOW}}
    tasks = [{"escalation_id": 1, "due_at": NOW}, {"escalation_id": 2, "due_at": None}]
    told = [(one.kind, one.content.get("id") or one.content["escalation_id"], one.waits) for one in
            lines_of([pressed, other], tasks)]  # fmt: skip
    assert told == [("task", 1, False), ("task", 2, False), ("case", 2, True)]
