"""Who does a task: whoever holds its role now. A role that nobody holds falls to the owner until somebody holds it.

Of one case after its owner, its team or who may see it changed; of many at once after an account, a colleague or a line
changed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm.attributes import set_committed_value

from app.auth import queries as users
from app.auth.models import User
from app.db import current_tenant, db
from app.escalations.case import Change
from app.escalations.models import LIVE_SQL
from app.escalations.standing import sees_restricted
from app.escalations.words import numbered
from app.notifications import service as notifications
from app.notifications.models import Intent
from app.playbooks.models import Task
from app.rows import array_of

EVENT = "tasks_passed_on"
TAKEN = "Who may see the case has changed. Somebody else does it now; you need do nothing more for it."

# Beside a task `t`, its case `e` and its account `a`. Who was asked for management's decision stays asked; what was
# given to one person stays with them as long as they may see the case, and then is the owner's for good.
IN_A_NAME = "t.role in ('tier', 'assignee')"
FOLLOWS = f"""
    t.state = 'open' and t.kind <> 'decision'
    and (t.role in ('owner', 'csm', 'account_owner', 'sponsor', 'team_lead', 'owner_manager')
         or {IN_A_NAME} and (t.assignee_id = e.about_user_id
                             or e.restricted and not {sees_restricted("e", me="t.assignee_id")}))
"""
HOLDER = """
    coalesce((
        select u.id from "user" u
        where u.tenant_id = e.tenant_id and u.active and u.role <> 'integration'
        and u.id is distinct from e.about_user_id
        and (t.role = 'owner_manager' or not e.restricted)
        and u.id = case t.role
            when 'csm' then (select p.id from "user" p where p.tenant_id = e.tenant_id and p.email = lower(a.csm_email))
            when 'account_owner' then
                (select p.id from "user" p where p.tenant_id = e.tenant_id and p.email = lower(a.owner_email))
            when 'sponsor' then
                (select p.id from "user" p where p.tenant_id = e.tenant_id and p.email = lower(a.sponsor_email))
            when 'team_lead' then (select l.lead_id from team l where l.tenant_id = e.tenant_id and l.id = e.team_id)
            when 'owner_manager' then
                (select p.manager_id from "user" p where p.tenant_id = e.tenant_id and p.id = e.owner_id)
            end
    ), e.owner_id)
"""
PASS_ON = text(
    f"""
    with asked as (
        select t.id, t.assignee_id as was, {HOLDER} as holder,
               {IN_A_NAME} as taken, case when {IN_A_NAME} then 'owner' else t.role end as role
        from task t
        join escalation e on e.tenant_id = t.tenant_id and e.id = t.escalation_id
        join account a on a.tenant_id = e.tenant_id and a.id = e.account_id
        where t.escalation_id = any(cast(:ids as uuid[])) and {FOLLOWS}
    )
    update task t set assignee_id = asked.holder, role = asked.role, version = t.version + 1 from asked
    where t.tenant_id = :tenant and t.id = asked.id and t.assignee_id is distinct from asked.holder
    returning t.id, t.escalation_id, t.title, t.ready_at is not null as ready, t.assignee_id, asked.was, asked.taken
    """  # noqa: S608 - the parts are ours
)
# Open cases with a task in the wrong hands since a colleague changed, was made, or left, by owner and by account, since
# a team changed, or since an absence ended: who saw a restricted case in its place, down the chain, sees it no more.
MISPLACED = f"""
    with recursive changed as (select id, email from "user" where changed_at > :users_lately),
    stood_in (id) as (
        select delegate_id from absence where ends_at > :hour_ago and ends_at <= :now and delegate_id is not null
        union
        select a.delegate_id from absence a join stood_in on stood_in.id = a.user_id
        where a.ends_at > :hour_ago and a.starts_at <= :now and a.delegate_id is not null
    ),
    near as (
        select e.id from escalation e where e.{LIVE_SQL} and e.owner_id in (
            select id from changed union select u.id from "user" u where u.manager_id in (select id from changed))
        union
        select t.escalation_id from task t where t.state = 'open' and t.assignee_id in (
            select id from changed union select id from stood_in)
        union
        select e.id from account a join escalation e on e.tenant_id = a.tenant_id and e.account_id = a.id
        where e.{LIVE_SQL} and exists (select from changed) and exists (
            select from changed c where c.email in (lower(a.csm_email), lower(a.owner_email), lower(a.sponsor_email)))
        union
        select e.id from team l join escalation e on e.tenant_id = l.tenant_id and e.team_id = l.id
        where l.changed_at > :hour_ago and e.{LIVE_SQL}
    )
    select t.escalation_id from near
    join task t on t.escalation_id = near.id and {FOLLOWS}
    join escalation e on e.tenant_id = t.tenant_id and e.id = t.escalation_id and e.{LIVE_SQL}
    join account a on a.tenant_id = e.tenant_id and a.id = e.account_id
    where t.assignee_id is distinct from {HOLDER}
