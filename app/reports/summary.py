"""The executive summary as of any moment: from facts and daily sums, in a few statements whatever the history."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, text

from app.reports import cohorts
from app.reports.addresses import Addresses
from app.reports.changes import changes_of
from app.reports.definitions import READER
from app.reports.money import Money, money_of
from app.reports.reading import Reading
from app.reports.standing_sql import RENEWING, STAKE, SUMS, opened

# Where a figure's definition or its rows have another name than its place in the answer.
DEFINED_AS = {"on_time": "on_time_share", "apart": "raised"}
ROWS_OF = {"on_time": "raised"}
# What workers would share in answering is done before they have started.
WITHOUT_WORKERS = select(func.set_config("parallel_setup_cost", "50000", True))
_AT_STAKE = "(select coalesce(jsonb_agg(s), '[]') from sums s) as at_stake"
OPEN_THEN = text(
    f"""
    with {opened(*STAKE)}, {SUMS}
    select (select count(*) from opened) as count, {_AT_STAKE}
    """  # noqa: S608 - the parts are ours
)
OPEN_NOW = text(
    f"""
    with {opened(*STAKE, "renewal_on", *cohorts.OPEN_COLUMNS)}, {SUMS}, {RENEWING}
    select (select count(*) from opened) as count,
           (select count(*) from (select from opened group by account_id) o) as accounts,
           (select count(*) from (select from opened group by group_id) o) as groups,
           (select coalesce(jsonb_agg(s), '[]') from ({cohorts.STILL_OPEN}) s) as still_open,
           {_AT_STAKE},
           (select coalesce(jsonb_agg(s), '[]') from (
               select currency, sum(amount)::text as amount, count(*) as lines from renewing
               group by currency order by currency) s) as renewing,
           (select count(distinct account_id) from opened
            where renewal_on between :today and cast(:today as date) + 90) as renewing_accounts
    """  # noqa: S608 - the parts are ours
)


def summarise(reading: Reading, *, first: date, last: date, since: datetime | None = None) -> dict[str, Any]:
    """Everything on the executive's page: what is open then, what became of the cases raised from `first` to `last`,
    both included, and what changed after `since`. Every figure names its definition and where its rows are."""
    reading.session.execute(WITHOUT_WORKERS)
    money = money_of(reading)
    now = reading.ask(OPEN_NOW, first=first, last=last).one()
    found = cohorts.read(reading, now.still_open, first=first, last=last)
    figures = {
        "open": {"count": now.count, "accounts": now.accounts, "groups": now.groups},
        "value_at_stake": money.total(now.at_stake),
        "renewals_at_risk": {"accounts": now.renewing_accounts, **money.total(now.renewing)},
        "on_time": cohorts.on_time_of(found),
        "survival": cohorts.survival_of(found),
        "apart": cohorts.apart_of(found),
        "first_owner_right": cohorts.first_owner_of(found),
        "tiers": {"tiers": cohorts.tiers_of(found)},
        "changes": changes_of(reading, since),
    }
    days = {"first": first, "last": last}
    at = Addresses(reading, days)
    described = {name: {**figure, **_source(name, at)} for name, figure in figures.items()}
    return {**frame(reading, money), **days, "reader": READER, **described}


def frame(reading: Reading, money: Money) -> dict[str, Any]:
    """As of when, how late, in which currency: stands on every answer."""
    return {"as_of": reading.as_of, "lag_seconds": reading.lag_seconds, "currency": money.currency}


def _source(name: str, at: Addresses) -> dict[str, str]:
    """The figure's definition and the address of its rows, which answer for the same moment."""
    figure = DEFINED_AS.get(name, name)
    return at.figure(figure, rows=ROWS_OF.get(name))
