"""SQL: what owners and teams hold at a moment, and what became of the cases raised in a span of days, by whose they
were."""

from sqlalchemy import text

from app.reports.courses import AGES, COHORT, MISSED, OVERDUE, PARTS, WEIGHT
from app.reports.standing_sql import OPEN, SEEN
from app.reports.worth_sql import at_stake

# By `key`, of which `person` is part: each owner by themselves, or the members that a team has today.
WHOSE = {
    "owner": 'whose as (select id as key, id as person from "user")',
    "team": "whose as (select team_id as key, user_id as person from membership)",
}
_HELD = f"""
    with {OPEN}, {{whose}}, held as materialized (
        select w.key, f.*, {WEIGHT} as weight from opened f join whose w on w.person = f.owner_id
    ), own as (
        select distinct on (h.key, l.id) h.key, l.amount, l.currency
        from held h {at_stake("h")} where l.ends_on is null or l.ends_on >= :today
        order by h.key, l.id, h.known_from desc, h.escalation_id
    ), worth as (
        select key, jsonb_agg(jsonb_build_object('currency', currency, 'amount', amount, 'lines', lines)
                              order by currency) as sums
        from (select key, currency, sum(amount)::text as amount, count(*) as lines from own group by key, currency) s
        group by key
    )
    select f.key, count(*) as open, sum(f.weight) as load, coalesce(w.sums, '[]') as in_hand,
           {", ".join(f"count(*) filter (where {condition}) as {age}" for age, condition in AGES.items())}
    from held f left join worth w on w.key = f.key group by f.key, w.sums
"""  # noqa: S608 - the parts are ours
# What is counted of the cases that somebody was the last owner of, absences left out.
CLOSING = {
    "raised": "true",
    **{name: f"f.standing = '{name}'" for name in ("on_time", "late", "unresolved", "customer_silent")},
    "open_overdue": OVERDUE,
    "open_not_due": f"f.standing = 'open' and not ({OVERDUE})",
    "missed": MISSED,
    **{part.key: f"{MISSED} and {part.condition}" for part in PARTS},
}
_COUNTED = ", ".join(f"'{name}', count(*) filter (where {condition})" for name, condition in CLOSING.items())
_SPENT = """
    f.escalation_id, f.standing, f.status, f.reason, f.first_owner_id, f.closer_id, f.owners, f.reroutes, f.reopens,
    f.raised_at, f.close_target_at, f.resolved_at, f.closed_at, f.acknowledged_at, f.acknowledged_late, f.extended,
    f.waits, f.waiting_for, f.waiting_since
"""
_SPENT_TIME = f"""
    with {{whose}}, cohort as materialized (
        select {_SPENT} from case_fact f
        where f.known_from <= :as_of and f.known_until > :as_of and f.day_raised between :first and :last
        and {SEEN.format(f="f")}
    )
    select w.key, f.reason, jsonb_build_object({_COUNTED}) as counts
    from cohort f join whose w on w.person = f.closer_id where {COHORT} group by w.key, f.reason
    union all
    select w.key, null, jsonb_build_object(
        'ended', count(*), 'by_first_owner', count(*) filter (where f.closer_id = f.first_owner_id))
    from cohort f join whose w on w.person = f.first_owner_id where f.status = 'closed' group by w.key
    union all
    select w.key, null, jsonb_build_object('rerouted_away', count(distinct f.escalation_id))
    from cohort f cross join lateral jsonb_array_elements_text(f.owners - -1) as was(id)
    join whose w on w.person = was.id::uuid group by w.key
    union all
    select w.key, null, jsonb_build_object('rerouted_to', count(distinct f.escalation_id))
    from cohort f cross join lateral jsonb_array_elements_text(f.owners - 0) as became(id)
    join whose w on w.person = became.id::uuid group by w.key
"""  # noqa: S608 - the parts are ours
HELD = {kind: text(_HELD.format(whose=whose)) for kind, whose in WHOSE.items()}
SPENT_TIME = {kind: text(_SPENT_TIME.format(whose=whose)) for kind, whose in WHOSE.items()}
# Who is asked about, and who has room: all present members of teams. Names, teams and capacities are those of today.
OWNERS = text(
    """
    select u.id, u.name, u.active, t.teams, case when u.active then coalesce(t.capacity, :capacity) end as capacity
    from "user" u
    left join lateral (
        select max(coalesce(m.capacity, :capacity)) as capacity,
               jsonb_agg(jsonb_build_object('id', team.id, 'name', team.name) order by lower(team.name)) as teams
        from membership m join team on team.id = m.team_id where m.user_id = u.id) t on true
    where u.id = any(cast(:ids as uuid[])) or (u.active and t.teams is not null)
    """
)
TEAMS = text(
    """
    select team.id, team.name, count(u.id) as members,
           coalesce(sum(coalesce(m.capacity, :capacity)) filter (where u.active), 0) as capacity
    from team left join membership m on m.team_id = team.id left join "user" u on u.id = m.user_id
    group by team.id, team.name
    """
)
MEMBERS = text("select user_id from membership where team_id = :team")
