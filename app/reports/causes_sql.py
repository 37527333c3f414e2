"""SQL: why cases of a span of days were raised, what they cost, how often they came again, what was promised."""

from sqlalchemy import text

from app.reports.courses import AGAIN_DAYS, COHORT, DAYS_OPEN
from app.reports.standing_sql import SEEN
from app.reports.worth_sql import at_stake

# One root cause is the same words, whatever their case and spaces.
WORDS = "lower(regexp_replace(btrim(t.text), '\\s+', ' ', 'g'))"
ROOT_OF_CASE = """
    event_text t where t.tenant_id = f.tenant_id and t.event_id = f.resolution_id and t.field = 'root_cause'
    and t.text is not null
"""
_KNOWN = f"f.known_from <= :as_of and f.known_until > :as_of and {SEEN.format(f='f')}"
# A case came again when one of the same account and reason was raised in the 90 days before it.
_COHORT = f"""
    seen as materialized (
        select f.tenant_id, f.escalation_id, f.account_id, f.reason, f.day_raised, f.known_from, f.standing,
               f.preventable, f.worth_id, f.resolution_id, {DAYS_OPEN} as days_open,
               coalesce(f.raised_at - lag(f.raised_at) over (
                   partition by f.account_id, f.reason order by f.raised_at, f.escalation_id
               ) <= interval '{AGAIN_DAYS} days', false) as again
        from case_fact f
        where {_KNOWN} and {COHORT} and f.day_raised between cast(:first as date) - {AGAIN_DAYS + 2} and :last
    ), cohort as materialized (
        select *, (preventable or again) is true as spared from seen where day_raised >= :first
    )
"""  # noqa: S608 - the parts are ours
# Of merged cases too: what was promised in them is done for the one they went into.
PROMISED = f"""
    promised as materialized (
        select distinct on (p.id) p.id, p.state, p.due_on, f.reason, f.escalation_id, f.day_raised, f.account_id
        from case_fact f cross join lateral jsonb_to_recordset(f.prevention) as p(id uuid, state text, due_on date)
        where {_KNOWN} and ({COHORT} or f.standing = 'merged') and f.day_raised between :first and :last
        and (cast(:people as uuid[]) is null or f.closer_id = any(cast(:people as uuid[])))
        order by p.id, f.known_from desc, f.escalation_id
    )
"""  # noqa: S608 - the parts are ours
STATES = {
    "promised": "true",
    "done": "p.state = 'done'",
    "open": "p.state = 'open'",
    "overdue": "p.state = 'open' and p.due_on < :today",
    "dropped": "p.state = 'dropped'",
}
_STATES = ", ".join(f"'{name}', count(*) filter (where {condition})" for name, condition in STATES.items())
# By reason, and under no reason all together; each contract and opportunity once in each.
CAUSES = text(
    f"""
    with {_COHORT}, {PROMISED}, line as (
        select k.key, l.id, c.known_from, c.escalation_id, c.spared, l.amount, l.currency
        from cohort c cross join lateral (values (c.reason), (null)) as k(key) {at_stake("c")}
    ), touched as (
        select distinct on (key, id) key, amount, currency from line order by key, id, known_from desc, escalation_id
    ), spared as (
        select distinct on (key, id) key, amount, currency from line where spared
        order by key, id, known_from desc, escalation_id
    ), sums as (
        select 'touched' as what, key, currency, sum(amount)::text as amount, count(*) as lines from touched
        group by key, currency
        union all select 'spared', key, currency, sum(amount)::text, count(*) from spared group by key, currency
    ), worth as (
        select what, coalesce(key, '') as key, jsonb_agg(jsonb_build_object(
            'currency', currency, 'amount', amount, 'lines', lines) order by currency) as sums
        from sums group by what, key
    ), counted as (
        select coalesce(reason, '') as key, count(*) as cases, count(*) filter (where standing = 'open') as open,
               count(preventable) as said, count(*) filter (where preventable) as preventable,
               count(*) filter (where again) as again, sum(days_open) as days,
               count(*) filter (where spared) as spared_cases,
               coalesce(sum(days_open) filter (where spared), 0) as spared_days
        from cohort group by grouping sets ((reason), ())
    ), actions as (
        select coalesce(reason, '') as key, jsonb_build_object({_STATES}) as states
        from promised p group by grouping sets ((reason), ())
    )
    select nullif(coalesce(counted.key, a.key), '') as reason, coalesce(cases, 0) as cases, coalesce(open, 0) as open,
           coalesce(said, 0) as said,
           coalesce(preventable, 0) as preventable, coalesce(again, 0) as again, coalesce(days, 0) as days,
           coalesce(spared_cases, 0) as spared_cases, coalesce(spared_days, 0) as spared_days,
           coalesce(t.sums, '[]') as touched, coalesce(s.sums, '[]') as spared, a.states
    from counted full join actions a using (key)
    left join worth t on t.what = 'touched' and t.key = coalesce(counted.key, a.key)
    left join worth s on s.what = 'spared' and s.key = coalesce(counted.key, a.key)
    """  # noqa: S608 - the parts are ours
)
MOST_ROOTS = 5
# Of each reason the root causes that cost most days.
ROOTS = text(
    f"""
    with {_COHORT}, said as (
        select f.reason, md5({WORDS}) as root_cause, min(t.text) as text, count(*) as cases,
               count(*) filter (where f.preventable) as preventable, sum(f.days_open) as days
        from cohort f join {ROOT_OF_CASE.replace(" where ", " on ", 1)} group by f.reason, {WORDS}
    ), ranked as (
        select *, row_number() over (partition by reason order by days desc, text) as place from said
    )
    select reason, root_cause, text, cases, preventable, days from ranked where place <= {MOST_ROOTS}
    order by reason, place
    """  # noqa: S608 - the parts are ours
)
