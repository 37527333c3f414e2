"""Reading the inbox, the outbox, and how people want to be told."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text, tuple_

from app.auth.settings import current_version, tenant_settings
from app.db import db
from app.errors import NotFound
from app.notifications import quiet
from app.notifications.models import DIGEST_KIND, Intent, Preference
from app.notifications.quiet import DAYS, Preferences
from app.rows import array_of

SHOWN = ("pending", "sent", "dead")
IN_USE = "preferences"  # beside the tenant's current versions: where nobody has preferences nobody looks for any
BEFORE_ANY_CHANGE: Mapping[str, Any] = {
    "quiet_hours": {},
    "digest_at": None,
    "digest_days": list(DAYS),
    "channels": [quiet.EMAIL],
    "timezone": None,
    "version": 1,
}
READ = text(
    """
    select p.user_id, p.quiet_hours, p.digest_at, p.digest_days, p.channels,
           coalesce(p.timezone, u.timezone) as timezone
    from preference p join "user" u on u.tenant_id = p.tenant_id and u.id = p.user_id
    where p.user_id = any(cast(:ids as uuid[]))
    """
)
ZONE = text('select timezone from "user" where id = :id')


def list_notifications(
    user_id: UUID, *, now: datetime, unread: bool | None, after: list[Any] | None, limit: int
) -> Sequence[Intent]:
    """What this person is told, newest first, from `hold_until` on whatever became of its mail.

    A digest is no news of its own: what it lists is here one by one.
    """
    mine = (Intent.user_id == user_id, Intent.kind != DIGEST_KIND)
    question = select(Intent).where(*mine, Intent.hold_until <= now, Intent.state.in_(SHOWN))
    if unread is not None:
        question = question.where(Intent.read_at.is_(None) if unread else Intent.read_at.is_not(None))
    if after:
        question = question.where(tuple_(Intent.at, Intent.id) < (datetime.fromisoformat(after[0]), UUID(after[1])))
    return db.session.scalars(question.order_by(Intent.at.desc(), Intent.id.desc()).limit(limit)).all()


def get_notification(notification_id: UUID, *, user_id: UUID, now: datetime) -> Intent:
    """One of this person's own; somebody else's and one still held back look like none."""
    found = db.session.get(Intent, notification_id)
    if found is None or found.user_id != user_id or found.state not in SHOWN or found.hold_until > now:
        raise NotFound
    if found.kind == DIGEST_KIND:
        raise NotFound
    return found


def list_outbox(*, state: str, after: list[Any] | None, limit: int) -> Sequence[Intent]:
    """Messages in one state, newest first."""
    question = select(Intent).where(Intent.state == state)
    if after:
        question = question.where(Intent.id < UUID(after[0]))
    return db.session.scalars(question.order_by(Intent.id.desc()).limit(limit)).all()


def get_intent(intent_id: UUID, *, lock: bool = False) -> Intent:
    found = db.session.get(Intent, intent_id, with_for_update=lock or None)
    if found is None:
        raise NotFound
    return found


def find_preferences(user_ids: Collection[UUID]) -> dict[UUID, Preferences]:
    """The preferences of those of these people who have any, in one statement; none where nobody in the tenant has."""
    if not user_ids or not current_version(IN_USE):
        return {}
    rows = db.session.execute(READ, {"ids": array_of(user_ids)})
    return {
        row.user_id: Preferences(
            zone=ZoneInfo(row.timezone or tenant_settings().timezone),
            quiet_hours=quiet.parse_quiet_hours(row.quiet_hours),
            digest=quiet.parse_digest(_digest(row.digest_at, row.digest_days)),
            email=quiet.EMAIL in row.channels,
        )
        for row in rows
    }


def preferences_of(user_id: UUID) -> dict[str, Any]:
    """One person's preferences as answered: what holds before any change, and the zone their times are read in."""
    row = db.session.scalar(select(Preference).where(Preference.user_id == user_id))
    kept = {name: getattr(row, name) for name in BEFORE_ANY_CHANGE} if row else dict(BEFORE_ANY_CHANGE)
    zone = kept["timezone"] or db.session.scalar(ZONE, {"id": user_id}) or tenant_settings().timezone
    return {**kept, "digest": _digest(kept["digest_at"], kept["digest_days"]), "zone": zone, "user_id": user_id}


def _digest(at: str | None, days: Collection[str]) -> dict[str, Any] | None:
    return {"at": at, "days": list(days)} if at else None
