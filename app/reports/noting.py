"""What is known of each account, noted by the worker once a day: health, contracts, late cases, who waits for a word.

A note holds from a moment that nothing was answered for yet, so that a question about the past gets the same answer
for ever.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text

from app.auth.settings import tenant_settings
from app.db import db
from app.reports import making
from app.reports.folding import FOREVER
from app.reports.foresight_models import AccountFact

LATELY = timedelta(days=120)
# The last note of an account is looked up by its key, one at a time: before the tables are analysed the planner takes
# them for empty and would compare every account with every other.
# What was merged into an account is its past; what was withdrawn or mistaken says nothing of it.
NOTE = text(
    """
    with own as (
        select account_id, jsonb_agg(jsonb_build_object('id', id, 'amount', arr::text, 'currency', currency,
                                                        'ends_on', ends_on) order by ends_on nulls last, id) as lines
        from contract
        where gone_at is null and starts_on <= :today and (ends_on is null or ends_on >= :today) group by account_id
    ), moved as (
        select account_id, jsonb_agg(jsonb_build_object('at', recorded_at, 'was', (changes -> 'health' ->> 0)::int)
                                     order by recorded_at, id) as healths
        from account_history where recorded_at > :since and changes ? 'health' group by account_id
    ), late as materialized (
        select e.id, coalesce(a.merged_into_id, a.id) as account_id, e.day_raised,
               e.recurrence_of_id is not null as again, not e.restricted and e.about_user_id is null as open_to_all,
               case when e.outcome = 'customer_silent' or e.verification = 'unanswered'
                    then e.closed_at end as unheard_at
        from escalation e join account a on a.id = e.account_id
        where e.raised_at > :since and e.status not in ('requested', 'declined', 'merged')
        and coalesce(e.outcome, '') not in ('withdrawn', 'mistaken')
    ), cases as (
        select account_id, jsonb_agg(jsonb_build_object(
                   'id', id, 'on', day_raised, 'again', again,
                   'unheard_on', (unheard_at at time zone :zone)::date) order by day_raised, id) as raised
        from late group by account_id
    ), talk as materialized (
        select l.account_id, v.kind, v.at
        from late l join event v on v.escalation_id = l.id
        where l.open_to_all
        and (v.kind = 'message' or (v.kind = 'update' and v.facts -> 'audiences' ? 'customer'))
    ), told as (
        select account_id, max(at) filter (where kind = 'update') as told_at from talk group by account_id
    ), unanswered as (
        select t.account_id, min(t.at) as unanswered_at
        from talk t join told on told.account_id = t.account_id
        where t.kind = 'message' and t.at > coalesce(told.told_at, '-infinity') group by t.account_id
    ), present as (
        select a.id as account_id, a.health, a.gone_at is not null or a.merged_into_id is not null as gone,
               coalesce(o.lines, '[]') as lines, coalesce(m.healths, '[]') as healths,
               coalesce(c.raised, '[]') as raised, u.unanswered_at
        from account a
        left join own o on o.account_id = a.id
        left join moved m on m.account_id = a.id
        left join cases c on c.account_id = a.id
        left join unanswered u on u.account_id = a.id
    ), changed as materialized (
        select p.*, h.known_from as held_from from present p
        left join lateral (
            select f.* from account_fact f where f.account_id = p.account_id order by f.known_from desc limit 1
        ) h on true
        where h.id is null or (p.health, p.gone, p.lines, p.healths, p.raised, p.unanswered_at)
              is distinct from (h.health, h.gone, h.lines, h.healths, h.raised, h.unanswered_at)
    ), ended as (
        update account_fact f set known_until = :known from changed c
        where f.account_id = c.account_id and f.known_from = c.held_from
    )
    insert into account_fact (tenant_id, id, account_id, known_from, known_until, health, gone, lines, healths, raised,
                              unanswered_at)
    select current_setting('app.tenant_id')::uuid, gen_random_uuid(), account_id, :known, :forever, health, gone, lines,
           healths, raised, unanswered_at from changed
    """
)


def note_accounts(now: datetime) -> None:
    """In the tenant's open transaction: note every account of which something changed since its last note."""
    cursor = making.claim(wait=True)
    noted = db.session.scalar(select(func.max(AccountFact.known_from)))
    answered = [cursor.known_until if cursor is not None else None, noted]
    known = max([now, *(moment + making.TICK for moment in answered if moment is not None)])
    zone = tenant_settings().timezone
    today = now.astimezone(ZoneInfo(zone)).date()
    values = {"today": today, "since": now - LATELY, "zone": zone, "known": known, "forever": FOREVER}
    db.session.execute(NOTE, values)
