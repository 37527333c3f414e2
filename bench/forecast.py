"""How well the product's forecast tells which incidents of a real log miss 30 days, beside two baselines."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from app.reports.forecast.course import Loads, Look, looks_of
from app.reports.forecast.features import Case, State
from app.reports.forecast.hazard import Hazard
from app.reports.forecast.measures import Measures, measure
from bench.incidents import CLOSED, Event, read
from bench.replay import DEFAULT_FILE

LEARNT_SHARE = 0.7
TARGET = timedelta(days=30)
STATUSES = {"New": "open", "Active": "in_progress", "Resolved": "resolved", CLOSED: "closed"}


def cases_of(events: Sequence[Event]) -> list[Case]:
    """Each incident with its states as they became known, by opening."""
    by_incident = sorted(events, key=lambda event: (event.incident, event.at))
    found = [_case(list(group)) for _, group in groupby(by_incident, key=lambda event: event.incident)]
    return sorted(found, key=lambda case: case.raised_at)


def _case(events: Sequence[Event]) -> Case:
    raised_at = events[0].at
    states: list[State] = []
    for event in events:
        state = _state(event, states[-1] if states else None, raised_at)
        if states and asdict(states[-1]) | {"known_from": event.at} == asdict(state):
            continue
        if states and states[-1].known_from == event.at:
            states.pop()
        states.append(state)
    return Case(raised_at, raised_at + TARGET, tuple(states))


def _state(event: Event, before: State | None, raised_at: datetime) -> State:
    status = STATUSES.get(event.state, "waiting")
    done = status in ("resolved", "closed")
    resolved_at = (before.resolved_at if before else None) or event.at if done else None
    closed_at = (before.closed_at if before else None) or event.at if status == "closed" else None
    late = closed_at is not None and closed_at > raised_at + TARGET
    return State(
        known_from=event.at,
        status=status,
        standing="open" if closed_at is None else "late" if late else "on_time",
        severity=event.severity,
        reroutes=event.reassignments,
        reopens=event.reopens,
        owner=event.assignee,
        resolved_at=resolved_at,
        closed_at=closed_at,
    )
