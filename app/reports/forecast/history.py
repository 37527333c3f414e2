"""The tenant's cases as histories to learn from: what was known of each, state by state, from the facts.

Restricted cases and those about a colleague count in their owner's load and nowhere else: what is learnt is shown to
others.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import text

from app.db import db
from app.reports.forecast.features import Case, State

MOST_CASES = 8_000  # what a training takes grows with them; the newest say most

ENDED = text("select count(*) from escalation where status = 'closed'")
HISTORY = text(
    """
    select f.escalation_id, e.hidden, f.raised_at, f.close_target_at, f.known_from, f.status, f.standing, f.severity,
           f.reroutes, f.reopens, f.tier, f.reason, f.segment, f.owner_id::text as owner, f.extended, f.resolved_at,
           f.closed_at, f.waiting_for, f.renewal_on
    from (select id, restricted or about_user_id is not null as hidden from escalation
          where status not in ('requested', 'declined') order by raised_at desc, id desc limit :most) e
    join case_fact f on f.escalation_id = e.id
    order by f.escalation_id, f.known_from
    """
)
OF_CASE = ("escalation_id", "hidden", "raised_at", "close_target_at")


def count_ended() -> int:
    return db.session.scalar(ENDED) or 0


def read_cases() -> tuple[list[Case], list[Case]]:
    """The newest cases, those to learn from alone and all of them."""
    found = list(_cases(db.session.execute(HISTORY, {"most": MOST_CASES}).mappings()))
    return [case for case, hidden in found if not hidden], [case for case, _ in found]


def _cases(rows: Any) -> Iterator[tuple[Case, bool]]:
    for _, group in groupby(rows, key=lambda row: row["escalation_id"]):
        states = list(group)
        told = [State(**{name: value for name, value in row.items() if name not in OF_CASE}) for row in states]
        yield Case(states[0]["raised_at"], states[0]["close_target_at"], told), states[0]["hidden"]
