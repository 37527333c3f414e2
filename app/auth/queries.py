"""Reads of users, tokens and the tenant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, column, func, literal, or_, select, table
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.orm import aliased

from app.auth.erased import find_erased
from app.auth.models import ApiToken, Tenant, User
from app.auth.settings import tenant_settings
from app.db import current_tenant, db
from app.errors import NotFound

__all__ = [
    "UserView",
    "find_erased",
    "find_user_by_email",
    "get_tenant",
    "get_token",
    "get_user",
    "get_user_view",
    "list_active",
    "list_colleagues",
    "list_managers",
    "list_tokens",
    "list_users",
    "users_by_email",
]


@dataclass(frozen=True)
class UserView:
    """A user as answered, with the manager's address beside the id, how much they take on and what they can do."""

    id: UUID
    email: str
    name: str
    role: str
    manager_id: UUID | None
    manager_email: str | None
    timezone: str | None
    calendar: str | None
    active: bool
    created_at: datetime
    version: int
    capacity: int
    skills: list[dict[str, Any]]


Manager = aliased(User)
# Teams and skills belong to a package above; only what they say of a colleague is asked, by their tables' names.
MEMBERSHIP = table("membership", column("user_id"), column("capacity"))
SKILL = table("skill", column("id"), column("name"))
USER_SKILL = table("user_skill", column("user_id"), column("skill_id"), column("level"))
OTHERS = ("manager_email", "capacity", "skills")


def _user_views() -> Select[User, str, int, list[dict[str, Any]]]:
    default = literal(tenant_settings().capacity)
    capacity = select(func.max(func.coalesce(MEMBERSHIP.c.capacity, default))).where(MEMBERSHIP.c.user_id == User.id)
    skill = func.jsonb_build_object("skill", SKILL.c.name, "level", USER_SKILL.c.level)
    skills = (
        select(func.jsonb_agg(aggregate_order_by(skill, func.lower(SKILL.c.name))))
        .select_from(USER_SKILL.join(SKILL, SKILL.c.id == USER_SKILL.c.skill_id))
        .where(USER_SKILL.c.user_id == User.id)
    )
    return select(
        User,
        Manager.email,
        func.coalesce(capacity.scalar_subquery(), default),
        func.coalesce(skills.scalar_subquery(), literal([], JSONB)),
    ).outerjoin(Manager, Manager.id == User.manager_id)


def _view(user: User, manager_email: str | None, capacity: int, skills: list[dict[str, Any]]) -> UserView:
    columns = {name: getattr(user, name) for name in UserView.__dataclass_fields__ if name not in OTHERS}
    return UserView(**columns, manager_email=manager_email, capacity=capacity, skills=skills)


def get_tenant(*, lock: bool = False) -> Tenant:
    """The tenant in scope."""
    statement = select(Tenant).where(Tenant.id == current_tenant())
    tenant = db.session.scalar(statement.with_for_update() if lock else statement)
    if tenant is None:
        raise NotFound
    return tenant


def get_user(user_id: UUID, *, lock: bool = False) -> User:
    statement = select(User).where(User.id == user_id)
    user = db.session.scalar(statement.with_for_update() if lock else statement)
    if user is None:
        raise NotFound
    return user


def find_user_by_email(email: str, *, lock: bool = False) -> User | None:
    statement = select(User).where(User.email == email.strip().lower())
    return db.session.scalar(statement.with_for_update() if lock else statement)


def users_by_email(emails: Iterable[str]) -> dict[str, User]:
    """The users of these addresses, by lower-case address; unknown ones are left out."""
    wanted = {email.strip().lower() for email in emails}
    if not wanted:
        return {}
    return {user.email: user for user in db.session.scalars(select(User).where(User.email.in_(wanted)))}


def list_active(*, ids: Iterable[UUID] = (), emails: Iterable[str] = (), roles: Iterable[str] = ()) -> list[User]:
    """Active users with one of these ids, lower-case addresses or roles; nobody asked for, nobody found."""
    wanted_ids, wanted_emails, wanted_roles = list(ids), list(emails), list(roles)
    if not (wanted_ids or wanted_emails or wanted_roles):
        return []
    named = or_(User.id.in_(wanted_ids), User.email.in_(wanted_emails), User.role.in_(wanted_roles))
    return list(db.session.scalars(select(User).where(named, User.active).order_by(User.email)))


def list_colleagues(limit: int = 300) -> list[tuple[str, str]]:
    """Address and name of those whom a form offers to name, by name; of very many the first, others are typed in."""
    asked = select(User.email, User.name).where(User.active, User.role != "integration")
    return [(row.email, row.name) for row in db.session.execute(asked.order_by(User.name, User.id).limit(limit))]


def list_managers(user_id: UUID | None) -> list[User]:
    """The active manager of a user; a list of one or none."""
    if user_id is None:
        return []
    manager = aliased(User)
    asked = select(manager).join(User, User.manager_id == manager.id).where(User.id == user_id, manager.active)
    return list(db.session.scalars(asked))


def get_user_view(user_id: UUID) -> UserView:
    row = db.session.execute(_user_views().where(User.id == user_id)).one_or_none()
    if row is None:
        raise NotFound
    return _view(*row)


def list_users(filters: Mapping[str, Any], *, after: list[Any] | None, limit: int) -> list[UserView]:
    """Users by address; `filters` on role, active, a skill by its name and a part `q` of address or name."""
    statement = _user_views().order_by(User.email).limit(limit)
    for name in ("role", "active"):
        if name in filters:
            statement = statement.where(getattr(User, name) == filters[name])
    if "skill" in filters:
        masters = select(USER_SKILL.c.user_id).join(SKILL, SKILL.c.id == USER_SKILL.c.skill_id)
        statement = statement.where(
            User.id.in_(masters.where(func.lower(SKILL.c.name) == func.lower(filters["skill"])))
        )
    if "q" in filters:
        wanted = filters["q"].lower()
        statement = statement.where(
            User.email.contains(wanted, autoescape=True) | User.name.icontains(wanted, autoescape=True)
        )
    if after:
        statement = statement.where(User.email > after[0])
    return [_view(*row) for row in db.session.execute(statement)]


def get_token(token_id: UUID) -> ApiToken:
    token = db.session.scalar(select(ApiToken).where(ApiToken.id == token_id).with_for_update())
    if token is None:
        raise NotFound
    return token


def list_tokens(user_id: UUID | None, *, after: list[Any] | None, limit: int) -> list[dict[str, Any]]:
    """Tokens, newest first, with their user's address; never the secret, which nobody has."""
    columns = (
        ApiToken.id,
        ApiToken.user_id,
        User.email.label("user_email"),
        ApiToken.name,
        ApiToken.scopes,
        ApiToken.created_at,
        ApiToken.expires_at,
        ApiToken.revoked_at,
        ApiToken.last_used_at,
    )
    statement = select(*columns).join(User, User.id == ApiToken.user_id).order_by(ApiToken.id.desc()).limit(limit)
    if user_id is not None:
        statement = statement.where(ApiToken.user_id == user_id)
    if after:
        statement = statement.where(ApiToken.id < UUID(after[0]))
    return [dict(row) for row in db.session.execute(statement).mappings()]
