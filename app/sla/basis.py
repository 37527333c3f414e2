"""What a case's clocks count by, chosen once at its raise, and when its promises fall due by it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from app.auth.settings import TenantSettings, tenant_settings
from app.sla import calendars, levels
from app.sla.calendar import Calendar, local_days_later
from app.sla.errors import BasisUnreadable, NoTarget
from app.sla.hours import EPOCH, CalendarError, instant, parse_zone
from app.sla.ladder import Ladder, OwnLadders
from app.sla.ladders import current_ladder
from app.sla.ledger import INSTANT, Target
from app.sla.level import Level
from app.sla.targets import find_target
from app.sla.versions import find_calendar, find_ladders, find_level, load_versions

# In this order service levels are compared: how soon the customer hears first, then again, and has it closed.
COMPARED = ("respond", "reply", "customer_update", "close")
# As a case has it: version of the calendar, zone, number of the ladders, version of the service level.
Stored = tuple[UUID, str, int, UUID | None]


@dataclass(frozen=True, slots=True)
class Basis:
    """What a case's clocks count by, chosen once: versions of a calendar, a service level (or none), a zone, the number
    of the tenant's ladders and the case's own that go before them."""

    calendar_version_id: UUID
    zone: str
    ladder_number: int
    level_version_id: UUID | None = None
    own: OwnLadders | None = None

    @property
    def calendar(self) -> Calendar:
        """The compiled calendar."""
        return find_calendar(self.calendar_version_id)

    @property
    def level(self) -> Level | None:
        """What the contract promises, None when only the tenant's settings do."""
        return find_level(self.level_version_id) if self.level_version_id else None

    def number_of(self, kind: str) -> int:
        """Under which number the ladder of this kind of clock is kept."""
        return self.own.number if self.own and kind in self.own.kinds else self.ladder_number


def basis(
    calendar_name: str | None = None,
    zone: str | None = None,
    *,
    level_names: Sequence[str] = (),
    severity: int = 3,
    now: datetime,
) -> Basis:
    """What a case raised now counts by: the calendar of the service level, else the named one, else the tenant's; the
    named zone, else the tenant's.

    A name that no calendar or service level has is passed over. Of several service levels the strictest holds. At most
    one statement, none when the versions are kept.
    """
    version_ids = levels.find_current(level_names)
    load_versions([], [], version_ids)
    found = [_basis_under(id_, calendar_name, zone, now) for id_ in version_ids or (None,)]
    return min(found, key=lambda one: _strictness(one, severity, now)) if len(found) > 1 else found[0]


def _basis_under(level_id: UUID | None, calendar_name: str | None, zone: str | None, now: datetime) -> Basis:
    settings = tenant_settings()
    of_level = find_level(level_id).calendar if level_id else None
    version_id = calendars.find_current(of_level, calendar_name, settings.calendar, now=now)
    return basis_of(version_id, zone or settings.timezone, current_ladder(), level_id)


def under_level(old: Basis, level_id: UUID, calendar_name: str | None, *, now: datetime) -> Basis:
    """The basis of an open case under another version of its service level.

    The calendar stays unless the version names another one; where it names none any more, the account's (named here),
    else the tenant's, follows.
    """
    named = find_level(level_id).calendar
    if old.level is not None and named == old.level.calendar:
        return basis_of(old.calendar_version_id, old.zone, old.ladder_number, level_id, old.own)
    version_id = calendars.find_current(named, calendar_name, tenant_settings().calendar, now=now)
    return basis_of(version_id, old.zone, old.ladder_number, level_id, old.own)


def _strictness(basis: Basis, severity: int, now: datetime) -> tuple[datetime, ...]:
    """When the promises of a case raised now would fall due, the first answer first: the earlier, the stricter."""
    targets = [find_default_target(kind, basis, severity=severity) for kind in COMPARED]
    return tuple(due_if_begun(target, basis, now) for target in targets if target is not None)


def due_if_begun(target: Target, basis: Basis, at: datetime) -> datetime:
    """When a promise that begins then falls due, if nothing pauses it."""
    if target.pauses:
        return basis.calendar.add(at, target.value)
    return local_days_later(at, target.value, ZoneInfo(basis.zone))


def basis_of(
    calendar_version_id: UUID,
    zone: str,
    ladder_number: int,
    level_version_id: UUID | None = None,
    own: OwnLadders | None = None,
) -> Basis:
    """The basis a case has stored; at most one statement, none when the versions are kept."""
    numbers = [ladder_number, own.number] if own else [ladder_number]
    load_versions([calendar_version_id], numbers, [level_version_id] if level_version_id else [])
    return Basis(calendar_version_id, zone, ladder_number, level_version_id, own)


def ladder_of(kind: str, basis: Basis) -> Ladder:
    """The steps that a clock of this kind takes."""
    return find_ladders(basis.number_of(kind))[kind]


def read_bases(stored: Iterable[Stored]) -> Mapping[Stored, Basis]:
    """The bases that many cases have stored; at most one statement, none when the versions are kept."""
    asked = set(stored)
    load_versions({one[0] for one in asked}, {one[2] for one in asked}, {one[3] for one in asked if one[3]})
    return {one: Basis(*one) for one in asked}


def zone_of(name: str) -> ZoneInfo:
    """The zone that a case has stored; BasisUnreadable when the tables have it no more."""
    try:
        return parse_zone(name)
    except CalendarError as error:
        raise BasisUnreadable(f"The time zone {name} is not in the tables") from error


def find_default_target(kind: str, basis: Basis, *, severity: int = 3, tier: str | None = None) -> Target | None:
    """The target of a kind by the service level, else by the tenant's settings; None where nobody asks for it."""
    promised = _promised(tenant_settings())
    if basis.level is not None:
        promised = {**promised, **basis.level.targets}
    return find_target(kind, severity=severity, day_seconds=basis.calendar.day_seconds, settings=promised, tier=tier)


def close_target(raised_at: datetime, basis: Basis) -> datetime:
    """When a case raised then is to be closed: read once, at the raise."""
    target = find_default_target("close", basis)
    if target is None:
        raise NoTarget("A case without a target to be closed")
    return local_days_later(raised_at, target.value, ZoneInfo(basis.zone))


def acknowledge_due(basis: Basis, *, severity: int, now: datetime) -> datetime:
    """When the acknowledgement of a case given to its owner now would fall due."""
    target = find_default_target("acknowledge", basis, severity=severity)
    if target is None:
        raise NoTarget("A case that nobody need acknowledge")
    return basis.calendar.add(now, target.value)


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
