"""What changed since the last report: one sentence for each case, the most telling change of it, the gravest first."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from app.escalations.words import numbered
from app.reports.reading import Reading
from app.reports.standing_sql import OPEN, SEEN

LATELY = timedelta(days=7)
MOST = 20
CHANGES = text(
    f"""
    with {OPEN}, latest as (
        select distinct on (escalation_id) * from case_fact
        where known_from > :since and known_from <= :as_of and {SEEN.format(f="case_fact")}
        order by escalation_id, known_from desc
    ), compared as (
        select n.*, p.status as was_status, p.tier as was_tier, p.severity as was_severity,
               case when n.status = 'closed' and p.status is distinct from 'closed' then 'closed'
                    when n.status = 'merged' and p.status is distinct from 'merged' then 'merged'
                    when n.standing = 'open' and (p.id is null or p.standing = 'requested') then 'raised'
                    when n.standing = 'open' and n.reopens > p.reopens then 'reopened'
                    when n.standing = 'open' and n.close_target_at > :since and n.close_target_at < :as_of then 'missed'
                    when n.due_at > p.due_at then 'extended'
                    when n.tier <> p.tier then 'moved_up'
                    when n.severity < p.severity then 'more_severe' end as change
        from latest n
        left join case_fact p on p.tenant_id = n.tenant_id and p.escalation_id = n.escalation_id
                              and p.known_from <= :since and p.known_until > :since
    ), told as (
        select escalation_id, account_id, change, standing, tier, severity, known_from, close_target_at from compared
        where change is not null
        union all
        select o.escalation_id, o.account_id, 'missed', o.standing, o.tier, o.severity, o.known_from, o.close_target_at
        from opened o where o.close_target_at > :since and o.close_target_at < :as_of and o.known_from <= :since
    ), first as (
        select * from told order by severity, known_from desc, escalation_id limit {MOST}
    )
    select (select coalesce(jsonb_object_agg(change, n), '{{}}')
            from (select change, count(*) as n from told group by change) c) as counts,
           (select coalesce(jsonb_agg(to_jsonb(f) || jsonb_build_object('number', e.number, 'title', e.title,
                                                                        'account', a.name)
                                      order by f.severity, f.known_from desc, f.escalation_id), '[]')
            from first f join escalation e on e.id = f.escalation_id join account a on a.id = f.account_id) as items
    """  # noqa: S608 - the parts are ours
)
CLOSED = {
    "on_time": "was closed on time",
    "late": "was closed after its target",
    "unresolved": "was closed unresolved",
    "customer_silent": "was closed because the customer was silent",
    "withdrawn": "was withdrawn",
    "mistaken": "was closed as a mistake",
}


def changes_of(reading: Reading, since: datetime | None) -> dict[str, Any]:
    """What became known after `since`, a week before the moment unless said, up to the moment."""
    since = since or reading.as_of - LATELY
    row = reading.ask(CHANGES, since=since).one()
    return {"since": since, "counts": row.counts, "items": [_item(found) for found in row.items]}


def _item(found: Mapping[str, Any]) -> dict[str, Any]:
    number = numbered(found["number"])
    return {
        "text": f"{number} {found['title']} ({found['account']}) {told(found)}.",
        "change": found["change"],
        "escalation": {"id": found["escalation_id"], "number": number, "title": found["title"]},
        "account": {"id": found["account_id"], "name": found["account"]},
        "severity": found["severity"],
    }


def told(found: Mapping[str, Any]) -> str:
    """The change in words."""
    change = found["change"]
    if change == "closed":
        return CLOSED[found["standing"]]
    return {
        "merged": "was merged into another",
        "raised": f"was raised at severity {found['severity']}",
        "reopened": "was opened again",
        "missed": "missed its target and is still open",
        "extended": "was given more time; its target stays",
        "moved_up": f"moved up to {found['tier'].replace('_', ' ')}",
        "more_severe": f"rose to severity {found['severity']}",
    }[str(change)]
