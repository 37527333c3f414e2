"""Ending a case: verify, close unresolved, decision, reopen."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text, update

from app.auth import queries as users
from app.auth.settings import tenant_settings
from app.db import db
from app.escalations import criteria, deciding, lifecycle, promises, tasking
from app.escalations.case import Act, Change, begin
from app.escalations.demand import NewEscalation
from app.escalations.errors import AlreadyVerified, CustomerNotSilent, NoDecision
from app.escalations.models import Escalation, Request
from app.escalations.owning import hold, named, own
from app.escalations.raising import Raised, raise_escalation
from app.escalations.waiting import stop_waiting
from app.escalations.working import reweigh
from app.routing import service as routing


@dataclass(frozen=True)
class Word:
    """The customer's word on a resolution: accepted or not, who said it and how."""

    accepted: bool
    confirmed_by: str
    channel: str
    comment: str | None = None


def verify(escalation_id: UUID, *, act: Act, word: Word, at: datetime | None = None) -> Escalation:
    """Quality control: the customer's confirmation closes the case, a rejection takes the work up again."""
    change = begin(escalation_id, "verify", act)
    check_not_verified(change.record)
    change.step("verify", accepted=word.accepted)
    happened_at = change.happened_at(at)
    record = change.record
    facts = {"accepted": word.accepted, "channel": word.channel}
    texts = {"confirmed_by": word.confirmed_by, "comment": word.comment}
    change.note("verify", facts, texts, at=happened_at)
    change.clocks.fulfil("verify", happened_at, change.now)
    if word.accepted:
        close(change, outcome="resolved", at=happened_at)
        record.verification = lifecycle.verification_of(accepted=True)
    else:
        record.resolved_at = None
        record.reopens += 1
        criteria.ask_again(record.id)
        promises.taken_up_again(change, closed=False)
        reweigh(change)
    return change.save()


def check_not_verified(record: Escalation) -> None:
    """A word given is not given again: whose it was stands in the refusal."""
    if record.status != lifecycle.CLOSED or record.verification is None:
        return
    row = db.session.execute(LAST_WORD, {"id": record.id}).one()
    raise AlreadyVerified(row.confirmed_by, row.channel, row.at.astimezone(ZoneInfo(record.zone)))


def close(change: Change, *, outcome: str, at: datetime) -> None:
    """The close clock is met; what still runs is cancelled, what was breached is missed; the owner's load falls."""
    record = change.record
    record.outcome, record.closed_at = outcome, at
    if record.waiting_since is not None:
        stop_waiting(change)
    change.clocks.fulfil("close", at, change.now, because="close")
    change.clocks.end_case(at, change.now)
    routing.release(record.id, now=change.now)
    void_requests(record.id)


def void_requests(escalation_id: UUID) -> None:
    """What was asked for a case that ended needs no answer any more."""
    pending = (Request.escalation_id == escalation_id, Request.state == "pending")
    db.session.execute(update(Request).where(*pending).values(state="void"))


LAST_WORD = text(
    """
    select e.at, e.facts ->> 'channel' as channel,
           (select t.text from event_text t where t.event_id = e.id and t.field = 'confirmed_by') as confirmed_by
    from event e where e.escalation_id = :id and e.kind = 'verify' order by e.seq desc limit 1
    """
)
HAS_DECISION = text("select exists (select 1 from event where escalation_id = :id and kind = 'decision')")
UNANSWERED = text(
    """
    select min(at) as first, max(at) as last from event e
    where escalation_id = :id and kind = 'update' and facts -> 'audiences' ? 'customer'
      and at > coalesce((select max(m.at) from event m where m.escalation_id = :id and m.kind = 'message'),
                        '-infinity'::timestamptz)
    """
)


def close_unresolved(escalation_id: UUID, *, act: Act, outcome: str, reason: str) -> Escalation:
    """A manager or executive ends a case that was not resolved; it is never counted as resolved."""
    change = begin(escalation_id, "close-unresolved", act)
    record = change.record
    change.step("close-unresolved")
    if outcome == "unresolved" and not db.session.scalar(HAS_DECISION, {"id": record.id}):
        raise NoDecision
    if outcome == "customer_silent":
        check_silence(change)
    change.note("close_unresolved", {"outcome": outcome}, {"reason": reason})
    close(change, outcome=outcome, at=change.now)
    return change.save()


def check_silence(change: Change) -> None:
    """Two updates to the customer without an answer, the tenant's `silent_gap_business_days` (5) apart."""
    row = db.session.execute(UNANSWERED, {"id": change.record.id}).one()
    gap = tenant_settings().silent_gap_business_days * change.calendar.day_seconds
    if row.first is None or change.calendar.between(row.first, row.last) < gap:
        raise CustomerNotSilent


def record_decision(escalation_id: UUID, *, act: Act, choice: str, reason: str) -> Escalation:
    """Management's decision is recorded and nothing else; what it says is done by its own call."""
    change = begin(escalation_id, "decision", act)
    change.step("decision")
    change.note("decision", {"choice": choice}, {"reason": reason})
    deciding.settle(change)
    owners = users.list_active(ids=[change.record.owner_id] if change.record.owner_id else [])
    change.tell(owners, "decision", f"{named(change.record, change.account)}: {choice}", reason)
    return change.save()


def reopen(escalation_id: UUID, *, act: Act, reason: str) -> Escalation | Raised:
    """Within the tenant's `reopen_days` (14) the case goes on; after that the same call raises a recurrence of it."""
    change = begin(escalation_id, "reopen", act)
    record = change.record
    change.step("reopen")
    closed_at = record.closed_at or change.now
    if not lifecycle.can_reopen(closed_at, change.zone, now=change.now, days=tenant_settings().reopen_days):
        db.session.expunge(record)
        return raise_escalation(recurrence_of(record), act=act)
    record.outcome = record.verification = None
    record.resolved_at = record.closed_at = None
    record.reopens += 1
    criteria.ask_again(record.id)
    promises.taken_up_again(change, closed=True)
    tasking.take_up_again(change)
    change.note("reopen", texts={"reason": reason})
    keep_or_reroute(change)
    owners = users.list_active(ids=[record.owner_id] if record.owner_id else [])
    change.tell(owners, "reopened", f"{named(record, change.account)}: open again", f"Why: {reason}")
    return change.save()


def keep_or_reroute(change: Change) -> None:
    """The owner takes it up again if they are still there; gone or away, it is routed afresh."""
    record, account = change.record, change.account
    active = users.list_active(ids=[record.owner_id] if record.owner_id else [])
    if record.owner_id and active and not routing.find_stand_ins([record.owner_id], now=change.now):
        change.rows += hold(record, record.owner_id, record.team_id, now=change.now)
        return
    own(change, account, cause="reopen")
    promises.owner_changed(change)


def recurrence_of(record: Escalation) -> NewEscalation:
    """The same problem again, too late to reopen: a new case that names the old one."""
    return NewEscalation(
        title=record.title,
        severity=record.severity,
        account_id=record.account_id,
        customer_statement=record.customer_statement,
        desired_outcome=record.desired_outcome,
        impact=record.impact,
        reason=record.reason,
        raised_by_kind=record.raised_by_kind,
        raised_by_email=record.raised_by_email,
        source=record.source,
        answers=record.answers,
        about_user=users.get_user(record.about_user_id).email if record.about_user_id else None,
        restricted=record.restricted,
        recurrence_of_id=record.id,
    )
