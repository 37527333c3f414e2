"""The targets promised when neither service level nor playbook says otherwise."""

from collections.abc import Mapping
from typing import Any

from app.sla.ledger import Target

# by clock, or by clock and severity; business days are turned into seconds by the calendar version
DEFAULT_TARGETS: Mapping[str, Mapping[str, int]] = {
    "decide": {"business_days": 1},
    "acknowledge": {"business_seconds": 4 * 3600},
    "respond": {"business_days": 1},
    "reply": {"business_days": 1},
    "customer_update.1": {"business_days": 1},
    "customer_update.2": {"business_days": 2},
    "customer_update.3": {"business_days": 5},
    "customer_update.4": {"business_days": 5},
    "plan": {"business_days": 5},
    "still_on_it": {"business_days": 5},
    "close": {"calendar_days": 30},
    "verify": {"business_days": 5},
}
CLOCK_KINDS = (
    "decide",
    "acknowledge",
    "respond",
    "reply",
    "customer_update",
    "account_team_update",
    "executive_update",
    "tier",
    "plan",
    "still_on_it",
    "close",
    "verify",
    "task",
)
# No default: they run only where a service level asks for them.
ASKED_BY_LEVEL = ("account_team_update", "executive_update", "tier")
WAIT_BUDGET_BUSINESS_DAYS = 10
_PAUSED_BY: Mapping[str, frozenset[str]] = {
    "customer_update": frozenset(("customer",)),
    "tier": frozenset(("customer", "vendor", "internal")),
    "still_on_it": frozenset(("customer", "vendor", "internal")),
}


def pauses(kind: str, *, party: str) -> bool:
    """Whether a clock of this kind stands still while that party is waited on; `close` never does."""
    return party in _PAUSED_BY.get(kind, frozenset())


def find_target(
    kind: str,
    *,
    severity: int,
    day_seconds: int,
    settings: Mapping[str, Mapping[str, int]] | None = None,
    tier: str | None = None,
) -> Target | None:
    """The target of a clock by what is set, else by default; None where nobody says."""
    promised = {**DEFAULT_TARGETS, **(settings or {})}
    variant = tier if kind == "tier" else severity
    found = promised.get(f"{kind}.{variant}") or promised.get(kind)
    return make_target(found, day_seconds=day_seconds) if found else None


def make_target(promised: Mapping[str, Any], *, day_seconds: int) -> Target:
    """A target from `{business_days | business_seconds | calendar_days: n}`."""
    [(unit, number)] = promised.items()
    if unit == "business_days":
        return Target("business_seconds", number * day_seconds)
    return Target.from_json({"kind": unit, "value": number})
