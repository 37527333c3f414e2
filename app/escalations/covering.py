"""What somebody covers: the open work of colleagues who are absent now and whose chain of delegates leads to them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.db import db
from app.escalations.models import LIVE_SQL
from app.escalations.standing import places, sees_restricted
from app.escalations.words import numbered

# Of each person a statement asks about once; of a case about somebody the chain is followed anew, without them.
MY_PLACES = places("cast(null as uuid)")


def in_my_place(user: str, about: str) -> str:
    """SQL, beside `places` in scope: the user is `:me` or covered by them, in a case about somebody or nobody."""
    return f"""(
        {user} = any(array(select id from places)) and ({user} = cast(:me as uuid) or {about} is null or (
            {about} <> cast(:me as uuid)
            and exists (with recursive {places(about)} select 1 from places where places.id = {user})))
    )"""  # noqa: S608 - the parts are ours


# For the list: the open cases of whom `:me` covers. The array is made once, so that an owner's index serves.
COVERED = f"""(
    escalation.owner_id = any(array(with recursive {MY_PLACES} select id from places where id <> cast(:me as uuid)))
    and escalation.{LIVE_SQL} and (escalation.about_user_id is null or exists (
        with recursive {places("escalation.about_user_id")}
        select 1 from places where places.id = escalation.owner_id))
)"""  # noqa: S608 - the parts are ours

TASKS = """
    with recursive {places}
    select t.id, t.kind, t.title, t.role, t.required, t.state, t.reason, t.due_at, t.ready_at, t.ended_at, t.origin_id,
           t.outage_event_id, t.version, t.assignee_id, t.key, t.after, t.customer_visible,
           e.id as escalation_id, e.number, e.title as escalation, a.name as account,
           case when t.assignee_id <> :me then u.email end as covering
    from task t
    join escalation e on e.tenant_id = t.tenant_id and e.id = t.escalation_id
    join account a on a.tenant_id = e.tenant_id and a.id = e.account_id
    join "user" u on u.tenant_id = t.tenant_id and u.id = t.assignee_id
    where {state} and e.about_user_id is distinct from cast(:me as uuid)
      and {assigned}
      and (not e.restricted or {seen})
      and (cast(:due_before as timestamptz) is null or t.due_at < :due_before)
      and (cast(:after_id as uuid) is null or ({at}, t.id) {beyond} (coalesce(cast(:after as timestamptz), 'infinity'),
                                                                  :after_id))
    order by {at} {order}, t.id {order} limit :limit
"""
PARTS = {
    "places": MY_PLACES,
    "assigned": in_my_place("t.assignee_id", "e.about_user_id"),
    "seen": sees_restricted("e"),
}
OF_LIVE = f"t.state = 'open' and (e.{LIVE_SQL} or t.kind = 'customer_message')"
BY_DUE = {"at": "coalesce(t.due_at, 'infinity')", "beyond": ">", "order": "asc"}
BY_END = {"at": "t.ended_at", "beyond": "<", "order": "desc"}
LISTS = {
    "open": text(TASKS.format(state=f"{OF_LIVE} and t.ready_at is not null", **BY_DUE, **PARTS)),
    "waiting": text(TASKS.format(state=f"{OF_LIVE} and t.ready_at is null", **BY_DUE, **PARTS)),
    "done": text(TASKS.format(state="t.state <> 'open' and t.state = 'done'", **BY_END, **PARTS)),
    "waived": text(TASKS.format(state="t.state <> 'open' and t.state = 'waived'", **BY_END, **PARTS)),
}


def sorted_by(state: str) -> str:
    """By what a list of tasks in this state is in order."""
    return "ended_at" if state in ("done", "waived") else "due_at"


def list_tasks(
    user_id: UUID,
    now: datetime,
    *,
    after: tuple[datetime | None, UUID] | None,
    limit: int,
    state: str = "open",
    due_before: datetime | None = None,
) -> list[dict[str, Any]]:
    """The tasks of a person and of whom they cover, in one statement; of a restricted case if they may see it. Open
    ones can be begun, waiting ones not yet, both by due time; what ended comes last first."""
    after_at, after_id = after or (None, None)
    values = {"me": user_id, "now": now, "after": after_at, "after_id": after_id, "limit": limit}
    rows = db.session.execute(LISTS[state], {**values, "due_before": due_before}).mappings()
    return [{**row, "number": numbered(row["number"])} for row in rows]
