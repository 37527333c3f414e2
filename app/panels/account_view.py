"""What the account's page says of money, people and cases, in the shape its template shows."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.accounts.facts import AccountFacts, Person
from app.accounts.value import Part, Total, total
from app.escalations.beside_account import Beside
from app.texts import noted

SOON = timedelta(days=1)
ROLES = (
    ("owner", noted("Account owner")),
    ("csm", noted("Customer success")),
    ("sponsor", noted("Executive sponsor")),
)


@dataclass(frozen=True)
class Seat:
    """Who stands for the account in one role; `email` is what the CRM names where that is nobody of ours."""

    role: str
    person: Person | None
    email: str | None
    away_until: datetime | None


def at_stake(facts: AccountFacts, touched: Collection[UUID], *, any_open: bool) -> tuple[Total, list[Part]]:
    """What the open cases touch, each contract once, and with them the deals; nothing while no case is open."""
    ids = {str(id_) for id_ in touched}
    parts = [part for part in facts.value.parts if any_open and (part.kind == "opportunity" or part.id in ids)]
    return total(parts), parts


def seats(facts: AccountFacts, away: Mapping[str, datetime]) -> list[Seat]:
    """Owner, CSM and sponsor, each with until when they are away."""
    return [
        Seat(label, person, getattr(facts.account, f"{name}_email"), away.get(str(person.id)) if person else None)
        for name, label in ROLES
        for person in (getattr(facts, name),)
    ]


def days_to_renewal(facts: AccountFacts) -> int | None:
    renewal = facts.value.renewal_on
    return (renewal - facts.today).days if renewal else None


def state_of(item: Mapping[str, Any], now: datetime) -> str:
    """How a case stands, as the pages' sign for it."""
    due = item["next_due"]["at"] if item["next_due"] else None
    if item["overdue"] or (due is not None and due < now):
        return "missed"
    if item["status"] == "waiting":
        return "paused"
    return "soon" if due is not None and due - now <= SOON else "quiet"


def states(now: datetime) -> Callable[[Mapping[str, Any]], str]:
    """`state_of` for a template."""
    return lambda item: state_of(item, now)


def values_of(facts: AccountFacts, beside: Beside, *, now: datetime) -> dict[str, Any]:
    """Everything of the page but its lists."""
    stake, stake_parts = at_stake(facts, beside.touched, any_open=beside.open > 0)
    return {
        "facts": facts,
        "account": facts.account,
        "value": facts.value,
        "contracts": [part for part in facts.value.parts if part.kind == "contract"],
        "stake": stake,
        "stake_parts": stake_parts,
        "renewal_days": days_to_renewal(facts),
        "seats": seats(facts, beside.away),
        "parents": [(id_, beside.parents.get(str(id_), "")) for id_ in facts.chain],
        "beside": beside,
        "now": now,
        "state_of": states(now),
    }
