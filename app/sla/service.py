"""What is promised: calendars and ladders as published, and the opening of clocks under them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.auth import service as auth
from app.auth.settings import TenantSettings, current_version, tenant_settings
from app.db import Model
from app.sla import calendars
from app.sla.calendar import Calendar
from app.sla.calendars import publish_calendar as publish_calendar
from app.sla.errors import NoTarget
from app.sla.hours import EPOCH, instant, parse_zone
from app.sla.ladder import DEFAULT_LADDERS, ladder_to_json
from app.sla.ledger import Target
from app.sla.models import LadderVersion
from app.sla.stored import INSTANT, StoredClock, new_clock_row
from app.sla.targets import find_target, pauses
from app.sla.versions import find_calendar, load_versions

FIRST_LADDER = 1


@dataclass(frozen=True, slots=True)
class Basis:
    """What a case's clocks count by, chosen once: a calendar's version, a zone and the ladders' number."""

    calendar_version_id: UUID
    zone: str
    ladder_number: int

    @property
    def calendar(self) -> Calendar:
        """The compiled calendar."""
        return find_calendar(self.calendar_version_id)


# -- set-up -----------------------------------------------------------------------------------------------------------


def install_defaults(now: datetime) -> list[Model]:
    """Rows of the first calendar and ladders of the tenant in scope, which are made its current ones."""
    ladders = [
        LadderVersion(kind=kind, number=FIRST_LADDER, steps=ladder_to_json(ladder), created_at=now)
        for kind, ladder in DEFAULT_LADDERS.items()
    ]
    auth.set_current(ladder=FIRST_LADDER)
    return [*calendars.first_calendar(now), *ladders]


# -- the basis of a case ----------------------------------------------------------------------------------------------


def basis(calendar_name: str | None = None, zone: str | None = None, *, now: datetime) -> Basis:
    """What a case raised now counts by: the named calendar, else the tenant's; the named zone, else the tenant's.

    A name that no calendar has is passed over. At most one statement, none when the versions are kept.
    """
    settings = tenant_settings()
    version_id = calendars.find_current(calendar_name, settings.calendar, now=now)
    return basis_of(version_id, zone or settings.timezone, current_version("ladder") or FIRST_LADDER)


def basis_of(calendar_version_id: UUID, zone: str, ladder_number: int) -> Basis:
    """The basis a case has stored; at most one statement, none when the versions are kept."""
    load_versions([calendar_version_id], [ladder_number])
    return Basis(calendar_version_id, zone, ladder_number)


def find_default_target(kind: str, basis: Basis, *, severity: int) -> Target | None:
    """The target of a kind by the tenant's settings; None where only a playbook or path can say."""
    settings = _promised(tenant_settings())
    return find_target(kind, severity=severity, day_seconds=basis.calendar.day_seconds, settings=settings)


def _promised(settings: TenantSettings) -> Mapping[str, Mapping[str, int]]:
    return {
        "decide": {"business_days": settings.decide_business_days},
        "acknowledge": {"business_seconds": settings.acknowledge_hours * 3600},
        "respond": {"business_days": settings.respond_business_days},
        "verify": {"business_days": settings.verify_business_days},
        "close": {"calendar_days": settings.close_days},
    }


def resolve_by(close_due_at: datetime, basis: Basis) -> datetime:
    """The real working deadline: the due time of close less the verify target."""
    target = find_default_target("verify", basis, severity=1)
    return basis.calendar.subtract(close_due_at, target.value) if target else close_due_at


def first_opening(day: date, basis: Basis) -> datetime:
    """The first opening on or after a local date, at which a wait until that day ends."""
    midnight = EPOCH + instant(parse_zone(basis.zone), day, 0) * INSTANT
    if basis.calendar.is_open(midnight):
        return midnight
    return basis.calendar.next_open(midnight) or midnight


# -- clocks -----------------------------------------------------------------------------------------------------------


def open_clock(
    kind: str,
    *,
    escalation_id: UUID,
    basis: Basis,
    at: datetime,
    now: datetime,
    target: Target | None = None,
    severity: int = 3,
    cycle: int = 1,
    subject: str = "-",
    imported: bool = False,
    waiting_on: str | None = None,
) -> list[Model]:
    """The rows of a clock that starts at `at`, for `insert_all`; the first is the clock itself. No statement.

    `imported`: it began before we knew, so what its ladder missed until `now` is passed over. `waiting_on`: the case
    waits for that party, so a clock that pauses meanwhile starts paused.
    """
    stored = start_clock(
        kind,
        escalation_id=escalation_id,
        basis=basis,
        at=at,
        now=now,
        target=target,
        severity=severity,
        cycle=cycle,
        subject=subject,
        imported=imported,
        waiting_on=waiting_on,
    )
    return [stored.row, *stored.added, *stored.passed]


def start_clock(
    kind: str,
    *,
    escalation_id: UUID,
    basis: Basis,
    at: datetime,
    now: datetime,
    target: Target | None,
    severity: int,
    cycle: int,
    subject: str,
    imported: bool = False,
    waiting_on: str | None = None,
) -> StoredClock:
    """As `open_clock`, the row and its ledger together."""
    target = target or find_default_target(kind, basis, severity=severity)
    if target is None:
        raise NoTarget(f"A clock of kind {kind} needs a target from its playbook or path")
    row = new_clock_row(
        kind,
        escalation_id=escalation_id,
        calendar_version_id=basis.calendar_version_id,
        zone=basis.zone,
        ladder_number=basis.ladder_number,
        cycle=cycle,
        subject=subject,
    )
    stored = StoredClock(row, (), new=True)
    facts: dict[str, Any] = {"target": target.to_json(), "calendar": str(basis.calendar_version_id)}
    if imported:
        facts["imported_at"] = now.isoformat()
    stored.append("activate", at, now, **facts)
    if waiting_on and pauses(kind, party=waiting_on):
        stored.append("pause", at, now)
    return stored
