"""The rows under the sweep's benchmark, made by the server itself, and the bare statement it is measured against."""

from datetime import datetime, timedelta
from uuid import UUID

import psycopg

from app import clock
from bench.loading import loading, without_indexes

PEOPLE, ACCOUNTS, PER_CASE = 200, 5_000, 5

# Managers are the first twenty, each over nine others; whoever comes later is owner, CSM or sponsor of some account.
SET_UP = """
create temp table person as select n, uuidv7() as id from generate_series(0, {people} - 1) as n;
insert into "user" (tenant_id, id, version, email, name, role, manager_id, active, leaving, created_at, changed_at)
select '{tenant}', p.id, 1, format('person%s@example.com', p.n), format('Person %s', p.n),
       case when p.n < 20 then 'manager' else 'csm' end, case when p.n >= 20 then m.id end, true, false, now(), now()
from person p left join person m on m.n = p.n % 20;
create temp table customer as select n, uuidv7() as id from generate_series(0, {accounts} - 1) as n;
insert into account (tenant_id, id, version, source, external_id, name, owner_email, csm_email, sponsor_email,
                     attributes, changed_at)
select '{tenant}', id, 1, 'bench', n::text, format('Customer %s', n), format('person%s@example.com', 20 + n % 90),
       format('person%s@example.com', 110 + n % 90), format('person%s@example.com', n % 20), '{{}}', now()
from customer;
create unlogged table bench_case as
select n, uuidv7() as id, (n % {accounts})::int as customer, 20 + (n % 90)::int as owner,
       now() - interval '1 day' - n % 20 * interval '1 day' as raised_at
from generate_series(0, {cases} - 1) as n;
insert into escalation (tenant_id, id, version, number, account_id, title, severity, reason, source, answers,
    completeness, status, tier, owner_id, first_owner_id, acknowledged, brief_missing, assignment_failed,
    raised_by_kind, restricted, calendar_version_id, zone, ladder_number, raised_at, day_raised, recorded_at,
    close_target_at, due_at, resolve_by_at, wait_used_seconds, wait_exhausted, reopens, value_amount, value_currency,
    value_incomplete, value_unconverted, priority_score, priority_parts, priority_on, repeats, account_version,
    event_count, event_hash, outage_seq)
select '{tenant}', b.id, 1, b.n, c.id, format('Exports fail since version %s', b.n), 3, 'other', 'api', '{{}}', 40,
    'in_progress', 'tier_1', o.id, o.id, true, false, false, 'customer', false, '{calendar}', 'UTC', 1, b.raised_at,
    b.raised_at::date, b.raised_at, b.raised_at + interval '30 days', b.raised_at + interval '30 days',
    b.raised_at + interval '23 days', 0, false, 0, 100000, 'USD', false, '[]', 50, '{{}}', now()::date, 0, 1, 0, '', 0
from bench_case b join customer c on c.n = b.customer join person o on o.n = b.owner;
insert into clock (tenant_id, id, escalation_id, kind, subject, cycle, state, flags, started_at, due_at,
    original_due_at, target_kind, target_value, calendar_version_id, zone, ladder_number, due_version, not_before,
    elapsed_seconds, paused_seconds, next_step_at, next_step, next_repeat, entries)
select '{tenant}', uuidv7(), b.id, k.kind, '-', 1, 'running', '{{}}', b.raised_at, b.raised_at + interval '30 days',
    b.raised_at + interval '30 days', k.target_kind, k.target_value, '{calendar}', 'UTC', 1, 1, b.raised_at, 0, 0,
    now() + interval '10 days' + b.n % 100000 * interval '1 second', 0, 0, 1
from bench_case b, (values ('close', 'calendar_days', 30), ('acknowledge', 'business_seconds', 14400),
    ('plan', 'business_seconds', 144000), ('still_on_it', 'business_seconds', 144000),
    ('customer_update', 'business_seconds', 144000)) as k(kind, target_kind, target_value);
insert into clock_entry (tenant_id, id, transaction_id, clock_id, escalation_id, seq, type, at, recorded_at, facts)
select tenant_id, uuidv7(), pg_current_xact_id()::text::bigint, id, escalation_id, 1, 'activate', started_at,
    started_at, jsonb_build_object('target', jsonb_build_object('kind', target_kind, 'value', target_value),
                       'calendar', calendar_version_id)
from clock where tenant_id = '{tenant}';
drop table bench_case;
"""
MAINTAIN = ("vacuum analyze", "checkpoint")

