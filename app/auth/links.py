"""Signed links in messages: one person, one record, for a while; every opening is kept.

The tenant stands in the link, so its scope is set before the first read. The signature proves that we made the link;
who holds it sees what it names and nothing else. Links live in real time.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from app import clock
from app.auth.errors import LinkExpired, LinkUnknown
from app.auth.models import LinkView, User
from app.db import current_tenant, db, transaction
from app.rows import insert_all

LIFETIME = timedelta(days=14)
PATH = "/l/"
VIEW = ("view",)


@dataclass(frozen=True)
class LinkScope:
    """What a link opens: `subject` names the kind of record, `actions` what may be done there."""

    tenant_id: UUID
    user_id: UUID
    subject: str
    subject_id: UUID
    actions: tuple[str, ...]
    expires_at: datetime

    def may(self, action: str) -> bool:
        return action in self.actions


def make_link(
    user_id: UUID,
    subject: str,
    subject_id: UUID,
    *,
    actions: Sequence[str] = VIEW,
    lifetime: timedelta = LIFETIME,
    now: datetime | None = None,
    path: str = PATH,
) -> str:
    """The address at which this person, of the tenant in scope, sees this one record until `lifetime` has passed."""
    expires_at = int(((now or clock.real_now()) + lifetime).timestamp())
    content = [current_tenant().hex, user_id.hex, subject, subject_id.hex, list(actions), expires_at]
    return f"{current_app.config['BASE_URL']}{path}{_serializer().dumps(content)}"


def read_link(token: str, *, now: datetime | None = None) -> LinkScope:
    """What a token says, without looking anything up; `LinkUnknown` (404) or `LinkExpired` (410)."""
    try:
        tenant, user, subject, subject_id, actions, expires_at = _serializer().loads(token)
    except (BadSignature, ValueError, TypeError):
        raise LinkUnknown from None
    scope = LinkScope(
        UUID(tenant), UUID(user), subject, UUID(subject_id), tuple(actions), datetime.fromtimestamp(expires_at, UTC)
    )
    if scope.expires_at <= (now or clock.real_now()):
        raise LinkExpired(f"It was valid until {scope.expires_at:%d %B %Y}; a newer message has a newer one")
    return scope


def open_link(token: str, *, now: datetime | None = None) -> LinkScope:
    """Check a link and keep that it was opened, in a transaction of its own; its person must still be active."""
    now = now or clock.real_now()
    scope = read_link(token, now=now)
    with transaction(tenant=scope.tenant_id):
        user = db.session.get(User, scope.user_id)
        if user is None or not user.active:
            raise LinkUnknown
        insert_all([LinkView(user_id=user.id, subject=scope.subject, subject_id=scope.subject_id, at=now)])
    return scope


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(
        current_app.config["SECRET_KEY"], salt="link", signer_kwargs={"digest_method": hashlib.sha256}
    )
