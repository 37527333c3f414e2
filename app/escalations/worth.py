"""What a case is worth: its value as snapshotted, and its priority in points that add up."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from app.accounts.facts import AccountFacts
from app.accounts.priority import Priority, priority
from app.accounts.value import Value
from app.auth.settings import tenant_settings
from app.escalations.course_models import Snapshot
from app.escalations.models import Escalation
from app.rows import fresh


def take_value(record: Escalation, account: AccountFacts) -> None:
    """The value at stake of the contracts touched; without a rate it is incomplete, never 0 or guessed."""
    value = account.value
    record.value_amount = value.value_at_stake.amount
    record.value_currency = value.currency
    record.value_incomplete = bool(value.value_at_stake.unconverted)
    record.value_unconverted = unconverted_of(account)
    record.account_version = account.account.version


def unconverted_of(account: AccountFacts) -> list[Any]:
    """The amounts no rate was found for, as they stand in contracts and opportunities."""
    return [
        {"kind": part.kind, "id": str(part.id), "amount": f"{part.amount:.2f}", "currency": part.currency}
        for part in account.value.value_at_stake.unconverted
    ]


def measure_priority(record: Escalation, account: AccountFacts, now: datetime, *, repeats: int) -> Priority:
    """Priority from percentile in the book, severity, renewal, age against the target, health and repeats."""
    weights = {name: Decimal(weight) for name, weight in tenant_settings().priority_weights.items()}
    return priority(
        value_percentile=account.percentile,
        severity=record.severity,
        renewal_on=account.value.renewal_on,
        raised_at=record.raised_at,
        target_at=record.due_at,
        health=account.account.health,
        repeats=repeats,
        now=now,
        today=account.today,
        weights=weights,
    )


def take_priority(record: Escalation, measured: Priority, now: datetime, *, repeats: int) -> None:
    """Keep score and parts; `repeats` stands beside them so that a later measure need not count again."""
    record.priority_score = measured.score
    record.priority_parts = {name: float(points) for name, points in measured.parts.items()}
    record.priority_on = now.astimezone(ZoneInfo(tenant_settings().timezone)).date()
    record.repeats = repeats


def reprioritise(record: Escalation, account: AccountFacts, now: datetime) -> None:
    """Measure again after an input of the case changed."""
    take_priority(record, measure_priority(record, account, now, repeats=record.repeats), now, repeats=record.repeats)


def snapshot_of(record: Escalation, account: AccountFacts, now: datetime, *, cause: str) -> Snapshot:
    """The case as it stands at this moment: worth, owner, chain of parents, contracts and opportunities touched."""
    value = account.value
    return fresh(
        Snapshot,
        escalation_id=record.id,
        account_id=record.account_id,
        at=now,
        recorded_at=now,
        cause=cause,
        status=record.status,
        tier=record.tier,
        severity=record.severity,
        owner_id=record.owner_id,
        segment=account.account.segment,
        health=account.account.health,
        arr=value.arr.amount,
        value_amount=value.value_at_stake.amount,
        value_currency=value.currency,
        value_incomplete=bool(value.value_at_stake.unconverted),
        renewal_on=value.renewal_on,
        renewal_value=value.renewal_value.amount,
        parents=[str(parent) for parent in account.chain],
        contracts=[str(part.id) for part in value.parts if part.kind == "contract" and part.touched],
        opportunities=[str(part.id) for part in value.parts if part.kind == "opportunity"],
        lines=lines_of(value),
    )


def lines_of(value: Value) -> list[Any]:
    """What is at stake and what the renewal is worth, line by line in the lines' own currencies: totals over many cases
    count each contract and opportunity once, at the rates of the day they are asked for."""
    at_stake = [(part.kind, part) for part in value.parts if part.touched]
    return [
        {
            "kind": kind,
            "id": str(part.id),
            "amount": f"{part.amount:.2f}",
            "currency": part.currency,
            "weight": str(part.weight),
            "ends_on": part.ends_on.isoformat() if part.ends_on else None,
        }
        for kind, part in [*at_stake, *(("renewal", part) for part in value.renewal_parts)]
    ]
