"""Reading the inbox and the outbox."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_

from app.db import db
from app.errors import NotFound
from app.notifications.models import Intent

SHOWN = ("pending", "sent", "dead")


def list_notifications(
    user_id: UUID, *, now: datetime, unread: bool | None, after: list[Any] | None, limit: int
) -> Sequence[Intent]:
    """What this person is told, newest first, from `hold_until` on whatever became of its mail."""
    question = select(Intent).where(Intent.user_id == user_id, Intent.hold_until <= now, Intent.state.in_(SHOWN))
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
