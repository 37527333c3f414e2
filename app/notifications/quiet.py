"""When somebody hears of something: quiet hours and digests on their own local clock (pure).

A local time that does not exist moves forward by the gap; one that exists twice is the first. Windows are half-open.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from app.errors import FieldFault

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
MOST_WINDOWS = 8
EMAIL, INBOX, DIGEST = "email", "inbox", "digest"


class QuietError(FieldFault):
    """Hours that cannot be meant; says which field and what was expected."""


@dataclass(frozen=True, slots=True)
class Window:
    """Minutes of the local day it starts on, from 0 for Monday; an overnight one ends beyond 24:00."""

    day: int
    start: int
    end: int
    field: str = ""

    @property
    def week_start(self) -> int:
        return self.day * DAY_MINUTES + self.start

    @property
    def week_end(self) -> int:
        return self.day * DAY_MINUTES + self.end


@dataclass(frozen=True, slots=True)
class Digest:
    """One message at this local time of these days."""

    minute: int
    days: frozenset[int]


@dataclass(frozen=True, slots=True)
class Preferences:
    """How one person wants to be told, in their own zone."""

    zone: ZoneInfo
    quiet_hours: tuple[Window, ...] = ()
    digest: Digest | None = None
    email: bool = True


@dataclass(frozen=True, slots=True)
class Delivery:
    """When a message is told (tenant time) and what carries it beside the inbox."""

    hold_until: datetime
    channel: str


def plan_delivery(preferences: Preferences | None, now: datetime, *, urgent: bool) -> Delivery:
    """What is urgent goes at once; the rest is collected where a digest is asked for, and waits out quiet hours.

    A digest whose time lies in the person's own quiet hours comes at their end.
    """
    if preferences is None:
        return Delivery(now, EMAIL)
    collected = preferences.email and preferences.digest is not None and not urgent
    channel = DIGEST if collected else EMAIL if preferences.email else INBOX
    if urgent:
        return Delivery(now, channel)
    moment = next_digest(preferences.digest, preferences.zone, now) if collected and preferences.digest else now
    return Delivery(end_of_quiet(preferences.quiet_hours, preferences.zone, moment), channel)


def end_of_quiet(windows: Sequence[Window], zone: ZoneInfo, now: datetime) -> datetime:
    """The end of the quiet hours that `now` lies in, with those that follow without a break; outside them, `now`."""
    moment = now
    while (end := _end_of_window(windows, zone, moment)) is not None:
        moment = end
    return moment


def next_digest(digest: Digest, zone: ZoneInfo, now: datetime) -> datetime:
    """The first digest after `now`: what comes at that very moment waits for the next."""
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=number) for number in range(9))
    moments = (_moment(day, digest.minute, zone) for day in days if day.weekday() in digest.days)
    return next(moment for moment in moments if moment > now)


def _end_of_window(windows: Sequence[Window], zone: ZoneInfo, now: datetime) -> datetime | None:
    """The latest end of the windows that hold `now`."""
    today = now.astimezone(zone).date()
    ends = [
        end
        for window in windows
        for day in (today - timedelta(days=1), today)
        if day.weekday() == window.day
        and _moment(day, window.start, zone) <= now < (end := _moment(day, window.end, zone))
    ]
    return max(ends, default=None)


def _moment(day: date, minute: int, zone: ZoneInfo) -> datetime:
    local = datetime.combine(day, time()) + timedelta(minutes=minute)
    return local.replace(tzinfo=zone).astimezone(UTC)


# -- reading what people write ----------------------------------------------------------------------------------------


def parse_digest(digest: Mapping[str, Any] | None) -> Digest | None:
    """`{at: "08:00", days?: ["mon", …]}`, or None for no digest."""
    if digest is None:
        return None
    days = digest.get("days", DAYS)
    for number, day in enumerate(days):
        if day not in DAYS:
            raise QuietError(f"days/{number}", f"expected one of {', '.join(DAYS)}")
    if not days or len(set(days)) < len(days):
        raise QuietError("days", "expected one day or more, each once")
    minute = parse_time(digest.get("at"), "at", latest=DAY_MINUTES - 1)
    return Digest(minute, frozenset(DAYS.index(day) for day in days))


def parse_quiet_hours(weekly: Mapping[str, Any]) -> tuple[Window, ...]:
    """`{mon: [["22:00", "07:00"]], …}`: local windows by the day they start on, overnight allowed."""
    windows = sorted(_windows(weekly), key=lambda window: window.week_start)
    for before, after in pairwise(windows):
        _check_apart(before, after, before.week_end - after.week_start)
    if windows:
        _check_apart(windows[-1], windows[0], windows[-1].week_end - WEEK_MINUTES - windows[0].week_start)
    if sum(window.end - window.start for window in windows) >= WEEK_MINUTES:
        raise QuietError("", "expected some time in the week that is not quiet")
    return tuple(windows)


def _check_apart(before: Window, after: Window, shared_minutes: int) -> None:
    if shared_minutes > 0:
        raise QuietError(after.field, f"overlaps {before.field}")


def _windows(weekly: Mapping[str, Any]) -> Iterator[Window]:
    for name, pairs in weekly.items():
        if name not in DAYS:
            raise QuietError(name, f"expected one of {', '.join(DAYS)}")
        if not isinstance(pairs, Sequence) or isinstance(pairs, str):
            raise QuietError(name, 'expected windows such as [["22:00", "07:00"]]')
        if len(pairs) > MOST_WINDOWS:
            raise QuietError(name, f"expected at most {MOST_WINDOWS} windows a day")
        for number, pair in enumerate(pairs):
            yield _window(pair, DAYS.index(name), f"{name}/{number}")


def _window(pair: object, day: int, field: str) -> Window:
    if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
        raise QuietError(field, "expected a start and an end")
    start = parse_time(pair[0], f"{field}/0", latest=DAY_MINUTES - 1)
    end = parse_time(pair[1], f"{field}/1", latest=DAY_MINUTES)
    if start == end % DAY_MINUTES and end != DAY_MINUTES:
        raise QuietError(f"{field}/1", "expected an end other than the start")
    return Window(day, start, end if end > start else end + DAY_MINUTES, field)


def parse_time(value: object, field: str, *, latest: int) -> int:
    """The minute of the day that `HH:MM` names; 24:00 is the end of a day and starts nothing."""
    if isinstance(value, str) and len(value) == 5 and value[2] == ":" and (value[:2] + value[3:]).isascii():
        hours, minutes = value[:2], value[3:]
        if hours.isdigit() and minutes.isdigit() and int(minutes) < 60 and int(hours) * 60 + int(minutes) <= latest:
            return int(hours) * 60 + int(minutes)
    end = "24:00" if latest == DAY_MINUTES else "23:59"
    raise QuietError(field, f"expected a local time from 00:00 to {end}")
