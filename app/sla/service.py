"""What is promised: calendars, service levels and ladders as published, a case's basis, and the opening of clocks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.auth import service as auth
from app.db import Model
from app.sla import calendars, levels
from app.sla.basis import Basis as Basis
from app.sla.basis import acknowledge_due as acknowledge_due
from app.sla.basis import basis as basis
from app.sla.basis import basis_of as basis_of
from app.sla.basis import close_target as close_target
from app.sla.basis import due_if_begun as due_if_begun
from app.sla.basis import find_default_target as find_default_target
from app.sla.basis import first_opening as first_opening
from app.sla.basis import ladder_of as ladder_of
from app.sla.basis import read_bases as read_bases
from app.sla.basis import resolve_by as resolve_by
from app.sla.basis import under_level as under_level
from app.sla.basis import zone_of as zone_of
from app.sla.calendars import list_running_out as list_running_out
from app.sla.calendars import publish_calendar as publish_calendar
from app.sla.errors import NoTarget
from app.sla.ladder import DEFAULT_LADDERS, ladder_to_json
from app.sla.ladders import FIRST_LADDER
from app.sla.ladders import current_ladder as current_ladder
from app.sla.ladders import own_ladders as own_ladders
from app.sla.ledger import Target
from app.sla.models import LadderVersion
from app.sla.stored import StoredClock, new_clock_row
from app.sla.targets import pauses
from app.sla.working import WorkingCalendars as WorkingCalendars
from app.sla.working import read_working_calendars as read_working_calendars

# -- set-up -----------------------------------------------------------------------------------------------------------


def install_defaults(now: datetime) -> list[Model]:
    """Rows of the first calendar and ladders of the tenant in scope, which are made its current ones."""
    ladders = [
        LadderVersion(kind=kind, number=FIRST_LADDER, steps=ladder_to_json(ladder), created_at=now)
        for kind, ladder in DEFAULT_LADDERS.items()
    ]
    auth.set_current(ladder=FIRST_LADDER)
    return [*calendars.first_calendar(now), *ladders]


def current_service_level(level_id: UUID) -> tuple[str, int, UUID]:
    """Name, number and id of its present version; NotFound when there is none."""
    level = levels.get_level(level_id)
    last = levels.list_versions([level_id])[level_id][-1]
    return level.name, last.number, last.id


def current_calendar(calendar_id: UUID) -> tuple[str, int, UUID]:
    """Name, number and id of its present version; NotFound when there is none."""
    calendar = calendars.get_calendar(calendar_id)
    last = calendars.list_versions([calendar_id])[calendar_id][-1]
    return calendar.name, last.number, last.id


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
    because: str = "",
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
        ladder_number=basis.number_of(kind),
        cycle=cycle,
        subject=subject,
    )
    stored = StoredClock(row, (), new=True)
    facts: dict[str, Any] = {"target": target.to_json(), "calendar": str(basis.calendar_version_id)}
    if imported:
        facts["imported_at"] = now.isoformat()
    if because:
        facts["because"] = because
    stored.append("activate", at, now, **facts)
    if waiting_on and pauses(kind, party=waiting_on):
        stored.append("pause", at, now)
    return stored
