"""An incident log as ServiceNow's audit writes it, one row per update, and what plain counting says of it.

Dates are `D/M/YYYY HH:MM` without a zone and are read as UTC; `?` is missing. `opened_at`, `resolved_at` and
`closed_at` hold the final values on every row and are not read at all: an event happens at its `sys_updated_at`.
"""

import csv
import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean, median

CLOSED = "Closed"
MISSING = "?"


@dataclass(frozen=True, slots=True)
class Event:
    """One update of one incident; `group` and `assignee` are None where the log has none."""

    incident: str
    at: datetime
    state: str
    reassignments: int
    reopens: int
    severity: int
    caller: str
    account: str
    group: str | None
    assignee: str | None
    about: str


def read(path: Path, *, limit: int = 0) -> list[Event]:
    """The events in the order they happened, of the first `limit` incidents of the file (0: of all)."""
    opened = gzip.open if path.suffix == ".gz" else open
    kept: dict[str, None] = {}
    events = []
    with opened(path, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["number"] not in kept:
                if limit and len(kept) == limit:
                    continue
                kept[row["number"]] = None
            events.append(_event(row))
    return sorted(events, key=lambda event: event.at)


def _event(row: dict[str, str]) -> Event:
    return Event(
        incident=row["number"],
        at=moment(row["sys_updated_at"]),
        state=row["incident_state"],
        reassignments=int(row["reassignment_count"]),
        reopens=int(row["reopen_count"]),
        severity=int(row["priority"][0]),
        caller=row["caller_id"],
        account=row["location"],
        group=_known(row["assignment_group"]),
        assignee=_known(row["assigned_to"]),
        about=", ".join(part for name in ("category", "subcategory", "u_symptom") if (part := _known(row[name]))),
    )


def moment(written: str) -> datetime:
    """A day comes before its month; the American reading swaps nearly half of them in silence."""
    day, month, rest = written.split("/")
    year, time = rest.split(" ")
    hour, minute = time.split(":")
    return datetime(int(year), int(month), int(day), int(hour), int(minute), tzinfo=UTC)


def _known(value: str) -> str | None:
    return None if value in (MISSING, "") else value


def count(events: Iterable[Event]) -> dict[str, float]:
    """The figures by counting over the rows, with nothing of ours in between.

    An incident begins with its first event and is closed by the last event that took it into Closed.
    """
    began: dict[str, datetime] = {}
    closed: dict[str, datetime] = {}
    states: dict[str, str] = {}
    reassigned: dict[str, int] = {}
    for event in events:
        began.setdefault(event.incident, event.at)
        if event.state == CLOSED and states.get(event.incident) != CLOSED:
            closed[event.incident] = event.at
        elif event.state != CLOSED:
            closed.pop(event.incident, None)
        states[event.incident] = event.state
        reassigned[event.incident] = event.reassignments
    spans = {incident: at - began[incident] for incident, at in closed.items()}
    return figures(len(began), list(spans.values()), list(reassigned.values()))


def figures(incidents: int, spans: list[timedelta], reassigned: list[int]) -> dict[str, float]:
    """The same four numbers from either side: how many, closed in time, how fast, and through how many hands."""
    within = sum(span <= timedelta(days=30) for span in spans)
    return {
        "incidents": incidents,
        "closed_within_30_days": round(within / incidents, 6) if incidents else 0.0,
        "median_days_to_close": round(median(span / timedelta(days=1) for span in spans), 6) if spans else 0.0,
        "mean_reassignments": round(mean(reassigned), 6) if reassigned else 0.0,
    }
