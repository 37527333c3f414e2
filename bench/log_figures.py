"""What a report must say of an incident log, counted from the file alone: nothing of the product is used or imported.

`python -m bench.log_figures FILE 2016-04-01T00:00Z [--limit N]` prints the figures as of a moment as JSON. Dates in the
file are `D/M/YYYY HH:MM` and read as UTC. An incident is raised by its first row and is closed by the row that took it
into Closed last; its target is 30 days after its raise. Rows after the moment are not looked at. Whoever held it is
the person named, else the group, else nobody; a change of holder is one when the row says that it was reassigned or
names another, but not while it is closed; before the first holder the case was routed to somebody else.
"""

import argparse
import csv
import gzip
import json
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any

TARGET = timedelta(days=30)
DAY = timedelta(days=1)
ENDED = ("Resolved", "Closed")

Row = dict[str, str]


def read(path: Path, *, limit: int = 0) -> dict[str, list[tuple[datetime, Row]]]:
    """Each of the first `limit` incidents (0: all) with its rows in order of time."""
    opened = gzip.open if path.suffix == ".gz" else open
    found: dict[str, list[tuple[datetime, Row]]] = {}
    with opened(path, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["number"] in found or not limit or len(found) < limit:
                at = datetime.strptime(f"{row['sys_updated_at']} +0000", "%d/%m/%Y %H:%M %z")
                found.setdefault(row["number"], []).append((at, row))
    return {number: sorted(rows, key=lambda one: one[0]) for number, rows in found.items()}


def figures(
    log: dict[str, list[tuple[datetime, Row]]], as_of: datetime, *, incidents: Collection[str] | None = None
) -> dict[str, Any]:
    """The figures as of a moment, of some incidents or all."""
    counts: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
    months: dict[str, Counter[str]] = {}
    closed_days: list[int] = []
    ages: list[int] = []
    places: set[str] = set()
    for number, rows in log.items():
        known = [(at, row) for at, row in rows if at <= as_of]
        if not known or (incidents is not None and number not in incidents):
            continue
        raised_at = known[0][0]
        month = months.setdefault(raised_at.strftime("%Y-%m-01"), Counter())
        closed_at = closing(known)
        if closed_at is None:
            standing = "open_overdue" if raised_at + TARGET < as_of else "open_not_due"
            counts["open"] += 1
            places.add(known[0][1]["location"])
            ages.append(floor((as_of - raised_at) / DAY))
        else:
            standing = "on_time" if closed_at <= raised_at + TARGET else "late"
            counts["ended"] += 1
            closed_days.append(max(0, ceil((closed_at - raised_at) / DAY)))
        for name in ("raised", standing):
            counts[name] += 1
            month[name] += 1
        counts["reroutes"] += changes_of_holder(known)
    points = still_open(closed_days, ages)
    due = counts["raised"] - counts["open_not_due"]
    return {
        **counts,
        "accounts": len(places),
        "share": round(counts["on_time"] / due, 4) if due else None,
        "months": {name: {key: counts[key] for key in COHORT} for name, counts in sorted(months.items())},
        "closed_by_day": [(day, at_risk, ended) for day, _, at_risk, ended in points],
        "median_days": next((day for day, share, _, _ in points if share <= Fraction(1, 2)), None),
    }


COHORT = ("raised", "on_time", "late", "open_overdue", "open_not_due")
COUNTS = (*COHORT, "open", "ended", "reroutes")


def closing(known: list[tuple[datetime, Row]]) -> datetime | None:
    """When it went into Closed for the last time, None while it is in another state."""
    closed_at, before = None, ""
    for at, row in known:
        state = row["incident_state"]
        if state == "Closed" and before != "Closed":
            closed_at = at
        before = state
    return closed_at if before == "Closed" else None


def changes_of_holder(known: list[tuple[datetime, Row]]) -> int:
    """How often it went from one pair of hands to another, the first time from whom it was routed to."""
    changes, owner, before = 0, "", known[0][1]
    for n, (_, row) in enumerate(known):
        holder = holder_of(row)
        reassigned = n == 0 or row["reassignment_count"] != before["reassignment_count"]
        still_closed = before["incident_state"] == "Closed" and row["incident_state"] in ENDED
        named = holder != holder_of(before) and not still_closed
        if (reassigned or named) and holder != owner:
            changes, owner = changes + 1, holder
        before = row
    return changes


def holder_of(row: Row) -> str:
    """The person, else the group, else nobody."""
    return next((row[name] for name in ("assigned_to", "assignment_group") if row[name] not in ("?", "")), "nobody")


def still_open(closed: list[int], ages: list[int]) -> list[tuple[int, Fraction, int, int]]:
    """(day, share still open after it, at risk, closed on it): the product-limit estimate, by its definition."""
    share = Fraction(1)
    points = [(0, share, len(closed) + len(ages), 0)] if closed or ages else []
    for day in sorted(set(closed)):
        at_risk = sum(one >= day for one in closed) + sum(age >= day for age in ages)
        ended = closed.count(day)
        share *= 1 - Fraction(ended, at_risk)
        points.append((day, share, at_risk, ended))
    return points


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("as_of", type=datetime.fromisoformat)
    parser.add_argument("--limit", type=int, default=0)
    asked = parser.parse_args()
    print(json.dumps(figures(read(asked.file, limit=asked.limit), asked.as_of)))


if __name__ == "__main__":
    main()
