"""Who sits before a panel: a launch that opens it once within a minute, then a short session in the panel's memory.

Neither needs a cookie or storage, so both work in a sandbox with an opaque origin. The tenant stands in each token, so
its scope is set before the first read; only hashes are kept. Both live in real time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, select

from app.auth import tokens
from app.auth.errors import LaunchRefused, SessionEnded
from app.auth.models import PanelLaunch, PanelSession, User
from app.db import current_tenant, db
from app.rows import insert_all

LAUNCH = "fl_"
SESSION = "fp_"
LAUNCH_LIFETIME = timedelta(seconds=60)
SESSION_LIFETIME = timedelta(minutes=10)
LONGEST = timedelta(hours=8)

Renewal = Literal["host", "self"]


@dataclass(frozen=True)
class Opened:
    """What the panel keeps in memory: its bearer, for how long, who renews it, where it begins, and whose."""

    token: str
    seconds: int
    renewal: str
    path: str
    origin: str | None
    user_id: UUID


def launch(
    user_id: UUID, *, path: str = "/mine", origin: str | None = None, renewal: Renewal = "self", now: datetime
) -> str:
    """A token that opens the panel as this user at `path`, once and within 60 seconds.

    `origin` is the page that embeds it, to which the panel will speak; `renewal` who brings the next session: the
    host's page with a new launch, or the panel itself until 8 hours after sign-in.
    """
    plain, secret_hash = tokens.mint(current_tenant(), prefix=LAUNCH)
    made = PanelLaunch(
        user_id=user_id,
        secret_hash=secret_hash,
        path=path,
        origin=origin,
        renewal=renewal,
        expires_at=now + LAUNCH_LIFETIME,
    )
    insert_all([made])
    return plain


def tenant_of(token: str, *, prefix: str = LAUNCH) -> UUID:
    """The tenant a launch names, before anything is looked up; `LaunchRefused` when it is none."""
    parsed = tokens.parse(token, prefix=prefix)
    if parsed is None:
        raise LaunchRefused
    return parsed[0]


def redeem(token: str, *, former: str | None = None, now: datetime) -> Opened:
    """Exchange a launch of the tenant in scope for a session; the second time it is refused.

    A `former` session of the same user goes on under the new secret, so that what it had begun stays its own.
    """
    found = _take(token, now)
    user = db.session.get(User, found.user_id)
    if user is None or not user.active or user.role == "integration":
        raise LaunchRefused
    session = _former(former, found.user_id) or PanelSession(user_id=found.user_id)
    session.origin, session.renewal = found.origin, found.renewal
    session.started_at, session.ends_at = now, now + LONGEST
    plain = _renew(session, now)
    db.session.add(session)
    return _opened(session, plain, found.path, now)


def renew(session_id: UUID, *, now: datetime) -> Opened:
    """A new secret for a session that renews itself, until its 8 hours are over."""
    session = db.session.get(PanelSession, session_id)
    if session is None or session.renewal != "self" or session.ends_at <= now:
        raise SessionEnded
    return _opened(session, _renew(session, now), "", now)


def end(session_id: UUID) -> None:
    """The session is over: its secret opens nothing from now on."""
    db.session.execute(delete(PanelSession).where(PanelSession.id == session_id))


def end_of(user_ids: Sequence[UUID]) -> None:
    """Whoever let these people in no longer does: their panels open nothing from now on."""
    db.session.execute(delete(PanelSession).where(PanelSession.user_id.in_(user_ids)))


def forget_old(now: datetime) -> int:
    """Remove launches past their minute and sessions past their hours; called daily inside a transaction."""
    launches = delete(PanelLaunch).where(PanelLaunch.expires_at <= now).returning(PanelLaunch.id)
    sessions = delete(PanelSession).where(PanelSession.ends_at <= now).returning(PanelSession.id)
    return len(db.session.scalars(launches).all()) + len(db.session.scalars(sessions).all())


def _take(token: str, now: datetime) -> PanelLaunch:
    """The launch behind a token, gone from the table at once: of two that come together one has it."""
    parsed = tokens.parse(token, prefix=LAUNCH)
    gone = None
    if parsed is not None:
        taken = delete(PanelLaunch).where(PanelLaunch.secret_hash == parsed[1]).returning(PanelLaunch)
        gone = db.session.scalars(taken).one_or_none()
    if gone is None or gone.expires_at <= now:
        raise LaunchRefused
    return gone


def _former(token: str | None, user_id: UUID) -> PanelSession | None:
    parsed = tokens.parse(token, prefix=SESSION) if token else None
    if parsed is None or parsed[0] != current_tenant():
        return None
    asked = select(PanelSession).where(PanelSession.secret_hash == parsed[1], PanelSession.user_id == user_id)
    return db.session.scalars(asked).one_or_none()


def _renew(session: PanelSession, now: datetime) -> str:
    plain, session.secret_hash = tokens.mint(current_tenant(), prefix=SESSION)
    session.expires_at = min(now + SESSION_LIFETIME, session.ends_at)
    return plain


def _opened(session: PanelSession, plain: str, path: str, now: datetime) -> Opened:
    seconds = int((session.expires_at - now).total_seconds())
    return Opened(plain, seconds, session.renewal, path, session.origin, session.user_id)
