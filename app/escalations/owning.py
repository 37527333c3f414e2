"""Giving a case to its owner: routing's decision is recorded, work moves with it, the new owner is told why."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.accounts.facts import AccountFacts
from app.db import Model
from app.escalations.case import Change
from app.escalations.models import Escalation
from app.escalations.words import numbered
from app.playbooks import service as playbooks
from app.routing import service as routing
from app.routing.inputs import Cause, RoutingInput, RoutingResult


def routing_input(record: Escalation, account: AccountFacts) -> RoutingInput:
    """What rules may ask about: the escalation, its account, its value and its contracts."""
    value = account.value
    people = {"owner": account.owner, "csm": account.csm, "sponsor": account.sponsor}
    facts: dict[str, Any] = {
        "escalation.severity": record.severity,
        "escalation.reason": record.reason,
        "escalation.source": record.source,
        "escalation.raised_by_kind": record.raised_by_kind,
        "escalation.raised_at": record.raised_at,
        "escalation.title": record.title,
        "escalation.customer_statement": record.customer_statement,
        "escalation.desired_outcome": record.desired_outcome,
        "escalation.impact": record.impact,
        "escalation.restricted": record.restricted,
        "escalation.tier": record.tier,
        "escalation.has_about_user": record.about_user_id is not None,
        **account_facts_of(account),
        "value.amount": value.value_at_stake.amount,
        "value.arr": value.arr.amount,
        "value.renewal_on": value.renewal_on,
        "value.renewal_value": value.renewal_value.amount,
    }
    return RoutingInput(
        escalation_id=record.id,
        account_id=record.account_id,
        severity=record.severity,
        status=record.status,
        reason=record.reason,
        about_user_id=record.about_user_id,
        value=value.value_at_stake.amount,
        roles={name: person.id for name, person in people.items() if person is not None},
        facts=facts,
    )


def account_facts_of(account: AccountFacts) -> dict[str, Any]:
    """The account's own facts, its attributes by name, and what its contracts say."""
    row = account.account
    return {
        "account.name": row.name,
        "account.segment": row.segment,
        "account.region": row.region,
        "account.timezone": row.timezone,
        "account.domain": row.domain,
        "account.lifecycle": row.lifecycle,
        "account.health": row.health,
        "account.is_gone": row.is_gone,
        "account.has_parent": bool(account.chain),
        **{f"account.attributes.{name}": value for name, value in row.attributes.items()},
        "contract.service_level": account.service_level,
        "contract.currencies": list(account.currencies),
        "value.pipeline": account.value.pipeline.amount,
        "value.is_incomplete": account.value.incomplete,
    }


def own(
    change: Change, account: AccountFacts, *, cause: Cause, exclude: frozenset[UUID] = frozenset()
) -> RoutingResult:
    """Route the case; its owner is never empty, and the decision with its reason is kept for ever."""
    routed = routing.route(
        routing_input(change.record, account), actor=change.act.actor, now=change.now, cause=cause, exclude=exclude
    )
    hand_over(change, account, routed, cause=cause)
    return routed


def hand_over(change: Change, account: AccountFacts, routed: RoutingResult, *, cause: Cause) -> None:
    """Make the routed person the owner: assignment, tasks, event, and a message that names the reason."""
    record, previous = change.record, change.record.owner_id
    record.owner_id = routed.owner_id
    record.team_id = routed.team_id
    record.first_owner_id = record.first_owner_id or routed.owner_id
    record.assignment_failed = routed.failure is not None
    change.rows.append(routed.decision)
    if previous is not None:
        routing.release(record.id, now=change.now, closed=False)
        playbooks.follow_owner(record.id, routed.owner_id)
    change.rows += hold(record, routed.owner_id, routed.team_id, now=change.now)
    change.note(
        "assign",
        {"owner": routed.owner_id, "was": previous, "team": routed.team_id, "rule": routed.rule, "cause": cause},
    )
    change.tell(
        [routed.owner],
        "assigned",
        f"{account.account.name}: you own this escalation",
        f"{record.title}. Why you: {routed.why}. Acknowledge it; it closes by {record.due_at:%d %b %Y}.",
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
