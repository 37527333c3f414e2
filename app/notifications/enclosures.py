"""Files that go with mails: kept in the store until the mail is sent, taken back or given up long ago."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy import and_, or_, select, update

from app import clock
from app.db import current_tenant, db
from app.notifications.mail import Enclosed
from app.notifications.models import Intent, IntentFile
from app.rows import fresh
from app.store import STORE_ERRORS, Store, get_store

log = structlog.get_logger()

FOLDER = "mail"
KEPT = timedelta(days=30)  # with a dead letter, which can be sent again
AT_ONCE = 200


def enclose(intent_id: UUID, *, place: UUID, name: str, media_type: str, content: bytes) -> IntentFile:
    """Write a file of a mail to the store; the caller inserts the row beside the intent.

    What is enclosed again at the same `place` takes the place of what was: a try that failed leaves nothing behind.
    """
    key = f"{FOLDER}/{current_tenant()}/{place}"
    with get_store().writing(key) as file:
        file.write(content)
    return fresh(
        IntentFile,
        intent_id=intent_id,
        name=name,
        media_type=media_type,
        size=len(content),
        key=key,
        created_at=clock.real_now(),
    )


def find(intent_ids: Collection[UUID]) -> dict[UUID, Enclosed]:
    """The files of those of these messages that have one; their bytes are read when they are handed over."""
    if not intent_ids:
        return {}
    asked = select(IntentFile.intent_id, IntentFile.name, IntentFile.media_type, IntentFile.key)
    rows = db.session.execute(asked.where(IntentFile.intent_id.in_(intent_ids))).all()
    store = get_store() if rows else None
    return {row.intent_id: Enclosed(row.name, row.media_type, partial(_read, store, row.key)) for row in rows if store}


def _read(store: Store, key: str) -> bytes:
    with store.reading(key) as file:
        return file.read()


def forget_old(now: datetime) -> None:
    """Remove files whose mail is sent or taken back, whose person was erased, or that nobody sent again in a month."""
    done = or_(
        Intent.state.in_(("sent", "suppressed")),
        Intent.address.is_(None),
        and_(Intent.state == "dead", IntentFile.created_at < now - KEPT),
    )
    asked = select(IntentFile.id, IntentFile.key).join(Intent, Intent.id == IntentFile.intent_id)
    asked = asked.where(IntentFile.removed_at.is_(None), done).order_by(IntentFile.id).limit(AT_ONCE)
    while rows := db.session.execute(asked).all():
        removed = [row.id for row in rows if _remove(row.key)]
        change = update(IntentFile).where(IntentFile.id.in_(removed)).values(removed_at=now)
        db.session.execute(change.execution_options(synchronize_session=False))
        if len(removed) < len(rows):
            return


def _remove(key: str) -> bool:
    try:
        get_store().delete(key)
    except STORE_ERRORS:
        log.warning("mail_file_not_removed", key=key, exc_info=True)
        return False
    return True
