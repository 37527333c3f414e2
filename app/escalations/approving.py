"""Answering a colleague's raise that waits for approval."""

from uuid import UUID

from app.accounts import queries as accounts
from app.auth import queries as users
from app.db import db
from app.escalations.case import Act, Change, begin
from app.escalations.errors import NothingPending
from app.escalations.models import Escalation
from app.escalations.pending import check_not_asker, pending_request
from app.escalations.promises import answer_waiting_message
from app.escalations.raising import list_approvers, open_case


def approver_ids(record: Escalation) -> set[UUID]:
    """Who may answer the request of this raise."""
    account = accounts.account_facts(record.account_id, contract_ids=None, now=record.raised_at)
    return {approver.id for approver in list_approvers(account)}


def answer_raise(escalation_id: UUID, *, act: Act, approved: bool, reason: str | None = None) -> Escalation:
    """Approve starts the promises; decline needs a reason and tells the requester. Nobody answers their own."""
    action = "approve" if approved else "decline"
    change = begin(escalation_id, action, act, approvers=approver_ids)
    with db.session.no_autoflush:  # the database refuses an open case without an owner: both are written together
        change.step(action)
        settle_request(change, approved=approved, reason=reason)
        if approved:
            open_case(change, change.account, at=act.now, noted="approve")
            answer_waiting_message(change)
    return change.save()


def settle_request(change: Change, *, approved: bool, reason: str | None) -> None:
    """The answer is kept with who gave it; a refused asker is told why."""
    request = pending_request(change.record.id, "raise")
    if request is None:
        raise NothingPending
    check_not_asker(request, change.act.actor)
    request.state = "approved" if approved else "declined"
    request.answered_by_id, request.answered_at = change.act.actor.user_id, change.now
    request.reason = reason
    change.clocks.fulfil("decide", change.now, change.now)
    if not approved:
        change.note("decline", texts={"reason": reason})
        asker = users.list_active(ids=[request.asker_id] if request.asker_id else [])
        change.tell(asker, "declined", f"Declined: {change.record.title}", f"Why: {reason}")
