"""What somebody held by day: the mean and the peak, from the spans they held work in. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Span:
    """Work of this weight in hand from `starts_at` until before `ends_at`; None: to the end."""

    starts_at: datetime
    ends_at: datetime | None
    weight: Decimal


@dataclass(frozen=True)
class Day:
    """A calendar day of the tenant, cut to the period."""

    on: date
    starts_at: datetime
    ends_at: datetime


def days_of(since: datetime, until: datetime, zone: ZoneInfo) -> list[Day]:
    """The tenant's days from `since` until before `until`; the first and the last may be parts."""
    days: list[Day] = []
    start = since
    while start < until:
        on = start.astimezone(zone).date()
        midnight = datetime.combine(on + timedelta(days=1), datetime.min.time(), tzinfo=zone)
        end = min(midnight.astimezone(since.tzinfo), until)
        days.append(Day(on, start, end))
        start = end
    return days


def daily_load(spans: Iterable[Span], days: Sequence[Day]) -> list[tuple[Decimal, Decimal]]:
    """Each day's (mean, peak) of the weight in hand; the mean is over the day's own length."""
    changes = _changes(spans)
    held, place = Decimal(0), 0
    loads: list[tuple[Decimal, Decimal]] = []
    for day in days:
        while place < len(changes) and changes[place][0] <= day.starts_at:
            held += changes[place][1]
            place += 1
        peak, at, area = held, day.starts_at, Decimal(0)
        while place < len(changes) and changes[place][0] < day.ends_at:
            moment, change = changes[place]
            area += held * _seconds(at, moment)
            held, at, place = held + change, moment, place + 1
            peak = max(peak, held)
        area += held * _seconds(at, day.ends_at)
        loads.append(((area / _seconds(day.starts_at, day.ends_at)).quantize(CENT), peak.quantize(CENT)))
    return loads


def _changes(spans: Iterable[Span]) -> list[tuple[datetime, Decimal]]:
    """In order; at one moment what ends comes before what begins, so that a hand-over is no peak."""
    changes: list[tuple[datetime, Decimal]] = []
    for span in spans:
        if span.ends_at is not None and span.ends_at <= span.starts_at:
            continue
        changes.append((span.starts_at, span.weight))
        if span.ends_at is not None:
            changes.append((span.ends_at, -span.weight))
    return sorted(changes)


def _seconds(start: datetime, end: datetime) -> Decimal:
    return Decimal(str((end - start).total_seconds()))
