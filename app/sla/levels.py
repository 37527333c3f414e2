"""The service levels a tenant has published: each name has numbered versions, frozen, and the tenant's row points to
the current ones, so that a raise reads them with what it reads anyway. Nothing is deleted: a level is retired."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from app.auth import service as auth
from app.auth.settings import current_version, tenant_settings
from app.db import db, new_id
from app.errors import NotFound, invalid
from app.rows import insert_all
from app.sla import calendars
from app.sla.calendar import BeyondCalendar, local_days_later
from app.sla.history import latest
from app.sla.level import LevelError, field_of, parse_level
from app.sla.models import ServiceLevel, ServiceLevelVersion
from app.sla.targets import make_target
from app.sla.versions import find_calendar


def find_current(names: Iterable[str]) -> list[UUID]:
    """The current versions of those of these names that are published and not retired, each once, in their order."""
    known = _current()
    return [UUID(known[name]) for name in dict.fromkeys(names) if name in known]


def publish_level(name: str, definition: Mapping[str, Any], *, now: datetime) -> ServiceLevel:
    """A new service level, or the next version of a known one; what is open keeps the version it started with.

    A retired one is taken up again. Raises Invalid naming the field when it cannot be meant, when its calendar is not
    published, or when a case raised now would fall due beyond 2100.
    """
    check_definition(definition, now=now)
    auth.begin_publishing("service_level")
    level = find_level(name)
    if level is None:
        level = ServiceLevel(id=new_id(), name=name, created_at=now)
        db.session.add(level)
    version = ServiceLevelVersion(
        id=new_id(),
        service_level_id=level.id,
        number=_last_number(level.id) + 1,
        definition=dict(definition),
        created_at=now,
    )
    level.current_version_id, level.retired_at = version.id, None
    db.session.flush()
    insert_all([version])
    auth.set_current(service_level={**_current(), name: str(version.id)})
    return level


def retire_level(level_id: UUID, *, now: datetime) -> ServiceLevel:
    """No case raised from now on gets it; open ones keep the version they started with. Twice changes nothing."""
    auth.begin_publishing("service_level")
    level = get_level(level_id)
    level.retired_at = level.retired_at or now
    db.session.flush()
    auth.set_current(service_level={name: id_ for name, id_ in _current().items() if name != level.name})
    return level


def check_definition(definition: Mapping[str, Any], *, now: datetime) -> None:
    """Invalid names the field and what was expected."""
    hours = {name: value for name, value in definition.items() if name != "calendar"}
    named = definition.get("calendar")
    if named is not None and not calendars.is_known(named):
        raise invalid("calendar", "expected the name of a published calendar")
    try:
        targets = parse_level(hours)
    except LevelError as error:
        raise invalid(error.field, error.detail) from error
    calendar = find_calendar(calendars.find_current(named, tenant_settings().calendar, now=now))
    for clock, promised in targets.items():
        try:
            target = make_target(promised, day_seconds=calendar.day_seconds)
            if target.pauses:
                calendar.add(now, target.value)
            elif local_days_later(now, target.value, ZoneInfo(tenant_settings().timezone)).year > 2100:
                raise BeyondCalendar("at", "beyond 2100")
        except BeyondCalendar as error:
            raise invalid(field_of(clock), "falls due beyond 2100 on this calendar") from error


def get_level(level_id: UUID) -> ServiceLevel:
    level = db.session.get(ServiceLevel, level_id)
    if level is None:
        raise NotFound
    return level


def find_level(name: str) -> ServiceLevel | None:
    """The service level of this name, retired or not."""
    return db.session.scalars(select(ServiceLevel).where(ServiceLevel.name == name)).one_or_none()


def list_levels(*, after: tuple[str, UUID] | None, limit: int) -> list[ServiceLevel]:
    """By name, retired ones included."""
    query = select(ServiceLevel).order_by(ServiceLevel.name, ServiceLevel.id).limit(limit)
    if after is not None:
        query = query.where(ServiceLevel.name > after[0])
    return list(db.session.scalars(query))


def list_versions(level_ids: Iterable[UUID]) -> dict[UUID, list[ServiceLevelVersion]]:
    """The latest versions of each level, oldest first; one statement."""
    versions: dict[UUID, list[ServiceLevelVersion]] = {level_id: [] for level_id in level_ids}
    of = ServiceLevelVersion.service_level_id
    for version in db.session.scalars(latest(ServiceLevelVersion, of, of.in_(versions))):
        versions[version.service_level_id].append(version)
    return versions


def _last_number(level_id: UUID) -> int:
    found = select(func.max(ServiceLevelVersion.number)).where(ServiceLevelVersion.service_level_id == level_id)
    return db.session.scalar(found) or 0


def _current() -> dict[str, str]:
    """Each level's current version by name; retired ones are not among them."""
    return dict(current_version("service_level") or {})
