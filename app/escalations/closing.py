"""Ending a case: resolve, verify, close unresolved, decision, reopen, merge."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text, update

from app.auth import queries as users
from app.auth.settings import tenant_settings
from app.db import db
from app.errors import invalid
from app.escalations import deciding, lifecycle, promises, tasking
from app.escalations.carrying import carry_over
from app.escalations.case import Act, Change, begin
from app.escalations.demand import NewEscalation
from app.escalations.errors import CustomerNotSilent, MergeTheOtherWay, NoDecision, NotReady
from app.escalations.models import Escalation, Request
from app.escalations.owning import hold, named, own
from app.escalations.raising import Raised, raise_escalation
from app.escalations.standing import lock_record, survivor_id
from app.escalations.waiting import stop_waiting
from app.escalations.words import numbered
from app.escalations.working import reweigh
from app.notifications import service as notifications
from app.playbooks import service as playbooks
from app.playbooks.models import Task
from app.routing import service as routing


@dataclass(frozen=True)
class Resolution:
    """What was done, why it happened, and what will keep it from happening again."""

    summary: str
    root_cause: str
    preventable: bool
    prevention: dict[str, Any] | None = None
    waived: tuple[dict[str, Any], ...] = ()
    met: tuple[str, ...] = ()


def resolve(escalation_id: UUID, *, act: Act, resolution: Resolution, at: datetime | None = None) -> Escalation:
    """The work is done, subject to the customer's word; required tasks are done or waived with a reason."""
    change = begin(escalation_id, "resolve", act)
    was_waiting = change.record.status == "waiting"
    change.step("resolve")
    waive(change, resolution)
    happened_at = change.happened_at(at)
    if was_waiting:
        stop_waiting(change)
    change.record.resolved_at = happened_at
    promises.resolved(change, happened_at)
    prevention = resolution.prevention or {}
    facts = {
        "met": sorted(resolution.met),
        "waived_criteria": sorted(entry["criterion"] for entry in resolution.waived if entry.get("criterion")),
        "preventable": resolution.preventable,
        "prevention_owner": prevention.get("owner_email"),
        "prevention_due_on": prevention.get("due_on"),
    }
    texts = {
        "summary": resolution.summary,
        "root_cause": resolution.root_cause,
        "prevention": prevention.get("action"),
    }
    change.note("resolve", facts, texts, at=happened_at)
    reweigh(change)
    return change.save()


def waive(change: Change, resolution: Resolution) -> None:
    """Waive the tasks and exit criteria named with their reasons; what is still required is answered by name."""
    reasons = {entry["task_id"]: entry["reason"] for entry in resolution.waived if entry.get("task_id")}
    open_tasks = playbooks.list_open(change.record.id)
    if unknown := set(reasons) - {task.id for task in open_tasks}:
        raise invalid("waived", f"{unknown.pop()} is no open task of this case")
    missing = list_unmet(change, resolution)
    for task in open_tasks:
        if task.id in reasons:
            tasking.settle(change, task, {"state": "waived", "reason": reasons[task.id]})
            change.note("task", {"task": task.id, "state": "waived"}, {"reason": reasons[task.id]})
        elif task.required:
            missing.append({"task_id": str(task.id), "title": task.title})
    if missing:
        raise NotReady(missing=missing)


def list_unmet(change: Change, resolution: Resolution) -> list[dict[str, str]]:
    """The playbook's exit criteria that are neither met nor waived with a reason; one it does not have is refused."""
    criteria = {one.key: one.text for one in change.playbook.criteria} if change.playbook else {}
    waived = {entry["criterion"]: entry["reason"] for entry in resolution.waived if entry.get("criterion")}
    for field, named_ in (("met", resolution.met), ("waived", waived)):
        if unknown := sorted(set(named_) - set(criteria)):
            expected = f"one of {', '.join(criteria)}" if criteria else "none: this case has no exit criteria"
            raise invalid(field, f"{unknown[0]} is no exit criterion, expected {expected}")
    for key, reason in waived.items():
        change.note("criterion_waived", {"criterion": key}, {"reason": reason})
    return [
        {"criterion": key, "text": said}
        for key, said in criteria.items()
        if key not in waived and key not in resolution.met
    ]


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
        promises.taken_up_again(change, closed=False)
        reweigh(change)
    return change.save()


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


