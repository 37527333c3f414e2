"""What routing is asked and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from app.auth.actor import UserRef
from app.routing.models import Decision
from app.sla.service import Basis

Cause = Literal[
    "raise", "assign", "decline", "hop", "reopen", "absence", "hand_back", "deactivation", "rebalance", "explain"
]
ROLES = ("owner", "csm", "sponsor")


@dataclass(frozen=True)
class RoutingInput:
    """The case to be routed, as the caller of `route` knows it.

    `facts` are what conditions may ask about, by the names of `fields.FIELDS` and `account.attributes.…`; a fact left
    out is missing. `roles` has the users who are the account's `owner`, `csm`, `sponsor`, without those that are
    empty or no users. `value` is the value at stake in the reporting currency, None when it isn't known. `basis` is
    what the case's clocks count by, None for the tenant's own calendar.
    """

    escalation_id: UUID
    account_id: UUID
    severity: int
    reason: str
    facts: Mapping[str, Any]
    roles: Mapping[str, UUID] = field(default_factory=dict)
    value: Decimal | None = None
    about_user_id: UUID | None = None
    status: str = "open"
    basis: Basis | None = None


@dataclass(frozen=True)
class RoutingResult:
    """Who owns it and why; `decision` is a new row that the caller inserts with the others.

    `failure` is the code of why no rule's target could take it, None when one did; `team_id` is set when a team's
    member was chosen; `weight` is the work the owner takes on.
    """

    owner: UserRef
    team_id: UUID | None
    rule: str | None
    why: str
    failure: str | None
    weight: Decimal
    decision: Decision

    @property
    def owner_id(self) -> UUID:
        return self.owner.id
