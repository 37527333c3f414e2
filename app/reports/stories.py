"""Accounts in trouble, told in a line each, and the contracts that renew soonest: for the executive's page."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.escalations.words import numbered
from app.reports.figures import FIGURES
from app.reports.money import Money
from app.reports.reading import Reading
from app.reports.rows import list_rows
from app.reports.standing_sql import LINES, OPEN, SEEN

MOST = 10
RENEWALS = 5
STORIES = text(
    f"""
    with chosen as materialized (
        select f.* from case_fact f
        where f.account_id = any(cast(:chosen as uuid[])) and f.standing = 'open'
        and f.known_from <= :as_of and f.known_until > :as_of and {SEEN.format(f="f")}
    ), told as (
        select account_id, count(*) as cases, min(raised_at) as oldest, min(due_at) as next_due,
               count(*) filter (where close_target_at < :as_of) as overdue,
               count(*) filter (where status = 'waiting') as waiting,
               min(close_target_at) filter (where close_target_at >= :as_of) as next_target_at,
               min(renewal_on) filter (where renewal_on >= :today) as renewal_on,
               (array_agg(health order by known_from desc))[1] as health,
               (array_agg(escalation_id order by severity, close_target_at, escalation_id))[1] as gravest_id
        from chosen group by account_id
    )
    select t.*, e.number, e.title, c.severity from told t
    join escalation e on e.id = t.gravest_id
    join chosen c on c.escalation_id = t.gravest_id and c.account_id = t.account_id
    """  # noqa: S608 - the parts are ours
)
SOONEST = text(
    f"""
    with {OPEN}, {LINES}
    select r.id, r.account_id, a.name, r.renewal_on, r.amount, r.currency,
           (select count(*) from opened o where o.account_id = r.account_id) as cases
    from renewing r join account a on a.id = r.account_id
    order by r.renewal_on, r.id limit {RENEWALS}
    """  # noqa: S608 - the parts are ours
)


def stories_of(
    reading: Reading, money: Money, after: list[Any] | None = None, limit: int = MOST
) -> list[dict[str, Any]]:
    """The accounts with most at stake, each with its value, and what stands open there; two statements."""
    first = reading.today  # accounts have no days raised
    found = list_rows(FIGURES["accounts"], reading, money, first=first, last=first, after=after, limit=limit)
    told = _told(reading, [one["id"] for one in found])
    return [{**one, **told[one["id"]]} for one in found]


def _told(reading: Reading, accounts: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = reading.ask(STORIES, chosen=list(accounts)).mappings().all() if accounts else ()
    return {row["account_id"]: {**row, "gravest": _case(row)} for row in rows}


def _case(row: Mapping[str, Any]) -> dict[str, Any]:
    named = {"number": numbered(row["number"]), "title": row["title"], "severity": row["severity"]}
    return {"id": row["gravest_id"], **named}


def renewals_of(reading: Reading, money: Money) -> list[dict[str, Any]]:
    """The contracts of accounts with an open case that renew within 90 days, the soonest first."""
    found = reading.ask(SOONEST).mappings().all()
    return [{**row, "converted": money.converted(row["amount"], row["currency"])} for row in found]