JOIN_LINKS = text(
    """
    update link set escalation_id = :survivor, origin_id = coalesce(origin_id, :loser) where escalation_id = :loser
    and not exists (select 1 from link kept where kept.escalation_id = :survivor
                    and kept.system = link.system and kept.external_id = link.external_id)
    """
)
JOIN_WATCHERS = text(
    """
    update watcher set escalation_id = :survivor where escalation_id = :loser
    and user_id not in (select user_id from watcher where escalation_id = :survivor)
    """
)
JOIN_CONTRACTS = text(
    """
    update escalation_contract set escalation_id = :survivor where escalation_id = :loser
    and contract_id not in (select contract_id from escalation_contract where escalation_id = :survivor)
    """
)
SHORTEN_CHAINS = text("update escalation set merged_into_id = :survivor where merged_into_id = :loser")
UNANSWERED_MESSAGE = text(
    """
    select min(at) from event where escalation_id = :id and kind = 'message'
    and at > coalesce((select max(u.at) from event u where u.escalation_id = :id and u.kind = 'update'
                       and u.facts -> 'audiences' ? 'customer'), '-infinity'::timestamptz)
    """
)


def merge(escalation_id: UUID, *, act: Act, into_id: UUID, reason: str) -> Escalation:
    """Fold a case into the one raised first; its id, number and references lead there for ever."""
    into_id = survivor_id(into_id)
    if into_id == escalation_id:
        raise invalid("into_id", "expected another escalation")
    for locked in sorted((escalation_id, into_id)):  # always in one order, so that two merges cannot deadlock
        lock_record(locked)
    change = begin(escalation_id, "merge", act)
    survivor = begin(into_id, "merge", Act(actor=act.actor, now=act.now, note=act.note))
    loser, kept = change.record, survivor.record
    if not lifecycle.LIVE.issuperset({kept.status}):
        raise invalid("into_id", f"expected an open escalation, this one is {kept.status}")
    change.step("merge")
    if lifecycle.survivor_of((loser.raised_at, loser.number), (kept.raised_at, kept.number))[1] == loser.number:
        raise MergeTheOtherWay(survivor_id=str(loser.id))
    loser.merged_into_id = kept.id
    unanswered = db.session.scalar(UNANSWERED_MESSAGE, {"id": loser.id})
    change.note("merge", {"into": kept.id, "number": numbered(kept.number)}, {"reason": reason})
    tasks = join(loser, kept, act.now)
    facts = {"from": loser.id, "number": numbered(loser.number), "tasks": [task.id for task in tasks]}
    survivor.note("merge", facts, {"reason": reason})
    end_merged(change)
    tasking.promise_all(survivor, tasks)
    carry_over(survivor, loser)
    take_over(survivor, loser, unanswered)
    change.save()
    return survivor.save()


def end_merged(change: Change) -> None:
    """Clocks of the merged one end as when a case closes; its unsent reminders are suppressed."""
    record = change.record
    record.closed_at = None
    change.clocks.end_case(change.now, change.now, because="merge")
    notifications.suppress(escalation_ids=[record.id], reason="merged")
    routing.release(record.id, now=change.now, closed=False)
    void_requests(record.id)


def join(loser: Escalation, kept: Escalation, now: datetime) -> list[Task]:
    """Links, watchers, contracts and open tasks join the survivor, these are answered; those merged before lead there
    too."""
    values = {"loser": loser.id, "survivor": kept.id}
    for statement in (JOIN_LINKS, JOIN_WATCHERS, JOIN_CONTRACTS, SHORTEN_CHAINS):
        db.session.execute(statement, values)
    return playbooks.join(loser.id, kept.id, kept.owner_id, now=now)


def hide_from(survivor: Change, about_user_id: UUID | None) -> None:
    """Whom a merged case is about neither sees nor owns what became of it."""
    record = survivor.record
    if about_user_id is None or record.about_user_id is not None:
        return
    record.about_user_id = about_user_id
    if record.owner_id == about_user_id:
        own(survivor, survivor.account, cause="assign", exclude=frozenset({about_user_id}))
        promises.owner_changed(survivor)


def take_over(survivor: Change, loser: Escalation, unanswered: datetime | None) -> None:
    """The higher severity holds; an unanswered message keeps its reply time; what was hidden stays hidden."""
    survivor.record.restricted = survivor.record.restricted or loser.restricted
    hide_from(survivor, loser.about_user_id)
    if loser.severity < survivor.record.severity:
        survivor.record.severity = loser.severity
        survivor.clocks.retarget_severity(
            loser.severity,
            basis=survivor.basis,
            at=survivor.now,
            now=survivor.now,
            lowered=False,
            because="merge",
        )
        reweigh(survivor)
    if unanswered is not None:
        promises.customer_spoke(survivor, max(unanswered, survivor.record.raised_at))
