"""Working a case: acknowledge, assign, escalate, wait, resume, plan, edit, watch."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from app.accounts import queries as accounts
from app.auth import queries as users
from app.auth.settings import tenant_settings
from app.db import db
from app.errors import invalid
from app.escalations import promises, tiers, words
from app.escalations.case import Act, Change, begin, list_contract_ids, watch
from app.escalations.errors import BriefNeeded, ReasonNeeded
from app.escalations.models import Escalation, EscalationContract, Forecast
from app.escalations.owning import hand_over, named, own, routing_input
from app.escalations.worth import snapshot_of, take_value
from app.playbooks import service as playbooks
from app.routing import service as routing
from app.routing.errors import OwnerNotAllowed
from app.routing.inputs import Cause
from app.sla import service as sla


def acknowledge(escalation_id: UUID, *, act: Act, at: datetime | None = None) -> Escalation:
    """The owner takes the case in hand; the acknowledge clock is met."""
    change = begin(escalation_id, "acknowledge", act)
    change.step("acknowledge", acknowledgement_void=not change.record.acknowledged)
    happened_at = change.happened_at(at)
    change.record.acknowledged = True
    promises.acknowledged(change, happened_at)
    change.note("acknowledge", at=happened_at)
    return change.save()


@dataclass(frozen=True)
class NewOwner:
    """Whom to give the case to: a user, a team, or nobody named: routed afresh without the present owner."""

    owner_id: UUID | None = None
    owner_email: str | None = None
    team_id: UUID | None = None


def assign(escalation_id: UUID, *, act: Act, to: NewOwner, reason: str) -> Escalation:
    """A new owner, with the reason; without a target the case is routed afresh, which is how an owner declines."""
    change = begin(escalation_id, "assign", act)
    change.step("assign")
    record, previous = change.record, change.record.owner_id
    declined = to == NewOwner()
    cause: Cause = "decline" if declined and change.standing.is_owner else "assign"
    if declined:
        own(change, change.account, cause=cause, exclude=frozenset({previous} if previous else ()))
    else:
        hand_over(change, change.account, chosen(change, to), cause=cause)
    change.note("reassign", {"cause": cause}, {"reason": reason})
    if record.owner_id != previous:
        promises.owner_changed(change)
    return change.save()


def chosen(change: Change, to: NewOwner) -> routing.RoutingResult:
    """The decision record of a named owner or team."""
    facts = routing_input(change, change.account)
    if to.team_id is not None:
        return routing.route(facts, actor=change.act.actor, now=change.now, cause="assign", team_id=to.team_id)
    where = "owner_id" if to.owner_id else "owner_email"
    owner_id = to.owner_id
    if owner_id is None:
        user = users.find_user_by_email(to.owner_email or "")
        owner_id = user.id if user else None
    try:
        if owner_id is None:
            raise OwnerNotAllowed("expected an active colleague")
        return routing.appoint(facts, owner_id, actor=change.act.actor, now=change.now, cause="assign")
    except OwnerNotAllowed as refused:
        raise invalid(where, refused.detail) from refused


@dataclass(frozen=True)
class Hop:
    """One move up the path: why, what was tried, and to which tier if one is skipped."""

    reason: str
    brief: str | None = None
    to_tier: str | None = None
    vendor: dict[str, Any] | None = None
    automatic: bool = False


def escalate(escalation_id: UUID, *, act: Act, hop: Hop) -> Escalation:
    """Move the work up a tier with a brief; a severity-1 or automatic hop may lack it and is flagged until written."""
    change = begin(escalation_id, "escalate", act)
    change.step("escalate")
    if not hop.brief and not hop.automatic and change.record.severity != 1:
        raise BriefNeeded(errors=[{"pointer": "/brief", "detail": "expected what was tried and what is asked"}])
    target, passed = reach(change, hop)
    was = change.record.tier
    change.record.tier = target
    change.record.brief_missing = not hop.brief
    if hop.automatic:
        change.clocks.cancel("tier", at=change.now, now=change.now, because="automatic_hop")
    else:
        change.clocks.fulfil("tier", change.now, change.now)
    facts = {"was": was, "tier": target, "reason": hop.reason, "automatic": hop.automatic, "passed_over": passed}
    vendor = hop.vendor or {}
    texts = {"brief": hop.brief, **{f"vendor_{key}": vendor.get(key) for key in ("name", "contact", "reference")}}
    change.note("escalate", facts, texts)
    qualify(change, target)
    change.sign_of_work(change.now)
    return change.save()


def reach(change: Change, hop: Hop) -> tuple[str, list[str]]:
    """The tier this hop reaches and those passed over: one whose team has nobody, or a vendor without a name."""
    current = change.record.tier
    wanted = tiers.check_to_tier(current, hop.to_tier) if hop.to_tier else tiers.next_tier(current)
    passed: list[str] = []
    while True:
        vendor_unnamed = wanted == "vendor" and not (hop.vendor or {}).get("name")
        if not vendor_unnamed and (wanted == "vendor" or not is_deserted(change, wanted)):
            return wanted, passed
        if hop.to_tier and vendor_unnamed:
            raise invalid("vendor", "expected the vendor's name and contact")
        if wanted == tiers.TIERS[-1]:
            return wanted, passed
        passed.append(wanted)
        wanted = tiers.next_tier(wanted)


def is_deserted(change: Change, tier: str) -> bool:
    """Whether the tier has a team and nobody in it is eligible; without a team the owner keeps the work."""
    return routing.find_team_of_tier(tier) is not None and member_of(change, tier) is None


def member_of(change: Change, tier: str) -> UUID | None:
    """Who of the tier's team would take it, routed like an owner; None without a team or anybody eligible."""
    team = routing.find_team_of_tier(tier)
    if team is None:
        return None
    found = routing.explain(routing_input(change, change.account), now=change.now, team_id=team.id)
    return found.owner_id if found.team_id == team.id and found.failure is None else None


