"""Value at stake at moments before one, each as it was known then: one statement for all of them."""

import re
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


def _at(n: int, question: str) -> str:
    """A question about one moment, asked about the n-th."""
    return re.sub(r":(as_of|today|oldest)\b", rf":\1_{n}", question)


# Each moment is an arm of its own, planned for its own stretch of the index: a join with a list of moments is several
# times slower.
AT_EACH = text(
    " union all ".join(
        f"""(with {_at(n, OPEN)}, {_at(n, LINES)}
        select {n} as n, (select count(*) from opened) as cases,
               (select coalesce(jsonb_agg(s), '[]') from (
                   select currency, sum(amount)::text as amount, count(*) as lines from at_stake
                   group by currency order by currency) s) as sums,
               (select coalesce(jsonb_object_agg(r.currency, r.rate::text), '{{}}')
                from ({_at(n, str(RATES))}) r) as rates
        where cast(:as_of_{n} as timestamptz) >= (select min(known_from) from case_fact where counts))
        """  # noqa: S608 - the parts are ours
        for n in range(POINTS)
    )
)


def value_over_time(reading: Reading, by: str = WEEKS) -> list[dict[str, Any]]:
    """`{at, cases, amount, incomplete, unconverted…}` at each of 13 moments up to the reading's, weeks apart or at the
    beginnings of months; those before anything was recorded are left out."""
    settings = tenant_settings()
    moments = _weeks(reading.as_of) if by == WEEKS else _months(reading)
    asked: dict[str, Any] = {}
    for n, moment in enumerate(moments):
        day = moment.astimezone(reading.zone).date()
        oldest = day - timedelta(days=settings.rate_max_age_days)
        asked |= {f"as_of_{n}": moment, f"today_{n}": day, f"oldest_{n}": oldest}
    found = sorted(reading.ask(AT_EACH, **asked).all(), key=lambda row: row.n)
    return [{"at": moments[row.n], "cases": row.cases, **_total(row, settings.reporting_currency)} for row in found]


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
