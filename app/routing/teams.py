"""Teams: whose work is whose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.auth.models import User
from app.auth.settings import check_calendar
from app.db import db
from app.routing.errors import NoSuchTeam, TeamNameTaken
from app.routing.members import Member, get_colleague, list_members, replace_members
from app.routing.models import Team
from app.routing.names import flush_name


@dataclass(frozen=True)
class TeamView:
    """A team as answered, its lead and members named."""

    id: UUID
    name: str
    tier: str | None
    lead_id: UUID | None
    lead_email: str | None
    calendar: str | None
    members: Sequence[Member]
    created_at: datetime
    version: int


def get_team(team_id: UUID, *, lock: bool = False) -> Team:
    statement = select(Team).where(Team.id == team_id)
    team = db.session.scalar(statement.with_for_update(key_share=True) if lock else statement)
    if team is None:
        raise NoSuchTeam
    return team


def find_team_by_name(name: str, *, lock: bool = False) -> Team | None:
    statement = select(Team).where(Team.name == name)
    return db.session.scalar(statement.with_for_update(key_share=True) if lock else statement)


def find_team_of_tier(tier: str) -> Team | None:
    """The team a tier's work goes to: the one set up first, should there be several."""
    return db.session.scalar(select(Team).where(Team.tier == tier).order_by(Team.created_at, Team.id).limit(1))


def list_names(*, limit: int) -> list[tuple[UUID, str]]:
    """Ids with names, by name."""
    rows = db.session.execute(select(Team.id, Team.name).order_by(Team.name).limit(limit))
    return [(row.id, row.name) for row in rows]


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
    """The teams with the names of their people, in two statements more."""
    members, leads = list_members(teams), _leads_of(teams)
    return [
        TeamView(
            id=team.id,
            name=team.name,
            tier=team.tier,
            lead_id=team.lead_id,
            lead_email=leads.get(team.lead_id),
            calendar=team.calendar,
            members=members[team.id],
            created_at=team.created_at,
            version=team.version,
        )
        for team in teams
    ]


def _leads_of(teams: Sequence[Team]) -> Mapping[UUID | None, str]:
    leads = [team.lead_id for team in teams if team.lead_id]
    statement = select(User.id, User.email).where(User.id.in_(leads))
    return {row.id: row.email for row in db.session.execute(statement)} if leads else {}


def create_team(name: str, *, now: datetime, **fields: Any) -> Team:
    """A new team with `tier, lead_email, calendar`, none of which it must have."""
    if find_team_by_name(name):
        raise TeamNameTaken
    team = Team(name=name, created_at=now, changed_at=now, **_columns(fields))
    db.session.add(team)
    flush_name("uq_team_tenant_id_name", TeamNameTaken)
    return team


def change_team(team: Team, changes: Mapping[str, Any]) -> Team:
    """Apply `name, tier, lead_email, calendar`; what is left out stays, None clears all but the name."""
    taken = find_team_by_name(changes["name"]) if "name" in changes else None
    if taken is not None and taken.id != team.id:
        raise TeamNameTaken
    for name, value in _columns(changes).items():
        setattr(team, name, value)
    flush_name("uq_team_tenant_id_name", TeamNameTaken)
    return team


def _columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they are stored, the lead by id; Invalid names a lead or calendar that is not there."""
    columns = dict(fields)
    if "lead_email" in columns:
        email = columns.pop("lead_email")
        columns["lead_id"] = get_colleague(email, "lead_email").id if email else None
    check_calendar(columns.get("calendar"))
    return columns


def upsert_team(
    name: str, *, members: Sequence[Mapping[str, Any]] | None = None, now: datetime, **fields: Any
) -> tuple[Team, str]:
    """A team by its name, `created`, `updated` or `unchanged`; of `tier, lead_email, calendar` what is left out stays.

    `members` (`email`, `capacity`, `weight`) replace those there are, None leaves them.
    """
    known = find_team_by_name(name, lock=True)
    before = known.version if known else None
    team = change_team(known, fields) if known else create_team(name, **fields, now=now)
    if members is not None:
        replace_members(team, members)
    if before is None:
        return team, "created"
    return team, "unchanged" if team.version == before else "updated"
