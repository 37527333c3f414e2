"""Writing users as the directory wants them, through the same functions as everybody else."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.auth import service as auth
from app.auth.actor import Actor
from app.auth.models import User
from app.db import db
from app.integrations.scim import bodies, patches
from app.integrations.scim.attributes import USER
from app.integrations.scim.errors import InvalidValue
from app.integrations.scim.models import DirectoryUser
from app.integrations.scim.users import UserRow, find_shown, get_row, show
from app.integrations.scim.wishes import Wish, read_wish
from app.routing import service as routing


def create(body: Mapping[str, Any], *, actor: Actor, now: datetime) -> UserRow:
    """A new user; whom the directory took away comes back as they are wanted now, under the id they had.

    An address that somebody else has is refused, and one whose person was erased for ever.
    """
    wish = read_wish(bodies.read(USER, body))
    user, link = _find_removed(wish.email) or _make(wish, actor, now)
    _keep(user, link, wish)
    return get_row(user.id)


def _make(wish: Wish, actor: Actor, now: datetime) -> tuple[User, DirectoryUser]:
    user = auth.create_user(**wish.of_user(), actor=actor, now=now)
    link = DirectoryUser(user_id=user.id, **wish.of_link())
    db.session.add(link)
    return user, link


def _find_removed(email: str) -> tuple[User, DirectoryUser] | None:
    removed = DirectoryUser.removed_at.is_not(None) & User.active.is_(False)
    statement = select(User, DirectoryUser).join(DirectoryUser, DirectoryUser.user_id == User.id)
    row = db.session.execute(
        statement.where(removed, User.email == email).with_for_update(key_share=True)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def replace(row: UserRow, body: Mapping[str, Any]) -> UserRow:
    """PUT: what is given holds, null clears, what is left out keeps its value."""
    before, given = show(row, ()), bodies.read(USER, body)
    if not given.get("userName"):
        raise InvalidValue("userName: expected the address")
    asked = read_wish(bodies.laid_over(before, given), None if given.get("displayName") else before)
    return _save(row, asked)


def change(row: UserRow, body: Mapping[str, Any]) -> UserRow:
    """PATCH: the operations in turn."""
    before = show(row, ())
    return _save(row, read_wish(patches.apply(USER, before, body), before))


def _save(row: UserRow, wish: Wish) -> UserRow:
    link = row.link
    if link is None:
        link = DirectoryUser(user_id=row.user.id)
        if any(wish.of_link().values()):
            db.session.add(link)
    _keep(row.user, link, wish)
    return get_row(row.user.id)


def _keep(user: User, link: DirectoryUser, wish: Wish) -> None:
    wanted = {**wish.of_user(), "active": wish.active}
    changes: dict[str, Any] = {name: value for name, value in wanted.items() if getattr(user, name) != value}
    if wish.manager_id != user.manager_id:
        changes["manager_email"] = _address_of(wish.manager_id)
    if changes:
        auth.change_user(user, changes)
    told = {**wish.of_link(), "removed_at": None}
    beside = {name: value for name, value in told.items() if getattr(link, name) != value}
    for name, value in beside.items():
        setattr(link, name, value)
    if beside:
        auth.note_change(user)


def _address_of(manager_id: UUID | None) -> str | None:
    if manager_id is None:
        return None
    manager = find_shown([manager_id]).get(manager_id)
    if manager is None:
        raise InvalidValue("manager: expected the id of a user")
    return manager.email


def remove(row: UserRow, *, now: datetime) -> None:
    """DELETE: deactivated, out of every team, and out of the directory's sight; what they did stays."""
    if row.user.active:
        auth.change_user(row.user, {"active": False})
    routing.leave_teams(row.user.id)
    link = row.link or DirectoryUser(user_id=row.user.id)
    link.removed_at = now
    db.session.add(link)
    auth.note_change(row.user)
