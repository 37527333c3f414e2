"""From histories of cases to the days that a hazard is learnt from, and to the forecasts it is measured by. Pure.

A case is looked at once for each day of its age while it is open and its target lies ahead (a look), with what was
known then and nothing else. Each look tells of the days after it, up to the target: on which of them, if any, the case
was closed as resolved, as far as that is known. Closed unresolved or silent, it stays at risk until the target; who
withdrew, was mistaken or merged is known of no longer.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from app.reports.forecast.features import DAY, Case, Standing, standing_of

NEVER = ("unresolved", "customer_silent")
CLOSED = ("on_time", "late")


@dataclass(frozen=True)
class Look:
    """An open case at one moment, how many days its target is away, and what is known by the end: in how many days from
    here it was closed as resolved, if it was, and for how many it was watched."""

    standing: Standing
    due_in: float
    watched: float
    closed_in: float | None

    @property
    def missed(self) -> bool | None:
        """Whether it missed its target; None when that is not known."""
        if self.closed_in is not None:
            return self.closed_in > self.due_in
        return True if self.watched >= self.due_in else None


class Loads:
    """How many open cases each owner had at any moment, from the histories at hand."""

    def __init__(self, cases: Iterable[Case]) -> None:
        self._begins: dict[str, list[datetime]] = defaultdict(list)
        self._ends: dict[str, list[datetime]] = defaultdict(list)
        for case in cases:
            for begins, ends, owner in _holdings(case):
                self._begins[owner].append(begins)
                if ends is not None:
                    self._ends[owner].append(ends)
        for moments in (*self._begins.values(), *self._ends.values()):
            moments.sort()

    def at(self, owner: str | None, moment: datetime) -> int:
        if owner is None or owner not in self._begins:
            return 0
        return bisect_right(self._begins[owner], moment) - bisect_right(self._ends[owner], moment)


def _holdings(case: Case) -> Iterator[tuple[datetime, datetime | None, str]]:
    ends = [state.known_from for state in case.states[1:]]
    for state, until in zip(case.states, [*ends, None], strict=True):
        if state.owner is not None and state.standing == "open":
            yield state.known_from, until, state.owner


def looks_of(case: Case, loads: Loads, *, known_until: datetime, since: datetime | None = None) -> list[Look]:
    """One look for each day of age, from `since` on, at which the case was open and its target ahead, judged by what
    was known at `known_until`."""
    closing, watched = outcome_of(case, known_until)
    found = []
    at = case.raised_at
    while at < min(case.target_at, known_until):
        state = case.state(at)
        if state is not None and state.standing == "open" and (since is None or at >= since):
            standing = standing_of(case.raised_at, case.target_at, state, at, loads.at(state.owner, at))
            closed_in = None if closing is None else (closing - at) / DAY
            found.append(Look(standing, (case.target_at - at) / DAY, (watched - at) / DAY, closed_in))
        at += DAY
    return found


def outcome_of(case: Case, known_until: datetime) -> tuple[datetime | None, datetime]:
    """When it was closed as resolved, by what was known at a moment, and until when it was watched."""
    last = case.state(known_until)
    if last is None or last.standing == "open":
        return None, known_until
    if last.standing in CLOSED:
        return last.closed_at, known_until
    return None, max(case.target_at, known_until) if last.standing in NEVER else last.known_from


def days_of(looks: Sequence[Look]) -> Mapping[tuple[str, ...], list[int]]:
    """[days at risk, closings] by the traits of the look and the day, the same ones put together.

    Days that were seen whole, up to the target, and the one of the closing.
    """
    counts: dict[tuple[str, ...], list[int]] = {}
    for one in looks:
        fixed = tuple(one.standing.traits.values())
        closed = one.closed_in is not None and one.closed_in <= one.due_in
        days = max(ceil(one.closed_in or 0), 1) if closed else int(min(one.due_in, one.watched))
        for n in range(days):
            counts.setdefault((*fixed, *one.standing.day(n)), [0, 0])[0] += 1
        if closed:
            counts[(*fixed, *one.standing.day(days - 1))][1] += 1
    return counts
