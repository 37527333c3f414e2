"""What is promised: calendars and ladders as published, and the opening of clocks under them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.auth import service as auth
from app.auth.settings import TenantSettings, current_version, tenant_settings
from app.db import Model, current_tenant, db, insert_all, new_id
from app.errors import invalid
from app.sla.calendar import Calendar, compile_calendar
from app.sla.errors import NoTarget
from app.sla.hours import EPOCH, CalendarError, instant, parse_zone
from app.sla.ladder import DEFAULT_LADDERS, ladder_to_json
from app.sla.ledger import Target
from app.sla.models import CalendarModel, CalendarVersion, LadderVersion
from app.sla.stored import INSTANT, StoredClock, new_clock_row
from app.sla.targets import find_target, pauses
from app.sla.versions import find_calendar, load_versions

DEFAULT_CALENDAR = "default"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
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


# -- set-up and publication -------------------------------------------------------------------------------------------


def office_hours(zone: str) -> dict[str, Any]:
    """The calendar of a tenant that has published none: Monday to Friday, 9 to 17, no holidays."""
    return {"timezone": zone, "weekly": {day: [["09:00", "17:00"]] for day in WEEKDAYS}}


def install_defaults(now: datetime) -> list[Model]:
    """Rows of the first calendar and ladders of the tenant in scope, which are made its current ones."""
    zone = tenant_settings().timezone
    rows = _new_calendar(DEFAULT_CALENDAR, office_hours(zone), now)
    auth.set_current(
        calendar={DEFAULT_CALENDAR: str(rows[1].id)}, calendar_follows={DEFAULT_CALENDAR: zone}, ladder=FIRST_LADDER
    )
    ladders = [
        LadderVersion(kind=kind, number=FIRST_LADDER, steps=ladder_to_json(ladder), created_at=now)
        for kind, ladder in DEFAULT_LADDERS.items()
    ]
    return [*rows, *ladders]


def _new_calendar(name: str, definition: dict[str, Any], now: datetime) -> tuple[CalendarModel, CalendarVersion]:
    calendar_id, version_id = new_id(), new_id()
    calendar = CalendarModel(id=calendar_id, name=name, current_version_id=version_id, created_at=now)
    first = CalendarVersion(id=version_id, calendar_id=calendar_id, number=1, definition=definition, created_at=now)
    return calendar, first


def publish_calendar(name: str, definition: dict[str, Any], *, now: datetime) -> CalendarVersion:
    """A new calendar, or the next version of a known one; what is open keeps the version it started with.

    Raises Invalid naming the field when the definition cannot be meant or is never open.
    """
    check_definition(definition)
    version = _add_version(name, definition, now)
    follows = {key: zone for key, zone in _following().items() if key != name}
    auth.set_current(calendar={**_current(), name: str(version.id)}, calendar_follows=follows)
    return version


def check_definition(definition: Mapping[str, Any], field: str = "") -> Calendar:
    """The compiled calendar; Invalid names the field inside `field`."""
    try:
        return compile_calendar(definition)
    except CalendarError as error:
        raise invalid("/".join(part for part in (field, error.field) if part), error.detail) from error


def _add_version(name: str, definition: dict[str, Any], now: datetime) -> CalendarVersion:
    """Publications of one tenant take turns, so that two at once become two versions."""
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"calendar:{current_tenant()}", 0))))
    known = db.session.scalars(select(CalendarModel).where(CalendarModel.name == name).with_for_update()).one_or_none()
    if known is None:
        calendar, first = _new_calendar(name, definition, now)
        insert_all([calendar, first])
        return first
    last = db.session.scalar(select(func.max(CalendarVersion.number)).where(CalendarVersion.calendar_id == known.id))
    version = CalendarVersion(
        id=new_id(), calendar_id=known.id, number=(last or 0) + 1, definition=definition, created_at=now
    )
    insert_all([version])
    known.current_version_id = version.id
    db.session.flush()
    return version


def _current() -> dict[str, str]:
    return dict(current_version("calendar") or {})


def _following() -> dict[str, str]:
    """Calendars nobody has published anything else under yet, and the zone their current version is in."""
    return dict(current_version("calendar_follows") or {})


# -- the basis of a case ----------------------------------------------------------------------------------------------


def basis(calendar_name: str | None = None, zone: str | None = None, *, now: datetime) -> Basis:
    """What a case raised now counts by: the named calendar, else the tenant's; the named zone, else the tenant's.

    A name that no calendar has is passed over. At most one statement, none when the versions are kept.
    """
    settings = tenant_settings()
    chosen = next((name for name in (calendar_name, settings.calendar) if name in _current()), DEFAULT_CALENDAR)
    follows = _following().get(chosen)
    if follows is not None and follows != settings.timezone:
        _follow_zone(chosen, settings.timezone, now)
    return basis_of(UUID(_current()[chosen]), zone or settings.timezone, current_version("ladder") or FIRST_LADDER)


def basis_of(calendar_version_id: UUID, zone: str, ladder_number: int) -> Basis:
    """The basis a case has stored; at most one statement, none when the versions are kept."""
    load_versions([calendar_version_id], [ladder_number])
    return Basis(calendar_version_id, zone, ladder_number)


def _follow_zone(name: str, zone: str, now: datetime) -> None:
    """The built-in office hours are the tenant's own: when its zone has changed, the next case finds them there."""
    version = _add_version(name, office_hours(zone), now)
    auth.set_current(calendar={**_current(), name: str(version.id)}, calendar_follows={**_following(), name: zone})


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
