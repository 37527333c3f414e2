"""What state a file is in as people see it, and whether it is still there."""

from collections.abc import Sequence
from uuid import UUID

from flask import current_app
from sqlalchemy import select

from app.db import db
from app.errors import invalid
from app.escalations.attachments.models import ENDED, Attachment


def is_scanned() -> bool:
    """Whether a scanner is set: then only what passed it is given out."""
    return bool(current_app.config["SCAN_COMMAND"])


def shown_state(state: str) -> str:
    """What waits for the scan is `scanning`."""
    return "scanning" if state == "unscanned" and is_scanned() else state


def check_files(escalation_id: UUID, ids: Sequence[UUID], *, field: str) -> None:
    """Each is a file of this case that is still there, or Invalid names its place; one statement."""
    if not ids:
        return
    asked = select(Attachment.id).where(Attachment.escalation_id == escalation_id, Attachment.state.not_in(ENDED))
    known = set(db.session.scalars(asked.where(Attachment.id.in_(ids))))
    for place, one in enumerate(ids):
        if one not in known:
            raise invalid(f"{field}.{place}", "expected the id of a file of this case that is still there")
