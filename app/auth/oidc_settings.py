"""A tenant's identity provider as its admins enter, read and try it, and who is known there."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.auth import panel_sessions, sealing
from app.auth.errors import IdentityLinked, NoProvider
from app.auth.models import IdentityProvider, User, UserIdentity
from app.auth.oidc_clients import purpose, redirect_uri
from app.auth.queries import find_user_by_email
from app.db import current_tenant, db, new_id, take_turn
from app.errors import NotFound, invalid


def find_provider(*, lock: bool = False) -> IdentityProvider | None:
    asked = select(IdentityProvider)
    return db.session.scalars(asked.with_for_update() if lock else asked).one_or_none()


def get_provider(*, lock: bool = False) -> IdentityProvider:
    found = find_provider(lock=lock)
    if found is None:
        raise NoProvider
    return found


def begin_change() -> IdentityProvider | None:
    """The provider under a lock that also holds while there is none: two admins do not enter two."""
    take_turn("identity_provider")
    return find_provider(lock=True)


def put_provider(found: IdentityProvider | None, wanted: Mapping[str, Any], *, now: datetime) -> IdentityProvider:
    """Enter the provider, or replace it. A secret left out stays, but only for the issuer that it was entered for."""
    provider = found or IdentityProvider(id=new_id(), created_at=now, client_secret=None)
    if "client_secret" in wanted:
        secret = wanted["client_secret"]
        provider.client_secret = None if secret is None else sealing.seal(secret, purpose=purpose(provider.id))
    elif provider.client_secret and provider.issuer != wanted["issuer"]:
        raise invalid("client_secret", "expected anew: the kept one was entered for another issuer")
    for name in ("issuer", "client_id", "email_matches", "vouched_by", "required_claims"):
        setattr(provider, name, wanted[name])
    provider.changed_at = now
    db.session.add(provider)
    db.session.flush()
    return provider


def remove_provider(provider: IdentityProvider) -> None:
    """Nobody signs in any more, and nobody is known by a former provider when another is entered."""
    db.session.execute(delete(UserIdentity).execution_options(synchronize_session=False))
    db.session.delete(provider)
    db.session.flush()


def view(provider: IdentityProvider) -> dict[str, Any]:
    """The provider as answered: never its secret, and the two addresses that belong to it."""
    return {
        **{
            name: getattr(provider, name)
            for name in ("issuer", "client_id", "email_matches", "vouched_by", "required_claims")
        },
        "has_secret": provider.client_secret is not None,
        "redirect_uri": redirect_uri(),
        "sign_in_url": f"{redirect_uri().rpartition('/')[0]}/{current_tenant().hex}/sign-in",
        "created_at": provider.created_at,
        "changed_at": provider.changed_at,
        "version": provider.version,
    }


def list_identities(*, after: list[Any] | None, limit: int) -> list[dict[str, Any]]:
    """Who has signed in and is known since, by address."""
    columns = [UserIdentity.id, UserIdentity.user_id, User.email.label("user_email")]
    columns += [getattr(UserIdentity, name) for name in ("issuer", "subject", "linked_at", "last_used_at")]
    asked = select(*columns).join(User, User.id == UserIdentity.user_id).order_by(User.email, UserIdentity.id)
    if after:
        place = (User.email > after[0]) | ((User.email == after[0]) & (UserIdentity.id > UUID(after[1])))
        asked = asked.where(place)
    return [dict(row) for row in db.session.execute(asked.limit(limit)).mappings()]


def add_identity(subject: str, user_email: str, *, now: datetime) -> dict[str, Any]:
    """An admin says whose account of the provider this is; neither may be linked to another yet."""
    issuer = get_provider().issuer
    user = find_user_by_email(user_email)
    if user is None:
        raise invalid("user_email", "expected the address of a user of this tenant")
    values = {"tenant_id": current_tenant(), "id": new_id(), "user_id": user.id, "issuer": issuer, "subject": subject}
    added = insert(UserIdentity).values(**values, linked_at=now, last_used_at=None).on_conflict_do_nothing()
    if db.session.scalar(added.returning(UserIdentity.id)) is None:
        raise IdentityLinked
    return {**values, "user_email": user.email, "linked_at": now, "last_used_at": None}


def remove_identity(user_identity_id: UUID) -> None:
    """The account no longer opens this person's panel, open ones end; a verified address may link them anew."""
    gone = delete(UserIdentity).where(UserIdentity.id == user_identity_id).returning(UserIdentity.user_id)
    user_id = db.session.scalar(gone)
    if user_id is None:
        raise NotFound
    panel_sessions.end_of([user_id])
