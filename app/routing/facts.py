"""What conditions may ask about, made from an account's facts and what is said of the case."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from app.accounts.facts import AccountFacts
from app.routing.fields import ATTRIBUTE_PREFIX
from app.routing.inputs import RoutingInput
from app.sla.service import Basis

CASE_FACTS = (
    "source",
    "raised_by_kind",
    "raised_at",
    "title",
    "customer_statement",
    "desired_outcome",
    "impact",
    "restricted",
    "tier",
    "has_outage",
    "systems",
)

# What people wrote at length is read again where it is needed, not kept with each decision.
LONG_TEXTS = frozenset(f"escalation.{name}" for name in ("title", "customer_statement", "desired_outcome", "impact"))
KEPT_WORD = 200
KEPT_ATTRIBUTES = 40
EVERY_RECORD_HAS = "account.name"


def routing_input(
    account: AccountFacts,
    *,
    escalation_id: UUID,
    severity: int,
    reason: str,
    status: str = "open",
    about_user_id: UUID | None = None,
    basis: Basis | None = None,
    **case: Any,
) -> RoutingInput:
    """The case to be routed; `case` are its own facts as `CASE_FACTS` names them, those left out are missing.

    `counts.…` are left out: routing counts for itself when a policy asks.
    """
    if unknown := sorted(set(case) - set(CASE_FACTS)):
        raise TypeError(f"no facts of a case: {', '.join(unknown)}")
    people = {"owner": account.owner, "csm": account.csm, "sponsor": account.sponsor}
    return RoutingInput(
        escalation_id=escalation_id,
        account_id=account.account.id,
        severity=severity,
        reason=reason,
        status=status,
        about_user_id=about_user_id,
        basis=basis,
        value=account.value.value_at_stake.amount,
        roles={name: person.id for name, person in people.items() if person is not None},
        facts={
            **{f"escalation.{name}": value for name, value in case.items()},
            "escalation.severity": severity,
            "escalation.reason": reason,
            "escalation.has_about_user": about_user_id is not None,
            **account_facts_of(account),
            **value_facts_of(account),
        },
    )


def account_facts_of(account: AccountFacts) -> dict[str, Any]:
    """The account's own facts and its attributes by name."""
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
    }


def value_facts_of(account: AccountFacts) -> dict[str, Any]:
    """What is at stake, and what the contracts touched say."""
    value = account.value
    return {
        "value.amount": value.value_at_stake.amount,
        "value.arr": value.arr.amount,
        "value.pipeline": value.pipeline.amount,
        "value.is_incomplete": value.incomplete,
        "value.renewal_on": value.renewal_on,
        "value.renewal_value": value.renewal_value.amount,
        "contract.service_level": account.service_level,
        "contract.currencies": list(account.currencies),
    }


def kept_facts(facts: Mapping[str, Any], asked: Collection[str]) -> dict[str, Any]:
    """What a decision keeps: what its policy asked for, and every short fact beside, so that a later policy can be
    tried on the case as it was then. Of attributes the first by name."""
    short = [name for name, value in facts.items() if name not in LONG_TEXTS and _is_short(value)]
    attributes = sorted(name for name in short if name.startswith(ATTRIBUTE_PREFIX))
    spare = frozenset(attributes[KEPT_ATTRIBUTES:])
    kept = {name for name in short if name not in spare}
    return {name: value for name, value in facts.items() if name in asked or name in kept}


def keeps_all(facts: Mapping[str, Any]) -> bool:
    """Whether a decision's facts were kept by `kept_facts`: a short one that is not there was not known then."""
    return EVERY_RECORD_HAS in facts


def _is_short(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return len(value) <= KEPT_ATTRIBUTES and all(_is_short(item) for item in value)
    return not isinstance(value, dict) and (not isinstance(value, str) or len(value) <= KEPT_WORD)
