"""Writing groups as the directory wants them: the team's name and its members; the rest of a team is ours."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.db import db
from app.integrations.scim import bodies, patches
from app.integrations.scim.attributes import GROUP, USER
from app.integrations.scim.errors import InvalidValue
from app.integrations.scim.groups import GroupRow, members_of, show
from app.integrations.scim.models import DirectoryTeam
from app.integrations.scim.users import find_shown
from app.routing import service as routing
from app.routing.models import Team

LONGEST_NAME = 200
NAMED_IN_A_REFUSAL = 5


def create(body: Mapping[str, Any], *, now: datetime) -> GroupRow:
    """A new team; one that the directory took away comes back under the id it had, with the members given."""
    wanted = bodies.read(GROUP, body)
    name, told = _name(wanted), wanted.get("externalId")
    row = _bring_back(name, told) or _make(name, told, now)
    _keep_members(row.team, set(), _ids(wanted.get("members") or []))
    return row


def _make(name: str, told: str | None, now: datetime) -> GroupRow:
    team = routing.create_team(name, now=now)
    link = DirectoryTeam(team_id=team.id, external_id=told)
    db.session.add(link)
    return GroupRow(team, link)


def _bring_back(name: str, told: str | None) -> GroupRow | None:
    """The team of this name that the directory took away; None where there is none, or somebody has joined since."""
    statement = select(Team, DirectoryTeam).join(DirectoryTeam, DirectoryTeam.team_id == Team.id)
    statement = statement.where(DirectoryTeam.removed_at.is_not(None), Team.name == name)
    row = db.session.execute(statement.with_for_update(key_share=True)).one_or_none()
    if row is None or members_of([row[0].id]):
        return None
    team, link = row
    link.external_id, link.removed_at = told, None
    routing.note_change(team)
    return GroupRow(team, link)


def replace(row: GroupRow, body: Mapping[str, Any]) -> GroupRow:
    """PUT: what is given holds, null clears, what is left out keeps its value."""
    given = bodies.read(GROUP, body)
    before = _shown(row)
    return _save(row, before, bodies.laid_over(before, {"displayName": None, **given}))


def change(row: GroupRow, body: Mapping[str, Any]) -> GroupRow:
    """PATCH: the operations in turn."""
    before = _shown(row)
    return _save(row, before, patches.apply(GROUP, before, body))


def _shown(row: GroupRow) -> dict[str, Any]:
    return show(row, members_of([row.team.id]).get(row.team.id, ()))


def _save(row: GroupRow, before: Mapping[str, Any], wanted: Mapping[str, Any]) -> GroupRow:
    team, name, told = row.team, _name(wanted), wanted.get("externalId")
    if name != team.name:
        routing.change_team(team, {"name": name})
    link = row.link or DirectoryTeam(team_id=team.id)
    if told != link.external_id:
        link.external_id = told
        db.session.add(link)
        routing.note_change(team)
    _keep_members(team, _ids(before["members"]), _ids(wanted.get("members") or []))
    return GroupRow(team, link)


def _keep_members(team: Team, present: set[UUID], wanted: set[UUID]) -> None:
    joining = wanted - present
    _check_people(joining)
    routing.change_members(team, joining=joining, leaving=present - wanted)


def _check_people(ids: Collection[UUID]) -> None:
    if unknown := sorted(set(ids) - set(find_shown(ids))):
        named = ", ".join(map(str, unknown[:NAMED_IN_A_REFUSAL]))
        raise InvalidValue(f"members: expected ids of users, among others not {named}")


def _ids(members: Collection[Mapping[str, Any]]) -> set[UUID]:
    if any((member.get("type") or USER.name).lower() != USER.name.lower() for member in members):
        raise InvalidValue("members: expected users; groups do not stand in groups")
    try:
        return {UUID(member.get("value")) for member in members}
    except (TypeError, ValueError):
        raise InvalidValue("members: expected the id of a user as the value of each") from None


def _name(wanted: Mapping[str, Any]) -> str:
    name = wanted.get("displayName") or ""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise InvalidValue(f"displayName: expected a name of at most {LONGEST_NAME} characters")
    return str(name)


def remove(row: GroupRow, *, now: datetime) -> None:
    """DELETE: everybody leaves, and the directory no longer sees the team; rules that name it and its past stay."""
    _keep_members(row.team, _ids(_shown(row)["members"]), set())
    link = row.link or DirectoryTeam(team_id=row.team.id)
    link.removed_at = now
    db.session.add(link)
    routing.note_change(row.team)
