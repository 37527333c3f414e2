"""What would stand in the ledger of a tier that was promised no time: derived from the timeline, never stored.

A tier is entered by raise, approval or escalation and left by the next escalation; in between it pauses, ends and is
taken up again with the case, as its clock would. From the moment a tier has a clock, only the ledger tells of it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    RowMapping,
    Select,
    Text,
    Uuid,
    literal,
    select,
    text,
    tuple_,
)

from app.escalations.models import Escalation
from app.escalations.tiers import FIRST_TIER
from app.escalations.words import numbered

KIND = "tier"
TYPES = ("activate", "reopen", "resume", "pause", "fulfil", "cancel")

# `held` is the tier before the event and since when; `stood` what its clock would have been doing; up to three entries
# come of one event, `place` puts them in order. The kinds are those of the index `ix_event_transaction`, literally.
DERIVED = (
    text(
        """
        select e.transaction_id, e.id as event_id, e.escalation_id, e.seq * 4 + entry.place as seq,
               entry.type, entry.tier, entry.because, e.at, e.recorded_at
        from event e
        left join lateral (
            select v.recorded_at as since, coalesce(v.facts ->> 'tier', :first_tier) as tier
            from event v where v.tenant_id = e.tenant_id and v.escalation_id = e.escalation_id and v.seq < e.seq
            and v.kind in ('raise', 'approve', 'escalate') order by v.seq desc limit 1
        ) held on true
        left join lateral (
            select case
                when p.kind = 'wait' and (p.facts ->> 'budget_ends_at')::timestamptz > p.at then 'paused'
                when p.kind in ('resolve', 'close_unresolved', 'merge') then 'ended'
                when p.kind = 'verify' and p.facts ->> 'accepted' is distinct from 'false' then 'ended'
                else 'running' end as state
            from event p where p.tenant_id = e.tenant_id and p.escalation_id = e.escalation_id and p.seq < e.seq
            and p.kind in ('raise', 'approve', 'wait', 'resume', 'wait_budget_used', 'resolve', 'verify',
                           'close_unresolved', 'merge', 'reopen') and not (p.kind = 'merge' and p.facts ? 'from')
            order by p.seq desc limit 1
        ) stood on true
        cross join lateral (values
            (0, held.tier, held.since, case
                when held.tier is null then null
                when e.kind = 'escalate' and (e.facts ->> 'automatic')::boolean then 'cancel'
                when e.kind = 'escalate' then 'fulfil'
                when e.kind = 'wait' and stood.state = 'running'
                    and (e.facts ->> 'budget_ends_at')::timestamptz > e.at then 'pause'
                when e.kind in ('resume', 'wait_budget_used') and stood.state = 'paused' then 'resume'
                when e.kind = 'resolve' and stood.state <> 'ended' then 'fulfil'
                when e.kind = 'close_unresolved' and stood.state <> 'ended' then 'cancel'
                when e.kind = 'merge' and e.facts ? 'into' and stood.state <> 'ended' then 'cancel'
                when e.kind = 'reopen' and stood.state = 'ended' then 'reopen'
                when e.kind = 'verify' and e.facts ->> 'accepted' = 'false' and stood.state = 'ended' then 'reopen'
                end, case e.kind
                when 'escalate' then case when (e.facts ->> 'automatic')::boolean then 'automatic_hop' end
                when 'close_unresolved' then 'close' when 'resolve' then 'resolve' when 'merge' then 'merge' end),
            (1, coalesce(e.facts ->> 'tier', :first_tier), e.recorded_at,
                case when e.kind in ('raise', 'approve', 'escalate') then 'activate' end, null),
            (2, e.facts ->> 'tier', e.recorded_at,
                case when e.kind = 'escalate' and stood.state = 'paused' then 'pause' end, null)
        ) as entry (place, tier, since, type, because)
        where e.kind in ('raise', 'approve', 'escalate', 'wait', 'resume', 'wait_budget_used', 'resolve', 'verify',
                         'close_unresolved', 'merge', 'reopen')
        and entry.type is not null and not exists (
            select 1 from clock k join clock_entry a on a.tenant_id = k.tenant_id and a.clock_id = k.id
            where k.tenant_id = e.tenant_id and k.escalation_id = e.escalation_id and k.kind = 'tier'
            and a.type = 'activate' and a.recorded_at >= entry.since
            and (a.recorded_at = entry.since or a.recorded_at < e.recorded_at))
        """
    )
    .bindparams(first_tier=FIRST_TIER)
    .columns(
        transaction_id=BigInteger,
        event_id=Uuid,
        escalation_id=Uuid,
        seq=Integer,
        type=Text,
        tier=Text,
        because=Text,
        at=DateTime(timezone=True),
        recorded_at=DateTime(timezone=True),
    )
    .subquery("derived")
)
KEY = tuple_(DERIVED.c.transaction_id, DERIVED.c.event_id, DERIVED.c.seq)
FIRST_SINCE = text("(select min(transaction_id) from event where recorded_at >= :since)")


def stream(horizon: int, visible: ColumnElement[bool], arguments: Mapping[str, Any]) -> Select[Any] | None:
    """Entries of tiers without a clock, in the order of the ledger's; None where none can be asked for."""
    if arguments.get("kind", KIND) != KIND or arguments.get("type", TYPES[0]) not in TYPES:
        return None
    query = (
        select(DERIVED, Escalation.number)
        .join(Escalation, Escalation.id == DERIVED.c.escalation_id)
        .where(DERIVED.c.transaction_id < horizon, visible)
        .order_by(*KEY.clauses)
    )
    wanted = {"type": DERIVED.c.type, "escalation": DERIVED.c.escalation_id}
    for name, column in wanted.items():
        if name in arguments:
            query = query.where(column == arguments[name])
    return query.where(DERIVED.c.recorded_at >= arguments["since"]) if "since" in arguments else query


def after(query: Select[Any], position: list[Any] | None, since: datetime | None) -> Select[Any]:
    """What follows a cursor; without one, from the first entry recorded since then."""
    if position is not None:
        transaction, one, seq = literal(position[0]), literal(UUID(position[1])), literal(position[2])
        from_here = tuple_(transaction, one) <= tuple_(DERIVED.c.transaction_id, DERIVED.c.event_id)  # by the index
        return query.where(from_here, tuple_(transaction, one, seq) < KEY)
    if since is not None:
        return query.where(DERIVED.c.transaction_id >= FIRST_SINCE.bindparams(since=since))
    return query


def shown(row: RowMapping) -> dict[str, Any]:
    """An entry as the ledger's are shown: of no clock, with no target, its tier as subject, the same at every poll."""
    entry = {name: row[name] for name in ("escalation_id", "type", "seq", "at", "recorded_at")}
    because = {"because": row["because"]} if row["because"] else {}
    return {
        "id": uuid5(row["event_id"], str(row["seq"])),
        "clock_id": None,
        "target": None,
        "kind": KIND,
        "subject": row["tier"],
        "cycle": 1,
        "number": numbered(row["number"]),
        **entry,
        **because,
    }
