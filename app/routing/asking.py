"""Who would get a case that nobody has raised yet."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.accounts import queries as accounts
from app.accounts.errors import AccountNotFound
from app.accounts.facts import AccountFacts
from app.auth.queries import find_user_by_email
from app.db import new_id
from app.errors import NotFound, invalid
from app.routing import service
from app.routing.facts import routing_input
from app.routing.inputs import RoutingInput, RoutingResult
from app.routing.queries import get_policy_version
from app.sla import service as sla

SAID = ("title", "customer_statement", "desired_outcome", "impact", "source", "restricted")


def ask(body: Mapping[str, Any], *, now: datetime) -> RoutingResult:
    """The decision that raising this body would bring now, by the version `policy_number` names or the current one."""
    number = body.get("policy_number")
    if number is not None:
        _check_version(number)
    return service.explain(case_of(body, now=now), now=now, number=number)


def explanation(result: RoutingResult) -> dict[str, Any]:
    """The decision in full, each comparison with the fact it saw."""
    return {
        "owner": result.owner,
        "team_id": result.team_id,
        "rule": result.rule,
        "why": result.why,
        "failure": result.failure,
        "policy_number": result.decision.policy_number,
        "rules": service.describe(result.decision),
        "candidates": result.decision.candidates,
        "excluded": result.decision.excluded,
    }


def case_of(body: Mapping[str, Any], *, now: datetime) -> RoutingInput:
    """The case that raising this body would route."""
    account, basis = _under_one_level(_account(body, now=now), body["severity"], now)
    return routing_input(
        account,
        escalation_id=new_id(),
        severity=body["severity"],
        reason=body["reason"],
        about_user_id=_about_user(body.get("about_user")),
        basis=basis,
        raised_by_kind=body["raised_by"]["kind"],
        raised_at=body.get("raised_at", now),
        tier="tier_1",
        has_outage=body.get("outage_id") is not None,
        systems=[ref["system"] for ref in body.get("external_refs", ())],
        **{name: body[name] for name in SAID if name in body},
    )


def _account(body: Mapping[str, Any], *, now: datetime) -> AccountFacts:
    named = body.get("account")
    key = (named["source"], named["external_id"]) if named else body["account_id"]
    try:
        return accounts.account_facts(key, now=now, contract_ids=body.get("contract_ids"))
    except AccountNotFound:
        raise invalid("account" if named else "account_id", "there is no such account") from None


def _under_one_level(account: AccountFacts, severity: int, now: datetime) -> tuple[AccountFacts, sla.Basis]:
    """What the case's clocks would count by; of several service levels that contracts name, the one it would go by."""
    basis = sla.basis(account.calendar, account.zone, level_names=account.service_levels, severity=severity, now=now)
    if basis.level is not None and len(account.service_levels) > 1:
        account = replace(account, service_levels=(basis.level.name,))
    return account, basis


def _check_version(number: int) -> None:
    try:
        get_policy_version(number)
    except NotFound as missing:
        raise invalid("policy_number", missing.detail) from None


def _about_user(email: str | None) -> UUID | None:
    if email is None:
        return None
    user = find_user_by_email(email)
    if user is None:
        raise invalid("about_user", "expected the address of a user of this tenant")
    return user.id
