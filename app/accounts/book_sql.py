"""What every account of a tenant is worth on one day, and where a value stands among them."""

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Numeric

# `worth` says of each account what `value.value_of` says of one: its own active contracts, else those of the nearest
# account above that has some, else its own that have not begun, and its open deals. An account of which any line has
# no rate is left out: it has no place in an order of values.
WORTH = """
rated as (
  select distinct on (currency) currency, rate from rate
  where on_date <= :today and on_date >= :oldest order by currency, on_date desc
), contracts as (
  select c.account_id, c.starts_on <= :today as begun,
    sum(c.arr * case when c.currency = :reporting then 1 else r.rate end) as value,
    bool_or(c.currency <> :reporting and r.rate is null) as incomplete
  from contract c left join rated r on r.currency = c.currency
  where c.gone_at is null and (c.ends_on is null or c.ends_on >= :today) and {gate}
  group by 1, 2
), walk as (
  select a.id as account_id, a.id as at_id, a.source, a.parent_external_id, 0 as step
  from account a where a.merged_into_id is null and a.gone_at is null and {gate}
  union all
  select w.account_id, q.id, q.source, q.parent_external_id, w.step + 1
  from walk w
  join account p on p.source = w.source and p.external_id = w.parent_external_id
  join account q on q.id = coalesce(p.merged_into_id, p.id)
  where w.step < 64 and not exists (select 1 from contracts c where c.account_id = w.at_id and c.begun)
), stands as (
  select distinct on (w.account_id) w.account_id, c.value, c.incomplete
  from walk w join contracts c on c.account_id = w.at_id and c.begun order by w.account_id, w.step
), deals as (
  select o.account_id,
    sum(o.amount * o.probability * case when o.currency = :reporting then 1 else r.rate end) as value,
    bool_or(o.currency <> :reporting and r.rate is null) as incomplete
  from opportunity o left join rated r on r.currency = o.currency
  where o.gone_at is null and lower(coalesce(o.type, '')) <> 'renewal'
    and not (o.probability = 1 and coalesce(o.closes_on < :today, false)) and {gate}
  group by 1
), worth as (
  select a.id as account_id, round(coalesce(s.value, u.value, 0) + coalesce(d.value, 0), 2) as value
  from account a
  left join stands s on s.account_id = a.id
  left join contracts u on u.account_id = a.id and not u.begun and s.account_id is null
  left join deals d on d.account_id = a.id
  where a.merged_into_id is null and a.gone_at is null and {gate}
    and not coalesce(s.incomplete, u.incomplete, false) and not coalesce(d.incomplete, false)
)
"""

# An id of version 7 (RFC 9562) made in SQL: PostgreSQL has its own only from 18 on.
NEW_ID = """
overlay(overlay(gen_random_uuid()::text placing '7' from 15) placing
  regexp_replace(lpad(to_hex((cast(:made_at as double precision) * 1000)::bigint), 12, '0'), '(.{8})', '\\1-')
from 1)::uuid
"""

REBUILD = text(
    "with recursive "  # noqa: S608 - the pieces are ours
    + WORTH.format(gate="true")
    + f"""
    insert into book_day (tenant_id, id, account_id, on_date, value, percentile)
    select current_setting('app.tenant_id')::uuid, {NEW_ID}, account_id, :today, value,
      case when value <= 0 then 0 else cume_dist() over (order by value)::numeric end
    from worth
    on conflict (tenant_id, account_id, on_date)
      do update set value = excluded.value, percentile = excluded.percentile
    """  # noqa: S608
)

# The last place of an account that is in no newer book stays.
FORGET = text(
    """
    delete from book_day b where b.on_date < :before and exists (
      select 1 from book_day n where n.account_id = b.account_id and n.on_date > b.on_date)
    """
)

# The share of the newest book of the day (the oldest there is for a day before it) that is worth no more; while there
# is no book yet, of the accounts as they are.
RANK = text(
    "with recursive day as (select coalesce(max(on_date) filter (where on_date <= :today), min(on_date)) as on_date"  # noqa: S608
    " from (select distinct on_date from book_day) b), "
    + WORTH.format(gate="(select on_date is null from day)")
    + """
    , asked as (select n, value from unnest(:values) with ordinality as v(value, n))
    select a.n, case when a.value <= 0 then 0 else coalesce(
      (select (count(*) filter (where b.value <= a.value))::numeric / nullif(count(*), 0)
       from book_day b where b.on_date = (select on_date from day)),
      (select (count(*) filter (where w.value <= a.value))::numeric / nullif(count(*), 0) from worth w)) end as share
    from asked a order by a.n
    """
).bindparams(bindparam("values", type_=ARRAY(Numeric)))
