"""SQL: why cases of a span of days were raised, what they cost, how often they came again, what was promised."""

from sqlalchemy import text

from app.reports.cohort_sql import opened_with, raised_between
from app.reports.courses import AGAIN_DAYS, COHORT, DAYS_OPEN
from app.reports.standing_sql import CLASSES, SEEN
from app.reports.worth_sql import at_stake

_KNOWN = f"f.known_from <= :as_of and f.known_until > :as_of and {SEEN.format(f='f')}"
_COLUMNS = (
    *("escalation_id", "account_id", "reason", "day_raised", "raised_at", "known_from", "standing", "days"),
    *("preventable", "root_cause", "worth_id"),
)
# Cases of one account and reason side by side; by a number first, which sorts several times quicker than what it is of.
_QUICKLY = "uuid_hash_extended(f.account_id, hashtext(f.reason))"
# A case came again when one of the same account and reason was raised in the 90 days before it.
_COHORT = f"""
    {opened_with(*_COLUMNS)}, known as (
        {raised_between(*_COLUMNS, first=f"cast(:first as date) - {AGAIN_DAYS + 2}", only=COHORT)}
    ), seen as (
        select f.reason, f.day_raised, f.known_from, f.standing, f.preventable, f.root_cause, f.worth_id,
               {DAYS_OPEN} as days_open,
               coalesce(f.raised_at - lag(f.raised_at) over (
                   partition by {_QUICKLY}, f.account_id, f.reason order by f.raised_at, f.escalation_id
               ) <= interval '{AGAIN_DAYS} days', false) as again
        from known f
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
        and f.prevention <> '[]' and (cast(:people as uuid[]) is null or f.closer_id = any(cast(:people as uuid[])))
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
MOST_ROOTS = 5
_SUMS = {
    "cases": "count(*)",
    "open": "count(*) filter (where standing = 'open')",
    "said": "count(preventable)",
    "preventable": "count(*) filter (where preventable)",
    "again": "count(*) filter (where again)",
    "days": "sum(days_open)",
    "spared_cases": "count(*) filter (where spared)",
    "spared_days": "coalesce(sum(days_open) filter (where spared), 0)",
}
# Each contract and opportunity once in each cause, at the last amount that any of the cases knew: of each content of
# lines, and then of each line, a string of bits says which causes touched it.
_WORTH = f"""
    numbered as (
        select reason, n, set_bit(repeat('0', (count(*) over ())::int)::varbit, n, 1) as mark
        from (select reason, row_number() over (order by reason)::int - 1 as n from grouped group by reason) reasons
    ), nothing as (select repeat('0', count(*)::int)::varbit as mark from numbered), content as (
        select c.worth_id, max(c.known_from) as known, bit_or(n.mark) as touched,
               coalesce(bit_or(n.mark) filter (where c.spared), (select mark from nothing)) as spared
        from cohort c join numbered n on n.reason = c.reason group by c.worth_id
    ), line as (
        select l.id, bit_or(c.touched) as touched, bit_or(c.spared) as spared,
               (array_agg(l.amount order by c.known desc, l.amount desc, l.currency))[1] as amount,
               (array_agg(l.currency order by c.known desc, l.amount desc, l.currency))[1] as currency
        from content c {at_stake("c")} group by l.id
    ), alike as materialized (
        select touched, spared, currency, sum(amount) as amount, count(*) as lines from line
        group by touched, spared, currency
    ), told as (
        select 'touched' as what, n.reason, a.* from alike a join numbered n on get_bit(a.touched, n.n) = 1
        union all select 'spared', n.reason, a.* from alike a join numbered n on get_bit(a.spared, n.n) = 1
        union all select 'touched', null, a.* from alike a
        union all select 'spared', null, a.* from alike a where a.spared <> (select mark from nothing)
    ), worth_of as (
        select what, coalesce(reason, '') as key, jsonb_agg(jsonb_build_object(
            'currency', currency, 'amount', amount::text, 'lines', lines) order by currency) as sums
        from (select what, reason, currency, sum(amount) as amount, sum(lines) as lines from told
              group by what, reason, currency) s group by what, reason
    )
"""  # noqa: S608 - the parts are ours
_SAID = f"f.known_from = r.known and f.reason = r.reason and f.root_cause = r.root_cause and {_KNOWN}"
_SPANS = f"array[{', '.join(str(span) for span, _ in CLASSES)}]"
# Of each reason the root causes that cost most days, in the words of who said it last.
_ROOTS = f"""
    ranked as (
        select *, row_number() over (partition by reason order by days desc, root_cause) as place
        from grouped where root_cause is not null
    ), worded as (
        select r.reason, r.root_cause, min(t.text) as text
        from (select * from ranked where place <= {MOST_ROOTS}) r cross join lateral (
            select f.resolution_id from case_fact f where f.standing <> 'open' and {_SAID}
            union all
            select f.resolution_id from case_fact f where f.standing = 'open' and f.span = any({_SPANS}) and {_SAID}
        ) f join event_text t on t.event_id = f.resolution_id and t.field = 'root_cause'
        group by r.reason, r.root_cause
    ), roots as (
        select r.reason as key, jsonb_agg(jsonb_build_object(
            'root_cause', replace(r.root_cause::text, '-', ''), 'text', w.text, 'cases', r.cases,
            'preventable', r.preventable, 'days', r.days) order by r.place) as root_causes
        from ranked r join worded w on w.reason = r.reason and w.root_cause = r.root_cause group by r.reason
    )
"""  # noqa: S608 - the parts are ours
# By reason, and under no reason all together.
CAUSES = text(
    f"""
    with {_COHORT}, {PROMISED}, grouped as materialized (
        select reason, root_cause, max(known_from) as known, {", ".join(f"{sums} as {n}" for n, sums in _SUMS.items())}
        from cohort group by reason, root_cause
    ), {_WORTH}, {_ROOTS}, counted as (
        select coalesce(reason, '') as key, {", ".join(f"sum({name})::bigint as {name}" for name in _SUMS)}
        from grouped group by grouping sets ((reason), ())
    ), actions as (
        select coalesce(reason, '') as key, jsonb_build_object({_STATES}) as states
        from promised p group by grouping sets ((reason), ())
    )
    select nullif(coalesce(counted.key, a.key), '') as reason,
           {", ".join(f"coalesce({name}, 0) as {name}" for name in _SUMS)},
           coalesce(t.sums, '[]') as touched, coalesce(s.sums, '[]') as spared, a.states,
           coalesce(r.root_causes, '[]') as root_causes
    from counted full join actions a using (key)
    left join worth_of t on t.what = 'touched' and t.key = coalesce(counted.key, a.key)
    left join worth_of s on s.what = 'spared' and s.key = coalesce(counted.key, a.key)
    left join roots r on r.key = coalesce(counted.key, a.key)
    """  # noqa: S608 - the parts are ours
)
