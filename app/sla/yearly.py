"""Days that come back every year, as RFC 5545 writes them: on a date, or on the n-th weekday of a month."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Yearly:
    """FREQ=YEARLY; days are picked within the months, which are the first day's own unless said."""

    interval: int = 1
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()  # negative: from the end of the month
    weekdays: tuple[tuple[int, int], ...] = ()  # which of the month (0: each, negative: from its end), Monday is 0
    count: int | None = None
    until: date | None = None


def occurrences(start: date, rule: Yearly, *, last: date) -> Iterator[date]:
    """In order up to `last`; the first is `start` itself, also where the rule would not pick it."""
    end = last if rule.until is None else min(last, rule.until)
    for number, day in enumerate(_unbounded(start, rule, end.year), 1):
        if day > end or (rule.count is not None and number > rule.count):
            return
        yield day


def _unbounded(start: date, rule: Yearly, last_year: int) -> Iterator[date]:
    yield start
    for year in range(start.year, last_year + 1, rule.interval):
        for month in sorted(set(rule.months or (start.month,))):
            yield from (day for day in _days_of(date(year, month, 1), rule, start.day) if day > start)


def _days_of(month: date, rule: Yearly, usual: int) -> Iterator[date]:
    length = monthrange(month.year, month.month)[1]
    for number in range(1, length + 1):
        day = month.replace(day=number)
        if _picks(rule, day, length) if rule.month_days or rule.weekdays else number == usual:
            yield day


def _picks(rule: Yearly, day: date, length: int) -> bool:
    if rule.month_days and not {day.day, day.day - length - 1} & set(rule.month_days):
        return False
    which = {0, (day.day - 1) // 7 + 1, -((length - day.day) // 7 + 1)}
    return not rule.weekdays or any(day.weekday() == weekday and nth in which for nth, weekday in rule.weekdays)
