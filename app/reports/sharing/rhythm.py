"""When a report goes out: a weekday or a day of the month at a local hour (pure).

A local time that does not exist moves forward by the gap; one that exists twice is the first. In a month that is
shorter the last day stands for the 29th, 30th and 31st. A quarter's report goes out in its first month.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

MONTHS = {"monthly": 1, "quarterly": 3}
MOST = 1_000  # periods looked at: twenty years of weeks


@dataclass(frozen=True)
class Rhythm:
    """`every` is weekly, monthly or quarterly; `weekday` (0 is Monday) of a week, `day` of a month."""

    every: str
    weekday: int | None
    day: int | None
    hour: int
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime:
        """The first time it is due later than this moment."""
        return next(due for due in self._from(moment) if due > moment)

    def due_between(self, first: datetime, last: datetime) -> list[datetime]:
        """When it is due from `first` to `last`, both included."""
        dues = takewhile(lambda due: due <= last, self._from(first))
        return [due for due in dues if due >= first][-MOST:]

    def period_of(self, due: datetime) -> str:
        """What names the time that it is due at: its local day."""
        return due.astimezone(self.zone).date().isoformat()

    def _from(self, moment: datetime) -> Iterator[datetime]:
        """Every time it is due, from some days before this moment on."""
        start = moment.astimezone(self.zone).date()
        for day in self._weeks(start) if self.every == "weekly" else self._months(start):
            yield datetime.combine(day, time(self.hour), self.zone).astimezone(UTC)

    def _weeks(self, start: date) -> Iterator[date]:
        monday = start - timedelta(days=start.weekday() + 7)
        while True:
            yield monday + timedelta(days=self.weekday or 0)
            monday += timedelta(days=7)

    def _months(self, start: date) -> Iterator[date]:
        step = MONTHS[self.every]
        month = start.year * 12 + start.month - 1
        month -= month % step + step
        while True:
            year, number = month // 12, month % 12 + 1
            yield date(year, number, min(self.day or 1, monthrange(year, number)[1]))
            month += step
