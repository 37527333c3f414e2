"""The statements behind the report on one account: who it is, its cases, what was said on them, what was promised.

Each answers for a moment: cases from the facts, words from what the timeline had recorded by then, people and health
from the account's history. Names are today's.
"""

from sqlalchemy import text

from app.reports.standing_sql import LINES, OPEN_OF_ACCOUNT, SEEN
from app.reports.standings import CAME_BACK, IN_COHORT, RAISED_AGAIN
from app.reports.worth_sql import renewing

OPEN_SHOWN, CLOSED_SHOWN, LINES_SHOWN, TEXTS_SHOWN = 20, 5, 20, 20

# What changed after the moment was as the first change of it says; what did not is as it is.
WHO = text(
    """
    with was as (
        select coalesce(jsonb_object_agg(key, value -> 0), '{}') as facts from (
            select distinct on (key) key, value
            from account_history h cross join lateral jsonb_each(h.changes)
            where h.account_id = :account and h.recorded_at > :as_of
            and key in ('health', 'segment', 'owner_email', 'csm_email', 'sponsor_email')
            order by key, h.recorded_at, h.id) changed
    ), known as (
        select a.id, a.name, a.external_id, a.source, a.gone_at, a.merged_into_id,
               case when w.facts ? 'health' then (w.facts ->> 'health')::int else a.health end as health,
               case when w.facts ? 'segment' then w.facts ->> 'segment' else a.segment end as segment,
               case when w.facts ? 'owner_email' then w.facts ->> 'owner_email' else a.owner_email end as owner,
               case when w.facts ? 'csm_email' then w.facts ->> 'csm_email' else a.csm_email end as csm,
               case when w.facts ? 'sponsor_email' then w.facts ->> 'sponsor_email' else a.sponsor_email end as sponsor
        from account a cross join was w where a.id = :account
    )
    select k.*, s.name as merged_into,
           (select coalesce(jsonb_object_agg(u.email, jsonb_build_object('id', u.id, 'name', u.name)), '{}')
            from "user" u where u.email in (lower(k.owner), lower(k.csm), lower(k.sponsor))) as people
    from known k left join account s on s.id = k.merged_into_id
    """
)
_LINE_NAMES = "coalesce(c.external_id, p.name, p.external_id) as name"
_OF_LINES = "left join contract c on c.id = l.id left join opportunity p on p.id = l.id"
_COUNTED = f"{IN_COHORT.format(f='f')} and f.day_raised between :first and :last"
# The cases whose words and promises are told: raised or closed in the days asked for, or open.
RECENT = """
    f.standing not in ('requested', 'declined') and f.day_raised <= :last and (
        f.standing = 'open' or f.day_raised >= :first or (f.closed_at at time zone :zone)::date >= :first)
"""
CASES = text(
    f"""
    with {OPEN_OF_ACCOUNT}, {LINES}, own_line as (
        select distinct on (id) id, amount, currency from line
        where account_id = :account order by id, known_from desc, escalation_id
    ), counted as materialized (
        select f.* from covered f where {_COUNTED}
    ), outside as (
        select standing, count(*) as n from covered f
        where standing in ('withdrawn', 'mistaken', 'merged') and f.day_raised between :first and :last
        group by standing
    ), raised as (
        select date_trunc('month', f.day_raised)::date as month, count(*) as n from covered f
        where {IN_COHORT.format(f="f")} group by month
    ), ended as (
        select date_trunc('month', f.closed_at at time zone :zone)::date as month, count(*) as n from covered f
        where {IN_COHORT.format(f="f")} and f.closed_at is not null group by month
    ), first_due as (
        select * from opened order by due_at, escalation_id limit {OPEN_SHOWN}
    ), last_closed as (
        select * from counted where status = 'closed' order by closed_at desc, escalation_id limit {CLOSED_SHOWN}
    ), shown as (
        select f.escalation_id, f.status, f.standing, f.outcome, f.verification, f.tier, f.severity, f.reason,
               f.raised_at, f.close_target_at, f.due_at, f.closed_at, f.extended, f.reopens, f.account_id, f.owner_id,
               e.number, e.title, a.name as account_name, u.name as owner_name
        from (select * from first_due union all select * from last_closed) f
        join escalation e on e.id = f.escalation_id join account a on a.id = f.account_id
        left join "user" u on u.id = f.owner_id
    ), latest as (
        select known_from, renewal_on, group_id, worth_id from covered where account_id = :account
        order by known_from desc, escalation_id limit 1
    )
    select
        (select count(*) from opened) as open,
        (select min(raised_at) from opened) as oldest,
        (select min(due_at) from opened) as next_due,
        (select count(*) from opened where close_target_at < :as_of) as overdue,
        (select coalesce(jsonb_object_agg(standing, n), '{{}}')
         from (select standing, count(*) as n from counted group by standing
               union all select standing, n from outside) s) as standings,
        (select count(*) from counted where standing = 'open' and close_target_at >= :as_of) as open_not_due,
        (select count(*) from counted where standing = 'late' and closed_at <= due_at) as late_by_original,
        (select coalesce(jsonb_object_agg(month, n), '{{}}') from raised) as raised,
        (select coalesce(jsonb_object_agg(month, n), '{{}}') from ended) as ended,
        (select coalesce(jsonb_agg(to_jsonb(s)), '[]') from shown s) as cases,
        (select coalesce(jsonb_agg(s), '[]') from (
            select currency, sum(amount)::text as amount, count(*) as lines from at_stake
            group by currency order by currency) s) as at_stake,
        (select coalesce(jsonb_agg(s), '[]') from (
            select currency, sum(amount)::text as amount, count(*) as lines from own_line
            group by currency order by currency) s) as own_at_stake,
        (select coalesce(jsonb_agg(s), '[]') from (
            select l.kind, l.id, l.amount::text as amount, l.currency, {_LINE_NAMES} from at_stake l {_OF_LINES}
            order by l.kind, l.amount desc, l.id limit {LINES_SHOWN}) s) as lines,
        (select count(*) from at_stake) as line_count,
        (select to_jsonb(f) from latest f) as latest,
        (select coalesce(jsonb_agg(jsonb_build_object(
            'currency', l.currency, 'amount', l.amount::text, 'lines', 1) order by l.id), '[]')
         from latest f {renewing("f")}) as renewing,
        (select coalesce(jsonb_agg(s), '[]') from (
            select a.id, a.name, count(*) as escalations, count(*) filter (where f.standing = 'open') as open
            from covered f join account a on a.id = f.account_id where f.account_id <> :account
            group by a.id, a.name order by a.name, a.id limit {LINES_SHOWN}) s) as below,
        (select count(distinct account_id) from covered where account_id <> :account) as below_count,
        (select group_id from latest) as group_id, (select a.name from latest l join account a on a.id = l.group_id)
            as group_name,
        (select min(f.known_from) from case_fact f where f.account_id = :account and f.known_from <= :as_of
         and {SEEN.format(f="f")}) as known_since,
        (select count(*) from counted where reopens > 0) as reopened,
        (select count(*) from counted f where {RAISED_AGAIN}) as recurring,
        (select count(*) from counted f where {CAME_BACK}) as came_back,
        (select coalesce(jsonb_agg(s), '[]') from (
            select reason, count(*) as escalations, count(*) filter (where preventable) as preventable,
                   count(*) filter (where preventable is not null) as judged
            from counted group by reason order by count(*) desc, reason) s) as reasons,
        (select coalesce(jsonb_agg(s), '[]') from (
            select u.id, u.name, count(*) filter (where f.standing = 'on_time') as on_time,
                   count(*) filter (where f.standing = 'open') as open,
                   min(f.due_at) filter (where f.standing = 'open') as next_due
            from (select * from counted where standing = 'on_time'
                  union all select * from opened) f join "user" u on u.id = f.owner_id
            group by u.id, u.name order by u.name, u.id) s) as owners,
        (select coalesce(array_agg(escalation_id), '{{}}') from covered f where {RECENT}) as ids
    """  # noqa: S608 - the parts are ours
)
TEXT = "(select t.text from event_text t where t.event_id = {event} and t.field = '{field}')"
# Copies that a merge made are told where they come from.
SAID = """
    said as materialized (
        select e.id, e.escalation_id, e.seq, e.kind, e.at, coalesce(l.known_from, e.recorded_at) as known_from, e.facts,
               case when e.kind = 'update' and e.facts -> 'audiences' ? 'customer' then 'told'
                    when e.kind in ('raise', 'approve', 'reopen')
                         or e.kind = 'verify' and e.facts ->> 'accepted' = 'false' then 'begins'
                    when e.kind in ('resolve', 'close_unresolved') or e.kind = 'merge' and e.facts ? 'into'
                         then 'ends' end as turn
        from event e left join late_entry l on l.entry_id = e.id
        where e.escalation_id = any({ids}) and coalesce(l.known_from, e.recorded_at) <= :as_of
        and e.kind in ('raise', 'approve', 'update', 'message', 'resolve', 'verify', 'close_unresolved', 'reopen',
                       'merge', 'prevention')
        and not e.facts ? 'origin'
    )
"""
CAUSE = """
    cause as (
        select f.resolution_id as id, f.escalation_id, f.account_id, f.resolved_at as at, f.preventable from case_fact f
        where f.escalation_id = any({ids}) and f.known_from <= :as_of and f.known_until > :as_of
        and f.resolution_id is not null
    )
"""
# Promised anew in the same words an action is the same one; what was said of it last counts.
PREVENTION = """
    promised as (
        select (facts ->> 'prevention')::uuid as id, id as event_id, escalation_id, at, known_from, 'open' as state,
               (facts ->> 'prevention_owner')::uuid as owner_id, (facts ->> 'prevention_due_on')::date as due_on
        from said where kind = 'resolve' and facts ->> 'prevention' is not null
        union all
        select (facts ->> 'prevention')::uuid, id, escalation_id, at, known_from, facts ->> 'state',
               (facts ->> 'owner')::uuid, (facts ->> 'due_on')::date
        from said where kind = 'prevention'
    ), begun as (
        select distinct on (id) id, event_id, escalation_id from promised order by id, known_from, event_id
    ), prevention as (
        select distinct on (p.id) p.id, b.event_id, b.escalation_id, p.state, p.owner_id, p.due_on,
               case when p.state <> 'open' then (p.at at time zone :zone)::date end as ended_on
        from promised p join begun b on b.id = p.id order by p.id, p.known_from desc, p.event_id desc
    )
"""
_IDS = "cast(:ids as uuid[])"
WORDS = text(
    f"""
    with {SAID.format(ids=_IDS)}, placed as (
        select *, count(*) filter (where turn in ('begins', 'ends')) over (
                   partition by escalation_id order by seq) as stretch
        from said where turn is not null
    ), point as (
        select escalation_id, at, first_value(turn) over (partition by escalation_id, stretch order by seq) as within,
               coalesce(lead(at) over (partition by escalation_id order by seq), :as_of) as until,
               lead(at) over (partition by escalation_id order by seq) is null as goes_on
        from placed
    ), silence as (
        select escalation_id, at as since, until, goes_on from point where within = 'begins'
        order by until - at desc, at desc limit 1
    ), {CAUSE.format(ids=_IDS)}, {PREVENTION}
    select
        (select count(*) from said where turn = 'told') as updates,
        (select count(*) from said where kind = 'message') as messages,
        (select to_jsonb(t) from (
            select s.escalation_id, e.number, e.title, s.at, s.facts ->> 'channel' as channel
            from said s join escalation e on e.id = s.escalation_id
            where s.turn = 'told' order by s.at desc, s.id desc limit 1) t) as last_told,
        (select to_jsonb(t) from (
            select s.escalation_id, e.number, e.title, s.at, s.facts ->> 'channel' as channel
            from said s join escalation e on e.id = s.escalation_id
            where s.kind = 'message' order by s.at desc, s.id desc limit 1) t) as last_heard,
        (select to_jsonb(t) from (
            select s.*, e.number, e.title from silence s join escalation e on e.id = s.escalation_id) t) as silence,
        (select coalesce(jsonb_agg(to_jsonb(t)), '[]') from (
            select c.escalation_id, e.number, e.title, e.reason, c.at, c.preventable,
                   {TEXT.format(event="c.id", field="root_cause")} as root_cause
            from cause c join escalation e on e.id = c.escalation_id
            order by c.at desc, c.escalation_id limit {TEXTS_SHOWN}) t) as causes,
        (select count(*) from cause) as cause_count,
        (select coalesce(jsonb_agg(to_jsonb(t)), '[]') from (
            select p.id, p.escalation_id, e.number, e.title, p.state, p.due_on, p.ended_on, u.name as owner_name,
                   p.owner_id, {TEXT.format(event="p.event_id", field="prevention")} as action
            from prevention p join escalation e on e.id = p.escalation_id left join "user" u on u.id = p.owner_id
            order by p.state <> 'open', p.due_on, p.id limit {TEXTS_SHOWN}) t) as actions,
        (select jsonb_build_object(
            'promised', count(*), 'done', count(*) filter (where state = 'done'),
            'done_by_their_day', count(*) filter (where state = 'done' and ended_on <= due_on),
            'dropped', count(*) filter (where state = 'dropped'),
            'open', count(*) filter (where state = 'open'),
            'overdue', count(*) filter (where state = 'open' and due_on < :today)) from prevention) as prevention,
        (select coalesce(jsonb_agg(t), '[]') from (
            select name, count(*) as confirmed from (
                select {TEXT.format(event="s.id", field="confirmed_by")} as name from said s
                where s.kind = 'verify' and s.facts ->> 'accepted' = 'true') named
            where name is not null group by name order by name limit {TEXTS_SHOWN}) t) as confirmed_by
    """  # noqa: S608 - the parts are ours
)
# A clock whose last entry was known by then is as its row says; of any other the ledger of that time decides, if it had
# begun at all. Closing is counted as in cohorts.
CLOCK = """
    select k.id, k.escalation_id, k.kind, k.state, k.flags, k.due_at, k.ended_at, k.zone, last.known,
           case when not last.known then (
               select jsonb_agg(jsonb_build_array(e.type, e.at, e.recorded_at, e.seq, e.facts) order by e.seq)
               from clock_entry e left join late_entry l on l.entry_id = e.id
               where e.clock_id = k.id and coalesce(l.known_from, e.recorded_at) <= :as_of) end as entries
    from clock k cross join lateral (
        select coalesce(l.known_from, e.recorded_at) <= :as_of as known
        from clock_entry e left join late_entry l on l.entry_id = e.id
        where e.clock_id = k.id and e.seq = k.entries) last
    where k.escalation_id = any({ids}) and k.kind <> 'close'
"""
CLOCKS = text(
    f"""
    with mine as materialized ({CLOCK.format(ids=_IDS)}), counted as (
        select kind, count(*) filter (where state = 'met') as kept, count(*) filter (where state = 'missed') as missed,
               count(*) filter (where ended_at is null and due_at <= :as_of) as overdue,
               count(*) filter (where ended_at is null and (due_at is null or due_at > :as_of)) as running,
               count(*) filter (where state = 'met' and 'late_by_original' = any(flags)) as late_by_original,
               count(*) filter (where state = 'met' and 'logged_late' = any(flags)) as logged_late
        from mine where known group by kind
    )
    select (select coalesce(jsonb_agg(to_jsonb(c)), '[]') from counted c) as counted,
           (select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'zone', zone, 'entries', entries)), '[]')
            from mine where entries is not null) as later
    """  # noqa: S608 - the parts are ours
)
