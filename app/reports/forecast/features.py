"""What was known of an open case at a moment, as the traits that the hazard weighs. Pure.

A trait is written `group=value`. Nothing here looks past the moment: a case is its states as they became known, and of
those only the one that held at the moment counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from math import ceil

DAY = timedelta(days=1)
RENEWS_WITHIN = 90
RESOLVED = "resolved"
LATEST_RESOLVED = 9  # days since resolving: then it makes no more difference
LEADS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 14, 19, 25)
AGES = (3, 5, 7, 10, 14, 18, 22, 26, 30, 45)
QUIETS = (1, 2, 4, 7, 14)
LOADS = (3, 6, 11, 21, 41)
MOST_REROUTES = 5
MOST_REOPENS = 2
QUARTER = 4  # parts of a day that what is left of the last one is counted in
LAST = max(*AGES, *LEADS)  # beyond the largest edge all days are alike


@lru_cache(maxsize=4096)
def bucket(value: int, edges: tuple[int, ...]) -> str:
    """The largest edge that is not above the value, 0 below all of them."""
    return str(max((edge for edge in edges if edge <= value), default=0))


AGE, SINCE_RESOLVED = "age", "resolved_day"
# The traits of days by their number; those beyond the last are as the last.
DAY_TRAITS = {
    AGE: tuple(f"age={bucket(day, AGES)}" for day in range(LAST + 1)),
    SINCE_RESOLVED: tuple(f"resolved_day={day}" for day in range(LATEST_RESOLVED + 1)),
    **{
        phase: tuple(f"{phase}_ahead={bucket(day, LEADS)}" for day in range(LAST + 1))
        for phase in ("open", "in_progress", "waiting", RESOLVED)
    },
}


def _of_day(kind: str, day: int) -> str:
    traits = DAY_TRAITS[kind]
    return traits[min(day, len(traits) - 1)]


@dataclass(frozen=True)
class State:
    """What was known of a case from `known_from` until the next state."""

    known_from: datetime
    status: str
    standing: str
    severity: int
    reroutes: int = 0
    reopens: int = 0
    tier: str = ""
    reason: str = ""
    segment: str | None = None
    owner: str | None = None
    extended: bool = False
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    waiting_for: str | None = None
    renewal_on: date | None = None


@dataclass(frozen=True)
class Case:
    """A case and all its states in order."""

    raised_at: datetime
    target_at: datetime
    states: Sequence[State]

    def state(self, at: datetime) -> State | None:
        """What was known of it at a moment."""
        held = None
        for state in self.states:
            if state.known_from > at:
                break
            held = state
        return held


@dataclass(frozen=True)
class Standing:
    """An open case at a moment: its age in whole days, how many days are left until the target (the last one maybe in
    part), the day since resolving if it is, its phase, and its other traits by group."""

    age: int
    left: float
    phase: str
    resolved: int | None
    traits: Mapping[str, str]

    def day(self, n: int) -> tuple[str, str]:
        """The two traits of the n-th day from the moment (0 is the first): how old the case is then, and how far the
        day lies ahead of what is known."""
        kind, first = self.ahead
        return _of_day(AGE, self.age + n), _of_day(kind, first + n)

    @property
    def ahead(self) -> tuple[str, int]:
        """Which trait the days have beside their age, and which of it the first day has."""
        return (self.phase, 1) if self.resolved is None else (SINCE_RESOLVED, self.resolved)


def standing_of(raised_at: datetime, target_at: datetime, state: State, at: datetime, load: int) -> Standing:
    """An open case at a moment; `load` are the open cases its owner has then, this one among them."""
    resolved = state.status == RESOLVED and state.resolved_at is not None
    quiet = bucket(max((at - state.known_from) // DAY, 0), QUIETS)
    left = max(target_at - at, timedelta(0)) / DAY
    return Standing(
        age=max((at - raised_at) // DAY, 0),
        left=ceil(left * QUARTER) / QUARTER,
        phase=state.status,
        resolved=max((at - state.resolved_at) // DAY, 0) if resolved and state.resolved_at else None,
        traits=_traits(
            state.severity,
            min(state.reroutes, MOST_REROUTES),
            min(state.reopens, MOST_REOPENS),
            f"{'resolved' if state.status == RESOLVED else 'working'}_{quiet}",
            bucket(load, LOADS) if state.owner else "",
            (state.waiting_for or "") if state.status == "waiting" else "",
            state.tier,
            state.reason,
            state.segment or "",
            "yes" if state.extended else "",
            "near" if _renews(state.renewal_on, at) else "",
        ),
    )


GROUPS = ("severity", "reroutes", "reopens", "quiet", "load", "waiting_for", "tier", "reason", "segment", "extended",
          "renewal")  # fmt: skip


@lru_cache(maxsize=20_000)
def _traits(*values: int | str) -> Mapping[str, str]:
    """By group, without those that say nothing; cases that are alike share theirs."""
    named = zip(GROUPS, values, strict=True)
    return {group: f"{group}={value}" for group, value in named if value != ""}


def _renews(renewal_on: date | None, at: datetime) -> bool:
    return renewal_on is not None and 0 <= (renewal_on - at.date()).days <= RENEWS_WITHIN
