"""What would stand in the ledgers of updates to colleagues that nobody asked for: derived from the timeline.

Such a promise would begin when the case opens; each update to the audience keeps it and begins the next, resolve or the
end of the case ends it, a rejection or reopening takes it up again. An update logged late counts where it belongs, as
it would for a clock: it keeps an earlier cycle, or one that the resolution had ended since. From the moment the case
has such a clock, only the ledger tells of it.
"""

from sqlalchemy import text

from app.escalations.promises import INTERNAL_UPDATES
from app.escalations.untimed import Untimed

OPENS = "{0}.kind in ('raise', 'approve')"
AGAIN = "({0}.kind = 'reopen' or {0}.kind = 'verify' and {0}.facts ->> 'accepted' = 'false')"
ENDS = "({0}.kind in ('resolve', 'close_unresolved') or {0}.kind = 'merge' and {0}.facts ? 'into')"
TELLS = "({0}.kind = 'update' and {0}.facts -> 'audiences' ? asked.audience and not {0}.facts ? 'origin')"

# `turn` is what opened, ended or took up the work, and from when that counts. `told` are the updates that count, which
# one sent while nothing was promised does not: in which stretch of work each was sent, whether that was the present one
# and whether work had ended when it was logged. `cycle` are those begun: by opening, and by each update of the present
# stretch that is later than the cycle's beginning. `ran` is the cycle that the event belongs to; `met`, that it was
# kept before.
UPDATES = Untimed(
    kinds=INTERNAL_UPDATES,
    types=("activate", "reopen", "fulfil", "cancel"),
    source=text(
        f"""
        select e.transaction_id, md5(e.escalation_id::text || asked.kind)::uuid as place_id, e.escalation_id,
               e.seq * 4 + entry.place as seq, asked.kind, '-' as subject, entry.cycle, entry.type, entry.because,
               entry.at, e.recorded_at
        from event e
        cross join (values ('account_team', 'account_team_update'), ('executive', 'executive_update'))
            as asked (audience, kind)
        left join lateral (
            with past as (
                select p.seq, p.at, {OPENS.format("p")} as opens, {ENDS.format("p")} as ends,
                       p.kind = 'merge' as merges, {TELLS.format("p")} as tells,
                       case when {AGAIN.format("p")} then p.recorded_at
                       else greatest(p.at, max(case when {TELLS.format("p")} then p.at end) over (
                           order by p.seq rows between unbounded preceding and 1 preceding)) end as since
                from event p
                where p.tenant_id = e.tenant_id and p.escalation_id = e.escalation_id and p.seq <= e.seq
                and ({OPENS.format("p")} or {AGAIN.format("p")} or {ENDS.format("p")} or {TELLS.format("p")})
            ),
            turn as (select seq, since, ends, merges from past where not tells),
            told as (
                select past.seq, past.at, stretch.seq as stretch, stretch.seq = last.seq as present, last.ends as ended
                from past
                cross join lateral (select seq, ends from turn where turn.seq < past.seq and turn.since <= past.at
                                    order by turn.seq desc limit 1) stretch
                cross join lateral (select seq, ends from turn where turn.seq < past.seq
                                    order by turn.seq desc limit 1) last
                where tells and not stretch.ends
            ),
            cycle as (
                select seq, at, row_number() over (order by seq) as number from (
                    select seq, at, at < max(at) over (
                        order by seq rows between unbounded preceding and 1 preceding) as late
                    from (select seq, at from past where opens union all select seq, at from told where present) one
                ) begun where late is not true
            ),
            mine as (
                select * from cycle where seq < e.seq and (at <= e.at or e.kind <> 'update')
                order by number desc limit 1
            )
            select mine.number, mine.at as since, said.seq is not null as counts,
                   exists (select 1 from cycle where seq = e.seq) as begins,
                   (select ends from turn where seq < e.seq order by seq desc limit 1) as ended,
                   exists (select 1 from turn where merges and seq < e.seq) as merged,
                   exists (select 1 from told where seq > mine.seq and seq < e.seq and told.at >= mine.at and case
                           when e.kind = 'update' then told.at <= e.at and (told.ended or told.stretch = said.stretch)
                           else told.ended end) as met
            from mine left join told said on said.seq = e.seq
        ) ran on true
        cross join lateral (values
            (0, coalesce(ran.number, 1), case
                when {OPENS.format("e")} then 'activate'
                when ran.met then null
                when ran.counts then 'fulfil'
                when {ENDS.format("e")} and not ran.ended then 'cancel'
                when {AGAIN.format("e")} and ran.ended then 'reopen' end,
                case e.kind when 'resolve' then 'resolve' when 'merge' then 'merge' when 'close_unresolved' then 'close'
                end, case when {ENDS.format("e")} then greatest(e.at, ran.since) when {AGAIN.format("e")}
                     then e.recorded_at else e.at end),
            (1, ran.number + 1, case when ran.counts and ran.begins then 'activate' end, null, e.at)
        ) as entry (place, cycle, type, because, at)
        where e.kind in ('raise', 'approve', 'update', 'resolve', 'verify', 'close_unresolved', 'merge', 'reopen')
        and (ran.number is not null and not ran.merged or {OPENS.format("e")})
        and entry.type is not null and not exists (
            select 1 from clock k join clock_entry a on a.tenant_id = k.tenant_id and a.clock_id = k.id and a.seq = 1
            where k.tenant_id = e.tenant_id and k.escalation_id = e.escalation_id and k.kind = asked.kind
            and k.subject = '-' and k.cycle = 1 and a.recorded_at <= e.recorded_at)
        """  # noqa: S608 - the parts are ours
    ),
)
