"""A tenant's settings: every number that the rules call a default, with its limits."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any
from uuid import UUID

from app.db import tenant_row
from app.errors import invalid

PRIORITY_WEIGHTS = {"value": 30, "severity": 25, "renewal": 15, "age": 15, "health": 10, "repeats": 5}
# What kind of grievance it is; a tenant adds its own.
REASONS = (
    "miscommunication",
    "agent_conduct",
    "slow_response",
    "missed_milestone",
    "prolonged_outage",
    "product_limit",
    "billing",
    "security",
    "other",
)


@dataclass(frozen=True)
class ApprovalSetting:
    """Whether a colleague's raise needs approval, and by whom (e-mails; none: account owner's manager, then admins)."""

    asked: bool = False
    approvers: tuple[str, ...] = ()


MOVE, COVER = "move", "cover"
ABSENCE_MODES = (MOVE, COVER)


@dataclass(frozen=True)
class TenantSettings:
    """Durations: `_days` calendar days, `_business_days` × the calendar's day, `_hours` business hours."""

    timezone: str = "UTC"
    reporting_currency: str = "USD"
    calendar: str = "default"
    approval: ApprovalSetting = field(default_factory=ApprovalSetting)
    duty_owner_email: str | None = None
    duty_deputy_email: str | None = None
    absence_mode: str = COVER
    close_days: int = 30
    acknowledge_hours: int = 4
    respond_business_days: int = 1
    decide_business_days: int = 1
    verify_business_days: int = 5
    wait_budget_business_days: int = 10
    resume_within_business_days: int = 10
    reopen_days: int = 14
    rate_max_age_days: int = 7
    silent_gap_business_days: int = 5
    capacity: int = 24
    suggestion_confidence: float | None = None
    priority_weights: dict[str, int] = field(default_factory=lambda: dict(PRIORITY_WEIGHTS))
    reasons: tuple[str, ...] = ()
    reason_details: dict[str, dict[str, Any]] = field(default_factory=dict)
    embed_origins: tuple[str, ...] = ()
    embed_match_email: bool = True

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "TenantSettings":
        """The stored settings over the defaults."""
        known = {f.name for f in fields(cls)}
        values = {name: value for name, value in stored.items() if name in known}
        if "approval" in values:
            approval = values["approval"]
            values["approval"] = ApprovalSetting(bool(approval["asked"]), tuple(approval["approvers"]))
        for listed in {"reasons", "embed_origins"} & values.keys():
            values[listed] = tuple(values[listed])
        return cls(**values)

    def stored(self) -> dict[str, Any]:
        return asdict(self)


# What each tenant had stored last and what it means; asked a dozen times in a use case, changed once a year.
MAX_KEPT = 1000
_kept: dict[UUID, tuple[dict[str, Any], TenantSettings]] = {}


def tenant_settings() -> TenantSettings:
    """The settings of the tenant whose transaction is open."""
    row = tenant_row()
    kept = _kept.get(row.id)
    if kept is None or kept[0] != row.settings:
        if len(_kept) >= MAX_KEPT:
            _kept.clear()
        kept = _kept[row.id] = (row.settings, TenantSettings.of(row.settings))
    return kept[1]


def current_version(name: str) -> Any:
    """The current version's number or id of a versioned thing (`policy`, `calendar`, `ladder`), or None."""
    return tenant_row().current.get(name)


def check_calendar(name: str | None, field: str = "calendar") -> None:
    """Invalid names `field` unless this is the name of a published calendar, or None."""
    if name is not None and name not in (current_version("calendar") or {}):
        raise invalid(field, "expected the name of a published calendar")


def tenant_id() -> UUID:
    return tenant_row().id
