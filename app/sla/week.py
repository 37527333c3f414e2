"""A calendar as one looks at it: seven days with their open hours, what is special ahead, and how a due time comes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from app.sla.calendar import Calendar
from app.sla.hours import DAY, EPOCH, SECOND, instant

MOST_WINDOWS = 24
MOST_USED = 2_500


@dataclass(frozen=True, slots=True)
class Bar:
    """Open from one local time to another; where it stands, in percent of the day."""

    opens: str
    closes: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Day:
    """A local day; `special` says why its hours are not those of its weekday."""

    on: date
    bars: tuple[Bar, ...]
    special: str | None


@dataclass(frozen=True, slots=True)
class Used:
    """A stretch of open time on the way to a due time."""

    begins: datetime
    ends: datetime

    @property
    def seconds(self) -> int:
        return int((self.ends - self.begins).total_seconds())


def show_week(calendar: Calendar, first: date, special: Mapping[date, str]) -> list[Day]:
    """Seven local days from `first` on, as the calendar counts them: holidays, other hours and breaks taken out."""
    days = [first + timedelta(days=number) for number in range(7)]
    return [Day(day, _bars_of(calendar, day), special.get(day)) for day in days]


def _bars_of(calendar: Calendar, day: date) -> tuple[Bar, ...]:
    low, high = (_moment(calendar, one) for one in (day, day + timedelta(days=1)))
    if low >= high:  # a day that its zone left out
        return ()
    bars = []
    for opens, closes in calendar.next_windows(low, MOST_WINDOWS):
        if opens >= high:
            break
        bars.append(_bar(calendar, day, opens, min(closes or high, high)))
    return tuple(bars)


def _moment(calendar: Calendar, day: date) -> datetime:
    return EPOCH + timedelta(seconds=instant(calendar.hours.zone, day, 0) // SECOND)


def _bar(calendar: Calendar, day: date, opens: datetime, closes: datetime) -> Bar:
    start, end = (_wall_seconds(calendar, day, at) for at in (opens, closes))
    return Bar(_clock(start), _clock(end), round(100 * start / DAY, 2), round(100 * max(end - start, 0) / DAY, 2))


def _wall_seconds(calendar: Calendar, day: date, at: datetime) -> int:
    local = at.astimezone(calendar.hours.zone)
    return DAY if local.date() > day else local.hour * 3600 + local.minute * 60 + local.second


def _clock(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds % 3600 // 60:02}"


def list_special(definition: Mapping[str, Any]) -> dict[date, str]:
    """Days that differ and why: the names of holidays, blank for one without, `hours` for other hours."""
    named = {date.fromisoformat(str(day)): "hours" for day in definition.get("overrides") or {}}
    named |= {date.fromisoformat(str(day)): "" for day in definition.get("holidays") or ()}
    for entry in definition.get("holidays_of") or ():
        named |= {date.fromisoformat(day): name for day, name in entry["dates"].items()}
    return dict(sorted(named.items()))


def find_due(calendar: Calendar, start: datetime, seconds: int) -> tuple[datetime, list[Used]]:
    """When `seconds` of open time from `start` on are over, and the windows they lie in."""
    due, used = calendar.add(start, seconds), []
    for opens, closes in calendar.next_windows(start, MOST_USED if seconds else 0):
        if opens >= due:
            break
        used.append(Used(opens, min(closes or due, due)))
    return due.astimezone(UTC), used
