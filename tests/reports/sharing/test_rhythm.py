"""When a report goes out, by a calendar and by hand."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from app.reports.sharing.rhythm import Rhythm

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def weekly(weekday, hour, zone=BERLIN):
    return Rhythm("weekly", weekday, None, hour, zone)


def monthly(day, hour=8, zone=BERLIN, every="monthly"):
    return Rhythm(every, None, day, hour, zone)


@pytest.mark.parametrize(
    ("rhythm", "after", "due"),
    [
        (weekly(0, 8), "2026-03-02 06:59", "2026-03-02 07:00"),  # Monday in winter: 8 is 7 UTC
        (weekly(0, 8), "2026-03-02 07:00", "2026-03-09 07:00"),  # at the very moment it is the next one's turn
        (weekly(0, 8), "2026-03-24 07:00", "2026-03-30 06:00"),  # after the clocks went forward on the 29th
        (weekly(6, 2), "2026-03-28 12:00", "2026-03-29 01:00"),  # 2:00 does not exist: 3:00 summer time
        (weekly(6, 2), "2026-10-24 12:00", "2026-10-25 00:00"),  # 2:00 exists twice: the first
        (weekly(6, 1, NEW_YORK), "2026-10-31 12:00", "2026-11-01 05:00"),  # twice as well, summer time first
        (weekly(6, 23, NEW_YORK), "2026-03-02 04:30", "2026-03-09 03:00"),  # Sunday there, Monday in UTC
        (monthly(31), "2026-01-31 07:00", "2026-02-28 07:00"),
        (monthly(31), "2026-02-28 07:00", "2026-03-31 06:00"),
        (monthly(29), "2024-02-01 00:00", "2024-02-29 07:00"),
        (monthly(1), "2026-12-01 07:00", "2027-01-01 07:00"),
        (monthly(30, every="quarterly"), "2026-01-30 07:00", "2026-04-30 06:00"),
        (monthly(2, every="quarterly"), "2026-10-02 06:00", "2027-01-02 07:00"),
    ],
)
def test_the_next_one_is_due_at(rhythm, after, due):
    assert rhythm.next_after(at(after)) == at(due)


def test_what_fell_due_meanwhile_is_counted_with_both_ends():
    rhythm = monthly(31)
    found = rhythm.due_between(at("2026-01-31 07:00"), at("2026-04-30 06:00"))
    assert [due.strftime("%m-%d %H") for due in found] == ["01-31 07", "02-28 07", "03-31 06", "04-30 06"]
    assert rhythm.due_between(at("2026-02-01 00:00"), at("2026-02-28 06:59")) == []


@pytest.mark.parametrize(
    "rhythm", [weekly(6, 2), weekly(3, 0, NEW_YORK), monthly(31, 2), monthly(15, every="quarterly")]
)
def test_one_follows_the_other_for_years_without_a_gap_or_a_twin(rhythm):
    moment, dues = at("2025-12-31 23:59"), []
    for _ in range(60):
        moment = rhythm.next_after(moment)
        dues.append(moment)
    assert dues == rhythm.due_between(dues[0], dues[-1])
    assert len({rhythm.period_of(due) for due in dues}) == len(dues)
    longest = {"weekly": 8, "monthly": 32, "quarterly": 93}[rhythm.every]
    assert all(timedelta(0) < b - a <= timedelta(days=longest) for a, b in pairwise(dues))
