"""Groups as SCIM shows them, which are our teams, and the reading of them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, literal, or_, select
from sqlalchemy.orm import aliased

from app.auth.models import User
from app.db import db
from app.errors import NotFound
from app.integrations.scim.attributes import GROUP, USER
from app.integrations.scim.lists import Found, Query, find
from app.integrations.scim.models import DirectoryTeam, DirectoryUser
from app.integrations.scim.questions import Book, Rows
from app.integrations.scim.users import is_shown
from app.integrations.scim.words import group_url, moment, user_url
from app.routing.models import Membership, Team

MOST = 100
Member = aliased(User)


def _has_member(condition: ColumnElement[bool] | None = None) -> ColumnElement[bool]:
    """Whether somebody whom the directory sees is in the team; with a condition, somebody who meets it."""
    statement = (
        select(Membership.id)
        .join(Member, Member.id == Membership.user_id)
        .outerjoin(DirectoryUser, DirectoryUser.user_id == Member.id)
        .where(Membership.team_id == Team.id, is_shown(Member))
    )
    return exists((statement if condition is None else statement.where(condition)).correlate(Team))


BOOK = Book(
    kind=GROUP,
    columns={
        "id": Team.id.expression,
        "externalId": DirectoryTeam.external_id.expression,
        "displayName": Team.name.expression,
        "meta.resourceType": literal(GROUP.name),
        "meta.created": Team.created_at.expression,
        "meta.lastModified": Team.changed_at.expression,
    },
    lists={
        "members": Rows(
            _has_member,
            {"value": Membership.user_id.expression, "display": Member.name.expression, "type": literal(USER.name)},
        )
    },
)


@dataclass(frozen=True)
class GroupRow:
    """A team with what the directory said of it, if it did."""

    team: Team
    link: DirectoryTeam | None


def _rows() -> Select[Team, DirectoryTeam]:
    """Every team but those the directory took away and nobody has joined since."""
    statement = select(Team, DirectoryTeam).outerjoin(DirectoryTeam, DirectoryTeam.team_id == Team.id)
    return statement.where(or_(DirectoryTeam.removed_at.is_(None), _has_member()))


def get_row(team_id: UUID, *, lock: bool = False) -> GroupRow:
    """One team; locked first if asked, so that what stands beside it is read as the change before has left it."""
    if lock:
        db.session.execute(select(Team.id).where(Team.id == team_id).with_for_update(key_share=True))
    row = db.session.execute(_rows().where(Team.id == team_id)).one_or_none()
    if row is None:
        raise NotFound
    return GroupRow(*row)


def list_groups(query: Query) -> tuple[Found, list[dict[str, Any]]]:
    """The groups asked for, with their members where these are shown: three statements, however many they are."""
    found = find(_rows(), BOOK, query, last=Team.id)
    rows = [GroupRow(*row) for row in found.rows]
    members = members_of([row.team.id for row in rows]) if query.projection.shows("members") else {}
    return found, [show(row, members.get(row.team.id, ())) for row in rows]


def members_of(team_ids: Collection[UUID]) -> Mapping[UUID, list[tuple[UUID, str]]]:
    """(id, name) of the people in each of these teams, by name; whoever the directory does not see is left out."""
    members = defaultdict(list)
    if team_ids:
        statement = (
            select(Membership.team_id, User.id, User.name)
            .join(User, User.id == Membership.user_id)
            .outerjoin(DirectoryUser, DirectoryUser.user_id == User.id)
            .where(Membership.team_id.in_(team_ids), is_shown())
        )
        for team_id, user_id, name in db.session.execute(statement.order_by(User.name, User.id)):
            members[team_id].append((user_id, name))
    return members


def show(row: GroupRow, members: Sequence[tuple[UUID, str]]) -> dict[str, Any]:
    """The resource: what is not known is left out."""
    team, link = row.team, row.link or DirectoryTeam()
    resource = {
        "schemas": [GROUP.urn],
        "id": str(team.id),
        "externalId": link.external_id,
        "displayName": team.name,
        "members": [
            {"value": str(id_), "$ref": user_url(id_), "display": name, "type": USER.name} for id_, name in members
        ],
        "meta": _meta(team),
    }
    return {name: value for name, value in resource.items() if value is not None}


def _meta(team: Team) -> dict[str, Any]:
    return {
        "resourceType": GROUP.name,
        "created": moment(team.created_at),
        "lastModified": moment(team.changed_at),
        "location": group_url(team.id),
        "version": f'W/"{team.version}"',
    }