def qualify(change: Change, tier: str) -> None:
    """The tier's team gets the question "can it be resolved here?"; without a team the owner keeps it."""
    record = change.record
    member = member_of(change, tier)
    assignee = member or record.owner_id
    title = (
        "Decide what is done: extend, vendor, concession, close unresolved or go on"
        if tier == "management"
        else f"Can it be resolved here ({tier.replace('_', ' ')})?"
    )
    change.rows.append(
        playbooks.new_task(
            "qualification",
            title,
            escalation_id=record.id,
            assignee_id=assignee,
            now=change.now,
            role="owner" if member is None else "tier",
        )
    )
    if assignee is not None:
        people = users.list_active(ids=[assignee])
        change.tell(people, "qualification", f"{named(record, change.account)}: moved up to {tier}", title)


@dataclass(frozen=True)
class Wait:
    """Whom we wait for, why, and the day on which work resumes by itself."""

    party: str
    reason: str
    resume_on: date


def wait(escalation_id: UUID, *, act: Act, on: Wait) -> Escalation:
    """Wait for the customer, a vendor or ourselves; the budget is one for the whole case."""
    change = begin(escalation_id, "wait", act)
    was = change.record.status
    change.step("wait")
    resume_at = check_resume_on(change, on.resume_on)
    if was == "waiting":
        stop_waiting(change)
    record = change.record
    record.waiting_party, record.waiting_reason = on.party, on.reason
    record.waiting_since, record.resume_on = change.now, on.resume_on
    ends_at = budget_ends_at(change)
    record.wait_exhausted = ends_at <= change.now
    record.wake_at = resume_at if record.wait_exhausted else min(resume_at, ends_at)
    if not record.wait_exhausted:
        change.clocks.pause(change.now, change.now, party=on.party)
    facts = {"party": on.party, "resume_on": on.resume_on, "budget_ends_at": ends_at}
    change.note("wait", facts, {"reason": on.reason})
    change.sign_of_work(change.now)
    reweigh(change)
    return change.save()


def check_resume_on(change: Change, resume_on: date) -> datetime:
    """The first opening of that day; after today and at most 10 business days ahead."""
    today = change.now.astimezone(change.zone).date()
    limit = change.calendar.add(change.now, tenant_settings().resume_within_business_days * change.calendar.day_seconds)
    if not today < resume_on <= limit.astimezone(change.zone).date():
        raise invalid("resume_on", f"expected a day after {today} and up to {limit.astimezone(change.zone).date()}")
    return sla.first_opening(resume_on, change.basis)


def budget_ends_at(change: Change) -> datetime:
    """When the waits of this case have used up their budget, if it goes on waiting."""
    calendar, record = change.calendar, change.record
    left = tenant_settings().wait_budget_business_days * calendar.day_seconds - record.wait_used_seconds
    return calendar.add(change.now, left) if left > 0 else change.now


def stop_waiting(change: Change) -> None:
    """Count the wait that ends now against the budget and let the clocks run on."""
    record = change.record
    if record.waiting_since is not None:
        record.wait_used_seconds += change.calendar.between(record.waiting_since, change.now)
    if not record.wait_exhausted:
        change.clocks.resume(change.now, change.now)
    record.waiting_party = record.waiting_reason = None
    record.waiting_since = record.resume_on = record.wake_at = None
    record.wait_exhausted = False


def resume(escalation_id: UUID, *, act: Act, because: str = "by_hand") -> Escalation:
    """Work goes on: by hand, by the customer's reply, or by itself on `resume_on`."""
    change = begin(escalation_id, "resume", act)
    resume_work(change, because)
    change.sign_of_work(change.now)
    return change.save()


def resume_work(change: Change, because: str) -> None:
    party = change.record.waiting_party
    change.step("resume")
    stop_waiting(change)
    change.note("resume", {"because": because, "party": party})
    reweigh(change)


