"""Business time over changes of local time: every expected moment is worked out by hand from the zone's rule.

New York goes from -05:00 to -04:00 on 2026-03-08 at 07:00Z and back on 2026-11-01 at 06:00Z; London from +00:00 to
+01:00 on 2026-03-29 and back on 2026-10-25, both at 01:00Z; Lord Howe from +11:00 to +10:30 on 2026-04-04 at 15:00Z and
back on 2026-10-03 at 15:30Z. Kathmandu is always at +05:45, Kiritimati at +14:00.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.sla.calendar import compile_calendar
from app.sla.hours import WEEKDAYS

HOUR = 3600
SECOND = timedelta(seconds=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "window", "opens", "closes", "hours"),
    [
        # 02:30 is skipped and becomes 03:30
        ("America/New_York", ["02:30", "06:30"], "2026-03-08T07:30Z", "2026-03-08T10:30Z", 3),
        # 01:30 exists twice, the first counts
        ("America/New_York", ["01:30", "06:30"], "2026-11-01T05:30Z", "2026-11-01T11:30Z", 6),
        ("Europe/London", ["01:30", "05:30"], "2026-03-29T01:30Z", "2026-03-29T04:30Z", 3),
        ("Europe/London", ["01:30", "05:30"], "2026-10-25T00:30Z", "2026-10-25T05:30Z", 5),
        # half an hour is skipped or doubled: 02:15 becomes 02:45, 01:45 is the first
        ("Australia/Lord_Howe", ["02:15", "06:15"], "2026-10-03T15:45Z", "2026-10-03T19:15Z", 3.5),
        ("Australia/Lord_Howe", ["01:45", "05:45"], "2026-04-04T14:45Z", "2026-04-04T19:15Z", 4.5),
        ("Asia/Kathmandu", ["02:15", "06:15"], "2026-03-07T20:30Z", "2026-03-08T00:30Z", 4),
        ("Pacific/Kiritimati", ["02:15", "06:15"], "2026-03-07T12:15Z", "2026-03-07T16:15Z", 4),
        # whole days, of 23, 25, 23.5, 24.5 and 24 hours
        ("America/New_York", ["00:00", "24:00"], "2026-03-08T05:00Z", "2026-03-09T04:00Z", 23),
        ("America/New_York", ["00:00", "24:00"], "2026-11-01T04:00Z", "2026-11-02T05:00Z", 25),
        ("Europe/London", ["00:00", "24:00"], "2026-03-29T00:00Z", "2026-03-29T23:00Z", 23),
        ("Europe/London", ["00:00", "24:00"], "2026-10-24T23:00Z", "2026-10-26T00:00Z", 25),
        ("Australia/Lord_Howe", ["00:00", "24:00"], "2026-10-03T13:30Z", "2026-10-04T13:00Z", 23.5),
        ("Australia/Lord_Howe", ["00:00", "24:00"], "2026-04-04T13:00Z", "2026-04-05T13:30Z", 24.5),
        ("Asia/Kathmandu", ["00:00", "24:00"], "2026-03-07T18:15Z", "2026-03-08T18:15Z", 24),
        ("Pacific/Kiritimati", ["00:00", "24:00"], "2026-03-07T10:00Z", "2026-03-08T10:00Z", 24),
    ],
)
def test_a_sunday_window_over_a_change_counts_the_seconds_that_pass(
    zone: str, window: list[str], opens: str, closes: str, hours: float
) -> None:
    sundays = compile_calendar({"timezone": zone, "weekly": {"sun": [window]}})
    start, end, seconds = utc(opens), utc(closes), int(hours * HOUR)
    assert sundays.next_windows(start - timedelta(hours=5), 1) == [(start, end)]
    assert sundays.between(start - timedelta(hours=5), end + timedelta(hours=5)) == seconds
    assert sundays.add(start - timedelta(hours=5), seconds) == end
    assert sundays.add(start, seconds - HOUR) == end - timedelta(hours=1)
    assert sundays.subtract(end + timedelta(hours=5), seconds) == start
    assert sundays.subtract(end, HOUR) == end - timedelta(hours=1)
    assert [sundays.is_open(at) for at in (start - SECOND, start, end - SECOND, end)] == [False, True, True, False]
    assert (sundays.next_open(start - SECOND), sundays.next_close(start)) == (start, end)
    assert sundays.prev_close(end) == end


@pytest.mark.parametrize(
    ("zone", "monday_nine", "friday_five"),
    [
        ("America/New_York", "2026-03-02T14:00Z", "2026-03-13T21:00Z"),
        ("America/New_York", "2026-10-26T13:00Z", "2026-11-06T22:00Z"),
        ("Europe/London", "2026-03-23T09:00Z", "2026-04-03T16:00Z"),
        ("Europe/London", "2026-10-19T08:00Z", "2026-10-30T17:00Z"),
        ("Australia/Lord_Howe", "2026-03-29T22:00Z", "2026-04-10T06:30Z"),
        ("Australia/Lord_Howe", "2026-09-27T22:30Z", "2026-10-09T06:00Z"),
        ("Asia/Kathmandu", "2026-03-02T03:15Z", "2026-03-13T11:15Z"),
        ("Pacific/Kiritimati", "2026-03-01T19:00Z", "2026-03-13T03:00Z"),
    ],
)
def test_ten_business_days_end_at_the_same_local_closing_whatever_changed_between(
    zone: str, monday_nine: str, friday_five: str
) -> None:
    office = compile_calendar({"timezone": zone, "weekly": {day: [["09:00", "17:00"]] for day in WEEKDAYS[:5]}})
    start, end = utc(monday_nine), utc(friday_five)
    assert office.add(start, 10 * office.day_seconds) == end
    assert office.subtract(end, 10 * office.day_seconds) == start
    assert office.between(start, end) == 80 * HOUR
    assert office.between(end, start) == -80 * HOUR
    assert office.next_open(start - SECOND) == start
    assert office.next_close(end - SECOND) == end
    assert office.prev_close(end + timedelta(days=2)) == end


def test_moments_in_the_doubled_hour_are_told_apart_whatever_zone_object_carries_them() -> None:
    new_york = ZoneInfo("America/New_York")
    first = datetime(2026, 11, 1, 1, 50, tzinfo=new_york)
    second = datetime(2026, 11, 1, 1, 10, tzinfo=new_york, fold=1)  # later, though its wall time is earlier
    always = compile_calendar({"timezone": "America/New_York", "weekly": {"sun": [["00:00", "24:00"]]}})
    assert always.between(first, second) == 20 * 60
    assert always.between(second, first) == -20 * 60
    assert always.add(first, 20 * 60) == utc("2026-11-01T06:10Z")
