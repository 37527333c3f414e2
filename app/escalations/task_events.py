"""What would stand in the ledger of a task that has no due time: derived from the timeline, never stored.

A task begins with the event that made it: its raise, approval, hop, message on a closed case, request for a decision,
or an event of its own; in a merge it begins anew in the survivor. It ends done or waived, or with its case, which takes
up again what is still open. Of a task whose making the timeline does not name nothing is told. From the moment a task
has a clock, only the ledger tells of it.
"""

from sqlalchemy import text

from app.escalations.untimed import Untimed

# Which tasks an event made. What a merge carried over from the other case made its task there.
MADE = """
    case when {0}.facts ? 'origin' or {0}.kind = 'task' and not {0}.facts ? 'clock' then '[]'
         when {0}.kind in ('merge', 'playbook') then coalesce({0}.facts -> 'tasks', '[]')
         when {0}.facts ? 'task' then jsonb_build_array({0}.facts -> 'task') else '[]' end
"""
ENDS = """
    ({0}.kind = 'close_unresolved' or {0}.kind = 'merge' and {0}.facts ? 'into'
     or {0}.kind = 'verify' and {0}.facts ->> 'accepted' is distinct from 'false')
"""

# `known` is a task made before the event, `stood` its state until then, `over` whether its case has ended since it was
# made.
TASKS = Untimed(
    kinds=("task",),
    types=("activate", "reopen", "fulfil", "cancel"),
    source=text(
        f"""
        select e.transaction_id, entry.task::uuid as place_id, e.escalation_id, e.seq * 4 as seq, 'task' as kind,
               entry.task as subject, 1 as cycle, entry.type, entry.because, entry.at, e.recorded_at
        from event e
        cross join lateral (
            select made.task, 'activate' as type, null as because, e.recorded_at as at
            from jsonb_array_elements_text({MADE.format("e")}) as made (task)
            union all
            select known.task, case
                when {ENDS.format("e")} and stood.state = 'open' and not over.yes then 'cancel'
                when e.kind = 'reopen' and stood.state = 'open' and over.yes then 'reopen'
                when e.kind <> 'task' or e.facts ->> 'task' <> known.task or over.yes then null
                when e.facts ->> 'state' = 'open' and stood.state <> 'open' then 'reopen'
                when e.facts ->> 'state' <> 'open' and stood.state = 'open' then 'fulfil'
                end,
                case when e.kind = 'task' then nullif(e.facts ->> 'state', 'open') when e.kind = 'merge' then 'merge'
                     when e.kind <> 'reopen' then 'close' end,
                case when {ENDS.format("e")} then greatest(e.at, known.since) else e.recorded_at end
            from (
                select made.task, m.seq, m.recorded_at as since
                from event m, jsonb_array_elements_text({MADE.format("m")}) as made (task)
                where m.tenant_id = e.tenant_id and m.escalation_id = e.escalation_id and m.seq < e.seq
                and e.kind in ('task', 'verify', 'close_unresolved', 'merge', 'reopen')
                and m.kind in ('raise', 'approve', 'escalate', 'message', 'decision_asked', 'task_added', 'task',
                               'task_ready', 'playbook', 'merge')
            ) known
            cross join lateral (
                select coalesce((
                    select t.facts ->> 'state' from event t
                    where t.tenant_id = e.tenant_id and t.escalation_id = e.escalation_id
                    and t.seq between known.seq and e.seq - 1 and t.kind = 'task' and t.facts ->> 'task' = known.task
                    order by t.seq desc limit 1), 'open') as state
            ) stood
            cross join lateral (
                select coalesce((
                    select c.kind <> 'reopen' from event c
                    where c.tenant_id = e.tenant_id and c.escalation_id = e.escalation_id
                    and c.seq between known.seq and e.seq - 1 and (c.kind = 'reopen' or {ENDS.format("c")})
                    order by c.seq desc limit 1), false) as yes
            ) over
        ) entry
        where e.kind in ('raise', 'approve', 'escalate', 'message', 'decision_asked', 'task_added', 'task',
                         'task_ready', 'playbook', 'merge', 'verify', 'close_unresolved', 'reopen')
        and entry.type is not null and not exists (
            select 1 from clock k join clock_entry a on a.tenant_id = k.tenant_id and a.clock_id = k.id and a.seq = 1
            where k.tenant_id = e.tenant_id and k.escalation_id = e.escalation_id and k.kind = 'task'
            and k.subject = entry.task and k.cycle = 1 and a.recorded_at <= e.recorded_at)
        """  # noqa: S608 - the parts are ours
    ),
)
