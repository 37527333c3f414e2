"""Calendars, ladders and service levels by version: frozen once published, so each is read once per process."""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import text

from app.db import current_tenant, db
from app.sla.calendar import Calendar, compile_calendar
from app.sla.errors import BasisUnreadable
from app.sla.hours import CalendarError
from app.sla.ladder import DEFAULT_LADDERS, Ladder, parse_ladder
from app.sla.level import Level, LevelError, parse_level
from app.sla.offsets import LadderError

log = structlog.get_logger()

KEPT = 10_000
K = TypeVar("K")
V = TypeVar("V")

# One statement for all: a raise that finds none kept pays for one. A ladder holds until its kind has a newer one; a
# playbook's own for its very number only.
READ_VERSIONS = text(
    """
    select id, 'calendar' as what, null as kind, null as number, definition as content
    from calendar_version where id = any(:ids)
    union all
    select v.id, 'level', l.name, v.number, v.definition
    from service_level_version v join service_level l on l.id = v.service_level_id where v.id = any(:levels)
    union all
    select v.id, 'ladder', v.kind, n.number, v.steps
    from unnest(cast(:numbers as int[])) as n(number), lateral (
      select distinct on (kind) id, kind, steps from ladder_version
      where number <= n.number and (playbook_version_id is null or number = n.number)
      order by kind, number desc
    ) v
    """
)

Ladders = Mapping[str, Ladder]


class _Readable(NamedTuple):
    calendar: Calendar
    definition: str


_calendars: dict[UUID, _Readable] = {}
_elsewhere: dict[str, dict[str, Calendar]] = {}  # by definition and zone
_ladders: dict[tuple[UUID, int], Ladders] = {}
_levels: dict[UUID, Level] = {}
_lock = Lock()


def load_versions(calendar_ids: Iterable[UUID], ladder_numbers: Iterable[int], level_ids: Iterable[UUID] = ()) -> None:
    """Have these versions of the tenant at hand; at most one statement, none when they are kept."""
    tenant = current_tenant()
    ids = [id_ for id_ in set(calendar_ids) if id_ not in _calendars]
    numbers = [number for number in set(ladder_numbers) if (tenant, number) not in _ladders]
    levels = [id_ for id_ in set(level_ids) if id_ not in _levels]
    if not ids and not numbers and not levels:
        return
    ladders: dict[int, dict[str, Ladder]] = {number: {} for number in numbers}
    for row in db.session.execute(READ_VERSIONS, {"ids": ids, "numbers": numbers, "levels": levels}):
        content = json.dumps(row.content, sort_keys=True)
        try:
            if row.what == "calendar":
                _keep(_calendars, row.id, _Readable(_compile(content), content))
            elif row.what == "level":
                _keep(_levels, row.id, _read_level(row.id, row.kind, row.number, row.content))
            else:
                ladders[row.number][row.kind] = _parse(content)
        except (CalendarError, LadderError, LevelError) as error:  # what counts by it is set aside, the rest goes on
            log.error("version_unreadable", version_id=str(row.id), error=str(error))
    for number, found in ladders.items():
        _keep(_ladders, (tenant, number), {**DEFAULT_LADDERS, **found})


def find_calendar(version_id: UUID) -> Calendar:
    """The compiled calendar of a version; BasisUnreadable when its definition cannot be read."""
    return _find_readable(version_id).calendar


def find_calendars_in(zones: Iterable[str], version_id: UUID) -> Mapping[str, Calendar]:
    """The same local hours in other zones, as those keep them who work there; CalendarError for one unknown."""
    definition = _find_readable(version_id).definition
    kept = _elsewhere.get(definition)
    if kept is None:
        kept = {}
        _keep(_elsewhere, definition, kept)
    for zone in zones:
        if zone not in kept:
            kept[zone] = _compile(json.dumps({**json.loads(definition), "timezone": zone}, sort_keys=True))
    return kept


def _find_readable(version_id: UUID) -> _Readable:
    if version_id not in _calendars:
        load_versions([version_id], [])
    if version_id not in _calendars:
        raise BasisUnreadable(f"The calendar's version {version_id} cannot be read")
    return _calendars[version_id]


def find_level(version_id: UUID) -> Level:
    """What a version of a service level promises."""
    if version_id not in _levels:
        load_versions([], [], [version_id])
    return _levels[version_id]


def find_ladders(number: int) -> Ladders:
    """The tenant's ladders of one version by kind of clock; a kind without its own has the default."""
    key = (current_tenant(), number)
    if key not in _ladders:
        load_versions([], [number])
    return _ladders[key]


@lru_cache(maxsize=2_000)
def _compile(definition: str) -> Calendar:
    """Tenants whose hours read the same share one compiled calendar."""
    return compile_calendar(json.loads(definition))


def _read_level(version_id: UUID, name: str, number: int, definition: Mapping[str, Any]) -> Level:
    targets = parse_level({field: value for field, value in definition.items() if field != "calendar"})
    return Level(version_id, name, number, targets, definition.get("calendar"))


@lru_cache(maxsize=2_000)
def _parse(steps: str) -> Ladder:
    return parse_ladder(json.loads(steps))


def _keep(kept: dict[K, V], key: K, value: V) -> None:
    with _lock:
        if len(kept) >= KEPT:
            del kept[next(iter(kept))]
        kept[key] = value
