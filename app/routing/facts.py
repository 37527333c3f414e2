"""What conditions may ask about, made from an account's facts and what is said of the case."""

from typing import Any
from uuid import UUID

from app.accounts.facts import AccountFacts
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
