"""SQL: the contracts and opportunities that cases raised in a span of days touched, each once."""

from app.reports.cohort_sql import opened_with, raised_between
from app.reports.courses import COHORT
from app.reports.worth_sql import at_stake

_COLUMNS = ("account_id", "reason", "known_from", "worth_id", "closer_id")
_THEIRS = "(cast(:people as uuid[]) is null or f.closer_id = any(cast(:people as uuid[])))"
# At the last amount that any of the cases knew, of whichever cause; what has ended since was at stake all the same.
TOUCHED = f"""
    {opened_with(*_COLUMNS)}, content as (
        select worth_id, account_id, max(known_from) as known,
               count(*) filter (where cast(:cause as text) is null or reason = cast(:cause as text)) as cases
        from ({raised_between(*_COLUMNS, only=f"{COHORT} and {_THEIRS}", still_open=_THEIRS)}) f
        group by worth_id, account_id
    ), every as materialized (
        select c.account_id, c.known, c.cases, l.id, l.kind, l.amount, l.currency from content c {at_stake("c")}
    ), line as (
        select id, kind, cases from every where cases > 0
    ), touched as materialized (
        select distinct on (id) id, kind, account_id, amount, currency from every where id in (select id from line)
        order by id, known desc, amount desc, currency, account_id
    )
"""  # noqa: S608 - the parts are ours
