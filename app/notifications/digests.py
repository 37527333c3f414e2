"""Digests: what a person asked to hear of together goes out as one message; every item stays a record of its own.

An item belongs to one digest for ever, so a kill at any moment neither loses it nor mails it in two of them. What is
taken back before the digest is written is not in it; a digest with nothing left is taken back itself.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from app.auth.settings import current_version
from app.db import current_tenant, db, new_id
from app.notifications.models import DIGEST_KIND, Intent
from app.notifications.queries import IN_USE
from app.notifications.quiet import EMAIL
from app.rows import array_of, insert_all

PEOPLE_AT_ONCE = 100
SUBJECT = "Your digest"
WHY = "You get this because you asked to be told of what is not urgent in one message."
NOTHING_LEFT = "already_acted"

TO_COLLECT = """
    state = 'pending' and channel = 'digest' and digest_id is null and hold_until <= :tenant_now
    and coalesce(address, '') <> ''
"""
# The row of each person's wishes is the lock that lets one worker at a time put their digest together.
LOCK_PEOPLE = text(
    f"""
    select p.user_id from preference p
    where p.user_id in (select user_id from intent where {TO_COLLECT})
    order by p.user_id limit :limit for update skip locked
    """  # noqa: S608
)
LIST_ITEMS = text(
    f"""
    select id, user_id, address, hold_until from intent
    where {TO_COLLECT} and user_id = any(cast(:people as uuid[]))
    order by id for update
    """  # noqa: S608
)
COLLECT = text(
    """
    update intent i set digest_id = d.digest_id
    from unnest(cast(:items as uuid[]), cast(:digests as uuid[])) as d(item_id, digest_id)
    where i.tenant_id = :tenant and i.id = d.item_id
    """
)
CLAIM_ITEMS = text(
    """
    with locked as materialized (
        select id from intent where digest_id = any(cast(:digests as uuid[])) and state = 'pending'
        order by id for update
    )
    update intent i set leased_until = :lease, attempts = i.attempts + 1
    from locked where i.tenant_id = :tenant and i.id = locked.id
    returning i.digest_id, i.id, i.subject, i.body, i.escalation_id, i.at
    """
)
DROP = text(
    f"""
    update intent set state = 'suppressed', reason = '{NOTHING_LEFT}', leased_until = null
    where id = any(cast(:digests as uuid[]))
    """  # noqa: S608
)


@dataclass(frozen=True)
class Item:
    """One message of a digest that is ours to send."""

    digest_id: UUID
    id: UUID
    subject: str
    body: str
    escalation_id: UUID | None
    at: datetime


def subject_of(count: int) -> str:
    """How much there is, in one line."""
    return f"{SUBJECT}: {count} message{'' if count == 1 else 's'}"


def collect(*, now: datetime, tenant_now: datetime) -> int:
    """Put together what is due by now, one digest for each person; answers for how many.

    At most four statements; none where nobody has preferences.
    """
    if not current_version(IN_USE):
        return 0
    people = db.session.scalars(LOCK_PEOPLE, {"tenant_now": tenant_now, "limit": PEOPLE_AT_ONCE}).all()
    if not people:
        return 0
    items = db.session.execute(LIST_ITEMS, {"tenant_now": tenant_now, "people": array_of(people)}).all()
    latest = {item.user_id: item for item in sorted(items, key=lambda item: item.hold_until)}
    digests = {user_id: _digest(item, now) for user_id, item in latest.items()}
    insert_all(digests.values())
    values = {
        "items": array_of([item.id for item in items]),
        "digests": array_of([digests[item.user_id].id for item in items]),
    }
    db.session.execute(COLLECT, {"tenant": current_tenant(), **values})
    return len(digests)


def _digest(latest: Row[Any], now: datetime) -> Intent:
    """A message of its own, due when the last of its items was; its words are theirs when it is sent."""
    return Intent(
        id=new_id(),
        user_id=latest.user_id,
        address=latest.address,
        channel=EMAIL,
        kind=DIGEST_KIND,
        subject=SUBJECT,
        body="",
        dedupe_key=f"digest:{latest.id}",
        at=latest.hold_until,
        hold_until=latest.hold_until,
        recorded_at=now,
    )


def claim_items(digest_ids: Collection[UUID], *, lease: datetime) -> dict[UUID, list[Item]]:
    """What each of these digests still carries, oldest first, under the digest's own lease: one statement.

    A digest with nothing left is taken back in a second one, and is not in the answer.
    """
    if not digest_ids:
        return {}
    values = {"tenant": current_tenant(), "digests": array_of(digest_ids), "lease": lease}
    rows = db.session.execute(CLAIM_ITEMS, values)
    carried: dict[UUID, list[Item]] = {}
    for item in sorted((Item(*row) for row in rows), key=lambda item: (item.at, item.id)):
        carried.setdefault(item.digest_id, []).append(item)
    if empty := [id_ for id_ in digest_ids if id_ not in carried]:
        db.session.execute(DROP, {"digests": array_of(empty)})
    return carried
