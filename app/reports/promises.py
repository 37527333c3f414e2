"""Promises as they stood at a moment, by kind of clock: kept, missed, and missed by the first target alone."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.reports.reading import Reading
from app.sla.ledger import Entry, State
from app.sla.stored import rebuild_ledger
from app.sla.targets import CLOCK_KINDS

# What the customer was promised; the others are promises among us.
TO_CUSTOMER = ("close", "respond", "reply", "customer_update", "plan")
COUNTS = ("kept", "missed", "overdue", "running", "late_by_original", "logged_late")


def promises_of(found: Mapping[str, Any], closing: Mapping[str, int], reading: Reading) -> dict[str, Any]:
    """Every kind of promise with its counts. `close` is counted as the figures of cohorts count: `closing`."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    counts["close"].update(closing)
    for row in found["counted"]:
        counts[row["kind"]].update({name: row[name] for name in COUNTS})
    for clock in found["later"]:
        counts[clock["kind"]].update(counted_as(state_of(clock, reading.as_of)))
    kinds = [kind for kind in CLOCK_KINDS if any(counts[kind].values())]
    rows: list[dict[str, Any]] = [
        {"clock": kind, "to_customer": kind in TO_CUSTOMER, **_all(counts[kind])} for kind in kinds
    ]
    total = {name: sum(row[name] for row in rows) for name in COUNTS}
    towards = {name: sum(row[name] for row in rows if row["to_customer"]) for name in COUNTS}
    return {**total, "to_customer": towards, "kinds": rows}


def _all(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) for name in COUNTS}


def state_of(clock: Mapping[str, Any], as_of: datetime) -> State:
    """What the ledger of a clock, as it was by then, amounted to."""
    return rebuild_ledger(entries_of(clock["entries"]), zone=clock["zone"], as_of=as_of)


def entries_of(rows: Iterable[Sequence[Any]]) -> list[Entry]:
    """A ledger from its rows: type, at, recorded_at, seq, facts."""
    return [
        Entry(type_, datetime.fromisoformat(at), datetime.fromisoformat(recorded_at), seq, facts)
        for type_, at, recorded_at, seq, facts in rows
    ]


def counted_as(state: State) -> list[str]:
    """The counts that a clock in this state adds to; a cancelled one was neither kept nor missed."""
    if state.state == "met":
        return ["kept", *(flag for flag in ("late_by_original", "logged_late") if flag in state.flags)]
    named = {"missed": "missed", "breached": "overdue", "running": "running", "paused": "running"}
    return [named[state.state]] if state.state in named else []
