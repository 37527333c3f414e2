"""Giving a case to its owner: routing's decision is recorded, work moves with it, the new owner is told why."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.accounts.facts import AccountFacts
from app.auth import queries as users
from app.db import Model, db
from app.escalations import holders
from app.escalations.case import Change
from app.escalations.models import Escalation, Link
from app.escalations.words import numbered
from app.routing import facts
from app.routing import service as routing
from app.routing.inputs import Cause, RoutingInput, RoutingResult
from app.sla.service import Basis

NOBODYS_WISH = ("absence", "deactivation", "rebalance")
SAID = ("source", "raised_by_kind", "raised_at", "title", "customer_statement", "desired_outcome", "impact")


def routing_input(change: Change, account: AccountFacts) -> RoutingInput:
    """What rules may ask about: the escalation, its account, its value and its contracts."""
    record = change.record
    return facts.routing_input(
        under(account, change.basis),
        escalation_id=record.id,
        severity=record.severity,
        reason=record.reason,
        status=record.status,
        about_user_id=record.about_user_id,
        basis=change.basis,
        restricted=record.restricted,
        tier=record.tier,
        has_outage=record.outage_id is not None,
        systems=systems_of(change),
        **{name: getattr(record, name) for name in SAID},
    )


def under(account: AccountFacts, basis: Basis) -> AccountFacts:
    """The account by the one service level that a case goes by, of several that its contracts name."""
    return replace(account, service_levels=(basis.level.name,)) if basis.level is not None else account


def systems_of(change: Change) -> list[str]:
    """The systems of the case's references, read only when a rule asks for them."""
    if not routing.asks("escalation.systems"):
        return []
    kept = db.session.scalars(select(Link.system).where(Link.escalation_id == change.record.id))
    return sorted({*kept, *(row.system for row in change.rows if isinstance(row, Link))})


def own(
    change: Change,
    account: AccountFacts,
    *,
    cause: Cause,
    exclude: frozenset[UUID] = frozenset(),
    reason: str | None = None,
    misroute: str | None = None,
) -> RoutingResult:
    """Route the case; its owner is never empty, and the decision with its reason is kept for ever."""
    routed = routing.route(
        routing_input(change, account), actor=change.act.actor, now=change.now, cause=cause, exclude=exclude
    )
    hand_over(change, account, routed, cause=cause, reason=reason, misroute=misroute)
    return routed


def hand_over(
    change: Change,
    account: AccountFacts,
    routed: RoutingResult,
    *,
    cause: Cause,
    reason: str | None = None,
    misroute: str | None = None,
) -> None:
    """Make the routed person the owner: assignment, tasks, event, and a message that names the reason.

    `misroute` is why the decision before was wrong; it is kept beside that one.
    """
    record, previous = change.record, change.record.owner_id
    record.owner_id = routed.owner_id
    record.team_id = routed.team_id
    record.first_owner_id = record.first_owner_id or routed.owner_id
    record.assignment_failed = routed.failure is not None
    change.rows += routing.misrouted(routed.decision, misroute) if misroute else []
    change.rows.append(routed.decision)
    if previous is not None:
        routing.release(record.id, now=change.now, closed=False)
        if previous != routed.owner_id:
            change.clocks.owner_left()
    change.rows += hold(record, routed.owner_id, routed.team_id, now=change.now)
    said = {"misroute": misroute} if misroute else {}
    change.note(
        "assign",
        {
            "owner": routed.owner_id,
            "was": previous,
            "team": routed.team_id,
            "rule": routed.rule,
            "cause": cause,
            **said,
        },
        {"reason": reason},
    )
    change.tell(
        [routed.owner],
        "assigned",
        f"{account.account.name}: you own this escalation",
        f"{record.title}. Why you: {routed.why}.{_why_now(cause, reason)} Acknowledge it; it closes by "
        f"{record.due_at:%d %b %Y}.",
        present=cause == "raise",  # just found eligible, or the last who is left
    )
    if previous is not None:
        holders.follow(change, because="owner")
    if routed.failure is not None:
        tell_of_failure(change, account, routed)


def _why_now(cause: Cause, reason: str | None) -> str:
    """What took the case from its owner, where that was nobody's wish."""
    return f" Why now: {reason}" if reason and cause in NOBODYS_WISH else ""


def tell_of_failure(change: Change, account: AccountFacts, routed: RoutingResult) -> None:
    """No rule's target could take it: the owner's manager and the admins know, and the case stands in a list."""
    above = users.list_managers(routed.owner_id)
    people = [*above, *users.list_active(roles=["admin"])]
    subject = f"{account.account.name}: no rule found an owner"
    reason = str(routed.failure).replace("_", " ")
    change.tell(
        people, "assignment_failed", subject, f"{change.record.title}. Why: {reason}. {routed.owner.name} has it."
    )


def hold(record: Escalation, owner_id: UUID, team_id: UUID | None, *, now: datetime) -> list[Model]:
    """The row by which the owner holds the case, with its weight and value."""
    return routing.assign(
        escalation_id=record.id,
        account_id=record.account_id,
        reason=record.reason,
        owner_id=owner_id,
        team_id=team_id,
        weight=routing.work_weight(record.severity, record.status),
        value=record.value_amount,
        now=now,
    )


def named(record: Escalation, account: AccountFacts | None = None) -> str:
    """How messages name a case."""
    number = numbered(record.number) if record.number else "new"
    return f"{account.account.name}: {record.title} · {number}" if account else f"{record.title} · {number}"
