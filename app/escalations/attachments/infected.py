"""What an infection leaves to be said: to who uploaded each file, with the mark, and in the timeline of each case."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select

from app import clock
from app.accounts.models import Account
from app.auth import queries as users
from app.auth.actor import UserRef
from app.auth.models import User
from app.db import current_tenant, db, transaction
from app.escalations.attachments.filing import facts_of
from app.escalations.attachments.models import Attachment
from app.escalations.attachments.uploaders import WHY, seen_by_uploader
from app.escalations.case import begin, by_engine
from app.escalations.models import Escalation
from app.escalations.telling import seeing_by_place, why_in_place
from app.escalations.timeline_models import Event
from app.escalations.urgency import is_urgent
from app.escalations.words import numbered
from app.notifications import queries as wishes
from app.notifications import service as notifications
from app.notifications.quiet import plan_delivery
from app.routing import service as routing

log = structlog.get_logger()

SUBJECT = "a file you attached is infected"
BODY = "Its content was deleted and nobody can open it."


def tell(marked: Sequence[UUID], now: datetime) -> None:
    """Post a message for each of these files, inside the transaction that marks them: it cannot be lost, however many
    files and cases it concerns, and waits for none of the cases."""
    asked = (
        select(Attachment, Escalation, Account.name.label("account"))
        .join(Escalation, Escalation.id == Attachment.escalation_id)
        .join(Account, Account.id == Escalation.account_id)
        .where(Attachment.id.in_(marked))
    )
    if notifications.post_all(list(_messages(db.session.execute(asked).all(), now))):
        notifications.wake_delivery()


def _messages(rows: Sequence[Any], now: datetime) -> Iterator[notifications.Message]:
    ids = {row.Attachment.uploaded_by_id for row in rows if row.Attachment.uploaded_by_id is not None}
    people = {user.id: user for user in users.list_active(ids=list(ids))} if ids else {}
    chains = routing.read_chains(people, now=now)
    preferences = wishes.find_preferences({*people, *chains.people})
    seen = seen_by_uploader([row.Attachment.id for row in rows], now=now) if people else set()
    for file, record, account in rows:
        user = people.get(file.uploaded_by_id)
        subject = f"{account}: {record.title} · {numbered(record.number)}: {SUBJECT}"
        body = f"{file.name}\n{BODY}\nThe scanner says: {file.reason}"
        told: tuple[str, str, UUID | None] = subject, body, record.id
        if file.id not in seen:
            told = f"{numbered(record.number)}: {SUBJECT}", f"{file.name}\n{BODY}", None
        for person, why in _hearing(record, user, chains, sees=file.id in seen) if user else ():
            delivery = plan_delivery(preferences.get(person.id), now, urgent=is_urgent(record.severity))
            subject, body, case_id = told
            key, hold = f"infected:{file.id}:{person.id}", (delivery.hold_until, delivery.channel)
            yield (person.id, person.email, "attachment", subject, body, why, case_id, None, key, now, *hold)


def _hearing(
    record: Escalation, user: User, chains: routing.Chains, *, sees: bool
) -> Iterator[tuple[User | UserRef, str | None]]:
    """Who uploaded it, and if they may see the case who stands in for them; never whom the case is about."""
    if user.id == record.about_user_id:
        return
    yield user, None if sees else WHY
    by = chains.stand_in(user.id, about_user_id=record.about_user_id) if sees else None
    if by is not None and user.id in seeing_by_place(record, [user.id]):
        yield by, why_in_place([user.name])


def note(sha256: bytes) -> None:
    """The timeline of each case says so, each in a transaction of its own; done again after a crash, it adds nothing.

    Bytes of infected files are deleted only after this, so that a run that died is found by what it left.
    """
    with transaction():
        asked = select(Attachment.id, Attachment.escalation_id).where(
            Attachment.sha256 == sha256, Attachment.state == "infected", Attachment.purged_at.is_(None)
        )
        left = db.session.execute(asked.order_by(Attachment.id)).all()
    for attachment_id, escalation_id in left:
        with transaction():
            _note(attachment_id, escalation_id)


def _note(attachment_id: UUID, escalation_id: UUID) -> None:
    change = begin(escalation_id, "attachment", by_engine(clock.now()))
    key = f"infected:{attachment_id}"
    # A merge keeps an event's key where it carries the event to.
    if db.session.scalar(select(Event.id).where(Event.escalation_id == change.record.id, Event.external_key == key)):
        return
    found = db.session.scalars(select(Attachment).where(Attachment.id == attachment_id)).one()
    texts = {"name": found.name, "reason": found.reason}
    change.note("attachment_scanned", {**facts_of(found), "state": "infected"}, texts, external_key=key)
    change.save()
    log.warning("attachment_refused", tenant_id=str(current_tenant()), attachment_id=str(found.id), state="infected")
