"""Quiet hours and digests on the recipient's own clock; each moment computed by hand from the zone's rules."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.notifications.quiet import (
    DAYS,
    Delivery,
    Preferences,
    QuietError,
    end_of_quiet,
    next_digest,
    parse_digest,
    parse_quiet_hours,
    plan_delivery,
)

NIGHTS = {day: [["22:00", "07:00"]] for day in DAYS}
WEEKEND = {
    "fri": [["18:00", "24:00"]],
    "sat": [["00:00", "24:00"]],
    "sun": [["00:00", "24:00"]],
    "mon": [["00:00", "08:00"]],
}


def utc(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)


def until(weekly: Mapping[str, Any], zone: str, now: str) -> datetime:
    return end_of_quiet(parse_quiet_hours(weekly), ZoneInfo(zone), utc(now))


def digest(zone: str, now: str, at: str, *days: str) -> datetime:
    parsed = parse_digest({"at": at, "days": days or DAYS})
    assert parsed is not None
    return next_digest(parsed, ZoneInfo(zone), utc(now))


def wishes(weekly: Mapping[str, Any] | None = None, at: str | None = None, **fields: Any) -> Preferences:
    parsed = parse_digest({"at": at}) if at else None
    return Preferences(ZoneInfo("UTC"), parse_quiet_hours(weekly or {}), parsed, **fields)


@pytest.mark.parametrize(
    ("weekly", "zone", "now", "told"),
    [
        (NIGHTS, "Europe/Berlin", "2026-03-02T20:59:59", "2026-03-02T20:59:59"),  # a second before 22:00
        (NIGHTS, "Europe/Berlin", "2026-03-02T21:00", "2026-03-03T06:00"),
        (NIGHTS, "Europe/Berlin", "2026-03-03T05:59:59", "2026-03-03T06:00"),
        (NIGHTS, "Europe/Berlin", "2026-03-03T06:00", "2026-03-03T06:00"),  # windows are half-open
        (NIGHTS, "Europe/Berlin", "2026-03-28T21:30", "2026-03-29T05:00"),  # the night loses an hour: 07:00 is UTC+2
        (NIGHTS, "Europe/Berlin", "2026-10-24T20:30", "2026-10-25T06:00"),  # and wins it back
        (NIGHTS, "America/New_York", "2026-03-08T04:00", "2026-03-08T11:00"),
        (NIGHTS, "America/New_York", "2026-11-01T03:00", "2026-11-01T12:00"),
        (NIGHTS, "Australia/Lord_Howe", "2026-04-04T12:00", "2026-04-04T20:30"),  # half an hour: 07:00 is UTC+10:30
        (NIGHTS, "Australia/Lord_Howe", "2026-10-03T12:00", "2026-10-03T20:00"),  # and 07:00 is UTC+11
        (NIGHTS, "Asia/Kathmandu", "2026-03-02T17:00", "2026-03-03T01:15"),  # UTC+5:45
        (NIGHTS, "Pacific/Kiritimati", "2026-03-02T09:00", "2026-03-02T17:00"),  # UTC+14
        ({"sun": [["00:00", "02:30"]]}, "Europe/Berlin", "2026-03-29T00:00", "2026-03-29T01:30"),  # 02:30 is 03:30
        ({"sun": [["00:00", "02:30"]]}, "Europe/Berlin", "2026-10-24T23:00", "2026-10-25T00:30"),  # the first 02:30
        ({"sun": [["00:00", "02:30"]]}, "Europe/Berlin", "2026-10-25T01:15", "2026-10-25T01:15"),  # 02:15 again
        ({"sun": [["02:00", "03:00"]]}, "Europe/Berlin", "2026-03-29T00:59", "2026-03-29T00:59"),  # an hour that is not
        (WEEKEND, "UTC", "2026-03-06T18:00", "2026-03-09T08:00"),  # one window after the other
        (WEEKEND, "UTC", "2026-03-06T17:59", "2026-03-06T17:59"),
        ({"sun": [["20:00", "10:00"]]}, "UTC", "2026-03-09T09:00", "2026-03-09T10:00"),  # overnight into the next week
        ({}, "UTC", "2026-03-02T03:00", "2026-03-02T03:00"),  # none by default
    ],
)
def test_quiet_hours_end_at_a_local_time(weekly: Mapping[str, Any], zone: str, now: str, told: str) -> None:
    assert until(weekly, zone, now) == utc(told)


@pytest.mark.parametrize(
    ("zone", "now", "at", "days", "told"),
    [
        ("Europe/London", "2026-03-27T07:59:59", "08:00", (), "2026-03-27T08:00"),
        ("Europe/London", "2026-03-27T08:00", "08:00", (), "2026-03-28T08:00"),  # at its time: the next one
        ("Europe/London", "2026-03-28T09:00", "08:00", (), "2026-03-29T07:00"),  # summer time began in the night
        ("Europe/London", "2026-10-24T09:00", "08:00", (), "2026-10-25T08:00"),  # and ended
        ("Europe/London", "2026-03-28T09:00", "01:30", (), "2026-03-29T01:30"),  # 01:30 does not exist: 02:30 BST
        ("Europe/London", "2026-10-24T09:00", "01:30", (), "2026-10-25T00:30"),  # the first of two
        ("Europe/London", "2026-10-25T00:45", "01:30", (), "2026-10-26T01:30"),  # the second is none
        ("UTC", "2026-03-06T08:00", "08:00", ("mon", "tue", "wed", "thu", "fri"), "2026-03-09T08:00"),
        ("UTC", "2026-03-02T08:00", "08:00", ("mon",), "2026-03-09T08:00"),
        ("Pacific/Kiritimati", "2026-03-02T17:59", "08:00", ("tue",), "2026-03-02T18:00"),  # Tuesday there already
    ],
)
def test_a_digest_comes_at_its_local_time(zone: str, now: str, at: str, days: tuple[str, ...], told: str) -> None:
    assert digest(zone, now, at, *days) == utc(told)


NIGHT = utc("2026-03-02T23:00")
MORNING = utc("2026-03-03T07:00")


@pytest.mark.parametrize(
    ("preferences", "urgent", "planned"),
    [
        (None, False, Delivery(NIGHT, "email")),
        (wishes(), False, Delivery(NIGHT, "email")),
        (wishes(NIGHTS), False, Delivery(MORNING, "email")),
        (wishes(NIGHTS), True, Delivery(NIGHT, "email")),
        (wishes(NIGHTS, "09:00"), False, Delivery(MORNING + timedelta(hours=2), "digest")),
        (wishes(NIGHTS, "09:00"), True, Delivery(NIGHT, "email")),
        (wishes(NIGHTS, "05:00"), False, Delivery(MORNING, "digest")),  # its own time is quiet
        (wishes(NIGHTS, email=False), False, Delivery(MORNING, "inbox")),
        (wishes(NIGHTS, "09:00", email=False), False, Delivery(MORNING, "inbox")),  # a digest is a mail
        (wishes(NIGHTS, "09:00", email=False), True, Delivery(NIGHT, "inbox")),
    ],
)
def test_what_is_urgent_goes_at_once_and_the_rest_waits(
    preferences: Preferences | None, urgent: bool, planned: Delivery
) -> None:
    assert plan_delivery(preferences, NIGHT, urgent=urgent) == planned


@pytest.mark.parametrize(
    ("weekly", "field"),
    [
        ({"mon": [["25:00", "07:00"]]}, "mon/0/0"),
        ({"mon": [["22:00", "24:01"]]}, "mon/0/1"),
        ({"mon": [["24:00", "07:00"]]}, "mon/0/0"),
        ({"mon": [["22:00", "07:60"]]}, "mon/0/1"),
        ({"mon": [["9:00", "10:00"]]}, "mon/0/0"),
        ({"mon": [["22:00", 7]]}, "mon/0/1"),
        ({"mon": [["22:00", "22:00"]]}, "mon/0/1"),
        ({"mon": [["00:00", "00:00"]]}, "mon/0/1"),
        ({"mon": [["22:00"]]}, "mon/0"),
        ({"mon": "22:00"}, "mon"),
        ({"monday": [["22:00", "07:00"]]}, "monday"),
        ({"mon": [["08:00", "10:00"], ["09:00", "11:00"]]}, "mon/1"),
        ({"mon": [["22:00", "07:00"]], "tue": [["06:00", "08:00"]]}, "tue/0"),
        ({"sun": [["22:00", "07:00"]], "mon": [["06:00", "08:00"]]}, "mon/0"),  # around the end of the week
        ({day: [["00:00", "24:00"]] for day in DAYS}, ""),
        ({day: [["12:00", "11:59"], ["11:59", "12:00"]] for day in DAYS}, ""),
    ],
)
def test_hours_that_cannot_be_meant_are_named(weekly: Mapping[str, Any], field: str) -> None:
    with pytest.raises(QuietError) as refused:
        parse_quiet_hours(weekly)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"at": "24:00"}, "at"),
        ({"at": "8:00"}, "at"),
        ({"at": "٠٨:٠٠"}, "at"),
        ({}, "at"),
        ({"at": "08:00", "days": []}, "days"),
        ({"at": "08:00", "days": ["mon", "mon"]}, "days"),
        ({"at": "08:00", "days": ["mon", "mo"]}, "days/1"),
    ],
)
def test_a_digest_that_cannot_be_meant_is_named(asked: Mapping[str, Any], field: str) -> None:
    with pytest.raises(QuietError) as refused:
        parse_digest(asked)
    assert refused.value.field == field


def test_windows_that_touch_do_not_overlap() -> None:
    touching = {"mon": [["08:00", "10:00"], ["10:00", "11:00"]], "sun": [["22:00", "08:00"]]}
    assert until(touching, "UTC", "2026-03-01T22:00") == utc("2026-03-02T11:00")


WEEK = 7 * 24 * 60
MONDAY = utc("2026-03-02T00:00")
edges = st.lists(st.integers(0, WEEK - 1), min_size=2, max_size=12, unique=True).filter(
    lambda found: len(found) % 2 == 0
)


@given(edges, st.integers(0, WEEK - 1))
def test_against_a_walk_over_the_minutes_of_a_week(found: list[int], minute: int) -> None:
    """Windows between pairs of edges, each cut at midnight; the walk knows minutes only."""
    ordered = sorted(found)
    quiet = {one for start, end in zip(ordered[::2], ordered[1::2], strict=True) for one in range(start, end)}
    weekly: dict[str, list[list[str]]] = {}
    for start, end in zip(ordered[::2], ordered[1::2], strict=True):
        for day in range(start // 1440, (end - 1) // 1440 + 1):
            low, high = max(start - day * 1440, 0), min(end - day * 1440, 1440)
            weekly.setdefault(DAYS[day], []).append([f"{t // 60:02}:{t % 60:02}" for t in (low, high)])
    walked = next(one for one in range(minute, minute + WEEK + 1) if one % WEEK not in quiet)
    told = end_of_quiet(parse_quiet_hours(weekly), ZoneInfo("UTC"), MONDAY + timedelta(minutes=minute))
    assert told == MONDAY + timedelta(minutes=walked)