def reweigh(change: Change) -> None:
    """Waiting and resolved work weighs half."""
    routing.reweigh(
        change.record.id,
        routing.work_weight(change.record.severity, change.record.status),
        value=change.record.value_amount,
        reason=change.record.reason,
    )


def plan(escalation_id: UUID, *, act: Act, content: str, forecast_close_on: date, customer_agreed: bool) -> Escalation:
    """The plan and the forecast close date; agreed with the customer, it meets the plan clock."""
    change = begin(escalation_id, "plan", act)
    change.step("plan")
    set_forecast(change, forecast_close_on)
    if customer_agreed:
        change.clocks.fulfil("plan", change.now, change.now)
    facts = {"forecast_close_on": forecast_close_on, "customer_agreed": customer_agreed}
    change.note("plan", facts, {"plan": content})
    change.sign_of_work(change.now)
    return change.save()


def set_forecast(change: Change, close_on: date | None) -> None:
    """Keep the forecast and its history; a day that has passed is refused."""
    record = change.record
    if close_on == record.forecast_close_on:
        return
    if close_on is not None and close_on < change.now.astimezone(change.zone).date():
        raise invalid("forecast_close_on", "expected today or a later day")
    change.rows.append(
        Forecast(
            escalation_id=record.id,
            was=record.forecast_close_on,
            close_on=close_on,
            at=change.now,
            recorded_at=change.now,
            actor_id=change.act.actor.user_id,
        )
    )
    change.note("forecast", {"was": record.forecast_close_on, "is": close_on})
    record.forecast_close_on = close_on


TEXTS = ("title", "desired_outcome", "impact")


def edit(escalation_id: UUID, *, act: Act, changes: dict[str, Any]) -> Escalation:
    """Change what the record says; a lower severity needs its reason and keeps the earlier due times."""
    change = begin(escalation_id, "edit", act)
    record = change.record
    texts = {name: changes[name] for name in TEXTS if name in changes and changes[name] != getattr(record, name)}
    for name, content in texts.items():
        setattr(record, name, content)
    facts: dict[str, Any] = {"fields": sorted(texts)}
    if "reason" in changes and changes["reason"] != record.reason:
        words.check_reason(changes["reason"], tenant_settings())
        facts["reason"] = {"was": record.reason, "is": changes["reason"]}
        record.reason = changes["reason"]
    if "restricted" in changes and changes["restricted"] != record.restricted:
        facts["restricted"] = record.restricted = changes["restricted"]
    if changes.get("handover_brief"):
        texts["handover_brief"], record.brief_missing = changes["handover_brief"], False
    if "severity" in changes and changes["severity"] != record.severity:
        facts["severity"] = change_severity(change, changes["severity"], changes.get("severity_reason"))
        texts["severity_reason"] = changes.get("severity_reason")
    if "contract_ids" in changes:
        facts["contracts"] = change_contracts(change, changes["contract_ids"])
    if "forecast_close_on" in changes:
        set_forecast(change, changes["forecast_close_on"])
    if len(facts) > 1 or facts["fields"] or texts:
        change.note("edit", facts, texts)
    change.sign_of_work(change.now)
    return change.save()


def change_severity(change: Change, severity: int, reason: str | None) -> dict[str, int]:
    """A higher severity tightens running promises at once; a lower one keeps the earlier due of the running cycle."""
    was = change.record.severity
    if severity > was and not (reason or "").strip():
        raise ReasonNeeded(errors=[{"pointer": "/severity_reason", "detail": "expected why the severity falls"}])
    change.record.severity = severity
    change.clocks.retarget_severity(severity, at=change.now, now=change.now, lowered=severity > was, because="severity")
    reweigh(change)
    return {"was": was, "is": severity}


def change_contracts(change: Change, contract_ids: list[UUID] | None) -> dict[str, Any]:
    """Other contracts touched: the value is taken anew and snapshotted."""
    record = change.record
    was = sorted(str(known) for known in list_contract_ids(record.id))
    wanted = tuple(contract_ids) if contract_ids is not None else None
    account = accounts.account_facts(record.account_id, contract_ids=wanted, now=change.now)
    change.__dict__["account"] = account
    db.session.execute(delete(EscalationContract).where(EscalationContract.escalation_id == record.id))
    change.rows += [
        EscalationContract(escalation_id=record.id, contract_id=contract_id)
        for contract_id in account.touched_contract_ids
    ]
    take_value(record, account)
    change.rows.append(snapshot_of(record, account, change.now, cause="contracts"))
    return {"was": was, "is": sorted(str(contract_id) for contract_id in account.touched_contract_ids)}


def set_watching(escalation_id: UUID, *, act: Act, watching: bool) -> Escalation:
    """Follow a case, or stop."""
    change = begin(escalation_id, "watch", act)
    if act.actor.user_id is not None:
        watch(change.record, act.actor.user_id, watching=watching)
    change.note("watch", {"watching": watching})
    return change.save()
