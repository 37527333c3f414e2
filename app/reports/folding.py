"""From the timeline and the snapshots of one case to what was known of it, moment by moment: a pure function.

Two streams are folded beside each other: events in their own order say what happened to the case, snapshots what it was
worth. An event is known from the moment it was recorded, but never before the one before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID

from app.reports.following import Course, Entry, follow
from app.reports.standings import TIERS

DAY = timedelta(days=1)
LONG_PAUSE = 0.25  # of its life
LIVE = ("open", "in_progress", "waiting", "resolved")
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
# Facts that held no longer than this are of the class before; the last has no end yet.
SPANS = tuple(timedelta(hours=hours) for hours in (6, 24, 72, 168, 336, 720, 1440, 2880, 8760))
ENDLESS = 99
WORTH = ("worth_id", "stake_amount", "stake_currency", "stake_lines", "stake_until")
# Whether a case is closed follows from its standing.
SUMMED_BY = ("standing", "verification", "days", "extended", "long_pause", "logged_late",
             *(f"{tier}_seconds" for tier in TIERS))  # fmt: skip
_NEITHER = (False, False, *(None for _ in TIERS), False)
WAS = {("open", None, None, False, *_NEITHER): "open", ("open", None, None, True, *_NEITHER): "extended"}


@dataclass(frozen=True)
class Raised:
    """What never changes of a case."""

    id: UUID
    raised_at: datetime
    day_raised: date
    close_target_at: datetime


@dataclass(frozen=True)
class Known:
    """What was known of the case from a moment until before another."""

    known_from: datetime
    known_until: datetime
    columns: dict[str, Any]


def fold(raised: Raised, events: Sequence[Entry], snapshots: Sequence[Entry]) -> list[Known]:
    """Every state that was known, in order, each different from the one before it; none of a case that was raised
    after the entries that count."""
    steps = [(entry.known, 0, entry) for entry in _in_order(events)]
    steps += [(entry.known, 1, entry) for entry in sorted(snapshots, key=lambda entry: (entry.known, entry.id))]
    steps.sort(key=lambda step: (step[0], step[1]))
    course, worth, states = Course(due_at=raised.close_target_at), None, dict[datetime, dict[str, Any]]()
    for known, _, entry in steps:
        if entry.kind:
            course = follow(course, entry)
        else:
            worth = entry
            course = replace(course, severity=entry.facts["severity"])
        if course.status and worth is not None:
            states[known] = columns_of(raised, course, worth.facts)
    return _spans(states)


def _in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Each known no earlier than the one before it."""
    latest, found = datetime.min.replace(tzinfo=UTC), []
    for entry in entries:
        latest = max(latest, entry.known)
        found.append(replace(entry, known=latest))
    return found


def _spans(states: dict[datetime, dict[str, Any]]) -> list[Known]:
    if not states:  # all its entries are newer than what counts: its turn comes
        return []
    distinct: list[tuple[datetime, dict[str, Any]]] = []
    for known, columns in states.items():
        if not distinct or distinct[-1][1] != columns:
            distinct.append((known, columns))
    ends = [*(known for known, _ in distinct[1:]), FOREVER]
    summed = [None, *(summed_of(columns) for _, columns in distinct)]
    return [
        Known(known, end, {**columns, "counts": summed[n] != summed[n + 1], "was": was_of(summed[n])})
        for n, ((known, columns), end) in enumerate(zip(distinct, ends, strict=True))
    ]


def summed_of(columns: Mapping[str, Any]) -> tuple[Any, ...]:
    """All that a fact adds to the sums follows from this."""
    by_first_owner = columns["status"] == "closed" and columns["closer_id"] == columns["first_owner_id"]
    return (*(columns[name] for name in SUMMED_BY), by_first_owner)


def was_of(summed: tuple[Any, ...] | None) -> str | None:
    """In a word what the sums hold of a case: nothing (None), that it is `open`, `extended` and open, or `more`."""
    return None if summed is None else WAS.get(summed, "more")


def span_of(known_from: datetime, known_until: datetime) -> int:
    """The class of how long a fact held, so that those that held at a moment are found by when they began."""
    if known_until == FOREVER:
        return ENDLESS
    return next((n for n, longest in enumerate(SPANS) if known_until - known_from <= longest), len(SPANS))


def standing_of(course: Course, target: datetime) -> str:
    """On time is closed with outcome `resolved` by the original target, whatever the due time became."""
    if course.status in LIVE:
        return "open"
    if course.status != "closed":
        return course.status
    if course.outcome != "resolved":
        return course.outcome or ""
    return "on_time" if course.closed_at is not None and course.closed_at <= target else "late"


def columns_of(raised: Raised, course: Course, worth: dict[str, Any]) -> dict[str, Any]:
    """The fact as a row, but for when it was known."""
    standing = standing_of(course, raised.close_target_at)
    closed_at = course.closed_at if course.status == "closed" else None
    life = closed_at - raised.raised_at if closed_at else None
    known = course.closing_known
    return {
        "account_id": worth["account_id"],
        "group_id": worth["parents"][-1] if worth["parents"] else worth["account_id"],
        "standing": standing,
        "status": course.status,
        "outcome": course.outcome,
        "verification": course.verification,
        "tier": course.tier,
        "severity": course.severity,
        "reason": course.reason,
        "owner_id": course.owner_id,
        "first_owner_id": course.first_owner_id,
        "closer_id": course.owners[-1] if course.owners else None,
        "reroutes": max(0, len(course.owners) - 1),
        "reopens": course.reopens,
        "raised_at": raised.raised_at,
        "day_raised": raised.day_raised,
        "close_target_at": raised.close_target_at,
        "due_at": course.due_at,
        "acknowledged_at": course.acknowledged_at,
        "acknowledged_late": course.acknowledged_late,
        "resolved_at": course.resolved_at,
        "closed_at": closed_at,
        "days": None if life is None else max(0, ceil(life / DAY)),
        "extended": course.extended,
        "customer_agreed": course.customer_agreed,
        "long_pause": bool(life) and course.waited > LONG_PAUSE * (life or DAY),
        "logged_late": standing == "on_time" and known is not None and known > raised.close_target_at,
        "preventable": course.preventable,
        "owners": list(course.owners) if len(course.owners) > 1 else [],
        "waits": {party: _whole(waited) for party, waited in course.waits.items()},
        "waiting_for": course.waiting_for,
        "waiting_since": course.waiting_since,
        "resolution_id": course.resolution_id,
        "root_cause": course.root_cause,
        "prevention": list(course.prevention.values()),
        "segment": worth["segment"],
        "health": worth["health"],
        "renewal_on": worth["renewal_on"],
        **{name: worth[name] for name in WORTH},
        **_seconds(course, closed=closed_at is not None),
    }


def _seconds(course: Course, *, closed: bool) -> dict[str, int | None]:
    spent = course.in_tiers if closed else {}
    return {f"{tier}_seconds": _whole(spent.get(tier)) for tier in TIERS}


def _whole(spent: timedelta | None) -> int | None:
    return None if spent is None else int(spent.total_seconds())
