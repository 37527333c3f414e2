"""Attaching a file to a case and removing it: one event each; the row stays as a tombstone, the bytes go."""

from datetime import datetime
from uuid import UUID

from flask import current_app
from sqlalchemy import case, func, select, update

from app import queue
from app.auth.models import ERASED_NAME
from app.db import db, new_id, take_turn
from app.errors import NotFound
from app.escalations.attachments.errors import CaseFull, FileTooLarge
from app.escalations.attachments.models import ENDED, Attachment
from app.escalations.attachments.receiving import Received
from app.escalations.case import Act, begin
from app.escalations.errors import NotYours
from app.store import get_store, key_of

SCAN = "scan_attachments"
MAX_FILES = 200
LIVE = Attachment.state.not_in(ENDED)


def check_room(escalation_id: UUID, *, act: Act, size: int | None) -> None:
    """Before a byte is read: may this caller attach a file of this declared size to this case?"""
    change = begin(escalation_id, "attachment", act)
    limit = current_app.config["MAX_ATTACHMENT_BYTES"]
    if size is not None and size > limit:
        raise FileTooLarge(f"expected at most {limit} bytes, the file has {size}")
    _check_case(change.record.id, size or 0)


def attach(escalation_id: UUID, *, act: Act, got: Received) -> tuple[UUID, bool]:
    """Keep a received file; answers its id, and whether it is new: the same bytes under the same name stand once.

    A file sent again after its scan failed is scanned again.
    """
    change = begin(escalation_id, "attachment", act)
    record = change.record
    turn_of(got.sha256)
    same = (Attachment.escalation_id == record.id, Attachment.sha256 == got.sha256, Attachment.name == got.name)
    known = db.session.scalar(select(Attachment).where(*same, LIVE).limit(1))
    queue.wake(SCAN)
    if known is not None:
        if known.state == "failed":
            known.state, known.reason, known.tries, known.leased_until = "unscanned", None, 0, None
        return known.id, False
    _check_case(record.id, got.size)
    get_store().keep(got.key, key_of(got.sha256))
    made = Attachment(
        id=new_id(),
        escalation_id=record.id,
        name=got.name,
        media_type=got.kind.media_type,
        size=got.size,
        sha256=got.sha256,
        uploaded_by_id=act.actor.user_id,
        uploaded_at=change.now,
    )
    change.rows.append(made)
    change.note("attachment", facts_of(made), {"name": got.name})
    change.sign_of_work(change.now)
    change.save()
    return made.id, True


def remove(escalation_id: UUID, attachment_id: UUID, *, act: Act, reason: str) -> Attachment:
    """Take a file back: by who uploaded it, who works on the case, or an admin. Removing it twice changes nothing."""
    change = begin(escalation_id, "attachment", act)
    found = locked(attachment_id, change.record.id)
    mine = found.uploaded_by_id is not None and found.uploaded_by_id == act.actor.user_id
    if not (mine or change.works_for_owner or act.actor.role == "admin"):
        raise NotYours("remove: this is for who uploaded it, who works on the case, and admins")
    if found.state in ENDED:
        return found
    found.state, found.reason = "removed", reason
    found.removed_by_id, found.removed_at = act.actor.user_id, change.now
    change.note("attachment_removed", facts_of(found), {"name": found.name, "reason": reason})
    change.save()
    queue.wake(SCAN)
    return found


def erase_of(user_id: UUID | None, now: datetime) -> None:
    """What an erased person uploaded goes with the name it had, inside the caller's transaction."""
    if user_id is None:
        return
    ended = Attachment.state.in_(ENDED)
    db.session.execute(
        update(Attachment)
        .where(Attachment.uploaded_by_id == user_id)
        .values(
            name=ERASED_NAME,
            reason=ERASED_NAME,
            state=case((ended, Attachment.state), else_="removed"),
            removed_at=func.coalesce(Attachment.removed_at, now),
        )
        .execution_options(synchronize_session=False)
    )
    queue.wake(SCAN)


def locked(attachment_id: UUID, escalation_id: UUID) -> Attachment:
    """The row of this case, locked."""
    asked = (Attachment.id == attachment_id, Attachment.escalation_id == escalation_id)
    found = db.session.scalar(select(Attachment).where(*asked).with_for_update())
    if found is None:
        raise NotFound
    return found


def facts_of(attachment: Attachment) -> dict[str, object]:
    """What an event keeps of a file: ids, codes and the hash, never its name."""
    return {
        "attachment": attachment.id,
        "sha256": attachment.sha256.hex(),
        "size": attachment.size,
        "media_type": attachment.media_type,
    }


def turn_of(sha256: bytes) -> None:
    """Who keeps these bytes and who deletes them wait for each other."""
    take_turn(f"attachment:{sha256.hex()}")


def _check_case(escalation_id: UUID, size: int) -> None:
    held = select(func.count(), func.coalesce(func.sum(Attachment.size), 0))
    count, total = db.session.execute(held.where(Attachment.escalation_id == escalation_id, LIVE)).one()
    limit = current_app.config["MAX_CASE_ATTACHMENT_BYTES"]
    if count >= MAX_FILES:
        raise CaseFull(f"expected at most {MAX_FILES} files on a case; remove some first")
    if total + size > limit:
        raise CaseFull(f"expected at most {limit} bytes on a case, {total} are taken; remove some first")
