"""Tenants, users and tokens: who may call and who stands above whom."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import flag_modified

from app import clock
from app.auth import queries, tokens
from app.auth.actor import Actor
from app.auth.changes import update_settings
from app.auth.erased import remember as remember_erased
from app.auth.errors import DutyRequired, EmailTaken, ManagerCycle, PersonErased
from app.auth.models import ApiToken, Tenant, User
from app.auth.queries import find_user_by_email, get_user
from app.auth.roles import SCOPES_OF, held_scopes
from app.auth.settings import TenantSettings, check_calendar
from app.db import current_tenant, db, is_unique_violation, load_tenant, take_turn
from app.errors import Forbidden, invalid

__all__ = [
    "can_own",
    "change_user",
    "create_tenant",
    "create_token",
    "create_user",
    "find_user_by_email",
    "get_user",
    "line_above",
    "note_change",
    "remember_erased",
    "revoke_token",
    "set_current",
    "update_settings",
]


def create_tenant(name: str, *, sandbox: bool, now: datetime) -> Tenant:
    """The tenant whose new id the door has put in scope; its row is in the open transaction from here on."""
    tenant = Tenant(id=current_tenant(), name=name, sandbox=sandbox, created_at=now, settings={}, current={})
    db.session.add(tenant)
    db.session.flush()
    load_tenant(db.session())
    return tenant


def begin_publishing(what: str) -> None:
    """Publications of one tenant wait for each other, and each sees what the one before made current."""
    take_turn(what)
    load_tenant(db.session())


def set_current(**versions: Any) -> None:
    """Make these the current versions of versioned things (`policy=3`); no change of settings, so no new ETag."""
    db.session.execute(
        update(Tenant)
        .where(Tenant.id == current_tenant())
        .values(current=Tenant.current.concat(versions))
        .execution_options(synchronize_session=False)
    )
    load_tenant(db.session())


def create_user(
    email: str,
    *,
    name: str,
    role: str,
    manager_email: str | None = None,
    timezone: str | None = None,
    calendar: str | None = None,
    actor: Actor,
    now: datetime,
) -> User:
    """A new colleague; the first of a tenant who can own work becomes its duty owner."""
    email = email.strip().lower()
    if find_user_by_email(email):
        raise EmailTaken
    _refuse_erased(email)
    check_calendar(calendar)
    user = User(
        email=email,
        name=name,
        role=role,
        manager_id=_manager(manager_email).id if manager_email else None,
        timezone=timezone,
        calendar=calendar,
        active=True,
        created_at=now,
        changed_at=now,
    )
    db.session.add(user)
    _flush_address()
    if role != "integration":
        _name_first_duty_owner(email)
    return user


def _name_first_duty_owner(email: str) -> None:
    named = db.session.execute(
        text(
            "update tenant set settings = settings || jsonb_build_object('duty_owner_email', cast(:email as text)),"
            " version = version + 1 where id = :tenant and settings ->> 'duty_owner_email' is null returning id"
        ),
        {"email": email, "tenant": current_tenant()},
    ).one_or_none()
    if named:
        load_tenant(db.session())


def change_user(user: User, changes: Mapping[str, Any]) -> User:
    """Apply `email, name, role, manager_email, timezone, calendar, active`; what is left out stays."""
    changes = dict(changes)
    check_calendar(changes.get("calendar"))
    if "email" in changes:
        _change_email(user, changes.pop("email").strip().lower())
    if "manager_email" in changes:
        _change_manager(user, changes.pop("manager_email"))
    for name, gone in (("active", False), ("role", "integration")):
        if changes.get(name) == gone:
            _refuse_while_on_duty(user, name)
    if user.active and changes.get("active") is False:
        _revoke_tokens_of(user)
    could_own = can_own(user)
    for name, value in changes.items():
        setattr(user, name, value)
    if could_own != can_own(user):
        user.leaving = could_own
    _flush_address()
    return user


def can_own(user: User) -> bool:
    """Whether cases and tasks may be in this user's hands; what is in those of others is moved."""
    return user.active and user.role != "integration"


def note_change(user: User) -> None:
    """What another package keeps beside a user is part of them, so their ETag changes with it."""
    flag_modified(user, "name")
    db.session.flush()


def _refuse_erased(email: str) -> None:
    if queries.find_erased([email]):
        raise PersonErased


