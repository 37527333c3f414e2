"""Sign-in at a tenant's own identity provider, for people who open our pages outside a CRM: code flow with PKCE.

The tenant stands in the address where a sign-in begins and in its state, and has one provider, which its admins
entered: nobody's e-mail domain chooses a tenant. A sign-in under way is a row, taken once within ten minutes, and only
by the browser that began it. That browser is known by a secret in a cookie of this one sign-in: without it an attacker
could end their own sign-in in somebody else's browser, who would then write into the attacker's account. What it
cannot prevent is that somebody hands their own panel's launch on within its minute: every page names who is before it.
The cookie opens nothing, is sent on top-level visits only (SameSite=Lax) and goes with the answer; the panel itself,
which has to live in a frame with an opaque origin, stays free of cookies.

No transaction is open while the provider is asked: `begin_sign_in`; later `take`, `read_person`, `recognise`.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.auth import tokens
from app.auth.errors import (
    AccountUnknown,
    EmailUnproven,
    IdentityTaken,
    NotOfThisOrganisation,
    PersonInactive,
    PersonUnknown,
    SignInStale,
)
from app.auth.models import SignIn, User, UserIdentity
from app.auth.oidc_clients import Client, get_client, open_session
from app.auth.oidc_discovery import Metadata
from app.auth.oidc_exchange import Taken, discover, read_person
from app.auth.oidc_tokens import Claims, missing_claim, verified_email
from app.auth.queries import find_user_by_email
from app.auth.service import can_own
from app.db import current_tenant, db, new_id

__all__ = [
    "LIFETIME",
    "Begun",
    "begin_sign_in",
    "discover",
    "forget_old",
    "get_client",
    "read_person",
    "recognise",
    "take",
    "tenant_of",
]

STATE = "fo_"
LIFETIME = timedelta(minutes=10)

log = structlog.get_logger()


@dataclass(frozen=True)
class Begun:
    """Where the browser goes now, and the secret it brings back; `state` names the cookie that holds it."""

    url: str
    state: str
    browser: str


def begin_sign_in(client: Client, metadata: Metadata, *, path: str, choose: bool = False, now: datetime) -> Begun:
    """Note a sign-in that ends at `path`, in the caller's transaction; older ones nobody came back to are forgotten.

    `choose` has the provider ask with which account, instead of taking the one it knows.
    """
    state, state_hash = tokens.mint(current_tenant(), prefix=STATE)
    browser, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    forget_old(now)
    row = SignIn(state_hash=state_hash, browser_hash=tokens.hash_secret(browser), issuer=client.issuer, nonce=nonce)
    row.code_verifier, row.path, row.expires_at = verifier, path, now + LIFETIME
    db.session.add(row)
    with open_session(client, metadata) as session:
        asked = {"nonce": nonce, "code_verifier": verifier} | ({"prompt": "select_account"} if choose else {})
        url, _ = session.create_authorization_url(metadata.authorization_endpoint, state=state, **asked)
    return Begun(url, state, browser)


def forget_old(now: datetime) -> None:
    """Remove sign-ins past their ten minutes; also called daily, for tenants where nobody begins another."""
    db.session.execute(delete(SignIn).where(SignIn.expires_at <= now).execution_options(synchronize_session=False))


def tenant_of(state: str) -> UUID:
    """The tenant a state names, before anything is looked up."""
    parsed = tokens.parse(state, prefix=STATE)
    if parsed is None:
        raise SignInStale
    return parsed[0]


def take(state: str, browser: str, *, now: datetime) -> Taken:
    """The sign-in of this state, gone from the table in the same statement: the second time it is refused."""
    parsed = tokens.parse(state, prefix=STATE)
    if parsed is None:
        raise SignInStale
    mine = (SignIn.state_hash == parsed[1]) & (SignIn.browser_hash == tokens.hash_secret(browser))
    row = db.session.scalars(delete(SignIn).where(mine).returning(SignIn)).one_or_none()
    client = get_client()
    if row is None or row.expires_at <= now or row.issuer != client.issuer:
        raise SignInStale
    return Taken(client, row.nonce, row.code_verifier, row.path)


def recognise(client: Client, claims: Claims, *, now: datetime) -> User:
    """Our user behind the provider's claims, in the caller's transaction.

    Known by the subject once linked; the first time by a verified address, where the tenant allows it.
    """
    if (name := missing_claim(claims, client.required_claims)) is not None:
        log.info("sign_in_refused", issuer=client.issuer, claim=name)
        raise NotOfThisOrganisation
    user = _find_linked(client.issuer, claims["sub"], now) or _link(client, claims, now)
    if not can_own(user):
        raise PersonInactive(email=user.email)
    log.info("signed_in", issuer=client.issuer, user=str(user.id))
    return user


def _find_linked(issuer: str, subject: str, now: datetime) -> User | None:
    asked = select(UserIdentity).where(UserIdentity.issuer == issuer, UserIdentity.subject == subject)
    identity = db.session.scalars(asked).one_or_none()
    if identity is None:
        return None
    identity.last_used_at = now
    return db.session.get_one(User, identity.user_id)


def _link(client: Client, claims: Claims, now: datetime) -> User:
    """Whoever has the verified address, from now on known by the subject; two at once link the same."""
    if not client.email_matches:
        raise AccountUnknown(subject=claims["sub"])
    email = verified_email(claims, client.vouched_by)
    if email is None:
        raise EmailUnproven(subject=claims["sub"])
    user = find_user_by_email(email)
    if user is None:
        raise PersonUnknown(email=email)
    if not can_own(user):
        raise PersonInactive(email=email)
    values = {"tenant_id": current_tenant(), "id": new_id(), "user_id": user.id, "issuer": client.issuer}
    values |= {"subject": claims["sub"], "linked_at": now, "last_used_at": now}
    db.session.execute(insert(UserIdentity).values(values).on_conflict_do_nothing())
    mine = (UserIdentity.issuer == client.issuer) & (UserIdentity.user_id == user.id)
    if db.session.scalar(select(UserIdentity.subject).where(mine)) != claims["sub"]:
        raise IdentityTaken(email=user.email)
    return user
