"""The executive summary as of any moment: from facts and daily sums, in a few statements whatever the history."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import text

from app.reports.money import Money, money_of
from app.reports.reading import Reading
from app.reports.standing_sql import LINES, OPEN

OPEN_NOW = text(
    f"""
    with {OPEN}, {LINES}
    select (select count(*) from opened) as count,
           (select count(distinct account_id) from opened) as accounts,
           (select count(distinct group_id) from opened) as groups,
           (select coalesce(jsonb_agg(s), '[]') from (
               select currency, sum(amount)::text as amount, count(*) as lines from at_stake
               group by currency order by currency) s) as at_stake,
           (select coalesce(jsonb_agg(s), '[]') from (
               select currency, sum(amount)::text as amount, count(*) as lines from renewing
               group by currency order by currency) s) as renewing,
           (select count(distinct account_id) from opened
            where renewal_on between :today and cast(:today as date) + 90) as renewing_accounts
    """  # noqa: S608 - the parts are ours
)


def summarise(reading: Reading, *, first: date, last: date) -> dict[str, Any]:
    """Everything on the executive's page; `first` and `last` are the days raised of the cohort, both included."""
    money = money_of(reading)
    found = reading.ask(OPEN_NOW).one()._mapping
    return {**frame(reading, money), "first": first, "last": last, **_of_open(found, money)}


def frame(reading: Reading, money: Money) -> dict[str, Any]:
    return {"as_of": reading.as_of, "lag_seconds": reading.lag_seconds, "currency": money.currency}


def _of_open(found: Mapping[str, Any], money: Money) -> dict[str, Any]:
    return {
        "open": {"count": found["count"], "accounts": found["accounts"], "groups": found["groups"]},
        "value_at_stake": money.total(found["at_stake"]),
        "renewals_at_risk": {"accounts": found["renewing_accounts"], **money.total(found["renewing"])},
    }
