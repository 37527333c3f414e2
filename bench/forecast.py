"""How well the product's forecast tells which incidents of a real log miss 30 days, beside two baselines.

The log's incidents become histories as `bench.replay` plays them, but without the database: each update says what was
known from its moment on. For each day of its age at which an incident is open there is one forecast, by the product's
own learner (`app.reports.forecast`), from what was known that day.

* `by_opening`: learnt from the oldest 70 % of the incidents by opening and how they ended; measured on the newest 30 %.
* `as_known`: learnt from nothing that was recorded after a moment; measured on every forecast after it. One moment is
  that of the last opening. The other is the cut of `by_opening`, and there the forecast fails: from 10 to 23 March the
  log's automatic closing stood still, 3,121 incidents were closed together on the 24th, and what was known on the 22nd
  says that hardly anything is ever closed.

`share_so_far` gives every case the share missed among those learnt from, `age_only` that of the cases open at the same
age. The learner has no base model here, since the one that the product ships is learnt from this log: `--write FILE`
writes it, from all incidents and without their owners, with its measure by opening.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from app.reports.forecast.course import Loads, Look, looks_of
from app.reports.forecast.features import Case, State
from app.reports.forecast.hazard import FORM, Hazard
from app.reports.forecast.measures import Measures, measure
from bench.incidents import CLOSED, Event, read
from bench.replay import DEFAULT_FILE

LEARNT_SHARE = 0.7
TARGET = timedelta(days=30)
PARTIES = {"User": "customer", "Vendor": "vendor", "Problem": "internal", "Evidence": "internal"}
PULL = 3.0
NOTHING = Hazard(-3.0, {})
PROVENANCE = """\
# The forecast of a tenant that has too little history of its own, and what its own model is drawn towards.
# Coefficients on the log-odds that a case is closed on a day, written by `python -m bench forecast --write`.
source = "UCI Machine Learning Repository 498, incident management process enriched event log, opened in March 2016"
"""
STATUSES = {"New": "open", "Active": "in_progress", "Resolved": "resolved", CLOSED: "closed"}


def run(file: str = DEFAULT_FILE, write: str = "") -> dict[str, Any]:
    path = Path(file)
    if not path.exists():
        return {"skipped": f"there is no file {file}; name one with --file"}
    from app.reports.forecast.fit import learn

    cases = cases_of(read(path))
    end = max(case.states[-1].known_from for case in cases)
    cut = int(len(cases) * LEARNT_SHARE)
    loads = Loads(cases)
    began = time.perf_counter()
    older, newer = looks(cases[:cut], loads, end), looks(cases[cut:], loads, end)
    model = learn(older, NOTHING, pull=PULL, cases=cut)
    seconds = time.perf_counter() - began
    by_opening = measure(model, older, newer)
    if write:
        Path(write).write_text(base_of(cases, end))
    moments = (cases[cut].raised_at, cases[-1].raised_at)
    return {
        "by_opening": {"learnt_from": cut, "tested_on": len(cases) - cut, **asdict(by_opening)},
        "as_known": {at.isoformat(): asdict(as_known(cases, loads, at, end)) for at in moments},
        "begins": {"learnt": cases[0].raised_at.isoformat(), "tested": cases[cut].raised_at.isoformat()},
        "target_days": TARGET.days,
        "traits": len(model.weights),
        "seconds_to_learn": round(seconds, 1),
        "data": {"file": path.name, "incidents": len(cases)},
    }


def looks(cases: Sequence[Case], loads: Loads, known_until: datetime, since: datetime | None = None) -> list[Look]:
    return [one for case in cases for one in looks_of(case, loads, known_until=known_until, since=since)]


def as_known(cases: Sequence[Case], loads: Loads, at: datetime, end: datetime) -> Measures:
    """Learnt from what was known at a moment, measured on what came after it."""
    from app.reports.forecast.fit import learn

    known = [case for case in cases if case.raised_at < at]
    past = looks(known, loads, at)
    return measure(learn(past, NOTHING, pull=PULL, cases=len(known)), past, looks(cases, loads, end, at))


def base_of(cases: Sequence[Case], end: datetime) -> str:
    """What the product ships: learnt from all incidents, without their owners, since how many cases a colleague has in
    hand means something else in every company; its measure is by opening as well."""
    from app.reports.forecast.fit import learn

    alone = [replace(case, states=[replace(state, owner=None) for state in case.states]) for case in cases]
    cut = int(len(alone) * LEARNT_SHARE)
    older, newer = looks(alone[:cut], Loads([]), end), looks(alone[cut:], Loads([]), end)
    found = measure(learn(older, NOTHING, pull=PULL, cases=cut), older, newer)
    return written(learn([*older, *newer], NOTHING, pull=PULL, cases=len(alone)), found)


def written(model: Hazard, found: Measures) -> str:
    """The base model as the product ships it."""
    quality = {name: asdict(getattr(found, name)) for name in ("model", "share_so_far", "age_only")}
    told = [f"{name} = {{ brier = {q['brier']}, auc = {q['auc']} }}" for name, q in quality.items()]
    weights = [f'"{trait}" = {weight}' for trait, weight in model.as_json()["weights"].items()]
    usual = [f"{group} = {weight}" for group, weight in model.as_json()["usual"].items()]
    numbers = [f"form = {FORM}", f"cases = {model.cases}", f"intercept = {round(model.intercept, 4)}"]
    parts = [PROVENANCE, *numbers, "\n[measured]", *told, "\n[usual]", *usual, "\n[weights]", *weights]
    return "\n".join(parts) + "\n"


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
        waiting_for=PARTIES[event.state.split()[1]] if status == "waiting" else None,
        resolved_at=resolved_at,
        closed_at=closed_at,
    )
