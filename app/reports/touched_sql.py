"""SQL: the contracts and opportunities that cases raised in a span of days touched, each once."""

from app.reports.courses import COHORT
from app.reports.standing_sql import SEEN
from app.reports.worth_sql import at_stake

# At the last amount that was known of each; what has ended since was at stake all the same.
TOUCHED = f"""
    cohort as materialized (
        select f.escalation_id, f.account_id, f.reason, f.known_from, f.worth_id from case_fact f
        where f.known_from <= :as_of and f.known_until > :as_of and f.day_raised between :first and :last
        and {SEEN.format(f="f")} and {COHORT} and (cast(:cause as text) is null or f.reason = cast(:cause as text))
        and (cast(:people as uuid[]) is null or f.closer_id = any(cast(:people as uuid[])))
    ), line as materialized (
        select c.escalation_id, c.account_id, c.reason, c.known_from, l.* from cohort c {at_stake("c")}
    ), touched as materialized (
        select distinct on (id) id, kind, account_id, amount, currency
        from line order by id, known_from desc, escalation_id
    )
"""  # noqa: S608 - the parts are ours
