"""Questions to a calendar that is not stored."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
        ({"op": "is_open", "start": "1969-12-31T23:59:59Z"}, "operations/0/start"),
        ({"op": "is_open", "start": "0001-01-01T00:00:00+14:00"}, "operations/0/start"),
        ({"op": "is_open", "start": None}, "operations/0/start"),
        ({"op": "between", "start": MONDAY, "end": "2101-01-01T00:00:00Z"}, "operations/0/end"),
        ({"op": "between", "start": MONDAY, "end": "2026-06-08T10:00:00"}, "operations/0/end"),
        ({"op": "add", "start": MONDAY, "seconds": 10**30}, "operations/0/seconds"),
        ({"op": "add", "start": MONDAY, "seconds": 1.5}, "operations/0/seconds"),
        ({"op": "add", "start": "2100-12-31T12:00:00Z", "seconds": 30 * 3600}, "operations/0/seconds"),
        ({"op": "subtract", "start": "1970-01-01T12:00:00Z", "seconds": 30 * 3600}, "operations/0/seconds"),
        ({"op": "subtract", "start": MONDAY, "seconds": -1}, "operations/0/seconds"),
        ({"op": "next_windows", "start": MONDAY, "count": 1001}, "operations/0/count"),
        ({"op": ["add"], "start": MONDAY}, "operations/0/op"),
        ({}, "operations/0/op"),
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


def test_windows_are_capped_over_all_operations() -> None:
    operations = [{"op": "next_windows", "start": MONDAY, "count": 1000}] * 20
    assert sum(len(answer["windows"]) for answer in compute(CALENDAR, operations)) == 20_000
    with pytest.raises(CalendarError) as refused:
        compute(CALENDAR, [*operations, {"op": "next_windows", "start": MONDAY, "count": 1}])
    assert refused.value.field == "operations/20/count"


def test_a_calendar_that_never_opens_again_is_answered() -> None:
    once = {"timezone": "UTC", "overrides": {"2026-01-05": [["09:00", "10:00"]]}}
    late = "2026-01-05T10:00:00Z"
    operations: list[dict[str, Any]] = [
        {"op": "next_open", "start": late},
        {"op": "next_close", "start": late},
        {"op": "next_windows", "start": late, "count": 5},
        {"op": "between", "start": late, "end": "2099-01-01T00:00:00Z"},
    ]
    assert compute(once, operations) == [{"at": None}, {"at": None}, {"windows": []}, {"seconds": 0}]
    for op in ({"op": "add", "start": late, "seconds": 0}, {"op": "add", "start": late, "seconds": 1}):
        with pytest.raises(CalendarError) as refused:
            compute(once, [op])
        assert refused.value.field == "operations/0/seconds"
    with pytest.raises(CalendarError) as refused:
        compute({"timezone": "UTC"}, [{"op": "next_open", "start": late}])
    assert (refused.value.field, refused.value.detail) == (
        "calendar/weekly",
        "a calendar that is never open is refused",
    )


def test_overrides_breaks_and_always_open_are_computed() -> None:
    special = {
        "timezone": "Europe/London",
        "weekly": CALENDAR["weekly"],
        "overrides": {"2026-06-06": [["10:00", "12:00"], ["22:00", "02:00"]]},
        "breaks": [{"date": "2026-06-01", "start": "16:30", "end": "16:45"}],
    }
    assert compute(special, [{"op": "next_windows", "start": MONDAY, "count": 5}]) == [
        {
            "windows": [
                ["2026-06-01T15:00:00+00:00", "2026-06-01T15:30:00+00:00"],
                ["2026-06-01T15:45:00+00:00", "2026-06-01T16:00:00+00:00"],
                ["2026-06-02T08:00:00+00:00", "2026-06-02T16:00:00+00:00"],
                ["2026-06-06T09:00:00+00:00", "2026-06-06T11:00:00+00:00"],
                ["2026-06-06T21:00:00+00:00", "2026-06-07T01:00:00+00:00"],
            ]
        }
    ]
    always = {"timezone": "Europe/London", "always_open": True}
    assert compute(
        always, [{"op": "next_windows", "start": MONDAY, "count": 3}, {"op": "next_close", "start": MONDAY}]
    ) == [
        {"windows": [["2026-06-01T15:00:00+00:00", None]]},
        {"at": None},
    ]


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
words = st.sampled_from(
    ("09:00", "24:00", "00:00", "25:00", "22:00", "2026-01-05", "9999-12-31", "0001-01-01", "2026-01-05T09:00:00Z")
)
names = st.sampled_from(("mon", "date", "start", "end", "start_utc", "end_utc", "country", "dates")) | words
anything = st.recursive(
    scalars | words, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=9
)
definitions = st.fixed_dictionaries(
    {"timezone": st.sampled_from(("UTC", "Pacific/Apia")) | scalars, "weekly": anything},
    optional=dict.fromkeys(("holidays", "holidays_of", "overrides", "breaks", "always_open", "day_seconds"), anything),
)
ops = st.sampled_from(("add", "subtract", "between", "is_open", "next_windows"))
operations = st.fixed_dictionaries(
    {"op": ops | anything, "start": words | anything},
    optional=dict.fromkeys(("end", "seconds", "count"), words | anything),
)


@settings(max_examples=400, deadline=None)
@given(st.just(CALENDAR) | definitions, st.lists(operations, max_size=2))
def test_whatever_is_sent_is_answered_or_refused_by_field(
    definition: dict[str, Any], asked: list[dict[str, Any]]
) -> None:
    try:
        results, field = compute(definition, asked), ""
    except CalendarError as refused:
        results, field = [], refused.field
    assert field.startswith(("calendar/", "operations/")) or len(results) == len(asked)
