"""Value at stake at moments before one, each as it was known then: one statement for all of them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from app.auth.settings import tenant_settings
from app.reports.money import RATES, Money
from app.reports.reading import Reading
from app.reports.standing_sql import LINES, OPEN

POINTS = 13
WEEKS, MONTHS = "weeks", "months"


def _at_each(question: str) -> str:
    """A question about one moment asked about each of `m`."""
    return question.replace(":as_of", "m.at").replace(":today", "m.day").replace(":oldest", "m.oldest")


AT_EACH = text(
    f"""
    select m.at, s.sums, s.cases, r.rates
    from unnest(cast(:moments as timestamptz[]), cast(:days as date[]), cast(:oldest_days as date[]))
         as m(at, day, oldest)
    cross join lateral (
        with {_at_each(OPEN)}, {_at_each(LINES)}
        select (select count(*) from opened) as cases,
               (select coalesce(jsonb_agg(t), '[]') from (
                   select currency, sum(amount)::text as amount, count(*) as lines from at_stake
                   group by currency order by currency) t) as sums
    ) s
    cross join lateral (
        select coalesce(jsonb_object_agg(currency, rate::text), '{{}}') as rates from ({_at_each(str(RATES))}) known
    ) r
    where m.at >= (select min(known_from) from case_fact)
    order by m.at
    """  # noqa: S608 - the parts are ours
)


def value_over_time(reading: Reading, by: str = WEEKS) -> list[dict[str, Any]]:
    """`{at, cases, amount, incomplete, unconverted…}` at each of 13 moments up to the reading's, weeks apart or at the
    beginnings of months; those before anything was recorded are left out."""
    settings = tenant_settings()
    moments = _weeks(reading.as_of) if by == WEEKS else _months(reading)
    days = [moment.astimezone(reading.zone).date() for moment in moments]
    oldest = [day - timedelta(days=settings.rate_max_age_days) for day in days]
    found = reading.ask(AT_EACH, moments=moments, days=days, oldest_days=oldest).all()
    return [{"at": row.at, "cases": row.cases, **_total(row, settings.reporting_currency)} for row in found]


def _total(row: Any, currency: str) -> dict[str, Any]:
    rates = {name: Decimal(rate) for name, rate in row.rates.items()}
    return Money(currency, {**rates, currency: Decimal(1)}).total(row.sums)


def _weeks(as_of: datetime) -> list[datetime]:
    return [as_of - timedelta(weeks=n) for n in reversed(range(POINTS))]


def _months(reading: Reading) -> Sequence[datetime]:
    """The beginnings of the last twelve months in the tenant's zone, and the moment itself."""
    count = reading.today.year * 12 + reading.today.month - 1
    firsts = [date((count - n) // 12, (count - n) % 12 + 1, 1) for n in reversed(range(POINTS - 1))]
    return [_begin(first, reading.zone) for first in firsts] + [reading.as_of]


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), zone).astimezone(UTC)
