"""A real company's incident log played through the services as escalations, beside plain counting over the file.

Each incident becomes an escalation of the account its `location` names; that mapping is ours, the log has neither
accounts nor values. It is raised at its first event, and every later event is one use case after the other, those of
an hour in one transaction, with the event's moment as its `now` and by the owner of that moment (what only an admin
may do, by an admin):

* `reassignment_count` rises: assigned to the person named, else to the group's team, else routed afresh; another
  person named by itself changes the owner and is counted as no reassignment;
* `New` is open; `Active`: acknowledged, or resumed; `Awaiting …`: acknowledged and waiting, for the customer (`User
  Info`), a vendor, or ourselves (`Problem`, `Evidence`), until the last day a wait may name, and again when that day
  passed and the log still waits; `Resolved`: acknowledged and resolved; `Closed`: resolved and verified;
* out of `Resolved` the resolution is rejected, out of `Closed` the case is reopened;
* an event that changes none of this is a comment, a sign of work, one for each incident and day.

Reminders are what the real sweep sends on the way, run at every full hour of tenant time at which something is due.
The verify clock and the reopen window are given more days than the log ever took, since it is the log that closes
and reopens here. The accounts are dealt out to as many tenants as there are processors, each played in a process of
its own.

With `--report` the executive's report is read as well and compared with the file (`bench.replay_report`).
"""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench import incidents, replay_report
from bench.ground import environment
from bench.incidents import Event
from bench.player import Player

DEFAULT_FILE = "../shared/data/servicenow_incidents_to_2016-03.csv.gz"


def run(
    file: str = DEFAULT_FILE, limit: int = 0, processes: int = os.cpu_count() or 1, report: bool = False
) -> dict[str, Any]:
    path = Path(file)
    if not path.exists():
        return {"skipped": f"there is no file {file}; name one with --file"}
    began = time.perf_counter()
    events = incidents.read(path, limit=limit)
    plain = incidents.count(events)
    moments = replay_report.moments_of(events) if report else []
    counting = time.perf_counter() - began
    began = time.perf_counter()
    with environment() as environ:
        played = play_all(environ, replay_report.held(events) if report else events, processes, moments)
    seconds = time.perf_counter() - began
    told = incidents.figures(
        sum(part["incidents"] for part in played),
        [span for part in played for span in part["spans"]],
        [number for part in played for number in part["reassigned"]],
    )
    assert told == plain, f"the services say {told}, the file {plain}"
    return {
        **told,
        **({"report": replay_report.compare(path, limit, played)} if report else {}),
        "equal": told == plain,
        "reminders": sum(part["reminders"] for part in played),
        "events": len(events),
        "events_per_second": round(len(events) / seconds, 1),
        "use_cases": sum(part["use_cases"] for part in played),
        "seconds": round(seconds, 1),
        "floor_rate": round(len(events) / counting, 1),
        "data": {"file": path.name, "accounts": "by location", "processes": processes},
    }


def play_all(
    environ: dict[str, str], events: list[Event], processes: int, moments: Sequence[datetime] = ()
) -> list[dict[str, Any]]:
    """Each process plays the accounts dealt to it; an incident keeps the account it was raised for."""
    if processes == 1:
        return [play(environ, events, moments)]
    hands: list[list[Event]] = [[] for _ in range(processes)]
    dealt: dict[str, int] = {}
    accounts: dict[str, int] = {}
    for event in events:
        if event.incident not in dealt:
            dealt[event.incident] = accounts.setdefault(event.account, len(accounts)) % processes
        hands[dealt[event.incident]].append(event)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(play, [environ] * processes, hands, [moments] * processes))


def play(environ: dict[str, str], events: list[Event], moments: Sequence[datetime] = ()) -> dict[str, Any]:
    """Play events through the services in a new tenant; what the database says afterwards, and what its reports said
    of the moments."""
    from bench.ground import in_context

    with in_context(environ):
        player, reports = play_here(events, moments)
        numbers = {event.incident for event in events}
        return {**player.results(), "numbers": numbers, "reports": reports}


def play_here(events: list[Event], moments: Sequence[datetime]) -> tuple[Player, dict[datetime, Any]]:
    """Play in the context there is, the sweep in between."""
    player = Player(events)
    if not events:
        return player, {}
    reader = replay_report.Reader(player, moments, events[0].at)
    for hour, happening in hourly(events):
        reader.read_until(hour)
        player.sweep(hour)
        player.play(happening)
    return player, reader.read_again(max([hour + timedelta(hours=1), *(at + timedelta(hours=1) for at in moments)]))


def hourly(events: list[Event]) -> Iterator[tuple[Any, list[Event]]]:
    """The events of each hour, with every hour in between from the first to the last."""
    hours = {hour: list(group) for hour, group in groupby(events, key=lambda event: event.at.replace(minute=0))}
    if not hours:
        return
    hour = min(hours)
    while hour <= max(hours):
        yield hour, hours.get(hour, [])
        hour += timedelta(hours=1)
