"""How much of one calendar's open time is open in another, too. Pure."""

from collections.abc import Iterator
from datetime import datetime

from app.sla.calendar import Calendar


def shared_part(first: Calendar, second: Calendar, start: datetime, end: datetime) -> float | None:
    """The share, 0 to 1, of `first`'s open time from `start` to `end` in which `second` is open; None without any."""
    total = first.between(start, end)
    if total <= 0:
        return None
    if first is second:
        return 1.0
    return sum(second.between(opens, closes) for opens, closes in _windows(first, start, end)) / total


def _windows(calendar: Calendar, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Open windows, cut at both ends."""
    opens: datetime | None = start if calendar.is_open(start) else calendar.next_open(start)
    while opens is not None and opens < end:
        closes = calendar.next_close(opens)
        if closes is None or closes >= end:
            yield opens, end
            return
        yield opens, closes
        opens = calendar.next_open(closes)
