"""Exchange rates: one number per currency and day; rates have no source version, the last one sent holds,
and each is noted with when it was recorded, so that a report about the past finds what was known then."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from app.accounts import checks
from app.accounts.bulk import Outcome
from app.accounts.errors import RowRefused
from app.auth.settings import tenant_settings
from app.db import db, new_id

UPSERT = text(
    """
    with incoming as materialized (
      select * from jsonb_to_recordset(cast(:rows as jsonb))
        as i(n int, id uuid, currency text, on_date date, rate numeric)
    ), held as materialized (
      select i.n, r.id, r.rate from incoming i join rate r on r.currency = i.currency and r.on_date = i.on_date
    ), written as (
      insert into rate (tenant_id, id, currency, on_date, rate)
      select current_setting('app.tenant_id')::uuid, i.id, i.currency, i.on_date, i.rate from incoming i
      order by i.currency, i.on_date
      on conflict (tenant_id, currency, on_date) do update set rate = excluded.rate where rate.rate <> excluded.rate
      returning currency, on_date, rate
    ), noted as (
      insert into rate_entry (tenant_id, id, currency, on_date, rate, recorded_at)
      select current_setting('app.tenant_id')::uuid, gen_random_uuid(), w.currency, w.on_date, w.rate, :now
      from written w
    )
    select i.n, coalesce(h.id, i.id) as id,
      case when h.id is null then 'created' when h.rate = i.rate then 'unchanged' else 'updated' end as outcome
    from incoming i left join held h on h.n = i.n
    """
)


@dataclass(frozen=True)
class RateRow:
    currency: str
    on_date: date
    rate: Decimal


def check_row(raw: Mapping[str, Any]) -> RateRow:
    """`currency`, `date` and `rate`: units of the reporting currency, which has no rate itself, for one."""
    names = {"currency": checks.currency, "date": checks.day, "rate": checks.rate}
    faults = [(name, "unknown field") for name in raw if name not in names]
    values: dict[str, Any] = {}
    for name, check in names.items():
        try:
            values[name] = check(raw.get(name))
        except ValueError as error:
            faults.append((name, str(error)))
    if values.get("currency") == tenant_settings().reporting_currency:
        faults.append(("currency", "expected another than the reporting currency, whose rate is always 1"))
    if faults:
        raise RowRefused(faults)
    return RateRow(values["currency"], values["date"], values["rate"])


def apply(rows: Sequence[RateRow], *, now: datetime) -> list[Outcome]:
    """Write these rates; of several for one currency and day the last holds."""
    outcomes = [Outcome("unchanged") for _ in rows]
    last = {(row.currency, row.on_date): n for n, row in enumerate(rows)}
    written = [
        {"n": n, "id": str(new_id()), "currency": c, "on_date": day.isoformat(), "rate": str(rows[n].rate)}
        for (c, day), n in last.items()
    ]
    for row in db.session.execute(UPSERT, {"rows": json.dumps(written), "now": now}):
        outcomes[row.n] = Outcome(row.outcome, row.id)
    return outcomes