FILLED = ("escalation", "clock", "clock_entry")
# Every fifth of them from one kind, spread over the whole table.
CHOOSE = """
create temp table chosen_due as
with kinds(kind, step, due_in) as (values
    ('close', 1, interval '7 days'), ('acknowledge', 0, interval '1 hour'), ('plan', 1, interval '0'),
    ('still_on_it', 0, interval '1 day'), ('customer_update', 0, interval '1 day')
), sampled as materialized (
    select id, kind from clock
    where tenant_id = %(tenant)s and state = 'running' and next_step_at > now() + interval '9 days'
    and random() < 5.0 * %(due)s / (select reltuples from pg_class where oid = 'clock'::regclass)
), numbered as (
    select s.id, k.step, k.due_in, row_number() over (partition by k.kind order by random()) as place
    from kinds k join sampled s using (kind)
)
select id, step, due_in, random() as within from numbered where place <= %(due)s / 5
"""
MAKE_DUE = """
with moments as (
    select id, step, due_in, %(at)s + within * %(over)s * interval '1 second' as at from chosen_due
)
update clock c set next_step_at = d.at, next_step = d.step, due_at = d.at + d.due_in, original_due_at = d.at + d.due_in
from moments d where c.tenant_id = %(tenant)s and c.id = d.id
"""

# Three days ago the workers stopped. Every close clock fell due two to three days ago (steps at due and on the two days
# after it), every acknowledge clock within the last hour (75 % and at due), so that no further step has come by now.
MAKE_MISSED = """
with missed as materialized (
    select id, case kind when 'close' then %(now)s - interval '2 days 2 hours' - random() * interval '20 hours'
                         else %(now)s - interval '5 minutes' - random() * interval '50 minutes' end as due_at
    from clock where tenant_id = %(tenant)s and kind in ('close', 'acknowledge')
)
update clock c
set due_at = d.due_at, original_due_at = d.due_at,
    started_at = d.due_at - interval '30 days', not_before = d.due_at - interval '30 days',
    next_step = case kind when 'close' then 4 else 0 end,
    next_step_at = d.due_at - case kind when 'close' then interval '0' else interval '2 minutes' end
from missed d where c.tenant_id = %(tenant)s and c.id = d.id
"""

# Resolved cases whose customer did not answer: the last step of each one's verify clock closes it.
MAKE_UNANSWERED = """
with chosen as materialized (
    select e.tenant_id, e.id, e.calendar_version_id, %(now)s + random() * %(over)s * interval '1 second' as at
    from escalation e
    where e.tenant_id = %(tenant)s and e.status = 'in_progress' and not exists (
        select from clock c where c.tenant_id = e.tenant_id and c.escalation_id = e.id
        and c.next_step_at < %(now)s + interval '9 days')
    limit %(cases)s
), resolved as (
    update escalation e set status = 'resolved', resolved_at = %(now)s - interval '10 days'
    from chosen d where e.tenant_id = d.tenant_id and e.id = d.id
), promised as (
    insert into clock (tenant_id, id, escalation_id, kind, subject, cycle, state, flags, started_at, due_at,
        original_due_at, target_kind, target_value, calendar_version_id, zone, ladder_number, due_version, not_before,
        elapsed_seconds, paused_seconds, next_step_at, next_step, next_repeat, entries)
    select tenant_id, uuidv7(), id, 'verify', '-', 1, 'running', '{}', at - interval '10 days', at, at,
        'business_seconds', 144000, calendar_version_id, 'UTC', 1, 1, at - interval '10 days', 0, 0, at, 2, 0, 1
    from chosen
    returning *
)
insert into clock_entry (tenant_id, id, transaction_id, clock_id, escalation_id, seq, type, at, recorded_at, facts)
select tenant_id, uuidv7(), pg_current_xact_id()::text::bigint, id, escalation_id, 1, 'activate', started_at,
    started_at, jsonb_build_object('target', jsonb_build_object('kind', target_kind, 'value', target_value),
                       'calendar', calendar_version_id)
from promised
"""

