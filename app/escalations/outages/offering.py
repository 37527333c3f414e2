"""What an outage says, offered to its open cases: each owner gets a task with a draft on it; nothing goes by itself.

A case is behind while `outage_seq` is less than its outage's `news_seq`: that it is linked later, approved later, or
reopened, makes no difference. Behind ones are found in batches, and a newer offer takes the place of an unanswered one.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app import queue
from app.auth import queries as users
from app.auth.models import User
from app.auth.settings import tenant_settings
from app.db import Model, current_tenant, db
from app.escalations import timeline
from app.escalations.lifecycle import RESOLVED
from app.escalations.models import LIVE_SQL, Escalation
from app.escalations.outages.models import RESOLUTION, UPDATE
from app.escalations.urgency import is_urgent
from app.escalations.words import numbered
from app.notifications import queries as wishes
from app.notifications import service as notifications
from app.notifications.quiet import plan_delivery
from app.playbooks import service as playbooks
from app.playbooks.models import Task
from app.routing import service as routing
from app.rows import array_of, insert_all

BATCH = 200
JOB, KIND = "offer_outages", "outage_offer"
REPLACED = "the outage has newer word"

# What another transaction holds is passed by and found again.
BEHIND = text(
    f"""
    select e.*, o.title as outage_title, v.id as news_id, v.kind as news, v.seq as news_seq, a.name as account_name
    from outage o
    join escalation e on e.tenant_id = o.tenant_id and e.outage_id = o.id and e.outage_seq < o.news_seq
    join outage_event v on v.tenant_id = o.tenant_id and v.outage_id = o.id and v.seq = o.news_seq
    join account a on a.tenant_id = e.tenant_id and a.id = e.account_id
    where not o.settled and o.news_seq > 0 and (cast(:outage as uuid) is null or o.id = :outage) and e.{LIVE_SQL}
    order by e.id limit :limit for update of e skip locked
    """  # noqa: S608 - the statuses are ours
)
TAKE_BACK = text(
    """
    update task t set state = 'waived', reason = :reason, ended_at = :now, version = t.version + 1
    where t.tenant_id = :tenant and t.escalation_id = any(cast(:ids as uuid[])) and t.state = 'open'
      and t.kind in ('outage_update', 'outage_resolution')
    returning t.id, t.escalation_id
    """
)
KEEP = text(
    """
    update escalation e set event_count = r.event_count, event_hash = r.event_hash, outage_seq = r.outage_seq,
           version = e.version + 1
    from jsonb_populate_recordset(null::escalation, cast(:rows as jsonb)) r
    where e.tenant_id = :tenant and e.id = r.id
    """
)
SETTLE = text(
    f"""
    update outage o set settled = true
    where o.state = 'resolved' and not o.settled and not exists (
        select from escalation e where e.tenant_id = o.tenant_id and e.outage_id = o.id
        and e.outage_seq < o.news_seq and (e.{LIVE_SQL} or e.status = 'requested'
                                           or e.status = 'closed' and e.closed_at > :reopened_from))
    """  # noqa: S608 - the statuses are ours
)
BESIDE = ("outage_title", "news_id", "news", "news_seq", "account_name")


def call_for_more() -> None:
    """Once the open transaction has committed, the job goes on with what is left."""
    queue.wake(JOB)


def settle(now: datetime) -> None:
    """Outages that have ended and left nothing to be offered, to closed cases that may still be reopened neither, are
    not looked at any more."""
    days = timedelta(days=tenant_settings().reopen_days + 1)  # what is reopened at the last moment is still found
    db.session.execute(SETTLE, {"reopened_from": now - days})


def offer_batch(now: datetime, *, outage_id: UUID | None = None, limit: int = BATCH) -> int:
    """The next cases that are behind, of one outage or all; answers how many. At most eight statements."""
    found = db.session.execute(BEHIND, {"outage": outage_id, "limit": limit}).all()
    if not found:
        return 0
    cases = [_case(row) for row in found]
    taken_back = _take_back([record.id for record, _ in cases], now)
    rows: list[Model] = []
    offered: list[tuple[Escalation, Mapping[str, Any], Task]] = []
    for record, beside in cases:
        for task_id in taken_back.get(record.id, ()):
            facts = {"task": task_id, "state": "waived"}
            rows += _event(record, "task", facts, {"reason": REPLACED}, now)
        if task := _task(record, beside, now):
            facts = {"task": task.id, "assignee": task.assignee_id, "due_at": None, "required": False}
            facts |= {"outage": record.outage_id, "offer": task.kind.removeprefix("outage_")}
            rows += [task, *_event(record, "task_added", facts, {"title": task.title}, now)]
            offered.append((record, beside, task))
        record.outage_seq = beside["news_seq"]
    _keep([record for record, _ in cases], rows)
    if notifications.post_all(list(_told(offered, now))):
        notifications.wake_delivery()
    return len(cases)


def _case(row: Any) -> tuple[Escalation, dict[str, Any]]:
    """Outside the session, so that nothing but KEEP writes it; and what stands beside it."""
    values = dict(row._mapping)
    beside = {name: values.pop(name) for name in BESIDE}
    return Escalation(**values), beside


def _take_back(ids: Iterable[UUID], now: datetime) -> dict[UUID, list[UUID]]:
    """Older offers that nobody answered, by case."""
    values = {"ids": array_of(list(ids)), "now": now, "tenant": current_tenant(), "reason": REPLACED}
    found: dict[UUID, list[UUID]] = defaultdict(list)
    for row in db.session.execute(TAKE_BACK, values):
        found[row.escalation_id].append(row.id)
    return found


def _task(record: Escalation, beside: Mapping[str, Any], now: datetime) -> Task | None:
    """What the owner is offered; a case that is resolved already needs no resolution."""
    ends = beside["news"] == "resolve"
    if ends and record.status == RESOLVED:
        return None
    words = "resolve this case too, and have its customer verify it" if ends else "tell the customer where it stands"
    title = f"{beside['outage_title']}: {words}"
    kind = RESOLUTION if ends else UPDATE
    task = playbooks.new_task(kind, title, escalation_id=record.id, assignee_id=record.owner_id, now=now)
    task.outage_event_id = beside["news_id"]
    return task


def _event(
    record: Escalation, kind: str, facts: Mapping[str, Any], texts: Mapping[str, str], now: datetime
) -> list[Model]:
    return timeline.append(record, kind, actor_id=None, at=now, now=now, facts=facts, texts=texts)


def _keep(records: Sequence[Escalation], rows: Sequence[Model]) -> None:
    insert_all(rows)
    kept = [
        {
            "id": str(record.id),
            "event_count": record.event_count,
            "event_hash": f"\\x{record.event_hash.hex()}",
            "outage_seq": record.outage_seq,
        }
        for record in records
    ]
    db.session.execute(KEEP, {"tenant": current_tenant(), "rows": json.dumps(kept)})


def _told(
    offered: Sequence[tuple[Escalation, Mapping[str, Any], Task]], now: datetime
) -> Iterable[notifications.Message]:
    """Each owner, and who stands in for one that is absent, hears once for each case."""
    if not offered:
        return
    people = {
        user.id: user for user in users.list_active(ids={task.assignee_id for *_, task in offered if task.assignee_id})
    }
    chains = routing.read_chains(people, now=now)
    preferences = wishes.find_preferences({*people, *chains.people})
    for record, beside, task in offered:
        user = people.get(task.assignee_id) if task.assignee_id else None
        if user is None:
            continue
        by = chains.stand_in(user.id, about_user_id=record.about_user_id)
        hearing = _hearing(user, (by.id, by.email) if by else None)
        subject = f"{beside['account_name']}: {beside['outage_title']} · {numbered(record.number)}"
        for id_, (email, why) in hearing.items():
            delivery = plan_delivery(preferences.get(id_), now, urgent=is_urgent(record.severity))
            key = f"{KIND}:{task.id}:{id_}"
            hold = (delivery.hold_until, delivery.channel)
            yield (id_, email, KIND, subject, task.title, why, record.id, None, key, now, *hold)


def _hearing(user: User, stand_in: tuple[UUID, str] | None) -> Mapping[UUID, tuple[str, str]]:
    """By id the address, and why they hear of it."""
    hearing = {user.id: (user.email, "You get this because you own the case.")}
    if stand_in is not None:
        id_, email = stand_in
        hearing.setdefault(id_, (email, f"You get this in place of {user.name}, who is absent."))
    return hearing
