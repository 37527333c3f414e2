"""What changed since the last report: one sentence for each case, the most telling change of it, the gravest first."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from textwrap import shorten
from typing import Any

from sqlalchemy import text

from app.auth.reasons import list_reasons
from app.auth.settings import tenant_settings
from app.escalations.words import numbered
from app.reports.reading import Reading
from app.reports.standing_sql import SEEN, opened
from app.reports.standings import TIER_NAMES
from app.texts import noted

LATELY = timedelta(days=7)
MOST = 20
_SHOWN = """
    f.escalation_id, f.account_id, f.standing, f.tier, f.severity, f.known_from, f.close_target_at, f.reason,
    f.waiting_for, f.customer_agreed, f.resolution_id
"""
_COMPARED = ("escalation_id", "status", "tier", "severity", "reopens", "due_at")
_NOW = (*_COMPARED, "known_from", "close_target_at")
_WAS = ", ".join(f"p.{name}" for name in _COMPARED)
# What was known before is found among the cases open then, and by its key for what was not open then: of one that is
# open and was never opened again there was a request before, or nothing, which are told alike (among some accounts it
# may have been another account's).
CHANGES = text(
    f"""
    with {opened(*_NOW)}, {opened(*_COMPARED, name="open_then", at=":since")}, latest as materialized (
        select {", ".join(_NOW)}, 'open' as standing from opened where known_from > :since
        union all
        select {", ".join(_NOW)}, standing from case_fact f
        where f.standing <> 'open' and f.known_from > :since and f.known_from <= :as_of and f.known_until > :as_of
        and {SEEN.format(f="f")}
    ), before as (
        select {_WAS}, 'open' as standing from open_then p
        union all
        select {_WAS}, p.standing from latest n
        join case_fact p on p.escalation_id = n.escalation_id and p.known_from <= :since and p.known_until > :since
        where (n.standing <> 'open' or n.reopens > 0 or cast(:accounts as uuid[]) is not null)
        and not exists (select from open_then o where o.escalation_id = n.escalation_id)
    ), compared as (
        select n.*,
               case when n.status = 'closed' and p.status is distinct from 'closed' then 'closed'
                    when n.status = 'merged' and p.status is distinct from 'merged' then 'merged'
                    when n.standing = 'open' and (p.standing is null or p.standing = 'requested') then 'raised'
                    when n.standing = 'open' and n.reopens > p.reopens then 'reopened'
                    when n.standing = 'open' and n.close_target_at > :since and n.close_target_at < :as_of then 'missed'
                    when n.due_at > p.due_at then 'extended'
                    when n.tier <> p.tier then 'moved_up'
                    when n.severity < p.severity then 'more_severe' end as change
        from latest n left join before p on p.escalation_id = n.escalation_id
    ), told as (
        select c.escalation_id, c.known_from, c.severity, c.change from compared c where c.change is not null
        union all
        select o.escalation_id, o.known_from, o.severity, 'missed' from opened o
        where o.close_target_at > :since and o.close_target_at < :as_of and o.known_from <= :since
    ), first as (
        select {_SHOWN}, t.change
        from (select * from told order by severity, known_from desc, escalation_id limit {MOST}) t
        join case_fact f on f.escalation_id = t.escalation_id and f.known_from = t.known_from
    )
    select (select coalesce(jsonb_object_agg(change, n), '{{}}')
            from (select change, count(*) as n from told group by change) c) as counts,
           (select coalesce(jsonb_agg(to_jsonb(f) || jsonb_build_object('number', e.number, 'title', e.title,
                                                                        'account', a.name, 'root_cause', t.text)
                                      order by f.severity, f.known_from desc, f.escalation_id), '[]')
            from first f join escalation e on e.id = f.escalation_id join account a on a.id = f.account_id
            left join event_text t on t.tenant_id = e.tenant_id and t.event_id = f.resolution_id
                                   and t.field = 'root_cause') as items
    """  # noqa: S608 - the parts are ours
)
CLOSED = {
    "on_time": noted("was closed on time"),
    "late": noted("was closed after its target"),
    "unresolved": noted("was closed unresolved"),
    "customer_silent": noted("was closed because the customer was silent"),
    "withdrawn": noted("was withdrawn"),
    "mistaken": noted("was closed as a mistake"),
}
CHANGED = {
    "merged": noted("was merged into another"),
    "raised": noted("was raised at severity %(severity)s"),
    "reopened": noted("was opened again"),
    "missed": noted("missed its target and is still open"),
    "extended": noted("was given more time; its target stays"),
    "moved_up": noted("moved up to %(tier)s"),
    "more_severe": noted("rose to severity %(severity)s"),
}
WAITS = {
    "customer": noted("it waits for the customer"),
    "vendor": noted("it waits for the vendor"),
    "internal": noted("it waits for us"),
}
AGREED = {True: noted("the customer agreed"), False: noted("the customer did not agree")}
LONGEST = 120


def changes_of(reading: Reading, since: datetime | None) -> dict[str, Any]:
    """What became known after `since`, a week before the moment unless said, up to the moment."""
    since = since or reading.as_of - LATELY
    row = reading.ask(CHANGES, since=since).one()
    labels = {reason.name: reason.label for reason in list_reasons(tenant_settings())}
    items = [_item({**found, "grievance": labels.get(found["reason"])}) for found in row.items]
    return {"since": since, "counts": row.counts, "items": items}


def _item(found: Mapping[str, Any]) -> dict[str, Any]:
    """`facts` is what `told` and `why` tell from, in other languages too."""
    number = numbered(found["number"])
    return {
        "text": f"{number} {found['title']} ({found['account']}) {told(found)}.",
        "why": why(found),
        "facts": found,
        "change": found["change"],
        "escalation": {"id": found["escalation_id"], "number": number, "title": found["title"]},
        "account": {"id": found["account_id"], "name": found["account"]},
        "severity": found["severity"],
    }


def told(found: Mapping[str, Any], say: Callable[[str], str] = str) -> str:
    """The change in words, in the language of `say`."""
    change = str(found["change"])
    words = CLOSED[found["standing"]] if change == "closed" else CHANGED[change]
    return say(words) % {"severity": found["severity"], "tier": say(TIER_NAMES[found["tier"]])}


def why(found: Mapping[str, Any], say: Callable[[str], str] = str) -> str | None:
    """What is known of the reason: of a closing its root cause, of a raise the grievance, of a miss who is waited
    for, of more time whether the customer agreed."""
    change = found["change"]
    if change == "closed":
        return shorten(found["root_cause"] or "", LONGEST, placeholder="…") or None
    if change in ("raised", "more_severe", "reopened"):
        grievance: str | None = found["grievance"]
        return grievance
    if change == "missed" and found["waiting_for"]:
        return say(WAITS[found["waiting_for"]])
    return (
        say(AGREED[found["customer_agreed"]]) if change == "extended" and found["customer_agreed"] is not None else None
    )
