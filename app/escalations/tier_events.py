"""What would stand in the ledger of a tier that was promised no time: derived from the timeline, never stored.

A tier is entered by raise, approval or escalation and left by the next escalation; in between it pauses, ends and is
taken up again with the case, as its clock would. From the moment a tier has a clock, only the ledger tells of it.
"""

from sqlalchemy import text

from app.escalations.tiers import FIRST_TIER
from app.escalations.untimed import Untimed

# `held` is the tier before the event and since when; `stood` what its clock would have been doing; up to three entries
# come of one event, `place` puts them in order.
TIERS = Untimed(
    kinds=("tier",),
    types=("activate", "reopen", "resume", "pause", "fulfil", "cancel"),
    at_event=True,
    source=text(
        """
        select e.transaction_id, e.id as place_id, e.escalation_id, e.seq * 4 + entry.place as seq, 'tier' as kind,
               entry.tier as subject, 1 as cycle, entry.type, entry.because,
               case when entry.type = 'reopen' then e.recorded_at else greatest(e.at, held.entered_at) end as at,
               e.recorded_at
        from event e
        left join lateral (
            select v.recorded_at as since, v.at as entered_at, coalesce(v.facts ->> 'tier', :first_tier) as tier
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
    ).bindparams(first_tier=FIRST_TIER),
)
