"""Teams and who is in them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm.attributes import flag_modified

from app.auth.models import User
from app.auth.queries import find_user_by_email, get_user
from app.db import current_tenant, db, new_id
from app.errors import invalid
from app.routing.errors import NoSuchTeam, TeamNameTaken
from app.routing.models import Membership, Team


@dataclass(frozen=True)
class Member:
    """A colleague in a team; `capacity` None stands for the tenant's default."""

    user_id: UUID
    email: str
    name: str
    active: bool
    capacity: int | None


@dataclass(frozen=True)
class TeamView:
    """A team as answered, its lead and members named."""

    id: UUID
    name: str
    tier: str | None
    lead_id: UUID | None
    lead_email: str | None
    members: Sequence[Member]
    created_at: datetime
    version: int


def get_team(team_id: UUID, *, lock: bool = False) -> Team:
    statement = select(Team).where(Team.id == team_id)
    team = db.session.scalar(statement.with_for_update(key_share=True) if lock else statement)
    if team is None:
        raise NoSuchTeam
    return team


def find_team_by_name(name: str) -> Team | None:
    return db.session.scalar(select(Team).where(Team.name == name))


def find_team_of_tier(tier: str) -> Team | None:
    """The team a tier's work goes to: the one set up first, should there be several."""
    return db.session.scalar(select(Team).where(Team.tier == tier).order_by(Team.created_at, Team.id).limit(1))


def list_teams(*, after: tuple[str, UUID] | None, limit: int) -> list[TeamView]:
    """By name, from after a (name, id) on."""
    statement = select(Team)
    if after:
        name, id_ = after
        statement = statement.where((Team.name > name) | ((Team.name == name) & (Team.id > id_)))
    return views(list(db.session.scalars(statement.order_by(Team.name, Team.id).limit(limit))))


def view(team: Team) -> TeamView:
    return views([team])[0]


def views(teams: Sequence[Team]) -> list[TeamView]:
    """The teams with the names of their people, in one statement more."""
    members: dict[UUID, list[Member]] = {team.id: [] for team in teams}
    for membership, user in _people_of(teams):
        members[membership.team_id].append(Member(user.id, user.email, user.name, user.active, membership.capacity))
    leads = _leads_of(teams)
    return [
        TeamView(
            team.id, team.name, team.tier, team.lead_id, leads.get(team.lead_id), members[team.id], team.created_at,
            team.version,
        )
        for team in teams
    ]  # fmt: skip


def _people_of(teams: Sequence[Team]) -> list[Any]:
    statement = (
        select(Membership, User)
        .join(User, User.id == Membership.user_id)
        .where(Membership.team_id.in_([team.id for team in teams]))
        .order_by(User.name, User.id)
    )
    return list(db.session.execute(statement)) if teams else []


def _leads_of(teams: Sequence[Team]) -> Mapping[UUID | None, str]:
    leads = [team.lead_id for team in teams if team.lead_id]
    statement = select(User.id, User.email).where(User.id.in_(leads))
    return {row.id: row.email for row in db.session.execute(statement)} if leads else {}


def create_team(name: str, *, tier: str | None = None, lead_email: str | None = None, now: datetime) -> Team:
    if find_team_by_name(name):
        raise TeamNameTaken
    lead_id = _person(lead_email, "lead_email").id if lead_email else None
    team = Team(name=name, tier=tier, lead_id=lead_id, created_at=now)
    db.session.add(team)
    db.session.flush()
    return team


def change_team(team: Team, changes: Mapping[str, Any]) -> Team:
    """Apply `name, tier, lead_email`; what is left out stays, None clears tier and lead."""
    changes = dict(changes)
    if "lead_email" in changes:
        email = changes.pop("lead_email")
        team.lead_id = _person(email, "lead_email").id if email else None
    taken = find_team_by_name(changes["name"]) if "name" in changes else None
    if taken is not None and taken.id != team.id:
        raise TeamNameTaken
    for name, value in changes.items():
        setattr(team, name, value)
    db.session.flush()
    return team


def is_member(team: Team, user_id: UUID) -> bool:
    question = select(Membership.id).where(Membership.team_id == team.id, Membership.user_id == user_id)
    return db.session.scalar(question) is not None


def put_member(team: Team, user_id: UUID, *, capacity: int | None) -> None:
    """Add a colleague or change their capacity."""
    user = get_user(user_id)
    if user.role == "integration":
        raise invalid("user_id", "expected a person, not an integration")
    _write_members(team, {user_id: capacity})
    _note_change(team)


def remove_member(team: Team, user_id: UUID) -> None:
    """What the member holds stays with them; nothing new comes by way of this team."""
    if not is_member(team, user_id):
        raise NoSuchTeam("There is no such member in this team")
    _delete_members(team, {user_id})
    _note_change(team)


def upsert_team(
    name: str,
    *,
    tier: str | None = None,
    lead_email: str | None = None,
    members: Sequence[Mapping[str, Any]] | None = None,
    now: datetime,
) -> tuple[Team, str]:
    """A team by its name, `created`, `updated` or `unchanged`; `members` (`email`, `capacity`) replace those there
    are, None leaves them."""
    team = find_team_by_name(name)
    outcome = "unchanged" if team else "created"
    if team is None:
        team = create_team(name, tier=tier, lead_email=lead_email, now=now)
    elif _differs(team, tier, lead_email):
        change_team(team, {"tier": tier, "lead_email": lead_email})
        outcome = "updated"
    if members is not None and _replace_members(team, members) and outcome == "unchanged":
        outcome = "updated"
    return team, outcome


def _differs(team: Team, tier: str | None, lead_email: str | None) -> bool:
    lead_id = _person(lead_email, "lead_email").id if lead_email else None
    return (team.tier, team.lead_id) != (tier, lead_id)


def _replace_members(team: Team, members: Sequence[Mapping[str, Any]]) -> bool:
    wanted = {
        _person(member["email"], f"members.{index}.email").id: member.get("capacity")
        for index, member in enumerate(members)
    }
    rows = db.session.execute(select(Membership.user_id, Membership.capacity).where(Membership.team_id == team.id))
    present = {row.user_id: row.capacity for row in rows}
    if present == wanted:
        return False
    _delete_members(team, set(present) - set(wanted))
    _write_members(team, wanted)
    _note_change(team)
    return True


def _note_change(team: Team) -> None:
    """Members are part of the team, so its ETag changes with them."""
    flag_modified(team, "name")
    db.session.flush()


def _delete_members(team: Team, user_ids: Collection[UUID]) -> None:
    db.session.execute(
        delete(Membership)
        .where(Membership.team_id == team.id, Membership.user_id.in_(user_ids))
        .execution_options(synchronize_session=False)
    )


def _write_members(team: Team, capacities: Mapping[UUID, int | None]) -> None:
    if not capacities:
        return
    rows = [
        {"tenant_id": current_tenant(), "id": new_id(), "team_id": team.id, "user_id": user_id, "capacity": capacity}
        for user_id, capacity in capacities.items()
    ]
    statement = insert(Membership).values(rows)
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "team_id", "user_id"], set_={"capacity": statement.excluded.capacity}
        ).execution_options(synchronize_session=False)
    )


def _person(email: str, field: str) -> User:
    user = find_user_by_email(email)
    if user is None or user.role == "integration":
        raise invalid(field, f"there is no colleague with the address {email}")
    return user
