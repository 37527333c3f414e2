"""Moments, hours, places and skills in the words of a sentence. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.routing.people import Hours, Inputs
from app.routing.requirements import Requirement


def day_or_time(at: datetime, inputs: Inputs) -> str:
    """ "17:00" of the day of the decision, "24 November" of another; on the account's clocks."""
    local, today = _local(at, inputs), _local(inputs.now, inputs)
    return f"{local:%H:%M}" if local.date() == today.date() else _day(local, today)


def moment(at: datetime, inputs: Inputs) -> str:
    """ "17:00" of the day of the decision, "24 November 17:00" of another; on the account's clocks."""
    local, today = _local(at, inputs), _local(inputs.now, inputs)
    return f"{local:%H:%M}" if local.date() == today.date() else f"{_day(local, today)} {local:%H:%M}"


def working_hours(hours: Hours | None, inputs: Inputs) -> str | None:
    """ "in working hours until 17:00", "at work from 24 November 09:00"; None where no hours were looked at."""
    if hours is None:
        return None
    if hours.open:
        return f"in working hours {f'until {moment(hours.open_until, inputs)}' if hours.open_until else 'at all times'}"
    return f"at work from {moment(hours.opens_at, inputs)}" if hours.opens_at else None


def places(load: Decimal, capacity: Decimal, weight: Decimal) -> str:
    """ "3 of 8 places free": a place is the room that one case as heavy as this takes."""
    return f"{max(capacity - load, Decimal(0)) // weight} of {capacity // weight} places free"


def skills(requirements: Iterable[Requirement]) -> str:
    """ "German", "German (level 3) and Norwegian"."""
    return listed([r.skill if r.level == 1 else f"{r.skill} (level {r.level})" for r in requirements])


def listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def _local(at: datetime, inputs: Inputs) -> datetime:
    return at.astimezone(_zone(inputs.zone))


def _zone(name: str | None) -> tzinfo:
    """A record outlives the tables of zones: one they do not know any more reads in UTC."""
    try:
        return ZoneInfo(name) if name else UTC
    except ZoneInfoNotFoundError:
        return UTC


def _day(local: datetime, today: datetime) -> str:
    return f"{local.day} {local:%B}{'' if local.year == today.year else f' {local.year}'}"
