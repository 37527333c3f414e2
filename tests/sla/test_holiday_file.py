"""Holidays out of iCalendar files: what is taken, and how each event that is no holiday is named."""

from datetime import date

import pytest

from app.errors import Invalid
from app.sla.holiday_file import MOST_EVENTS, read_holidays

FIRST, LAST = date(2025, 1, 1), date(2028, 12, 31)
XMAS = "SUMMARY:Christmas\nDTSTART;VALUE=DATE:20261225"


def file_of(*events: str) -> bytes:
    body = "\n".join(f"BEGIN:VEVENT\nUID:{n}\n{event}\nEND:VEVENT" for n, event in enumerate(events))
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{body}\nEND:VCALENDAR\n".replace("\n", "\r\n").encode()


def days_of(*events: str) -> list[str]:
    return [day.isoformat() for day in read_holidays(file_of(*events), first=FIRST, last=LAST)]


@pytest.mark.parametrize(
    ("event", "days"),
    [
        (XMAS, ["2026-12-25"]),
        (f"{XMAS}\nDTEND;VALUE=DATE:20261226", ["2026-12-25"]),  # the end is not a day of the event
        (f"{XMAS}\nDTEND;VALUE=DATE:20261225", ["2026-12-25"]),
        (f"{XMAS}\nDTEND;VALUE=DATE:20261228", ["2026-12-25", "2026-12-26", "2026-12-27"]),
        (f"{XMAS}\nDURATION:P2D", ["2026-12-25", "2026-12-26"]),
        (f"{XMAS}\nSTATUS:CANCELLED", []),
        (f"{XMAS}\nRRULE:FREQ=YEARLY", ["2026-12-25", "2027-12-25", "2028-12-25"]),
        (f"{XMAS}\nRRULE:FREQ=YEARLY;UNTIL=20271231T000000Z", ["2026-12-25", "2027-12-25"]),
        (f"{XMAS}\nRRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20271225,20281225", ["2026-12-25"]),
        (f"{XMAS}\nRDATE;VALUE=DATE:20270107", ["2026-12-25", "2027-01-07"]),
        (
            "DTSTART;VALUE=DATE:19760101\nDTEND;VALUE=DATE:19760103\nRRULE:FREQ=YEARLY;INTERVAL=25",
            ["1976-01-01", "1976-01-02", "2026-01-01", "2026-01-02"],  # its first, and what falls in the span
        ),
        (
            "DTSTART;VALUE=DATE:20261126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
            ["2026-11-26", "2027-11-25", "2028-11-23"],
        ),
        (
            "DTSTART;VALUE=DATE:20241231\nDTEND;VALUE=DATE:20250103\nRRULE:FREQ=YEARLY;COUNT=1",
            ["2024-12-31", "2025-01-01", "2025-01-02"],
        ),
    ],
)
def test_the_days_of_an_event_are_those_its_properties_say(event: str, days: list[str]) -> None:
    assert days_of(event) == days


def test_a_moved_occurrence_stands_instead_of_the_one_it_moves() -> None:
    series = "UID:a\nDTSTART;VALUE=DATE:20261226\nRRULE:FREQ=YEARLY"
    moved = "UID:a\nRECURRENCE-ID;VALUE=DATE:20271226\nDTSTART;VALUE=DATE:20271227"
    body = file_of("X", "Y").replace(b"UID:0\r\nX", series.encode()).replace(b"UID:1\r\nY", moved.encode())
    found = read_holidays(body, first=FIRST, last=LAST)
    assert found == [date(2026, 12, 26), date(2027, 12, 27), date(2028, 12, 26)]


def test_the_same_day_in_several_events_and_calendars_is_one() -> None:
    assert read_holidays(b"\xef\xbb\xbf" + file_of(XMAS) + file_of(XMAS), first=FIRST, last=LAST) == [
        date(2026, 12, 25)
    ]


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ("DTSTART:20261225T090000Z", "expected a whole day such as DTSTART;VALUE=DATE:20261225"),
        ("DTSTART:2026-12-25", "DTSTART: Expected datetime, date, or time"),
        ("SUMMARY:Christmas", "expected DTSTART once"),
        (f"{XMAS}\nDTSTART;VALUE=DATE:20261226", "expected DTSTART once"),
        (f"{XMAS}\nDTEND;VALUE=DATE:20261224", "expected one to 366 whole days"),
        (f"{XMAS}\nDTEND;VALUE=DATE:20281224", "expected one to 366 whole days"),
        (f"{XMAS}\nDTEND:20261226T120000Z", "expected a whole day such as DTEND"),
        (f"{XMAS}\nDURATION:PT36H", "expected one to 366 whole days"),
        ("DTSTART;VALUE=DATE:19690101", "from 1970 to 2100"),
        (f"{XMAS}\nRRULE:FREQ=DAILY;COUNT=3", "expected FREQ=YEARLY"),
        (f"{XMAS}\nRRULE:FREQ=YEARLY;BYSETPOS=1;BYMONTH=12;BYDAY=MO", "expected FREQ=YEARLY"),
        (f"{XMAS}\nRRULE:FREQ=YEARLY;BYDAY=20MO", "need BYMONTH"),
        (f"{XMAS}\nRRULE:FREQ=YEARLY;INTERVAL=0", "INTERVAL from 1"),
        (f"{XMAS}\nRRULE:FREQ=NEVER", "RRULE: Expected frequency"),
        (f"{XMAS}\nEXDATE:20261225T000000Z", "expected a whole day such as EXDATE"),
        (f"{XMAS}\nRECURRENCE-ID:20261225T000000Z", "expected a whole day such as RECURRENCE-ID"),
    ],
)
def test_an_event_that_is_no_holiday_is_named_with_its_line(event: str, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        days_of(XMAS, event)
    [error] = refused.value.errors
    assert (error["pointer"], error["line"]) == ("/events/1", "9")  # 3 lines before the events, 5 of the first
    assert says in error["detail"]


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (b"BEGIN:VEVENT\r\nUID:1", b"BEGIN:VEVE\r\n NT\r\nUID:1", "9"),
        (b"BEGIN:VEVENT\r\nUID:0", b"BEGIN;X-A=b:VEVENT\r\nUID:0", None),  # which line is not sure
        (b"UID:0", b"DESCRIPTION:not an event\r\n BEGIN:VEVENT\r\n\tBEGIN:VEVENT\r\nUID:0", "12"),
        (b"UID:0", "DESCRIPTION:a\u2028b\r\nUID:0".encode(), "10"),  # no end of a line here
    ],
)
def test_folded_lines_are_read_as_one_and_lines_are_counted_as_they_stand(
    before: bytes, after: bytes, line: str | None
) -> None:
    content = file_of(XMAS, "DTSTART:20261225T090000Z").replace(before, after)
    with pytest.raises(Invalid) as refused:
        read_holidays(content, first=FIRST, last=LAST)
    assert [(error["pointer"], error.get("line")) for error in refused.value.errors] == [("/events/1", line)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "at least one event"),
        (b"name,date\nChristmas,2026-12-25", "expected an iCalendar file"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "at least one event"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:\xe4", "UTF-8"),
        (file_of(*[XMAS] * (MOST_EVENTS + 1)), "at most 1000 events"),
        (file_of(*[XMAS] * (MOST_EVENTS + 1)).replace(b"VEVENT", b"VEVE\r\n NT"), "at most 1000 events"),
    ],
)
def test_what_is_no_file_of_holidays_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_holidays(content, first=FIRST, last=LAST)
    assert says in refused.value.detail
