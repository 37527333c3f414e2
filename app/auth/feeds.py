"""A person's calendar feed: a secret address that a calendar client subscribes to, and nothing else opens.

The tenant stands in the address, so its scope is set before the first read. Only a hash of the secret is kept; a new
address takes the place of the former one, and whoever is deactivated or may not read cases has none.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import current_app
from sqlalchemy import delete, select, text

from app.auth import limits, tokens
from app.auth.actor import Actor
from app.auth.errors import LinkUnknown
from app.auth.models import CalendarFeed
from app.auth.roles import SCOPES_OF
from app.db import current_tenant, db, new_id

PATH = "/feeds/"
PREFIX = "cal_"
SCOPE = "escalations:read"
LAST_USE = timedelta(hours=1)

REPLACE = text(
    """
    insert into calendar_feed (tenant_id, id, user_id, secret_hash, created_at)
    values (:tenant, :id, :user_id, :secret_hash, :now)
    on conflict (tenant_id, user_id) do update
        set id = excluded.id, secret_hash = excluded.secret_hash, created_at = excluded.created_at, last_used_at = null
    """
)
# The use is noted at most once an hour, so that a client that asks often still only reads.
OPEN = text(
    """
    with found as (
        select f.id, f.last_used_at, u.id as user_id, u.email, u.name, u.role
        from calendar_feed f join "user" u on u.tenant_id = f.tenant_id and u.id = f.user_id
        where f.secret_hash = :secret_hash and u.active
    ), used as (
        update calendar_feed f set last_used_at = :now from found
        where f.tenant_id = :tenant and f.id = found.id
          and (found.last_used_at is null or found.last_used_at < :stale)
    )
    select * from found
    """
)


@dataclass(frozen=True)
class FeedKey:
    """What an address says of itself, before anything is looked up."""

    tenant_id: UUID
    secret_hash: bytes


def make_feed(user_id: UUID, *, now: datetime) -> str:
    """A new secret address for this person; the former one is refused from now on. Shown once: it is not kept."""
    plain, secret_hash = tokens.mint(current_tenant(), prefix=PREFIX)
    values = {"tenant": current_tenant(), "id": new_id(), "user_id": user_id, "secret_hash": secret_hash, "now": now}
    db.session.execute(REPLACE, values)
    return f"{current_app.config['BASE_URL']}{PATH}{plain}.ics"


def find_feed(user_id: UUID) -> CalendarFeed | None:
    """When this person's address was made and last asked; never the address."""
    return db.session.scalars(select(CalendarFeed).where(CalendarFeed.user_id == user_id)).one_or_none()


def revoke_feed(user_id: UUID) -> None:
    """The person's address leads nowhere from now on; none is no fault."""
    db.session.execute(delete(CalendarFeed).where(CalendarFeed.user_id == user_id))


def read_key(token: str) -> FeedKey:
    """The tenant and the secret's hash of a well-formed address; `LinkUnknown` (404) of any other."""
    parsed = tokens.parse(token, prefix=PREFIX)
    if parsed is None:
        raise LinkUnknown
    return FeedKey(*parsed)


def open_feed(key: FeedKey, *, now: datetime) -> Actor:
    """Whose deadlines the address of the tenant in scope shows, in one statement; `LinkUnknown` when it is nobody's.

    Counted as a token's request is: 429 when the minute is used up.
    """
    values = {"tenant": current_tenant(), "secret_hash": key.secret_hash, "now": now, "stale": now - LAST_USE}
    row = db.session.execute(OPEN, values).one_or_none()
    if row is None or SCOPE not in SCOPES_OF[row.role]:
        raise LinkUnknown
    actor = Actor(row.user_id, row.email, row.name, row.role, token_id=row.id)
    limits.count(actor)
    return actor
