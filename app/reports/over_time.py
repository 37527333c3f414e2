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
from app.reports.standing_sql import opened
from app.reports.worth_sql import at_stake

POINTS = 13
WEEKS, MONTHS = "weeks", "months"


def _at(n: int, question: str) -> str:
    """A question about one moment, asked about the n-th."""
    return re.sub(r":(as_of|today|oldest)\b", rf":\1_{n}", question)


def _each(arm: str) -> str:
    """An arm for each moment: planned for its own stretch of the index, a join with a list of moments is several times
    slower."""
    return " union all ".join(_at(n, arm.replace("{n}", str(n))) for n in range(POINTS))


_OPENED = ", ".join(opened("known_from", "worth_id", name=f"opened_{n}", at=f":as_of_{n}") for n in range(POINTS))
_NOT_ENDED = " | ".join(f"((l.ends_on >= :today_{n})::int << {n})" for n in range(POINTS))
_ALL = 2**POINTS - 1
_HELD = _each(
    "select {n} as n, worth_id, max(known_from) as known, count(*) as cases from opened_{n} group by worth_id"
)
_RATED = _each(
    f"""
    select {{n}} as n, (select coalesce(jsonb_object_agg(r.currency, r.rate::text), '{{}}') from ({RATES}) r) as rates
    where cast(:as_of as timestamptz) >= (select min(known_from) from case_fact where counts)
    """  # noqa: S608 - the parts are ours
)
# A bit for each moment says at which of them a line was at stake. Where a line had one amount all the time that is all;
# of the others each moment takes the one known last then.
AT_EACH = text(
    f"""
    with {_OPENED}, held as materialized ({_HELD}), content as (
        select worth_id, bit_or(1 << n) as moments from held group by worth_id
    ), line as materialized (
        select c.worth_id, l.id, l.amount, l.currency,
               c.moments & case when l.ends_on is null then {_ALL} else {_NOT_ENDED} end as moments
        from content c {at_stake("c")}
    ), value as materialized (
        select id, amount, currency, bit_or(moments) as moments from line where moments <> 0
        group by id, amount, currency
    ), several as materialized (
        select id from value group by id having count(*) > 1
    ), differing as (
        select distinct on (h.n, l.id) h.n, l.amount, l.currency
        from several s join line l on l.id = s.id join held h on h.worth_id = l.worth_id and l.moments & (1 << h.n) <> 0
        order by h.n, l.id, h.known desc, l.amount desc, l.currency
    ), alike as (
        select moments, currency, sum(amount) as amount, count(*) as lines from value
        where id not in (select id from several) group by moments, currency
    ), told as (
        select m.n, a.currency, a.amount, a.lines
        from alike a join generate_series(0, {POINTS - 1}) as m(n) on a.moments & (1 << m.n) <> 0
        union all select n, currency, amount, 1 from differing
    ), summed as materialized (
        select n, currency, sum(amount) as amount, sum(lines) as lines from told group by n, currency
    ), counted as materialized (
        select n, sum(cases)::bigint as cases from held group by n
    ), rated as ({_RATED})
    select r.n, r.rates,
           (select coalesce(jsonb_agg(jsonb_build_object(
               'currency', currency, 'amount', amount::text, 'lines', lines) order by currency), '[]')
            from summed s where s.n = r.n) as sums,
           coalesce(c.cases, 0) as cases
    from rated r left join counted c on c.n = r.n
    """  # noqa: S608 - the parts are ours
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