def _flush_address() -> None:
    """Two who take one address at the same moment both found it free; the unique key tells the second."""
    try:
        db.session.flush()
    except IntegrityError as error:
        if is_unique_violation(error, "uq_user_tenant_id_email"):
            raise EmailTaken from error
        raise


def _change_email(user: User, email: str) -> None:
    """The settings name people by address, so an address on duty moves there with its user."""
    if email == user.email:
        return
    if find_user_by_email(email):
        raise EmailTaken
    _refuse_erased(email)
    tenant = queries.get_tenant(lock=True)
    tenant.settings = _renamed(tenant.settings, user.email, email)
    user.email = email


def _renamed(settings: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    renamed = dict(settings)
    for name in ("duty_owner_email", "duty_deputy_email"):
        if settings.get(name) == old:
            renamed[name] = new
    if approval := settings.get("approval"):
        renamed["approval"] = {**approval, "approvers": [new if a == old else a for a in approval["approvers"]]}
    return renamed


def _change_manager(user: User, manager_email: str | None) -> None:
    if manager_email is None:
        user.manager_id = None
        return
    # One change of the line at a time: two at once could close a circle that neither sees.
    take_turn("line")
    manager = _manager(manager_email)
    if user.id in (manager.id, *line_above(manager.id)):
        raise ManagerCycle(f"{user.email} is above {manager.email} in the line")
    user.manager_id = manager.id


def _manager(email: str) -> User:
    manager = find_user_by_email(email)
    if manager is None:
        raise invalid("manager_email", "expected the address of a user of this tenant")
    return manager


def line_above(user_id: UUID) -> list[UUID]:
    """The managers above a user, nearest first."""
    rows = db.session.execute(
        text(
            'with recursive line(id, depth) as (select manager_id, 1 from "user" where id = :id union all'
            ' select u.manager_id, depth + 1 from "user" u join line on u.id = line.id where depth < 100)'
            " select id from line where id is not null order by depth"
        ),
        {"id": user_id},
    )
    return [row.id for row in rows]


def _refuse_while_on_duty(user: User, field: str) -> None:
    """Read under the tenant's lock, so that nobody is named and deactivated at the same moment."""
    settings = TenantSettings.of(queries.get_tenant(lock=True).settings)
    if user.email in (settings.duty_owner_email, settings.duty_deputy_email):
        raise DutyRequired(errors=[{"pointer": f"/{field}", "detail": DutyRequired.title}])


def _revoke_tokens_of(user: User) -> None:
    db.session.execute(
        update(ApiToken)
        .where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=clock.real_now())
        .execution_options(synchronize_session=False)
    )


def create_token(
    user: User,
    *,
    name: str,
    scopes: Sequence[str] | None = None,
    expires_at: datetime | None = None,
    now: datetime,
    actor: Actor | None = None,
) -> tuple[ApiToken, str]:
    """A token and its only plain sight; `scopes` None means whatever the user's role may do. `now` is real time.

    With an `actor`, nobody hands out more than their own token holds.
    """
    if not user.active:
        raise invalid("user_email", "expected an active user")
    allowed = SCOPES_OF[user.role]
    for index, scope in enumerate(scopes or ()):
        if scope not in allowed:
            raise invalid(f"scopes.{index}", f"{scope} is not a scope of the role {user.role}")
    if expires_at is not None and expires_at <= now:
        raise invalid("expires_at", "expected a moment in the future")
    _refuse_more_than_own(held_scopes(user.role, scopes), actor)
    plain, secret_hash = tokens.mint(current_tenant())
    token = ApiToken(
        user_id=user.id,
        name=name,
        secret_hash=secret_hash,
        scopes=None if scopes is None else sorted(set(scopes)),
        created_at=now,
        expires_at=expires_at,
    )
    db.session.add(token)
    db.session.flush()
    return token, plain


def _refuse_more_than_own(scopes: frozenset[str], actor: Actor | None) -> None:
    if actor is None:
        return
    own = actor.scopes
    if beyond := sorted(scopes - own):
        raise Forbidden(f"Your own token does not hold {', '.join(beyond)}")


def revoke_token(token: ApiToken, *, now: datetime) -> None:
    """From the next request on the token is unknown; the first revocation's time stays."""
    if token.revoked_at is None:
        token.revoked_at = now
        db.session.flush()
