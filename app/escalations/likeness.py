"""Which cases may be the same again: of the account and its group, with a reference in common, for an outage also of
other accounts, and why each is shown. Nothing is ever folded by itself.

`pg_trgm` cannot use an index below row-level security, since its operators are not leakproof. So indexes on account,
reference and outage choose few cases first, newest first, and only those are compared.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.escalations import words

OUTAGE = "prolonged_outage"
CLOSED_DAYS, OUTAGE_DAYS = 90, 7
SHOWN = 20

# At most so many are compared: of the account, of each other account in its group, of other accounts' outages, with
# one reference; and so many of the newest by the first letters of what the customer said, which costs most.
OWN, GROUP, EACH, OUTAGES, NAMED = 200, 100, 20, 200, 20
STATEMENTS, LETTERS = 50, 200
# From which likeness on, of 0 to 1, a text counts as similar.
LIKE = 0.4

_RECENT = """(e.status in ('open', 'in_progress', 'waiting', 'resolved')
              or e.status = 'closed' and e.closed_at > :closed_since)"""

_GROUP = f"""
    up as (
        select a.id, a.source, a.external_id, a.parent_external_id, 0 as step from account a where a.id = :account
        union all
        select p.id, p.source, p.external_id, p.parent_external_id, u.step + 1 from up u cross join lateral (
            select * from account k where u.parent_external_id is not null and k.source = u.source
            and k.external_id = u.parent_external_id and k.merged_into_id is null limit 1) p
        where u.step < 50
    ), family as (
        (select id, source, external_id, 0 as step from up order by up.step desc limit 1)
        union all
        select c.id, c.source, c.external_id, f.step + 1 from family f cross join lateral (
            select * from account k where k.source = f.source and k.parent_external_id = f.external_id
            and k.merged_into_id is null offset 0) c
        where f.step < 50
    ), kin as (
        select id from family limit {GROUP}
    )
"""  # noqa: S608 - the parts are ours
_ALONE = "kin as (select cast(:account as uuid) as id)"
_OF_OTHERS = f"""
        union
        select n.id from kin cross join lateral (
            select e.id from escalation e where e.account_id = kin.id and kin.id <> :account and {_RECENT}
            order by e.raised_at desc limit {EACH}) n
        union
        (select e.id from escalation e where :outage and e.reason = '{OUTAGE}' and e.raised_at > :outage_since
         and {_RECENT} order by e.raised_at desc limit {OUTAGES})
"""  # noqa: S608
_FOUND = f"""
    ref as (
        select r.system, r.external_id from json_to_recordset(cast(:refs as json)) as r(system text, external_id text)
    ), named as (
        select l.escalation_id as id, json_agg(json_build_object('system', r.system, 'external_id', r.external_id)
                                               order by r.system, r.external_id) as refs
        from ref r cross join lateral (
            select k.escalation_id from link k where k.system = r.system and k.external_id = r.external_id
            order by k.id desc limit {NAMED}) l
        group by l.escalation_id
    ), pool as (
        (select e.id from escalation e where e.account_id = :account and {_RECENT}
         order by e.raised_at desc limit {OWN})
        {{others}}
        union
        select id from named
    ), compared as (
        select e.id, e.raised_at, e.account_id = :account as same_account,
               e.account_id in (select id from kin) as same_group, e.reason = :reason as same_reason,
               e.status <> 'closed' as live, named.refs, greatest(
                   similarity(e.title, :title),
                   case when cast(:statement as text) is not null
                        and row_number() over (order by e.raised_at desc) <= {STATEMENTS}
                   then similarity(left(e.customer_statement, {LETTERS}), cast(:statement as text)) end) as score
        from pool join escalation e on e.id = pool.id left join named on named.id = e.id
        where e.id is distinct from cast(:itself as uuid) and {_RECENT}
    ), found as (
        select * from compared
        where refs is not null or score >= {LIKE} or same_account and same_reason and live
        order by refs is null, score desc, raised_at desc limit 100
    )
"""  # noqa: S608
# Common table expressions that end in `found`: one row for each case shown, with why. `NEAR` looks at the account and
# at references in common, as every raise does, and is planned in half the time.
FOUND = f"{_GROUP}, {_FOUND.format(others=_OF_OTHERS)}"
NEAR = f"{_ALONE}, {_FOUND.format(others='')}"
ORDER = "found.refs is null, case when found.score >= {like} then -found.score else 0 end, not found.same_account"
IN_ORDER = f"{ORDER.format(like=LIKE)}, found.raised_at desc"
COLUMNS = ("same_account", "same_group", "same_reason", "refs", "score")


@dataclass(frozen=True)
class Likeness:
    """What is compared; `self_id` is the case itself when it is stored already."""

    account_id: UUID
    title: str
    statement: str | None
    reason: str
    refs: Iterable[Mapping[str, Any]] = ()
    self_id: UUID | None = None

    def parameters(self, now: datetime) -> dict[str, Any]:
        named = [{"system": ref["system"], "external_id": ref["external_id"]} for ref in self.refs]
        return {
            "account": self.account_id,
            "title": self.title,
            "statement": self.statement[:LETTERS] if self.statement else None,
            "reason": self.reason,
            "outage": self.reason == OUTAGE,
            "refs": words.as_json(named),
            "itself": self.self_id,
            "closed_since": now - timedelta(days=CLOSED_DAYS),
            "outage_since": now - timedelta(days=OUTAGE_DAYS),
        }


def reasons_of(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Why a case is shown, the strongest first."""
    reasons: list[dict[str, Any]] = [{"kind": "same_reference", "reference": ref} for ref in found["refs"] or ()]
    if found["score"] >= LIKE:
        reasons.append({"kind": "similar_text", "score": round(found["score"], 2)})
    told = ("same_account", "same_group") if not found["same_account"] else ("same_account",)
    return reasons + [{"kind": kind} for kind in (*told, "same_reason") if found[kind]]