# What the sweep writes for these rows, with nothing of ours in between.
FLOOR = """
with claimed as (
    update clock set next_step_at = :now + interval '20 days', next_step = 1,
        state = case when kind = 'plan' then 'breached' else state end,
        entries = entries + case when kind = 'plan' then 1 else 0 end
    where tenant_id = :tenant and id = any(array(
        select id from clock where next_step_at <= :now order by next_step_at limit :limit for update skip locked))
    returning id, escalation_id, kind, cycle, due_version, due_at
), meant as (
    select c.*, uuidv7() as line_id, e.number, e.title, a.name as account, u.id as user_id, u.email
    from claimed c
    join escalation e on e.tenant_id = :tenant and e.id = c.escalation_id
    join account a on a.tenant_id = e.tenant_id and a.id = e.account_id
    join "user" o on o.tenant_id = e.tenant_id and o.id = e.owner_id
    join "user" u on u.tenant_id = e.tenant_id and (u.id = o.id or c.kind = 'plan' and u.id = o.manager_id
        or c.kind = 'close' and u.email = a.csm_email)
), breaches as (
    insert into clock_entry (tenant_id, id, clock_id, escalation_id, seq, type, at, recorded_at, facts)
    select :tenant, uuidv7(), id, escalation_id, 2, 'breach', due_at, :now, '{}' from claimed where kind = 'plan'
), logged as (
    insert into step_log (tenant_id, id, clock_id, escalation_id, kind, cycle, due_version, step, repeat, action,
                          recipient, roles, channel, outcome, folded, at, fired_at, recorded_at)
    select :tenant, line_id, id, escalation_id, kind, cycle, due_version, 'floor', 0, 'notify', user_id::text,
           '{owner}', 'email', 'sent', 0, :now, :now, :now
    from meant on conflict do nothing returning id
), posted as (
    insert into intent (tenant_id, id, user_id, address, channel, kind, subject, body, why, escalation_id, clock_id,
                        dedupe_key, at, hold_until, recorded_at, state, attempts)
    select :tenant, uuidv7(), user_id, email, 'email', 'reminder', account || ': ' || kind || ' by ' || due_at,
           title || ' Due ' || due_at || ' Left: 7 days. To be confirmed in time it must be resolved by ' || due_at,
           'You get this because you are its owner.', escalation_id, id, 'floor:' || line_id, :now, :now, :now,
           'pending', 0
    from meant on conflict (tenant_id, dedupe_key) do nothing
)
select count(*) from claimed
"""


def build(rows: psycopg.Connection, tenant_id: UUID, open_clocks: int) -> None:
    """People, accounts, escalations, and their clocks with ledgers, none of them due for days."""
    found = rows.execute("select id from calendar_version where tenant_id = %s", [tenant_id]).fetchone()
    assert found
    filled = SET_UP.format(
        tenant=tenant_id, calendar=found[0], cases=open_clocks // PER_CASE, people=PEOPLE, accounts=ACCOUNTS
    )
    with loading(rows), without_indexes(rows, FILLED):
        rows.execute(filled.encode())
    for statement in MAINTAIN:
        rows.execute(statement.encode())


def make_due(
    rows: psycopg.Connection, tenant_id: UUID, due: int, *, after_seconds: float = 0, over_seconds: float = 0
) -> datetime:
    """Let a step of `due` clocks fall due at one moment, or spread over so many seconds from it; answers the moment."""
    rows.execute("set session_replication_role = replica")
    rows.execute("drop table if exists chosen_due")
    chosen = rows.execute(
        CHOOSE.encode(), {"tenant": tenant_id, "due": due}
    ).rowcount  # takes its time: the moment later
    assert chosen == due // 5 * 5, f"{chosen} of {due} clocks can fall due: let more be open"
    at = clock.real_now() + timedelta(seconds=after_seconds)
    rows.execute(MAKE_DUE.encode(), {"tenant": tenant_id, "at": at, "over": over_seconds})
    rows.execute("analyze clock")
    rows.execute("set session_replication_role = origin")
    return at


def make_unanswered(
    rows: psycopg.Connection, tenant_id: UUID, cases: int, now: datetime, *, over_seconds: float = 0
) -> None:
    """Let the customer's word on `cases` resolved cases run out as `make_due` does."""
    rows.execute("set session_replication_role = replica")
    rows.execute(MAKE_UNANSWERED.encode(), {"tenant": tenant_id, "now": now, "cases": cases, "over": over_seconds})
    rows.execute("set session_replication_role = origin")


def make_missed(rows: psycopg.Connection, tenant_id: UUID, now: datetime) -> None:
    """Let three steps of every close clock and two of every acknowledge clock fall due in the three days before."""
    rows.execute("set session_replication_role = replica")
    rows.execute(MAKE_MISSED.encode(), {"tenant": tenant_id, "now": now})
    rows.execute("analyze clock")
    rows.execute("set session_replication_role = origin")
