"""What is attached to a case, and the way to its content: a link for one person and one file, for a few minutes."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from app import clock
from app.auth import queries as users
from app.auth.actor import Actor
from app.auth.errors import LinkUnknown
from app.auth.links import make_link, open_link
from app.auth.models import User
from app.auth.roles import READ
from app.db import db, transaction
from app.errors import NotFound
from app.escalations.attachments.errors import ContentGone, NotClean
from app.escalations.attachments.models import ENDED, Attachment
from app.escalations.attachments.states import is_scanned, shown_state
from app.escalations.queries import get_visible
from app.escalations.standing import survivor_id

PATH = "/attachments/"
SUBJECT = "attachment"
LIFETIME = timedelta(minutes=10)


def list_attachments(
    escalation_id: UUID, *, actor: Actor, now: datetime, after: list[Any] | None, limit: int
) -> list[dict[str, Any]]:
    """A page of a case's files, oldest first, those that are gone among them; of a merged case its survivor's."""
    case = get_visible(survivor_id(escalation_id), actor=actor, now=now)
    asked = _asked().where(Attachment.escalation_id == case.id)
    if after is not None:
        asked = asked.where(Attachment.id > UUID(after[0]))
    return [
        item_of(found, uploader) for found, uploader in db.session.execute(asked.order_by(Attachment.id).limit(limit))
    ]


def get_item(escalation_id: UUID, attachment_id: UUID, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """One file of a case that the caller may see."""
    case = get_visible(survivor_id(escalation_id), actor=actor, now=now)
    asked = _asked().where(Attachment.escalation_id == case.id, Attachment.id == attachment_id)
    row = db.session.execute(asked).one_or_none()
    if row is None:
        raise NotFound
    return item_of(row[0], row[1])


def _asked() -> Select[Attachment, User]:
    return select(Attachment, User).outerjoin(User, User.id == Attachment.uploaded_by_id)


def item_of(found: Attachment, uploader: User | None) -> dict[str, Any]:
    """The file as the API shows it."""
    columns = {column.key: getattr(found, column.key) for column in found.__table__.columns}
    return {**columns, "sha256": found.sha256.hex(), "state": shown_state(found.state), "uploaded_by": uploader}


def check_given(found: Attachment) -> None:
    """Refuse what was deleted, and with a scanner what has not passed it."""
    if found.state in ENDED:
        raise ContentGone(f"This file is {found.state}")
    if is_scanned() and found.state != "clean":
        said = "is being scanned" if found.state == "unscanned" else "could not be scanned"
        raise NotClean(f"This file {said}: it opens once a scan has found it clean")


def link_to(escalation_id: UUID, attachment_id: UUID, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """An address at which the caller, and whoever they hand it to, gets this content for ten minutes."""
    case = get_visible(survivor_id(escalation_id), actor=actor, now=now)
    asked = (Attachment.id == attachment_id, Attachment.escalation_id == case.id)
    found = db.session.scalar(select(Attachment).where(*asked))
    if found is None or actor.user_id is None:
        raise NotFound
    check_given(found)
    began = clock.real_now()
    url = make_link(actor.user_id, SUBJECT, found.id, actions=("download",), lifetime=LIFETIME, now=began, path=PATH)
    return {"url": url, "expires_at": began + LIFETIME}


def opened(token: str) -> Attachment:
    """The file behind a link, if its person may see the case still; the opening is kept."""
    scope = open_link(token)
    if scope.subject != SUBJECT or not scope.may("download"):
        raise LinkUnknown
    with transaction(tenant=scope.tenant_id):
        user = users.get_user(scope.user_id)
        found = db.session.get(Attachment, scope.subject_id)
        if found is None:
            raise NotFound
        actor = Actor(user.id, user.email, user.name, user.role, READ)
        get_visible(found.escalation_id, actor=actor, now=clock.now())
        check_given(found)
        return found
