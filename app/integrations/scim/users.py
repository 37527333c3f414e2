"""Users as SCIM shows them, and the reading of them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, exists, func, literal, not_, or_, select, true, type_coerce
from sqlalchemy.orm import aliased

from app.auth.models import ERASED_DOMAIN, User
from app.db import db
from app.errors import NotFound
from app.integrations.scim.attributes import ENTERPRISE, USER
from app.integrations.scim.lists import Found, Query, find
from app.integrations.scim.models import DirectoryUser
from app.integrations.scim.questions import Book, LowerText, Rows
from app.integrations.scim.words import group_url, moment, user_url
from app.routing.models import Membership, Team

Manager = aliased(User)


def is_shown(user: Any = User, link: Any = DirectoryUser) -> ColumnElement[bool]:
    """Whom a directory sees: people, not integrations; nobody erased; nobody it took away who has not come back."""
    return and_(
        user.role != "integration",
        not_(user.email.endswith(f"@{ERASED_DOMAIN}")),
        or_(link.removed_at.is_(None), user.active),
    )


def _in_group(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    mine = and_(Membership.user_id == User.id, Membership.team_id == Team.id)
    return exists(select(Membership.id).join(Team, true()).where(mine, condition).correlate(User))


_parts_of_name = func.nullif(func.concat_ws(" ", DirectoryUser.given_name, DirectoryUser.family_name), "", type_=Text)

BOOK = Book(
    kind=USER,
    columns={
        "id": User.id.expression,
        "externalId": DirectoryUser.external_id.expression,
        "userName": type_coerce(User.email, LowerText),
        "name.formatted": func.coalesce(_parts_of_name, User.name, type_=Text),
        "name.givenName": DirectoryUser.given_name.expression,
        "name.familyName": DirectoryUser.family_name.expression,
        "displayName": User.name.expression,
        "title": DirectoryUser.title.expression,
        "timezone": User.timezone.expression,
        "active": User.active.expression,
        "emails.value": type_coerce(User.email, LowerText),
        "emails.type": literal("work"),
        "emails.primary": true(),
        "roles.value": User.role.expression,
        "manager.value": User.manager_id.expression,
        "manager.displayName": Manager.name.expression,
        "meta.resourceType": literal(USER.name),
        "meta.created": User.created_at.expression,
        "meta.lastModified": User.changed_at.expression,
    },
    lists={"groups": Rows(_in_group, {"value": Team.id.expression, "display": Team.name.expression})},
)


@dataclass(frozen=True)
class UserRow:
    """A user with what the directory said of them, if it did, and their manager's name."""

    user: User
    link: DirectoryUser | None
    manager_name: str | None


def _rows() -> Select[User, DirectoryUser, str]:
    return (
        select(User, DirectoryUser, Manager.name)
        .outerjoin(DirectoryUser, DirectoryUser.user_id == User.id)
        .outerjoin(Manager, Manager.id == User.manager_id)
        .where(is_shown())
    )


def get_row(user_id: UUID, *, lock: bool = False) -> UserRow:
    """One user; locked first if asked, so that what stands beside them is read as the change before has left it."""
    if lock:
        db.session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
    row = db.session.execute(_rows().where(User.id == user_id)).one_or_none()
    if row is None:
        raise NotFound
    return UserRow(*row)


def find_shown(ids: Collection[UUID]) -> dict[UUID, User]:
    """Those of these users whom a directory sees, in one statement."""
    if not ids:
        return {}
    statement = select(User).outerjoin(DirectoryUser, DirectoryUser.user_id == User.id)
    return {user.id: user for user in db.session.scalars(statement.where(is_shown(), User.id.in_(ids)))}


def list_users(query: Query) -> tuple[Found, list[dict[str, Any]]]:
    """The users asked for, with their groups where these are shown: three statements, however many they are."""
    found = find(_rows(), BOOK, query, last=User.id)
    rows = [UserRow(*row) for row in found.rows]
    groups = groups_of([row.user.id for row in rows]) if query.projection.shows("groups") else {}
    return found, [show(row, groups.get(row.user.id, ())) for row in rows]


def groups_of(user_ids: Collection[UUID]) -> Mapping[UUID, list[tuple[UUID, str]]]:
    """(id, name) of the teams that each of these users is in, by name."""
    groups = defaultdict(list)
    if user_ids:
        statement = select(Membership.user_id, Team.id, Team.name).join(Team, Team.id == Membership.team_id)
        for user_id, team_id, name in db.session.execute(
            statement.where(Membership.user_id.in_(user_ids)).order_by(Team.name, Team.id)
        ):
            groups[user_id].append((team_id, name))
    return groups


def show(row: UserRow, groups: Sequence[tuple[UUID, str]]) -> dict[str, Any]:
    """The resource: what is not known is left out."""
    user, link = row.user, row.link or DirectoryUser()
    resource = {
        "schemas": [USER.urn, *([ENTERPRISE] if user.manager_id else [])],
        "id": str(user.id),
        "externalId": link.external_id,
        "userName": user.email,
        "name": _name(user, link),
        "displayName": user.name,
        "title": link.title,
        "timezone": user.timezone,
        "active": user.active,
        "emails": [{"value": user.email, "type": "work", "primary": True}],
        "roles": [{"value": user.role}],
        "groups": [{"value": str(id_), "$ref": group_url(id_), "display": name} for id_, name in groups],
        ENTERPRISE: _extension(user, row.manager_name),
        "meta": _meta(user),
    }
    return {name: value for name, value in resource.items() if value is not None and value != []}


def _name(user: User, link: DirectoryUser) -> dict[str, str]:
    parts = {"givenName": link.given_name, "familyName": link.family_name}
    known = {name: part for name, part in parts.items() if part}
    return {"formatted": " ".join(known.values()) or user.name, **known}


def _extension(user: User, manager_name: str | None) -> dict[str, Any] | None:
    if user.manager_id is None:
        return None
    id_ = str(user.manager_id)
    return {"manager": {"value": id_, "$ref": user_url(user.manager_id), "displayName": manager_name}}


def _meta(user: User) -> dict[str, Any]:
    return {
        "resourceType": USER.name,
        "created": moment(user.created_at),
        "lastModified": moment(user.changed_at),
        "location": user_url(user.id),
        "version": f'W/"{user.version}"',
    }
