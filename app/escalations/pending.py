"""A request that waits for somebody's answer, who is never its asker."""

from uuid import UUID

from sqlalchemy import select

from app.auth.actor import Actor
from app.db import db
from app.escalations.errors import OwnRequest
from app.escalations.models import Request


def pending_request(escalation_id: UUID, kind: str) -> Request | None:
    """The request of this kind that waits for an answer, locked."""
    asked = (Request.escalation_id == escalation_id, Request.kind == kind, Request.state == "pending")
    return db.session.scalar(select(Request).where(*asked).with_for_update())


def check_not_asker(request: Request, actor: Actor) -> None:
    if request.asker_id is not None and request.asker_id == actor.user_id:
        raise OwnRequest
