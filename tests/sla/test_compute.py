"""Questions to a calendar that is not stored."""

from typing import Any

import pytest

from app.sla.compute import compute
from app.sla.hours import CalendarError

CALENDAR = {
    "timezone": "Europe/London",
    "weekly": {"mon": [["09:00", "17:00"]], "tue": [["09:00", "17:00"]]},
    "holidays": ["2026-06-02"],
}
MONDAY = "2026-06-01T16:00:00+01:00"  # Tuesday is a holiday, the next opening is Monday the 8th


def test_every_operation_answers_in_its_own_words_and_in_order() -> None:
    operations = [
        {"op": "add", "start": MONDAY, "seconds": 7200},
        {"op": "subtract", "start": MONDAY, "seconds": 3600},
        {"op": "between", "start": MONDAY, "end": "2026-06-08T10:00:00+01:00"},
        {"op": "is_open", "start": "2026-06-02T10:00:00+01:00"},
        {"op": "next_open", "start": MONDAY},
        {"op": "next_close", "start": MONDAY},
        {"op": "next_windows", "start": "2026-06-01T18:00:00+01:00", "count": 2},
    ]
    assert compute(CALENDAR, operations) == [
        {"end": "2026-06-08T09:00:00+00:00"},
        {"end": "2026-06-01T14:00:00+00:00"},
        {"seconds": 7200},
        {"open": False},
        {"at": "2026-06-08T08:00:00+00:00"},
        {"at": "2026-06-01T16:00:00+00:00"},
        {
            "windows": [
                ["2026-06-08T08:00:00+00:00", "2026-06-08T16:00:00+00:00"],
                ["2026-06-09T08:00:00+00:00", "2026-06-09T16:00:00+00:00"],
            ]
        },
    ]


@pytest.mark.parametrize(
    ("operation", "field"),
    [
        ({"op": "plus", "start": MONDAY}, "operations/0/op"),
        ({"op": "add", "start": "2026-06-01T16:00:00", "seconds": 1}, "operations/0/start"),
        ({"op": "add", "start": "noon", "seconds": 1}, "operations/0/start"),
        ({"op": "add", "start": MONDAY}, "operations/0/seconds"),
        ({"op": "add", "start": MONDAY, "seconds": -1}, "operations/0/seconds"),
        ({"op": "add", "start": MONDAY, "seconds": True}, "operations/0/seconds"),
        ({"op": "add", "start": MONDAY, "seconds": 10**12}, "operations/0/seconds"),
        ({"op": "between", "start": MONDAY}, "operations/0/end"),
        ({"op": "is_open", "start": MONDAY, "seconds": 1}, "operations/0/seconds"),
        ({"op": "next_windows", "start": MONDAY, "count": 0}, "operations/0/count"),
        ({"op": "is_open", "start": "2101-01-01T00:00:00Z"}, "operations/0/start"),
    ],
)
def test_a_question_that_cannot_be_meant_is_refused_by_field(operation: dict[str, Any], field: str) -> None:
    with pytest.raises(CalendarError) as refused:
        compute(CALENDAR, [operation])
    assert refused.value.field == field


def test_a_bad_calendar_is_refused_under_its_own_name() -> None:
    with pytest.raises(CalendarError) as refused:
        compute({"weekly": {"mon": [["09:00", "25:00"]]}}, [])
    assert refused.value.field == "calendar/weekly/mon/0/1"
