"""How a caller stands to a case, and whether they may see it."""

from uuid import UUID

from sqlalchemy import select, text

from app.auth.actor import Actor
from app.db import db
from app.errors import NotFound
from app.escalations import permissions
from app.escalations.models import Escalation

STANDING = text(
    """
    with recursive line as (
        select u.id, u.manager_id, 1 as height from "user" u where u.id = cast(:owner as uuid)
        union all
        select m.id, m.manager_id, line.height + 1 from "user" m join line on m.id = line.manager_id
        where line.height < 50
    )
    select exists (select 1 from line where id = :me and height > 1) as above_owner,
           exists (select 1 from team where id = cast(:team as uuid) and lead_id = :me) as leads_team,
           exists (select 1 from watcher where escalation_id = :case and user_id = :me) as watches
    """
)


def standing_of(record: Escalation, actor: Actor) -> permissions.Actor:
    """How the actor stands to the case: owner, who acts for them, above them, watching, or whom it is about."""
    if actor.is_system:
        return permissions.Actor(role="admin")
    values = {"me": actor.user_id, "owner": record.owner_id, "team": record.team_id, "case": record.id}
    row = db.session.execute(STANDING, values).one()
    return permissions.Actor(
        role=actor.role,
        is_owner=record.owner_id == actor.user_id,
        acts_for_owner=row.leads_team,
        above_owner=row.above_owner,
        is_requester=record.requester_id == actor.user_id,
        is_watching=row.watches,
        is_about=record.about_user_id == actor.user_id,
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
