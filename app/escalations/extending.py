"""A later close date: asked for, granted or declined; until it is granted nothing moves."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.auth import queries as users
from app.auth.models import User
from app.db import db
from app.errors import invalid
from app.escalations import permissions
from app.escalations.case import Act, Change, begin
from app.escalations.errors import NothingPending
from app.escalations.models import Escalation, Request
from app.escalations.owning import named
from app.escalations.pending import check_not_asker, pending_request


@dataclass(frozen=True)
class Extension:
    """Until when (a moment later than the present due), why, and whether the customer agreed."""

    until: datetime
    reason: str
    customer_agreed: bool


def extend(escalation_id: UUID, *, act: Act, extension: Extension) -> Escalation:
    """An approver who is not the owner grants it at once; everybody else's call is a request somebody answers."""
    change = begin(escalation_id, "extend", act, pending="extension")
    change.step("extend")
    check_later(change, extension.until)
    if permissions.grants_extension(change.standing):
        grant(change, extension.until, extension.reason, customer_agreed=extension.customer_agreed, asker_id=None)
    else:
        ask(change, extension)
    return change.save()


def check_later(change: Change, until: datetime) -> None:
    due_at = change.record.due_at
    if until <= due_at:
        raise invalid("until", f"expected a moment later than the present due time, {due_at.isoformat()}")
    if until.year > 2100:
        raise invalid("until", "expected a moment before 2101")


def grant(change: Change, until: datetime, reason: str | None, *, customer_agreed: bool, asker_id: UUID | None) -> None:
    """The due time moves, the original stays: on time is always judged by the original."""
    record = change.record
    was = record.due_at
    change.clocks.extend("close", until, at=change.now, now=change.now)
    facts = {"was": was, "until": until, "customer_agreed": customer_agreed, "asked_by": asker_id}
    change.note("extend", facts, {"reason": reason})
    people = users.list_active(ids=[known for known in (record.owner_id, asker_id) if known])
    subject = f"{named(record, change.account)}: extended to {until.astimezone(change.zone):%d %b %Y}"
    change.tell(people, "extended", subject, reason or "The extension was granted.")


def ask(change: Change, extension: Extension) -> None:
    """One request can be pending; a second ask replaces it, and the timeline keeps both."""
    record = change.record
    earlier = pending_request(record.id, "extension")
    if earlier is not None:
        earlier.state = "replaced"
        db.session.flush()
    change.rows.append(
        Request(
            escalation_id=record.id,
            kind="extension",
            state="pending",
            asker_id=change.act.actor.user_id,
            asked_at=change.now,
            until=extension.until,
            customer_agreed=extension.customer_agreed,
            reason=extension.reason,
        )
    )
    facts = {"until": extension.until, "customer_agreed": extension.customer_agreed}
    change.note("extension_asked", facts, {"reason": extension.reason})
    change.tell(
        list_granters(record),
        "extension_asked",
        f"{named(record, change.account)}: an extension waits for your word",
        f"Until {extension.until:%d %b %Y}. {extension.reason}",
    )


def list_granters(record: Escalation) -> list[User]:
    """The owner's manager; without one, the admins."""
    return users.list_managers(record.owner_id) or users.list_active(roles=["admin"])


def answer_extension(escalation_id: UUID, *, act: Act, approved: bool, reason: str | None = None) -> Escalation:
    """Somebody other than the asker answers the pending request."""
    change = begin(escalation_id, "approve" if approved else "decline", act, pending="extension")
    request = pending_request(change.record.id, "extension")
    change.step("approve" if approved else "decline", extension_pending=request is not None)
    if request is None or request.until is None:
        raise NothingPending
    check_not_asker(request, act.actor)
    request.state = "approved" if approved else "declined"
    request.answered_by_id, request.answered_at = act.actor.user_id, act.now
    if approved:
        check_later(change, request.until)
        agreed = bool(request.customer_agreed)
        grant(change, request.until, request.reason, customer_agreed=agreed, asker_id=request.asker_id)
    else:
        change.note("extension_declined", {"until": request.until}, {"reason": reason})
        asker = users.list_active(ids=[request.asker_id] if request.asker_id else [])
        change.tell(asker, "declined", f"{named(change.record, change.account)}: no extension", f"Why: {reason}")
    return change.save()
