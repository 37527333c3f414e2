"""SQL: how likely accounts without an open case are to raise one, part by part."""

from sqlalchemy import text

from app.reports.standing_sql import OPEN

DAYS = 90
LOW, FALL, CASES, SILENT = 60, 30, 4, 10  # where each part begins or is full
UNHEARD = 0.5
# Points of a hundred; each part is a number from 0 to 1.
WEIGHTS = {"health": 20, "falling": 25, "repeats": 25, "silence": 15, "renewal": 10, "value": 5}
LEAST = 25  # points from which an account is listed: more than renewal and value have together
_PARTS = f"""
    noted as materialized (
        select f.* from account_fact f
        where f.known_from <= :as_of and f.known_until > :as_of and not f.gone
    ), busy as materialized (select distinct account_id from opened
    ), worth as (
        select f.account_id, min((l ->> 'ends_on')::date) + 1 as renewal_on,
               sum((l ->> 'amount')::numeric * r.rate) as amount, bool_or(r.rate is null) as incomplete
        from noted f cross join lateral jsonb_array_elements(f.lines) l
        left join rate r on r.currency = l ->> 'currency'
        where coalesce((l ->> 'ends_on')::date, :today) >= :today group by f.account_id
    ), repeated as (
        select f.account_id, count(*) as raised, count(*) filter (where (e ->> 'again')::boolean) as again
        from noted f cross join lateral jsonb_array_elements(f.raised) e
        where (e ->> 'on')::date > cast(:today as date) - {DAYS} and (e ->> 'id')::uuid <> all(cast(:hidden as uuid[]))
        group by f.account_id
    ), unheard as (
        select f.account_id, max((e ->> 'unheard_on')::date) as unheard_on
        from noted f cross join lateral jsonb_array_elements(f.raised) e
        where (e ->> 'unheard_on')::date > cast(:today as date) - {DAYS}
        and (e ->> 'id')::uuid <> all(cast(:hidden as uuid[])) group by f.account_id
    ), before as (
        select distinct on (f.account_id) f.account_id, (h ->> 'was')::int as health
        from noted f cross join lateral jsonb_array_elements(f.healths) with ordinality as x(h, n)
        where (h ->> 'at')::timestamptz > cast(:as_of as timestamptz) - interval '{DAYS} days'
        order by f.account_id, n
    ), told as (
        select f.account_id, f.health, coalesce(b.health, f.health) as health_before, w.renewal_on, w.amount,
               coalesce(w.incomplete, false) as incomplete, coalesce(p.raised, 0) as raised,
               coalesce(p.again, 0) as again, u.unheard_on, f.unanswered_at,
               floor(extract(epoch from cast(:as_of as timestamptz) - f.unanswered_at) / 86400)::int as unanswered_days,
               w.renewal_on - cast(:today as date) as renewal_days,
               cume_dist() over (order by coalesce(w.amount, 0)) as rank,
               f.account_id in (select account_id from busy) as is_busy
        from noted f
        left join worth w on w.account_id = f.account_id
        left join repeated p on p.account_id = f.account_id
        left join unheard u on u.account_id = f.account_id
        left join before b on b.account_id = f.account_id
    ), parted as (
        select t.*,
               coalesce(greatest({LOW} - health, 0)::numeric / {LOW}, 0) as health_part,
               coalesce(least(greatest(health_before - health, 0)::numeric / {FALL}, 1), 0) as falling_part,
               least((raised + again)::numeric / {CASES}, 1) as repeats_part,
               greatest(least(coalesce(unanswered_days, 0)::numeric / {SILENT}, 1),
                        case when unheard_on is null then 0 else {UNHEARD} end) as silence_part,
               case when renewal_days between 0 and {DAYS} then 1 - renewal_days::numeric / {DAYS} else 0 end
                   as renewal_part,
               case when amount > 0 then rank::numeric else 0 end as value_part
        from told t where not is_busy
    ), scored as materialized (
        select p.*, round({" + ".join(f"{weight} * {part}_part" for part, weight in WEIGHTS.items())}, 1) as score
        from parted p where cast(:accounts as uuid[]) is null or account_id = any(cast(:accounts as uuid[]))
    )
"""  # noqa: S608 - the parts are ours
_RATES = "rate as (select key as currency, value::numeric as rate from jsonb_each_text(cast(:rates as jsonb)))"
_SCORED = f"with {OPEN}, {_RATES}, {_PARTS}"
WARNINGS = text(
    f"""
    {_SCORED}, page as (
        select s.* from scored s where s.score >= {LEAST} and (-s.score, s.account_id) > (:score, cast(:id as uuid))
        order by -s.score, s.account_id limit :limit
    )
    select p.*, a.name, c.*
    from (select (select count(*) from scored where score >= {LEAST}) as listed,
                 (select count(*) from scored) as looked_at, (select count(*) from busy) as busy,
                 (select max(known_from) from noted) as noted_at) c
    left join (page p join account a on a.id = p.account_id) on true
    order by -p.score, p.account_id
    """  # noqa: S608 - the parts are ours
)
# The list as it was, and who raised a case since.
_THEN = _SCORED.replace(":as_of", ":then").replace(":today", ":then_day")
HINDSIGHT = text(
    f"""
    {_THEN}, since as materialized (
        select distinct account_id from case_fact
        where day_raised between cast(:then_day as date) and :today and raised_at > :then and raised_at <= :as_of
        and known_from <= :as_of and known_until > :as_of and standing <> all(array['requested', 'declined'])
        and escalation_id <> all(cast(:hidden as uuid[]))
    )
    select count(*) filter (where score >= {LEAST}) as listed,
           count(*) filter (where score >= {LEAST} and raised) as listed_raised,
           count(*) filter (where score < {LEAST}) as others,
           count(*) filter (where score < {LEAST} and raised) as others_raised
    from (select score, account_id in (select account_id from since) as raised from scored) s
    """  # noqa: S608 - the parts are ours
)
