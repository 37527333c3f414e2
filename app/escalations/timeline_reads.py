"""Reads of timelines: a page of a case's or an outage's, and the last lines of a case's."""

from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from app.db import db
from app.escalations.timeline import OF_CASES, OF_OUTAGES, Kept
from app.http import decode_cursor, encode_cursor


def _question(kept: Kept, order: str = "") -> TextClause:
    return text(
        f"""
        select e.id, e.seq, e.kind, e.acting_for_id, e.at, e.recorded_at, e.facts, encode(e.hash, 'hex') as hash,
               case when u.id is null then null
                    else json_build_object('id', u.id, 'email', u.email, 'name', u.name) end as actor,
               coalesce((select json_object_agg(t.field, t.text) from {kept.text.__tablename__} t
                         where t.tenant_id = e.tenant_id and t.event_id = e.id), '{{}}') as texts
        from {kept.event.__tablename__} e left join "user" u on u.tenant_id = e.tenant_id and u.id = e.actor_id
        where e.{kept.subject}_id = :id and e.seq > :after order by e.seq {order} limit :limit
        """  # noqa: S608 - the parts are ours
    )


OLDEST_FIRST = {kept: _question(kept) for kept in (OF_CASES, OF_OUTAGES)}
NEWEST_FIRST = _question(OF_CASES, "desc")


def list_events(of_id: UUID, *, kept: Kept = OF_CASES, cursor: str | None, limit: int) -> dict[str, Any]:
    """The timeline of a case or, as `kept` says, of an outage, oldest first."""
    position = decode_cursor(cursor)
    values = {"id": of_id, "after": position[0] if position else 0, "limit": limit + 1}
    rows = db.session.execute(OLDEST_FIRST[kept], values).all()
    page = [dict(row._mapping) for row in rows[:limit]]
    return {"items": page, "next_cursor": encode_cursor([page[-1]["seq"]]) if len(rows) > limit else None}


def list_last_events(escalation_id: UUID, *, limit: int) -> list[dict[str, Any]]:
    """The newest events of a case, newest first."""
    rows = db.session.execute(NEWEST_FIRST, {"id": escalation_id, "after": 0, "limit": limit})
    return [dict(row._mapping) for row in rows]
