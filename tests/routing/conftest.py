"""A case to route and the rows it leaves behind."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.auth.actor import SYSTEM
from app.db import new_id, transaction
from app.routing import service as routing
from app.routing.service import RoutingInput, RoutingResult
from app.rows import insert_all
from tests import NOW
from tests.conftest import TestTenant


def case(**given: Any) -> RoutingInput:
    """A severity-2 billing case of an account nobody owns, unless said otherwise."""
    given.setdefault("escalation_id", new_id())
    given.setdefault("account_id", new_id())
    given.setdefault("severity", 2)
    given.setdefault("reason", "billing")
    given.setdefault("facts", {"escalation.severity": given["severity"], "escalation.reason": given["reason"]})
    return RoutingInput(**given)


def settle(facts: RoutingInput, **options: Any) -> RoutingResult:
    """Route and hold the case, as raising does; call inside a transaction."""
    options.setdefault("cause", "raise")
    result = routing.route(facts, actor=SYSTEM, now=NOW, **options)
    insert_all([result.decision, *hold(facts, result.owner_id, team_id=result.team_id)])
    return result


def hold(facts: RoutingInput, owner_id: UUID, *, team_id: UUID | None = None, now: Any = NOW) -> list[Any]:
    return routing.assign(
        escalation_id=facts.escalation_id,
        account_id=facts.account_id,
        reason=facts.reason,
        owner_id=owner_id,
        team_id=team_id,
        weight=routing.work_weight(facts.severity, facts.status),
        value=facts.value or Decimal(0),
        now=now,
    )


@pytest.fixture
def publish(tenant: TestTenant) -> Callable[..., int]:
    """`publish([rule, …])` makes these the tenant's rules and answers the version's number."""

    def publish_rules(rules: list[Any], weights: dict[str, Any] | None = None) -> int:
        with transaction():
            number = routing.save_policy(rules, weights or {}, actor=tenant.actor, now=NOW).number
            routing.publish_policy(number, actor=tenant.actor, now=NOW)
        return number

    return publish_rules
