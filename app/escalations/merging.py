"""Merging: a case is folded into the one raised first, whole and for ever."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from app.accounts import queries as accounts
from app.db import db
from app.errors import invalid
from app.escalations import criteria, deciding, holders, lifecycle, prevention, promises, tasking
from app.escalations.carrying import carry_over
from app.escalations.case import Act, Change, begin, list_contract_ids
from app.escalations.closing import void_requests
from app.escalations.errors import MergeTheOtherWay
from app.escalations.models import Escalation
from app.escalations.outages import linking as outages
from app.escalations.owning import own
from app.escalations.standing import lock_record, survivor_id
from app.escalations.words import numbered
from app.escalations.working import reweigh
from app.escalations.worth import snapshot_of, take_value
from app.notifications import service as notifications
from app.playbooks import service as playbooks
from app.playbooks.models import Task
from app.routing import service as routing

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
    returning contract_id
    """
)
JOIN_ATTACHMENTS = text(
    """
    update attachment set escalation_id = :survivor, origin_id = coalesce(origin_id, :loser)
    where escalation_id = :loser
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
    check_about(loser, kept)
    loser.merged_into_id = kept.id
    unanswered = db.session.scalar(UNANSWERED_MESSAGE, {"id": loser.id})
    change.note("merge", {"into": kept.id, "number": numbered(kept.number)}, {"reason": reason})
    outages.join(change, survivor)
    tasks = join(loser, kept, act.now)
    worth_more = join_contracts(loser, survivor)
    facts = {"from": loser.id, "number": numbered(loser.number), "tasks": [task.id for task in tasks]}
    survivor.note("merge", facts, {"reason": reason})
    end_merged(change)
    tasking.promise_all(survivor, tasks)
    carry_over(survivor, loser)
    take_over(survivor, loser, unanswered)
    if worth_more or kept.severity != survivor.before[3]:
        survivor.rows.append(snapshot_of(kept, survivor.account, act.now, cause="merge"))
    holders.follow(survivor, because="merge")
    deciding.ask_who_sees(survivor)
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
    """Links, watchers, attachments, what was agreed and promised, and open tasks join the survivor, these are answered;
    those merged before lead there too."""
    values = {"loser": loser.id, "survivor": kept.id}
    for statement in (JOIN_LINKS, JOIN_WATCHERS, JOIN_ATTACHMENTS, SHORTEN_CHAINS):
        db.session.execute(statement, values)
    criteria.join(loser.id, kept.id)
    prevention.join(loser, kept)
    return playbooks.join(loser.id, kept.id, now=now)


def join_contracts(loser: Escalation, survivor: Change) -> bool:
    """What the merged one touches is at stake in the survivor, whose value is taken anew; whether it touches more."""
    kept = survivor.record
    joined = db.session.scalars(JOIN_CONTRACTS, {"loser": loser.id, "survivor": kept.id}).all()
    if joined:
        touched = list_contract_ids(kept.id)
        survivor.account = accounts.account_facts(kept.account_id, contract_ids=touched, now=survivor.now)
        take_value(kept, survivor.account)
    return bool(joined)


def check_about(loser: Escalation, kept: Escalation) -> None:
    """One case hides from one colleague: those about two are kept apart, or one of them would see the other's."""
    if None not in (loser.about_user_id, kept.about_user_id) and loser.about_user_id != kept.about_user_id:
        raise invalid("into_id", "expected a case about the same colleague, or about none; link the two instead")


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