"""  # noqa: S608 - the parts are ours


@dataclass(frozen=True)
class PassedOn:
    """A task that is somebody else's now; `taken` from who had it by name and may not see the case any more."""

    id: UUID
    escalation_id: UUID
    title: str
    ready: bool
    assignee_id: UUID | None
    was: UUID | None
    taken: bool


def pass_on(escalation_ids: Iterable[UUID], *, now: datetime) -> dict[UUID, list[PassedOn]]:
    """The open tasks of these cases go to who holds their roles; what moved, by case, in one statement."""
    values = {"ids": array_of(list(escalation_ids)), "tenant": current_tenant(), "now": now}
    found: dict[UUID, list[PassedOn]] = defaultdict(list)
    for row in db.session.execute(PASS_ON, values):
        found[row.escalation_id].append(PassedOn(**row._mapping))
    return found


def follow(change: Change, *, because: str) -> None:
    """The tasks of one case go to who holds their roles now; each new holder hears once of what can be begun.

    An owner who just got the case is told that instead. Who may not see it any more hears that their task is gone.
    """
    db.session.flush()
    moved = pass_on([change.record.id], now=change.now).get(change.record.id, [])
    _show(moved)
    shown = [one for one in moved if because != "owner" or one.taken or one.assignee_id != change.record.owner_id]
    if not shown:
        return
    change.note(EVENT, facts_of(moved, because))
    told = by_person(shown)
    losers = {one.was for one in moved if one.taken and one.was is not None}
    for user in users.list_active(ids=[*told, *losers]):
        if user.id in told:
            subject = f"{change.account.account.name}: {subject_of(change.record.title, change.record.number)}"
            change.tell([user], "task", subject, "\n".join(told[user.id]))
        if user.id in losers and user.id not in (change.act.actor.user_id, change.record.about_user_id):
            change.rows.append(taken_from(user, change))
            change.told = True


def taken_from(user: User, change: Change) -> Intent:
    """What somebody hears of a case they may not see any more: its number, which they know, and no link."""
    return notifications.intent(
        user=user,
        kind="task",
        subject=f"{numbered(change.record.number)}: what you had to do there is no longer yours",
        body=TAKEN,
        dedupe_key=f"task_taken:{change.record.id}:{change.record.event_count}:{user.id}",
        at=change.now,
        now=change.now,
        why="You get this because you had a task in this case.",
    )


def facts_of(moved: Sequence[PassedOn], because: str) -> dict[str, Any]:
    """What the timeline keeps: which task went from whom to whom, and why."""
    return {"because": because, "tasks": [{"task": t.id, "was": t.was, "assignee": t.assignee_id} for t in moved]}


def by_person(moved: Iterable[PassedOn]) -> Mapping[UUID, list[str]]:
    """What each new holder can begin, by title."""
    found: dict[UUID, list[str]] = defaultdict(list)
    for one in moved:
        if one.ready and one.assignee_id is not None:
            found[one.assignee_id].append(one.title)
    return found


def subject_of(title: str, number: int) -> str:
    return f"{title} · {numbered(number)}: tasks that are yours now"


def _show(moved: Iterable[PassedOn]) -> None:
    """Tasks that were read before show who has them now."""
    holders = {one.id: one.assignee_id for one in moved}
    for one in list(db.session.identity_map.values()):
        if isinstance(one, Task) and one.id in holders:
            set_committed_value(one, "assignee_id", holders[one.id])
