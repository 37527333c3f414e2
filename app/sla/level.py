"""What a service level promises: its targets by clock, read strictly from the form in which it is published."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.errors import FieldFault

TIERS = ("tier_1", "tier_2", "tier_3", "onsite", "vendor", "management")
SEVERITIES = ("1", "2", "3", "4")
MOST_HOURS, MOST_DAYS = 8_760, 3_650

Promised = Mapping[str, int]


class LevelError(FieldFault):
    """A service level that cannot be meant; says which field and what was expected."""


@dataclass(frozen=True, slots=True)
class Level:
    """One published version. `targets` by clock, as `targets.find_target` reads them; a clock it lacks goes by the
    tenant's settings, or is not asked for. `calendar` is the name of the one that counts, None for the account's."""

    id: UUID
    name: str
    number: int
    targets: Mapping[str, Promised]
    calendar: str | None

    @property
    def label(self) -> str:
        """How ledgers name it."""
        return f"service level {self.name} {self.number}"


def parse_level(definition: Mapping[str, Any]) -> dict[str, Promised]:
    """Targets by clock, or by clock and severity or tier; LevelError names the field."""
    targets: dict[str, Promised] = {}
    for field, value in definition.items():
        if field not in _FIELDS:
            raise LevelError(field, f"unknown field, expected one of {', '.join(_FIELDS)}")
        targets |= _FIELDS[field](field, value)
    if not targets:
        raise LevelError("respond", f"a service level promises something: expected one of {', '.join(_FIELDS)}")
    return targets


def _respond(field: str, value: object) -> dict[str, Promised]:
    return {field: _duration(field, value)}


def _updates(field: str, value: object) -> dict[str, Promised]:
    """Business days for each of the four severities."""
    if not isinstance(value, Mapping):
        raise LevelError(field, "expected business days for each severity, 1 to 4")
    for severity in value:
        if severity not in SEVERITIES:
            raise LevelError(f"{field}/{severity}", "unknown severity, expected 1 to 4")
    return {f"{field}.{one}": {"business_days": _whole(f"{field}/{one}", value.get(one))} for one in SEVERITIES}


def _days(field: str, value: object) -> dict[str, Promised]:
    return {field: {"business_days": _whole(field, value)}}


def _tiers(field: str, value: object) -> dict[str, Promised]:
    if not isinstance(value, Mapping):
        raise LevelError(field, "expected a target for some of the tiers")
    for tier in value:
        if tier not in TIERS:
            raise LevelError(f"{field}/{tier}", f"unknown tier, expected one of {', '.join(TIERS)}")
    return {f"tier.{tier}": _duration(f"{field}/{tier}", target) for tier, target in value.items()}


def _close(field: str, value: object) -> dict[str, Promised]:
    return {"close": {"calendar_days": _whole(field, value)}}


_FIELDS: Mapping[str, Callable[[str, object], dict[str, Promised]]] = {
    "respond": _respond,
    "reply": _respond,
    "customer_update": _updates,
    "account_team_update": _days,
    "executive_update": _days,
    "tiers": _tiers,
    "close_days": _close,
}


def field_of(clock: str) -> str:
    """The field of the published form that made this target."""
    kind, _, variant = clock.partition(".")
    return {"tier": f"tiers/{variant}", "close": "close_days"}.get(kind, f"{kind}/{variant}" if variant else kind)


def _duration(field: str, value: object) -> Promised:
    if (
        not isinstance(value, Mapping)
        or len(value) != 1
        or next(iter(value)) not in ("business_hours", "business_days")
    ):
        raise LevelError(field, 'expected {"business_hours": n} or {"business_days": n}')
    [(unit, number)] = value.items()
    if unit == "business_hours":
        return {"business_seconds": 3600 * _whole(f"{field}/{unit}", number, most=MOST_HOURS)}
    return {"business_days": _whole(f"{field}/{unit}", number)}


def _whole(field: str, value: object, *, most: int = MOST_DAYS) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise LevelError(field, f"expected a whole number from 1 to {most}")
    return value
