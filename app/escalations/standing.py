"""How a caller stands to a case, and whether they may see it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text

from app.auth.actor import Actor
from app.db import db
from app.errors import NotFound
from app.escalations import permissions
from app.escalations.models import Escalation


def places(about: str, *, me: str = ":me") -> str:
    """SQL: the recursive `places` of whom `me` stands in for now, themselves included: the absent whose chain of
    delegates leads to them. A chain breaks at who left and at whom the case is about; who is absent stands in for
    nobody."""
    return f"""
    places (id) as (
        select cast({me} as uuid)
        union
        select a.user_id from absence a join places on places.id = a.delegate_id
        join "user" u on u.id = a.user_id and u.active
        where a.starts_at <= :now and a.ends_at > :now and a.user_id is distinct from {about}
        and not exists (select 1 from absence own
                        where own.user_id = {me} and own.starts_at <= :now and own.ends_at > :now)
    )
    """  # noqa: S608 - the parts are ours


def in_line(case: str, *, me: str = ":me", or_else: str = "false") -> str:
    """SQL: in person or for somebody absent `me` owns this case or stands above its owner; `or_else` may ask of the
    same `places` and of the user `one`, who is one of them, what gives the right as well."""
    return f"""
    exists (with recursive {places(f"{case}.about_user_id", me=me)}, line as (
        select {case}.owner_id as id, 0 as height
        union all
        select u.manager_id, line.height + 1 from "user" u join line on u.id = line.id where line.height < 50
    )
    select 1 from places join "user" one on one.id = places.id where places.id in (select id from line) or {or_else})
    """  # noqa: S608 - the parts are ours


def sees_restricted(case: str, *, me: str = ":me") -> str:
    """SQL: `me` may see this restricted case, which is not about them and was approved."""
    return f"""(
        {in_line(case, me=me)}
        or exists (select from watcher w
                   where w.tenant_id = {case}.tenant_id and w.escalation_id = {case}.id and w.user_id = {me})
        or exists (select from "user" i where i.id = {me} and i.role = 'admin')
    )"""  # noqa: S608 - the parts are ours


STANDING = text(
    f"""
    with recursive line as (
        select u.id, u.manager_id, 1 as height from "user" u where u.id = cast(:owner as uuid)
        union all
        select m.id, m.manager_id, line.height + 1 from "user" m join line on m.id = line.manager_id
        where line.height < 50
    ), {places("cast(:about as uuid)")}
    select array(select id from line where height > 1 order by height) as above,
           array(select id from places where id <> :me) as absent,
           (select lead_id from team where id = cast(:team as uuid)) as lead_id,
           exists (select 1 from watcher where escalation_id = :case and user_id = :me) as watches,
           exists (select 1 from task t where t.escalation_id = :case
                   and t.assignee_id in (select id from places)) as has_task,
           (select json_object_agg(last.kind, last.assignee_id) from (
               select distinct on (t.kind) t.kind, t.assignee_id, t.state from task t
               where t.escalation_id = :case and t.kind in ('qualification', 'handover', 'decision')
               order by t.kind, t.id desc
           ) last where last.assignee_id in (select id from places)
             and (last.state = 'open' or last.kind = 'qualification')) as asked
    """  # noqa: S608 - the part is ours
)


def standing_of(record: Escalation, actor: Actor, *, now: datetime) -> permissions.Actor:
    """How the actor stands to the case, in person and in the place of who is absent now."""
    if actor.user_id is None:
        return permissions.Actor(role="admin")
    row = db.session.execute(
        STANDING,
        {
            "me": actor.user_id,
            "owner": record.owner_id,
            "team": record.team_id,
            "case": record.id,
            "about": record.about_user_id,
            "now": now,
        },
    ).one()
    standing = permissions.Actor(
        role=actor.role,
        is_requester=record.requester_id == actor.user_id,
        is_watching=row.watches,
        is_about=record.about_user_id == actor.user_id,
        has_task=row.has_task,
        asked={kind: UUID(whose) for kind, whose in (row.asked or {}).items()},
    )
    return permissions.in_places(
        standing,
        actor.user_id,
        absent=row.absent,
        owner_id=record.owner_id,
        above=row.above,
        lead_id=row.lead_id,
    )


def survivor_id(escalation_id: UUID) -> UUID:
    """Where a merged case leads; merges keep this one hop long."""
    merged_into: UUID | None = db.session.scalar(
        select(Escalation.merged_into_id).where(Escalation.id == escalation_id)
    )
    return merged_into or escalation_id


def lock_record(escalation_id: UUID) -> Escalation:
    """The record, locked; of a merged one, its survivor."""
    for _ in range(2):
        record = db.session.scalar(select(Escalation).where(Escalation.id == escalation_id).with_for_update())
        if record is None:
            raise NotFound
        if record.merged_into_id is None:
            return record
        escalation_id = record.merged_into_id
    raise NotFound


def check_seen(record: Escalation, standing: permissions.Actor, actor: Actor) -> None:
    """A case the caller may not see looks like one that does not exist; an integration feeds, it does not read."""
    if actor.role == "integration" and not record.restricted:
        return
    if not permissions.may_see(standing, restricted=record.restricted):
        raise NotFound
