"""The dossier for management's decision: what may be decided, and the complete record of what was done."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.auth.actor import Actor
from app.db import db
from app.escalations import queries, record_shapes
from app.escalations.history import ASKED, SAID, asked_of, way_of
from app.escalations.path import stage_of
from app.escalations.words import CHOICE_MEANS, CHOICES
from app.http import decode_cursor, encode_cursor

QUIET = ("watch", "link", "playbook", "task_ready")
DONE = text(
    f"""
    select {SAID}, (select t.title from task t where t.tenant_id = e.tenant_id
                    and t.id = cast(e.facts ->> 'task' as uuid)) as task,
           case when e.kind = 'assign' then (
                select o.name from "user" o where o.id = cast(e.facts ->> 'owner' as uuid)) end as owner
    from event e left join "user" u on u.tenant_id = e.tenant_id and u.id = e.actor_id
    where e.escalation_id = :id and e.seq > :after and e.kind <> all(:quiet) order by e.seq limit :limit
    """  # noqa: S608 - the part is ours
)


def get_dossier(escalation_id: UUID, *, actor: Actor, now: datetime, limit: int, cursor: str | None) -> dict[str, Any]:
    """What management decides on: the options, what was asked and decided, the path, and everything done, in order."""
    row = queries.read_row(escalation_id, {"asked": ASKED}, actor=actor, now=now)
    record = record_shapes.case_of(row)
    position = decode_cursor(cursor)
    way = way_of(record, attempts=0)
    values = {"id": record.id, "after": position[0] if position else 0, "quiet": list(QUIET), "limit": limit + 1}
    rows = db.session.execute(DONE, values).all()
    page = [{**done._mapping, "tier": stage_of(way.stages, seq=done.seq, at=done.at).tier} for done in rows[:limit]]
    return {
        "escalation": record_shapes.record_of(row, now),
        "options": [
            {"choice": choice, "means": CHOICE_MEANS[choice][0], "call": CHOICE_MEANS[choice][1]} for choice in CHOICES
        ],
        "asked": asked_of(row._mapping),
        "path": [{"stage": stage} for stage in way.stages],
        "attempts": way.earlier_attempts,
        "items": page,
        "next_cursor": encode_cursor([page[-1]["seq"]]) if len(rows) > limit else None,
    }
