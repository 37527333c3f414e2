"""Who would get an incident of a real log, learnt from the older ones: our learner beside three baselines.

The learner is the product's own (`app.routing.learning`). It learns from the oldest 70 % of the incidents by opening
and is tested on the newest 30 %; what it is to find is the group that held the incident last. An incident is what its
first row says of it, without that row's group and assignee (they are the dispatcher's choice, the baseline `people`)
and without any column that holds final values on every row. `sys_created_by` is left out too: where it is missing
Group 70 is the last row's group, where it is known Group 70 hardly ever is, so that it tells of the end (with it the
first choice would be right 7 points more often). Incidents that no group ever held have no answer and are left out.
`people` is the group of the first row, a missing one being wrong; `people_first_named` the first group that
any row names, which may be hours later.

The figures at the top are frozen at the cut, and know of the older incidents how they ended, as the baselines do. With
`--daily` it is also learnt anew for each day of the test part as the product's job would, only from what was known at
that day's midnight: from the incidents closed by then (this log closes by itself five days after resolving, so much
of the newest is not known yet), and from those resolved or closed.
"""

import csv
import gzip
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from app.routing.learning.features import Row, Shape
from app.routing.learning.measures import Measures, measure
from bench.incidents import MISSING, moment
from bench.replay import DEFAULT_FILE

FACTS = (
    "category", "subcategory", "location", "u_symptom", "caller_id", "opened_by", "contact_type",
    "impact", "urgency", "priority", "cmdb_ci", "problem_id", "rfc", "u_priority_confirmation", "notify",
)  # fmt: skip
SHAPE = Shape(
    categories=FACTS,
    lookup=(("category", "subcategory", "location"), ("category", "subcategory"), ("category",)),
)
LEARNT_SHARE = 0.7
SHOWN = ("first_choice", "top_3", "brier", "ece", "commonest", "lookup", "people")
DAILY = {"daily_from_closed": ("Closed",), "daily_from_resolved": ("Resolved", "Closed")}
MEANS = ("first_choice", "top_3", "lookup")


class Incident(NamedTuple):
    """`course` has (when, state, group) of each update in their order."""

    row: Row
    first_named: str
    course: list[tuple[datetime, str, str]]

    def known(self, until: datetime, states: Collection[str]) -> Row | None:
        """What was known of it before a moment, if it was in one of these states then."""
        before = [told for told in self.course if told[0] < until]
        groups = [group for _, _, group in before if group != MISSING]
        return replace(self.row, owner=groups[-1]) if groups and before[-1][1] in states else None


def run(file: str = DEFAULT_FILE, daily: bool = False) -> dict[str, Any]:
    path = Path(file)
    if not path.exists():
        return {"skipped": f"there is no file {file}; name one with --file"}
    from app.routing.learning.fit import learn

    incidents = read(path)
    cut = int(len(incidents) * LEARNT_SHARE)
    older, newer = [i.row for i in incidents[:cut]], [i.row for i in incidents[cut:]]
    began = time.perf_counter()
    model = learn(older, SHAPE)
    learning = time.perf_counter() - began
    began = time.perf_counter()
    found = measure(model, older, newer)
    asking = (time.perf_counter() - began) / len(newer)
    named = [i.first_named == i.row.owner for i in incidents[cut:]]
    return {
        **shown(found),
        "people_first_named": round(sum(named) / len(named), 4),
        "above_lookup": round(found.first_choice - found.lookup, 4),
        "at_confidence": [asdict(level) for level in found.at_confidence],
        "learnt_from": len(older),
        "tested_on": len(newer),
        "test_begins": newer[0].at.isoformat(),
        "groups": len(model.owners),
        "traits": len(model.traits),
        "seconds_to_learn": round(learning, 1),
        "milliseconds_to_ask": round(asking * 1000, 2),
        **(by_the_day(incidents, cut) if daily else {}),
        "data": {"file": path.name},
    }


def shown(found: Measures) -> dict[str, float]:
    return {name: getattr(found, name) for name in SHOWN}


def by_the_day(incidents: Sequence[Incident], cut: int) -> dict[str, Any]:
    return {name: day_by_day(incidents, cut, states) for name, states in DAILY.items()}


def day_by_day(incidents: Sequence[Incident], cut: int, states: Collection[str]) -> dict[str, float]:
    """The same test, learnt anew for each of its days from what was in one of these states at its midnight, with the
    group that held it then; means over the cases."""
    from app.routing.learning.fit import learn

    parts = []
    for day, group in groupby((i.row for i in incidents[cut:]), key=lambda row: row.at.date()):
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        known = [row for i in incidents if (row := i.known(midnight, states)) is not None]
        parts.append(measure(learn(known, SHAPE), known, list(group)))
    cases = sum(part.cases for part in parts)
    means = {name: sum(getattr(part, name) * part.cases for part in parts) / cases for name in MEANS}
    return {name: round(mean, 4) for name, mean in means.items()}


def read(path: Path) -> list[Incident]:
    """Incidents by opening, each as its first row tells of it and its last group."""
    opened = gzip.open if path.suffix == ".gz" else open
    rows: dict[str, list[dict[str, str]]] = {}
    with opened(path, "rt", encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            rows.setdefault(line["number"], []).append(line)
    found = [incident for told in rows.values() if (incident := _incident(told)) is not None]
    return sorted(found, key=lambda incident: incident.row.at)


def _incident(told: list[dict[str, str]]) -> Incident | None:
    told.sort(key=lambda line: (moment(line["sys_updated_at"]), int(line["sys_mod_count"])))
    groups = [line["assignment_group"] for line in told if line["assignment_group"] != MISSING]
    if not groups:
        return None
    first = told[0]
    facts = {name: None if first[name] == MISSING else first[name] for name in FACTS}
    row = Row(moment(first["opened_at"]), facts, groups[-1], first["assignment_group"])
    course = [(moment(line["sys_updated_at"]), line["incident_state"], line["assignment_group"]) for line in told]
    return Incident(row, groups[0], course)
