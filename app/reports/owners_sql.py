"""SQL: what owners and teams hold at a moment, and what became of the cases raised in a span of days, by whose they
were."""

from sqlalchemy import text

from app.reports.cohort_sql import opened_with, raised_between
from app.reports.courses import AGES, MISSED_STANDINGS, OVERDUE, PARTS, WEIGHT
from app.reports.standing_sql import opened
from app.reports.standings import ENDED_STANDING, IN_COHORT
from app.reports.worth_sql import at_stake

# By `key`, of which `person` is part: each owner by themselves, or the members that a team has today.
WHOSE = {
    "owner": 'whose as (select id as key, id as person from "user")',
    "team": "whose as (select team_id as key, user_id as person from membership)",
}
_OF_HELD = ("escalation_id", "owner_id", "known_from", "raised_at", "severity", "status", "worth_id")
_HELD = f"""
    with {opened(*_OF_HELD)}, {{whose}}, held as materialized (
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
# What is counted of the cases that somebody was the last owner of, absences left out: of each standing alike, and of
# those that were missed by where their time went.
CLOSING = {
    "raised": "true",
    **{name: f"g.standing = '{name}'" for name in ("on_time", "late", "unresolved", "customer_silent")},
    "open_overdue": "g.overdue",
    "open_not_due": "g.standing = 'open' and not g.overdue",
    "missed": f"(g.overdue or g.standing in ({MISSED_STANDINGS}))",
}
_CLOSED = ", ".join(
    f"'{name}', coalesce(sum(g.cases) filter (where {condition}), 0)::int" for name, condition in CLOSING.items()
)
_SPENT = ", ".join(f"'{part.key}', count(*) filter (where {part.condition})" for part in PARTS)
_WHOSE_THEY_WERE = ("closer_id", "first_owner_id", "reason", "standing", "close_target_at")
_SPENDING = (
    *("closer_id", "reason", "standing", "close_target_at", "raised_at", "closed_at", "resolved_at", "reroutes"),
    *("acknowledged_at", "acknowledged_late", "extended", "reopens", "waits", "waiting_for", "waiting_since"),
)
_GIVEN_ON = ("escalation_id", "owners")
_SPENT_TIME = f"""
    with {{whose}}, {opened_with(*_WHOSE_THEY_WERE, *_SPENDING, *_GIVEN_ON)}, grouped as materialized (
        select f.closer_id, f.first_owner_id, f.reason, f.standing, {OVERDUE} as overdue, count(*) as cases
        from ({raised_between(*_WHOSE_THEY_WERE)}) f group by 1, 2, 3, 4, 5
    ), missed as (
        {raised_between(*_SPENDING, only=f"f.standing in ({MISSED_STANDINGS})", still_open=OVERDUE)}
    ), given_on as materialized (
        {raised_between(*_GIVEN_ON, only="f.owners <> '[]'", still_open="f.owners <> '[]'")}
    )
    select w.key, g.reason, jsonb_build_object({_CLOSED}) as counts
    from grouped g join whose w on w.person = g.closer_id where {IN_COHORT.format(f="g")} group by w.key, g.reason
    union all
    select w.key, f.reason, jsonb_build_object({_SPENT})
    from missed f join whose w on w.person = f.closer_id group by w.key, f.reason
    union all
    select w.key, null, jsonb_build_object(
        'ended', sum(g.cases)::int,
        'by_first_owner', coalesce(sum(g.cases) filter (where g.closer_id = g.first_owner_id), 0)::int)
    from grouped g join whose w on w.person = g.first_owner_id where {ENDED_STANDING.format(f="g")} group by w.key
    union all
    select w.key, null, jsonb_build_object('rerouted_away', count(distinct f.escalation_id))
    from given_on f cross join lateral jsonb_array_elements_text(f.owners - -1) as was(id)
    join whose w on w.person = was.id::uuid group by w.key
    union all
    select w.key, null, jsonb_build_object('rerouted_to', count(distinct f.escalation_id))
    from given_on f cross join lateral jsonb_array_elements_text(f.owners - 0) as became(id)
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
