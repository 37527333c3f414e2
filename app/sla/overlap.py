"""How much of one calendar's open time is open in others, too. Pure."""

from collections.abc import Iterator
from datetime import datetime

from app.sla.calendar import Calendar, to_micros


class Overlap:
    """The open time of one calendar from `start` to `end`, to be compared with any number of others."""

    def __init__(self, calendar: Calendar, start: datetime, end: datetime) -> None:
        self._calendar = calendar
        self._windows = [(to_micros(opens), to_micros(closes)) for opens, closes in _windows(calendar, start, end)]
        self._total = sum(closes - opens for opens, closes in self._windows)

    def share_of(self, other: Calendar) -> float | None:
        """The share, 0 to 1, of that time in which the other is open; None when there is no such time."""
        if self._total <= 0:
            return None
        if other is self._calendar:
            return 1.0
        return sum(other.between_exact(opens, closes) for opens, closes in self._windows) / self._total


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
