"""Reads of outages: the list, one with how far its cases are, and these."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, literal_column, or_, select, text

from app.auth.actor import Actor
from app.auth.models import User
from app.db import db
from app.errors import NotFound, invalid_parameter
from app.escalations import listing
from app.escalations.models import LIVE_SQL, Escalation
from app.escalations.outages.models import STATES, Outage
from app.escalations.queries import visible_to
from app.http import split_words

PLAIN = ("id", "title", "statement", "state", "opened_at", "resolved_at", "version")
IN_PARTS = ("open", "resolved", "closed", "requested")
NOT_GONE = "requested,live,closed"

LAST = text(
    """
    select e.kind, e.at, e.facts -> 'audiences' as audiences,
           coalesce((select json_object_agg(t.field, t.text) from outage_text t
                     where t.tenant_id = e.tenant_id and t.event_id = e.id), '{}') as texts
    from outage_event e join outage o on o.tenant_id = e.tenant_id and o.id = e.outage_id and o.news_seq = e.seq
    where e.outage_id = :id
    """
)
# What was said last, beside an outage.
LAST_WORD: ColumnElement[Any] = literal_column(
    """(select json_build_object('kind', e.kind, 'at', e.at, 'texts', (
            select json_object_agg(t.field, t.text) from outage_text t
            where t.tenant_id = e.tenant_id and t.event_id = e.id))
        from outage_event e where e.tenant_id = outage.tenant_id and e.outage_id = outage.id
        and e.seq = outage.news_seq)"""
).label("last_word")
NEWEST = text(
    """
    select e.seq, e.kind, e.at, e.recorded_at, e.facts, u.name as actor, f.name as acting_for, o.name as owner,
           coalesce((select json_object_agg(t.field, t.text) from outage_text t
                     where t.tenant_id = e.tenant_id and t.event_id = e.id), '{}') as texts
    from outage_event e left join "user" u on u.tenant_id = e.tenant_id and u.id = e.actor_id
    left join "user" f on f.tenant_id = e.tenant_id and f.id = e.acting_for_id
    left join "user" o on o.tenant_id = e.tenant_id
        and cast(o.id as text) = coalesce(e.facts #>> '{owner,is}', e.facts ->> 'owner')
    where e.outage_id = :id and (cast(:before as int) is null or e.seq < :before) order by e.seq desc limit :limit
    """
)


def _outages() -> Select[Outage, str, str]:
    return select(Outage, User.email, User.name).join(User, User.id == Outage.owner_id)


def list_outages(asked: Mapping[str, Any], *, actor: Actor, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Newest first; of some state, of an owner (an address or `me`)."""
    query = _outages()
    if "state" in asked:
        states = split_words(asked["state"])
        if not states or set(states) - set(STATES):
            raise invalid_parameter("state", f"expected some of {', '.join(STATES)}")
        query = query.where(Outage.state.in_(states))
    if "owner" in asked:
        emails = [actor.email if word == "me" else word.lower() for word in split_words(asked["owner"])]
        query = query.where(User.email.in_(emails))
    if after is not None:
        query = query.where(Outage.id < after)
    return [_view(row) for row in db.session.execute(query.order_by(Outage.id.desc()).limit(limit))]


def list_board(*, actor: Actor, now: datetime, after: tuple[str, UUID] | None, limit: int) -> list[dict[str, Any]]:
    """Open ones first, then the newest, each with its last word and how many of its cases the caller may see."""
    seen = select(func.count()).where(
        Escalation.outage_id == Outage.id, Escalation.status.not_in(("declined", "merged")), visible_to(actor, now)
    )
    query = _outages().add_columns(LAST_WORD, seen.correlate(Outage).scalar_subquery().label("cases"))
    if after is not None:
        state, id_ = after
        query = query.where(or_(Outage.state > state, and_(Outage.state == state, Outage.id < id_)))
    rows = db.session.execute(query.order_by(Outage.state, Outage.id.desc()).limit(limit))
    return [{**_view(row), "last_word": row.last_word, "cases": row.cases} for row in rows]


def list_open(*, limit: int) -> list[dict[str, Any]]:
    """What a case may join, newest first."""
    asked = select(Outage.id, Outage.title).where(Outage.state == "open").order_by(Outage.id.desc())
    return [dict(row._mapping) for row in db.session.execute(asked.limit(limit))]


def list_newest(outage_id: UUID, *, before: int | None = None, limit: int) -> list[dict[str, Any]]:
    """The timeline with names, newest first."""
    values = {"id": outage_id, "before": before, "limit": limit}
    return [dict(row._mapping) for row in db.session.execute(NEWEST, values)]


def get_view(outage_id: UUID, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """One outage, what was said last, and how far those of its cases are that the caller may see."""
    row = db.session.execute(_outages().where(Outage.id == outage_id)).one_or_none()
    if row is None:
        raise NotFound
    said = db.session.execute(LAST, {"id": outage_id}).mappings().one_or_none()
    return {**_view(row), "last_word": dict(said) if said else None, "escalations": count_cases(outage_id, actor, now)}


def count_cases(outage_id: UUID, actor: Actor, now: datetime) -> dict[str, int]:
    """Of the cases that the caller may see: those at work, those that wait for their customer's word, those closed."""
    part = case(
        (Escalation.status.in_(("resolved", "closed", "requested")), Escalation.status),
        (text(LIVE_SQL), "open"),
        else_="gone",
    )
    asked = select(part.label("part"), func.count().label("cases")).where(
        Escalation.outage_id == outage_id, visible_to(actor, now)
    )
    found = {row.part: row.cases for row in db.session.execute(asked.group_by(part))}
    return {name: found.get(name, 0) for name in IN_PARTS}


def _view(row: Any) -> dict[str, Any]:
    outage = row.Outage
    return {
        **{name: getattr(outage, name) for name in PLAIN},
        "owner": {"id": outage.owner_id, "email": row.email, "name": row.name},
    }


def list_cases(outage_id: UUID, arguments: Mapping[str, Any], *, actor: Actor, now: datetime) -> dict[str, Any]:
    """Its cases that the caller may see, each with what it was offered last; those merged show their survivor."""
    asked = {"status": NOT_GONE, **arguments, "outage": str(outage_id)}
    return listing.list_escalations(asked, actor=actor, now=now)
