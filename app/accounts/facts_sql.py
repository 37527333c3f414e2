"""The two statements behind account facts; both answer for any number of accounts."""

from typing import Any

from sqlalchemy import TextualSelect, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID  # noqa: N811

from app.db import question

IDS = bindparam("ids", type_=ARRAY(PgUUID(as_uuid=True)))

_START_BY_ID = "select a.id as asked, a.* from account a where a.id = any(:ids)"
_START_BY_KEY = "select a.id as asked, a.* from account a where a.source = :source and a.external_id = :external_id"


_PERSON = ("id", "email", "name", "role", "active", "manager_id", "timezone")


def _person(alias: str) -> str:
    return ", ".join(f"{alias}.{column} as {alias}_{column}" for column in _PERSON)


# A merged account leads to its survivor, any other to its parent; `step` counts the moves. Each is met once.
_CHAIN = """
with recursive walk as (
  select s.*, 0 as step, array[s.id] as path from ({start}) s
  union all
  select w.asked, a.*, w.step + 1, w.path || a.id
  from walk w, lateral (
    select m.* from account m where w.merged_into_id is not null and m.id = w.merged_into_id
    union all
    select p.* from account p where w.merged_into_id is null and w.parent_external_id is not null
      and p.source = w.source and p.external_id = w.parent_external_id
  ) a
  where a.id <> all(w.path)
)
select w.asked, w.step, w.id, w.version, w.source, w.external_id, w.name, w.domain, w.segment, w.region, w.timezone,
  w.calendar, w.health, w.lifecycle, w.owner_email, w.csm_email, w.sponsor_email, w.parent_external_id, w.attributes,
  w.gone_at, b.percentile, b.value as book_value, b.on_date as book_on, {people}
from walk w
left join "user" o on o.email = lower(w.owner_email)
left join "user" c on c.email = lower(w.csm_email)
left join "user" s on s.email = lower(w.sponsor_email)
left join lateral (
  select percentile, value, on_date from book_day k where k.account_id = w.id and k.on_date <= :today
  order by on_date desc limit 1
) b on true
where w.merged_into_id is null
order by w.asked, w.step
"""

_PEOPLE = ", ".join(_person(alias) for alias in ("o", "c", "s"))
_COLUMNS = " ".join(
    (
        "asked step id version source external_id name domain segment region timezone calendar health lifecycle",
        "owner_email csm_email sponsor_email parent_external_id attributes gone_at percentile book_value book_on",
        *(f"{alias}_{column}" for alias in ("o", "c", "s") for column in _PERSON),
    )
)


def _chain(start: str, *parameters: Any) -> TextualSelect:
    return question(_CHAIN.format(start=start, people=_PEOPLE), _COLUMNS, *parameters)


CHAIN_BY_ID = _chain(_START_BY_ID, IDS)
CHAIN_BY_KEY = _chain(_START_BY_KEY)

# Contracts of the whole chain and pipeline of the accounts themselves, each with the rate of the day.
MONEY = question(
    """
    with line as (
      select 'contract' as kind, id, account_id, arr as amount, currency, starts_on, ends_on, escalator_kind,
        escalator_percent, escalator_floor, escalator_cap, service_level, null::numeric as probability,
        null as type
      from contract where account_id = any(:chain) and gone_at is null
      union all
      select 'opportunity', id, account_id, amount, currency, null, closes_on, null, null, null, null, null,
        probability, type
      from opportunity where account_id = any(:ids) and gone_at is null
    ), wanted as (
      select distinct currency from line where currency <> :reporting
    ), found as (
      select w.currency, r.rate, r.on_date from wanted w, lateral (
        select rate, on_date from rate r
        where r.currency = w.currency and r.on_date <= :today and r.on_date >= :oldest
        order by on_date desc limit 1
      ) r
    )
    select l.*, f.rate, f.on_date as rate_on from line l left join found f on f.currency = l.currency
    order by l.kind, l.id
    """,
    """
    kind id account_id amount currency starts_on ends_on escalator_kind escalator_percent escalator_floor
    escalator_cap service_level probability type rate rate_on
    """,
    IDS,
    bindparam("chain", type_=ARRAY(PgUUID(as_uuid=True))),
)
