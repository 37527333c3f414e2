"""Kinds of grievance, the product's and a tenant's own, and whether such a thing can mostly be prevented."""

from dataclasses import dataclass
from typing import Any

from app.auth.settings import REASONS, TenantSettings
from app.errors import invalid

# Whether somebody of ours could mostly have prevented it; None where nothing can be said beforehand.
PREVENTABLE: dict[str, bool | None] = {
    "miscommunication": True,
    "agent_conduct": True,
    "slow_response": True,
    "missed_milestone": True,
    "prolonged_outage": True,
    "product_limit": False,
    "billing": True,
    "security": None,
    "other": None,
}
ALWAYS = "other"


@dataclass(frozen=True)
class Reason:
    """A kind of grievance; a retired one is refused for new cases, those that have it keep it."""

    name: str
    label: str
    preventable_by_default: bool | None
    built_in: bool
    retired: bool


def list_reasons(settings: TenantSettings) -> tuple[Reason, ...]:
    """The product's, then the tenant's own in their order."""
    return tuple(_reason(name, settings) for name in (*REASONS, *(n for n in settings.reasons if n not in REASONS)))


def preventable_by_default(name: str, settings: TenantSettings) -> bool | None:
    """What is offered where a case with this reason is resolved; a person says what it was."""
    said: bool | None = settings.reason_details.get(name, {}).get("preventable_by_default", PREVENTABLE.get(name))
    return said


def check_reason(name: str, settings: TenantSettings) -> None:
    """One of the product's reasons or of the tenant's own that isn't retired."""
    known = [reason.name for reason in list_reasons(settings) if not reason.retired]
    if name not in known:
        raise invalid("reason", f"expected one of {', '.join(known)}")


def check_details(stored: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """The details of reasons as they are kept: laid over the known ones, without those of reasons taken away."""
    names = {*REASONS, *stored["reasons"]}
    for name, details in changed.items():
        if name not in names:
            raise invalid(f"reason_details.{name}", f"expected one of {', '.join(sorted(names))}")
        if name == ALWAYS and details.get("retired"):
            raise invalid(f"reason_details.{name}.retired", "expected false: every raise that names none gets it")
    known = stored["reason_details"]
    merged = {name: {**known.get(name, {}), **changed.get(name, {})} for name in {*known, *changed}}
    return {name: merged[name] for name in sorted(merged.keys() & names)}


def _reason(name: str, settings: TenantSettings) -> Reason:
    details = settings.reason_details.get(name, {})
    return Reason(
        name=name,
        label=details.get("label") or name.replace("_", " ").capitalize(),
        preventable_by_default=preventable_by_default(name, settings),
        built_in=name in REASONS,
        retired=bool(details.get("retired")),
    )
