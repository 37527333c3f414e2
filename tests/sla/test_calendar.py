"""Business time against tables computed by hand, and the laws it must obey."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.calendar import BeyondCalendar, Calendar, compile_calendar, local_days_later
from app.sla.hours import WEEKDAYS, CalendarError

HOUR = 3600
NINE_TO_FIVE = {day: [["09:00", "17:00"]] for day in WEEKDAYS[:5]}
NIGHTLY = {day: [["22:00", "06:00"]] for day in WEEKDAYS}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def office(timezone: str = "UTC", **more: Any) -> Calendar:
    return compile_calendar({"timezone": timezone, "weekly": NINE_TO_FIVE, **more})


OFFICE = office()  # 2026-01-05 is a Monday


@pytest.mark.parametrize(
    ("start", "seconds", "end"),
    [
        ("2026-01-05T10:00Z", 2 * HOUR, "2026-01-05T12:00Z"),
        ("2026-01-05T16:00Z", 2 * HOUR, "2026-01-06T10:00Z"),
        ("2026-01-05T16:00Z", HOUR, "2026-01-05T17:00Z"),  # ends at closing: due at closing
        ("2026-01-05T17:00Z", HOUR, "2026-01-06T10:00Z"),
        ("2026-01-05T07:00Z", HOUR, "2026-01-05T10:00Z"),
        ("2026-01-09T16:30Z", HOUR, "2026-01-12T09:30Z"),  # over the weekend
        ("2026-01-05T10:00Z", 0, "2026-01-05T10:00Z"),
        ("2026-01-10T10:00Z", 0, "2026-01-12T09:00Z"),
        ("2026-01-05T17:00Z", 0, "2026-01-06T09:00Z"),
        ("2026-01-05T09:00Z", 0, "2026-01-05T09:00Z"),
        ("2026-01-05T09:00Z", 20 * 8 * HOUR, "2026-01-30T17:00Z"),  # four weeks of five days
        ("2026-01-05T10:00:00.250000Z", 8 * HOUR, "2026-01-06T10:00:00.250000Z"),
    ],
)
def test_adding_counts_only_open_time(start: str, seconds: int, end: str) -> None:
    assert OFFICE.add(utc(start), seconds) == utc(end)


@pytest.mark.parametrize(
    ("end", "seconds", "start"),
    [
        ("2026-01-06T10:00Z", 2 * HOUR, "2026-01-05T16:00Z"),
        ("2026-01-06T10:00Z", HOUR, "2026-01-06T09:00Z"),  # begins at opening, not at the closing before
        ("2026-01-12T08:00Z", HOUR, "2026-01-09T16:00Z"),
        ("2026-01-10T10:00Z", 0, "2026-01-09T17:00Z"),
        ("2026-01-09T17:00Z", 0, "2026-01-09T17:00Z"),
        ("2026-01-12T09:00Z", 0, "2026-01-12T09:00Z"),
    ],
)
def test_subtracting_mirrors_adding(end: str, seconds: int, start: str) -> None:
    assert OFFICE.subtract(utc(end), seconds) == utc(start)


def test_subtracting_to_the_closing_takes_the_earliest_moment() -> None:
    assert OFFICE.subtract(utc("2026-01-06T10:00Z"), HOUR, at_closing=True) == utc("2026-01-05T17:00Z")


@pytest.mark.parametrize(
    ("timezone", "opens", "closes", "hours"),
    [
        ("America/New_York", "2026-03-07T22:00-05:00", "2026-03-08T06:00-04:00", 7),
        ("America/New_York", "2026-10-31T22:00-04:00", "2026-11-01T06:00-05:00", 9),
        ("Europe/London", "2026-03-28T22:00+00:00", "2026-03-29T06:00+01:00", 7),
        ("Europe/London", "2026-10-24T22:00+01:00", "2026-10-25T06:00+00:00", 9),
        ("Australia/Lord_Howe", "2026-04-04T22:00+11:00", "2026-04-05T06:00+10:30", 8.5),
        ("Australia/Lord_Howe", "2026-10-03T22:00+10:30", "2026-10-04T06:00+11:00", 7.5),
        ("Asia/Kathmandu", "2026-01-05T22:00+05:45", "2026-01-06T06:00+05:45", 8),
        ("Pacific/Kiritimati", "2026-01-05T22:00+14:00", "2026-01-06T06:00+14:00", 8),
    ],
)
def test_a_night_across_a_dst_change_counts_its_real_seconds(
    timezone: str, opens: str, closes: str, hours: float
) -> None:
    nights = compile_calendar({"timezone": timezone, "weekly": NIGHTLY})
    assert nights.next_windows(utc(opens), 1) == [(utc(opens), utc(closes))]
    assert nights.between(utc(opens), utc(closes)) == hours * HOUR
    assert nights.add(utc(opens), int(hours * HOUR)) == utc(closes)
    assert nights.subtract(utc(closes), int(hours * HOUR)) == utc(opens)


@pytest.mark.parametrize(
    ("timezone", "start", "seconds", "end"),
    [
        ("America/New_York", "2026-03-06T16:00-05:00", 2 * HOUR, "2026-03-09T10:00-04:00"),
        ("America/New_York", "2026-10-30T16:00-04:00", 2 * HOUR, "2026-11-02T10:00-05:00"),
        ("Europe/London", "2026-03-27T16:00+00:00", 2 * HOUR, "2026-03-30T10:00+01:00"),
        ("Europe/London", "2026-10-23T16:00+01:00", 2 * HOUR, "2026-10-26T10:00+00:00"),
        ("Australia/Lord_Howe", "2026-04-03T16:00+11:00", 2 * HOUR, "2026-04-06T10:00+10:30"),
        ("Australia/Lord_Howe", "2026-10-02T16:00+10:30", 2 * HOUR, "2026-10-05T10:00+11:00"),
        ("Asia/Kathmandu", "2026-01-05T03:00Z", HOUR, "2026-01-05T04:15Z"),  # 09:00 there is 03:15Z
        ("Pacific/Kiritimati", "2026-01-04T18:00Z", HOUR, "2026-01-04T20:00Z"),  # Monday 09:00 is 19:00Z
    ],
)
def test_office_hours_keep_local_time_through_a_change(timezone: str, start: str, seconds: int, end: str) -> None:
    assert office(timezone).add(utc(start), seconds) == utc(end)


@pytest.mark.parametrize(
    ("timezone", "opens", "closes"),
    [
        ("Pacific/Kiritimati", "2027-01-01T09:00+14:00", "2027-01-01T17:00+14:00"),  # 31 December, UTC
        ("Pacific/Honolulu", "2026-12-31T09:00-10:00", "2026-12-31T17:00-10:00"),  # ends on 1 January, UTC
    ],
)
def test_windows_near_new_year_are_whole(timezone: str, opens: str, closes: str) -> None:
    assert office(timezone).next_windows(utc(opens) - timedelta(hours=1), 1) == [(utc(opens), utc(closes))]
    assert office(timezone).between(utc("2026-12-31T12:00Z"), utc("2027-01-01T06:00Z")) == 8 * HOUR


def test_a_window_inside_the_skipped_hour_is_empty_and_in_the_doubled_one_is_longer() -> None:
    small_hours = compile_calendar(
        {"timezone": "America/New_York", "weekly": {"sun": [["01:00", "02:00"], ["02:00", "03:00"]]}}
    )
    spring, autumn = utc("2026-03-08T00:00-05:00"), utc("2026-11-01T00:00-04:00")
    assert small_hours.between(spring, spring + timedelta(days=1)) == HOUR
    assert small_hours.between(autumn, autumn + timedelta(days=1)) == 3 * HOUR


def test_a_date_its_zone_left_out_has_no_hours() -> None:
    apia = office("Pacific/Apia")  # went from Thursday 2011-12-29 to Saturday 2011-12-31
    assert apia.add(utc("2011-12-29T17:00-10:00"), 0) == utc("2012-01-02T09:00+14:00")


def test_touching_windows_are_one_and_midnight_is_no_closing() -> None:
    calendar = compile_calendar(
        {"timezone": "UTC", "weekly": {"mon": [["18:00", "24:00"]], "tue": [["00:00", "02:00"]]}}
    )
    assert calendar.next_windows(utc("2026-01-05T00:00Z"), 1) == [(utc("2026-01-05T18:00Z"), utc("2026-01-06T02:00Z"))]


def test_an_overnight_window_belongs_to_the_day_it_starts_on() -> None:
    calendar = compile_calendar({"timezone": "UTC", "weekly": NIGHTLY, "holidays": ["2026-01-06"]})
    windows = calendar.next_windows(utc("2026-01-05T12:00Z"), 2)
    assert windows[0] == (utc("2026-01-05T22:00Z"), utc("2026-01-06T06:00Z"))
    assert windows[1] == (utc("2026-01-07T22:00Z"), utc("2026-01-08T06:00Z"))


def test_special_days_replace_weekly_windows_and_a_holiday_still_closes_them() -> None:
    calendar = office(
        overrides={"2026-01-10": [["10:00", "12:00"]], "2026-01-05": [["13:00", "14:00"]], "2026-01-06": []},
        holidays=["2026-01-05"],
    )
    assert calendar.between(utc("2026-01-05T00:00Z"), utc("2026-01-07T00:00Z")) == 0
    assert calendar.between(utc("2026-01-10T00:00Z"), utc("2026-01-11T00:00Z")) == 2 * HOUR


def test_breaks_take_time_out_in_local_time_or_utc() -> None:
    calendar = office(
        "Asia/Kathmandu",
        breaks=[
            {"date": "2026-01-05", "start": "12:00", "end": "13:00"},
            {"start_utc": "2026-01-05T06:45:00Z", "end_utc": "2026-01-05T08:15:00Z"},  # 12:30 to 14:00 there
        ],
    )
    noon = utc("2026-01-05T12:00+05:45")
    assert not calendar.is_open(noon)
    assert calendar.next_close(utc("2026-01-05T11:00+05:45")) == noon
    assert calendar.next_open(noon) == utc("2026-01-05T14:00+05:45")
    assert calendar.between(utc("2026-01-05T00:00+05:45"), utc("2026-01-06T00:00+05:45")) == 6 * HOUR


def test_windows_are_half_open() -> None:
    assert OFFICE.is_open(utc("2026-01-05T09:00Z"))
    assert not OFFICE.is_open(utc("2026-01-05T17:00Z"))
    assert OFFICE.next_close(utc("2026-01-05T17:00Z")) == utc("2026-01-06T17:00Z")
    assert OFFICE.prev_close(utc("2026-01-05T17:00Z")) == utc("2026-01-05T17:00Z")
    assert OFFICE.prev_close(utc("2026-01-05T16:00Z")) == utc("2026-01-02T17:00Z")
    assert OFFICE.next_open(utc("2026-01-05T09:00Z")) == utc("2026-01-06T09:00Z")


def test_an_always_open_calendar_counts_real_time_and_never_closes() -> None:
    calendar = compile_calendar({"timezone": "Europe/London", "always_open": True})
    at = utc("2026-03-28T12:00Z")
    assert calendar.day_seconds == 24 * HOUR
    assert calendar.add(at, 36 * HOUR) == at + timedelta(hours=36)
    assert calendar.next_close(at) is None
    assert calendar.next_open(at) is None
    assert calendar.next_windows(at, 3) == [(at, None)]
    assert calendar.prev_close(at) is None


def test_an_always_open_calendar_still_closes_on_a_holiday() -> None:
    calendar = compile_calendar({"timezone": "UTC", "always_open": True, "holidays": ["2026-12-25"]})
    assert calendar.next_close(utc("2026-12-20T00:00Z")) == utc("2026-12-25T00:00Z")
    assert calendar.next_open(utc("2026-12-20T00:00Z")) == utc("2026-12-26T00:00Z")


def test_a_business_day_is_the_seconds_the_version_states() -> None:
    calendar = office(day_seconds=4 * HOUR)
    assert [calendar.add(utc("2026-01-05T09:00Z"), days * calendar.day_seconds) for days in (1, 2, 3)] == [
        utc("2026-01-05T13:00Z"),
        utc("2026-01-05T17:00Z"),
        utc("2026-01-06T13:00Z"),
    ]
    assert OFFICE.day_seconds == 8 * HOUR


@pytest.mark.parametrize(
    ("definition", "field"),
    [
        ({"timezone": "Mars/Olympus", "weekly": NINE_TO_FIVE}, "timezone"),
        ({"weekly": {"mon": [["09:00", "09:00"]]}}, "weekly/mon/0"),
        ({"weekly": {"mon": [["09:00", "25:00"]]}}, "weekly/mon/0/1"),
        ({"weekly": {"mon": [["24:00", "02:00"]]}}, "weekly/mon/0"),
        ({"weekly": {"mon": [["9", "17:00"]]}}, "weekly/mon/0/0"),
        ({"weekly": {"mon": [["09:00"]]}}, "weekly/mon/0"),
        ({"weekly": {"mon": "09:00-17:00"}}, "weekly/mon"),
        ({"weekly": {"mon": [["09:00", "12:00"], ["11:00", "17:00"]]}}, "weekly/mon"),
        ({"weekly": {"monday": [["09:00", "12:00"]]}}, "weekly/monday"),
        ({"weekly": NINE_TO_FIVE, "holidays": ["25.12.2026"]}, "holidays/0"),
        ({"weekly": NINE_TO_FIVE, "overrides": {"2026-13-01": []}}, "overrides/2026-13-01"),
        ({"weekly": NINE_TO_FIVE, "breaks": [{"date": "2026-01-05"}]}, "breaks/0"),
        (
            {
                "weekly": NINE_TO_FIVE,
                "breaks": [{"start_utc": "2026-01-05T09:00:00", "end_utc": "2026-01-05T10:00:00Z"}],
            },
            "breaks/0/start_utc",
        ),
        (
            {
                "weekly": NINE_TO_FIVE,
                "breaks": [{"start_utc": "2026-01-05T11:00:00Z", "end_utc": "2026-01-05T10:00:00Z"}],
            },
            "breaks/0/end_utc",
        ),
        (
            {"weekly": NINE_TO_FIVE, "breaks": [{"date": "9999-12-31", "start": "22:00", "end": "06:00"}]},
            "breaks/0/date",
        ),
        ({"weekly": NINE_TO_FIVE, "breaks": [{"date": "2026-01-05", "start": "12:00", "end": "12:00"}]}, "breaks/0"),
        ({"weekly": NINE_TO_FIVE, "holidays": ["2101-01-01"]}, "holidays/0"),
        ({"weekly": NINE_TO_FIVE, "overrides": {"1969-12-31": []}}, "overrides/1969-12-31"),
        ({"weekly": NINE_TO_FIVE, "overrides": {"2026-01-05": [["09:00", "25:00"]]}}, "overrides/2026-01-05/0/1"),
        ({"weekly": NINE_TO_FIVE, "overrides": ["2026-01-05"]}, "overrides"),
        ({"weekly": {"mon": [["09:00", "24:01"]]}}, "weekly/mon/0/1"),
        ({"weekly": {"mon": [["00:00", "00:00"]]}}, "weekly/mon/0"),
        ({"weekly": {"mon": [[f"{hour:02}:00", f"{hour:02}:30"] for hour in range(13)]}}, "weekly/mon"),
        ({"weekly": {"mon": [["22:00", "06:00"], ["23:00", "24:00"]]}}, "weekly/mon"),
        ({"timezone": "../etc/passwd", "weekly": NINE_TO_FIVE}, "timezone"),
        ({"timezone": None, "weekly": NINE_TO_FIVE}, "timezone"),
        ({"weekly": NINE_TO_FIVE, "day_seconds": 0}, "day_seconds"),
        ({"weekly": NINE_TO_FIVE, "day_seconds": 8.5}, "day_seconds"),
        ({"weekly": NINE_TO_FIVE, "day_seconds": 24 * HOUR + 1}, "day_seconds"),
        ({"weekly": NINE_TO_FIVE, "always_open": True}, "weekly"),
        ({"weekly": NINE_TO_FIVE, "hours": 8}, "hours"),
        ({"weekly": {}}, "weekly"),
        ({}, "weekly"),
        (
            {
                "always_open": True,
                "breaks": [{"start_utc": "1960-01-01T00:00:00Z", "end_utc": "2200-01-01T00:00:00Z"}],
            },
            "weekly",
        ),
    ],
)
def test_a_calendar_that_cannot_be_meant_is_refused_by_field(definition: dict[str, Any], field: str) -> None:
    with pytest.raises(CalendarError) as refused:
        compile_calendar(definition)
    assert refused.value.field == field


def test_questions_beyond_the_calendar_are_refused_instead_of_looping() -> None:
    once = compile_calendar({"timezone": "UTC", "overrides": {"2026-01-05": [["09:00", "10:00"]]}})
    assert once.add(utc("2020-01-01T00:00Z"), HOUR) == utc("2026-01-05T10:00Z")
    assert once.next_open(utc("2026-02-01T00:00Z")) is None
    assert once.prev_close(utc("2026-01-01T00:00Z")) is None
    with pytest.raises(BeyondCalendar):
        once.add(utc("2020-01-01T00:00Z"), HOUR + 1)
    with pytest.raises(BeyondCalendar):
        once.subtract(utc("2030-01-01T00:00Z"), HOUR + 1)
    with pytest.raises(BeyondCalendar):
        OFFICE.add(utc("2100-12-31T00:00Z"), 3 * 24 * HOUR)
    with pytest.raises(BeyondCalendar):
        OFFICE.is_open(utc("1969-12-31T23:00Z"))
    with pytest.raises(CalendarError):
        OFFICE.add(utc("2026-01-05T10:00Z"), -1)
    with pytest.raises(CalendarError):
        OFFICE.add(datetime(2026, 1, 5, 10), 1)  # noqa: DTZ001 - a naive time is what is refused


def test_the_first_and_last_years_are_answered_rightly() -> None:
    calendar = office("America/New_York")
    assert calendar.add(utc("1970-01-01T00:00Z"), HOUR) == utc("1970-01-01T10:00-05:00")
    assert calendar.add(utc("2100-12-30T12:00-05:00"), 6 * HOUR) == utc("2100-12-31T10:00-05:00")
    span = calendar.between(utc("1970-01-01T00:00Z"), utc("2100-12-31T23:00Z"))
    weekdays = sum(datetime.fromordinal(n).weekday() < 5 for n in range(719163, 767009 + 1))
    assert span == weekdays * 8 * HOUR  # the days from 1970-01-01 to 2100-12-31


@pytest.mark.parametrize(
    ("zone", "at", "days", "later"),
    [
        ("America/New_York", "2026-02-20T10:00-05:00", 30, "2026-03-22T10:00-04:00"),
        ("America/New_York", "2026-10-10T10:00-04:00", 30, "2026-11-09T10:00-05:00"),
        ("Europe/London", "2026-03-27T01:30+00:00", 2, "2026-03-29T02:30+01:00"),  # 01:30 is skipped
        ("Europe/London", "2026-10-23T01:30+01:00", 2, "2026-10-25T01:30+01:00"),  # doubled: the first
        ("Australia/Lord_Howe", "2026-09-04T12:00+10:30", 30, "2026-10-04T12:00+11:00"),
        ("Asia/Kathmandu", "2026-01-31T23:59+05:45", 30, "2026-03-02T23:59+05:45"),
        ("Pacific/Kiritimati", "2026-01-01T00:30+14:00", -1, "2025-12-31T00:30+14:00"),
        ("Europe/London", "2026-10-25T01:30+00:00", 0, "2026-10-25T01:30+00:00"),
    ],
)
def test_days_later_is_the_same_local_time(zone: str, at: str, days: int, later: str) -> None:
    assert local_days_later(utc(at), days, ZoneInfo(zone)) == utc(later)


def clock_time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    weekly = {}
    for day in draw(st.sets(st.sampled_from(WEEKDAYS), min_size=1)):
        # at least 20 minutes a week, so that 800 hours end before the last year that calendars know
        edges = [20 * edge for edge in draw(st.lists(st.integers(0, 72), min_size=2, max_size=6, unique=True))]
        pairs = zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False)
        weekly[day] = [[clock_time(start), clock_time(end)] for start, end in pairs]
    zones = ("UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu")
    return compile_calendar(
        {
            "timezone": draw(st.sampled_from(zones)),
            "weekly": weekly,
            "holidays": ["2026-04-06", "2026-12-25"],
            "breaks": [{"date": "2026-03-09", "start": "10:00", "end": "11:17"}],
        }
    )


moments = st.datetimes(datetime(2025, 12, 1), datetime(2027, 2, 1), timezones=st.just(UTC))  # noqa: DTZ001
durations = st.integers(1, 400 * HOUR)


@settings(max_examples=150, deadline=None)
@given(calendars(), moments, durations, durations)
def test_adding_obeys_its_laws(calendar: Calendar, at: datetime, first: int, second: int) -> None:
    middle = calendar.add(at, first)
    assert calendar.between(at, middle) == first
    assert calendar.add(middle, second) == calendar.add(at, first + second)
    assert calendar.between(calendar.subtract(at, first), at) == first
    assert calendar.add(at, first) < calendar.add(at, first + second)
    assert calendar.add(calendar.add(at, 0), first) == middle  # closed time before it makes no difference


@settings(max_examples=100, deadline=None)
@given(calendars(), moments, moments, st.integers(0, 400 * HOUR))
def test_who_starts_later_is_never_due_earlier(calendar: Calendar, a: datetime, b: datetime, seconds: int) -> None:
    first, second = sorted((a, b))
    assert calendar.add(first, seconds) <= calendar.add(second, seconds)
    assert calendar.subtract(first, seconds) <= calendar.subtract(second, seconds)


@settings(max_examples=100, deadline=None)
@given(calendars(), moments, durations)
def test_closed_time_before_a_start_moves_nothing(calendar: Calendar, at: datetime, seconds: int) -> None:
    closes = calendar.next_close(at)
    opens = calendar.next_open(closes) if closes else None
    assert closes is not None
    assert opens is not None
    due = calendar.add(opens, seconds)
    for share in (0, 0.3, 0.999):
        assert calendar.add(closes + share * (opens - closes), seconds) == due
        assert calendar.between(closes + share * (opens - closes), due) == seconds


@settings(max_examples=100, deadline=None)
@given(calendars(), st.tuples(moments, moments, moments))
def test_spans_add_up_and_reverse(calendar: Calendar, three: tuple[datetime, datetime, datetime]) -> None:
    a, b, c = (at.replace(microsecond=0) for at in three)
    assert calendar.between(a, b) + calendar.between(b, c) == calendar.between(a, c)
    assert calendar.between(a, b) == -calendar.between(b, a)


@settings(max_examples=25, deadline=None)
@given(calendars(), st.datetimes(datetime(2026, 2, 1), datetime(2026, 12, 20), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_span_is_the_sum_of_the_minutes_that_are_open(calendar: Calendar, at: datetime) -> None:
    start = at.replace(second=0, microsecond=0)
    open_minutes = sum(calendar.is_open(start + timedelta(minutes=n)) for n in range(3 * 1440))
    assert calendar.between(start, start + timedelta(days=3)) == open_minutes * 60


@settings(max_examples=6, deadline=None)
@given(st.lists(st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)), max_size=6))  # noqa: DTZ001
def test_the_order_of_questions_does_not_change_the_answers(asked: list[datetime]) -> None:
    used = office("America/New_York")
    for at in asked:
        fresh = office("America/New_York")
        assert used.add(at, 100 * HOUR) == fresh.add(at, 100 * HOUR)
        assert used.subtract(at, 100 * HOUR) == fresh.subtract(at, 100 * HOUR)
