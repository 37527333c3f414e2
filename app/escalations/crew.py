"""How the people of a team stand: what they hold against what fits, what is late, who is away and until when."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, or_, select, text

from app.auth.actor import Actor
from app.auth.settings import tenant_settings
from app.db import db
from app.escalations.agenda import LIVE
from app.escalations.models import LIVE_SQL, Escalation, Request
from app.escalations.queries import base, visible_to
from app.escalations.record_shapes import item_of
from app.routing.models import Team
from app.rows import array_of

AHEAD = timedelta(days=14)
MOST_PEOPLE = 200

# Of a team its members; else whoever reports to somebody, directly or not.
TEAM = "select user_id from membership where team_id = cast(:team as uuid)"
BELOW = """
    with recursive below as (
        select u.id, 1 as depth from "user" u where u.manager_id = :me
        union all select u.id, below.depth + 1 from "user" u join below on u.manager_id = below.id where depth < 50
    ) select id from below"""
PEOPLE = """
    select u.id, u.name, u.email, u.role,
           coalesce((select max(m.capacity) from membership m where m.user_id = u.id), :capacity) as capacity,
           held.load, held.open, held.late, held.waiting, held.oldest,
           away.id as absence_id, away.starts_at, away.ends_at, away.mode, stand_in.name as delegate
    from "user" u
    left join lateral (
        select coalesce(sum(h.weight), 0) as load, count(*) as open, count(*) filter (where e.due_at < :now) as late,
               count(*) filter (where e.status in ('waiting', 'resolved')) as waiting, min(e.raised_at) as oldest
        from assignment h join escalation e on e.id = h.escalation_id and e.{live}
        where h.owner_id = u.id and h.released_at is null) held on true
    left join lateral (
        select a.* from absence a where a.user_id = u.id and a.ends_at > :now and a.starts_at < :soon
        order by a.starts_at limit 1) away on true
    left join "user" stand_in on stand_in.id = away.delegate_id
    where u.active and u.role <> 'integration' and u.id in ({whose})
    order by u.name, u.id limit :most
"""
OF_MINE = text(
    f"""
    select t.id from team t where t.lead_id = :me or t.lead_id in ({BELOW})
    union select m.team_id from membership m where m.user_id = :me
    """  # noqa: S608 - the part is ours
)
OF_TEAM = text(PEOPLE.format(live=LIVE_SQL, whose=TEAM))
OF_LINE = text(PEOPLE.format(live=LIVE_SQL, whose=BELOW))
RETURNED = text(
    f"""
    select a.id, a.user_id, u.name, a.ends_at, count(*) as moved
    from absence a join "user" u on u.id = a.user_id
    join absence_move m on m.absence_id = a.id and m.to_id is not null and m.returned_at is null
    join escalation e on e.id = m.escalation_id and e.owner_id <> a.user_id and e.{LIVE_SQL}
         and e.about_user_id is distinct from a.user_id and (not e.restricted or a.user_id = :me)
    where a.mode = 'move' and a.ends_at <= :now and a.ends_at > :since
    and (a.user_id = :me or a.user_id = any(cast(:people as uuid[])))
    group by a.id, a.user_id, u.name, a.ends_at order by a.ends_at desc limit 20
    """  # noqa: S608 - the part is ours
)


def list_teams(actor: Actor, *, limit: int) -> list[Team]:
    """The teams whose load the caller may see, by name."""
    asked = select(Team).order_by(Team.name).limit(limit)
    if actor.role not in ("admin", "executive"):
        asked = asked.where(Team.id.in_(OF_MINE.bindparams(me=actor.user_id)))
    return list(db.session.scalars(asked))


def list_people(team_id: UUID | None, *, actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """Everybody of a team, or without one whoever reports to the caller: `load` against `capacity` in work weight,
    how many cases are `open`, `late` and `waiting`, and the absence that is or begins within 14 days."""
    values = {"team": team_id, "me": actor.user_id, "capacity": tenant_settings().capacity, "now": now}
    rows = db.session.execute(
        OF_TEAM if team_id else OF_LINE, {**values, "soon": now + AHEAD, "most": MOST_PEOPLE}
    ).mappings()
    return [dict(row) for row in rows]


def list_needing(people: Sequence[UUID], *, actor: Actor, now: datetime, limit: int) -> list[dict[str, Any]]:
    """Open cases that need somebody above: no owner was found by rule, a request waits for an answer, or the close date
    has passed; of these people, and failed ones of anybody. In one statement, failed ones first."""
    pending = exists().where(Request.escalation_id == Escalation.id, Request.state == "pending").correlate(Escalation)
    theirs = Escalation.owner_id.in_(people)
    query = (
        base()
        .add_columns(pending.label("asked"))
        .where(visible_to(actor, now))
        .where(
            or_(
                LIVE & Escalation.assignment_failed,
                LIVE & theirs & ((Escalation.due_at < now) | pending),
                (Escalation.status == "requested") & pending,
            )
        )
        .order_by(Escalation.assignment_failed.desc(), pending.desc(), Escalation.due_at, Escalation.id)
        .limit(limit)
    )
    return [{**item_of(row, now), "asked": row["asked"]} for row in db.session.execute(query).mappings()]


def list_returned(people: Sequence[UUID], *, actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """Whose absence ended in the last 14 days while cases that were moved for it are still with others."""
    values = {"me": actor.user_id, "people": array_of(people), "now": now, "since": now - AHEAD}
    return [dict(row) for row in db.session.execute(RETURNED, values).mappings()]
