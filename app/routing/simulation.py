"""A policy replayed over past cases: who would have owned what, with the load that would have come of it. Pure.

Who works here, in which team and with what capacity is as today; who was absent is as it was at each moment. A case
weighs on its owner from its raise until it really ended, at the weight it was raised with.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any, Literal

from app.routing.decide import Outcome, decide
from app.routing.people import Inputs, Person, Suggestion, TeamFacts
from app.routing.policy import Policy

OPEN_COUNT, REPEAT_COUNT = "counts.open_escalations", "counts.repeats"
COUNTS = frozenset({OPEN_COUNT, REPEAT_COUNT})


@dataclass(frozen=True)
class Away:
    """Somebody was absent from `starts_at` until before `ends_at`."""

    user_id: str
    starts_at: datetime
    ends_at: datetime
    delegate_id: str | None


@dataclass(frozen=True)
class Workforce:
    """Everybody with nothing in hand, the teams, who was away when, and who is on duty by position."""

    people: Mapping[str, Person]
    teams: Mapping[str, TeamFacts]
    absences: Sequence[Away]
    duty: Mapping[str, str]


@dataclass(frozen=True)
class History:
    """What an account had before the period: closed cases by owner, earlier ones by reason, the last owner by it."""

    closed: dict[str, int] = field(default_factory=dict)
    earlier: dict[str, int] = field(default_factory=dict)
    last_owner: dict[str, str] = field(default_factory=dict)


NO_HISTORY = History()


@dataclass(frozen=True)
class Past:
    """One past case as its decision record has it; `facts` are those the policy asks for, without counts it did not
    keep. `ended_at` None: it is open still; `closed` unless it was merged away. `basis` is what its clocks counted by,
    for who asks when people worked."""

    id: str
    at: datetime
    today: date
    ended_at: datetime | None
    closed: bool
    account_id: str
    reason: str
    weight: Decimal
    value: Decimal
    facts: Mapping[str, Any]
    roles: Mapping[str, str]
    about_user_id: str | None = None
    suggested: tuple[Suggestion, ...] = ()
    severity: int = 3
    basis: Any = None


@dataclass(frozen=True)
class Hold:
    """A case in somebody's hands; nobody's when `owner_id` is None, and then it still counts for its account."""

    owner_id: str | None
    account_id: str
    reason: str
    weight: Decimal
    value: Decimal
    at: datetime
    ended_at: datetime | None
    closed: bool


Fit = Callable[[Policy, Past, Inputs], Inputs]


def unchanged(policy: Policy, past: Past, inputs: Inputs) -> Inputs:
    return inputs


class Replay:
    """The cases in order of time; it holds the people, what is in hand, and counts by account, not the cases."""

    def __init__(self, policy: Policy, workforce: Workforce, *, fit: Fit = unchanged) -> None:
        self.policy = policy
        self.teams = workforce.teams
        self.duty = workforce.duty
        self.fit = fit
        self.people = dict(workforce.people)
        self.history: dict[str, History] = {}
        self._turns = _turns(workforce.absences)
        self._turned = 0
        self._ends: list[tuple[datetime, int, Hold]] = []
        self._numbers = count()
        self._open: dict[str, int] = defaultdict(int)
        self._earlier: dict[tuple[str, str], int] = defaultdict(int)
        self._last_owner: dict[tuple[str, str], str] = {}
        self._closed: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def step(self, past: Past) -> Outcome:
        """Who would have owned this case; it is in their hands from here on."""
        self.move_to(past.at)
        inputs = self._inputs(past)
        # Only the rules that hold decide; why the others do not is kept for a real decision, not for each one tried.
        holding = self.policy.matching(inputs.facts, today=inputs.today, now=inputs.now)
        asked = replace(self.policy, rules=tuple(holding))
        outcome = decide(asked, self.fit(asked, past, inputs))
        self.hold(
            Hold(
                owner_id=outcome.owner_id,
                account_id=past.account_id,
                reason=past.reason,
                weight=past.weight,
                value=past.value,
                at=past.at,
                ended_at=past.ended_at,
                closed=past.closed,
            )
        )
        return outcome

    def hold(self, hold: Hold, *, counts: bool = True) -> None:
        """A case comes into somebody's hands; `counts` unless its account's history has it already."""
        if hold.owner_id in self.people:
            person = self.people[hold.owner_id]
            last = person.last_assigned_at
            self.people[hold.owner_id] = replace(
                person,
                load=person.load + hold.weight,
                value_in_hand=person.value_in_hand + hold.value,
                last_assigned_at=hold.at if last is None else max(last, hold.at),
            )
        self._open[hold.account_id] += 1
        if counts:
            self._earlier[hold.account_id, hold.reason] += 1
            if hold.owner_id is not None:
                self._last_owner[hold.account_id, hold.reason] = hold.owner_id
        if hold.ended_at is not None:
            heapq.heappush(self._ends, (hold.ended_at, next(self._numbers), hold))

    def move_to(self, moment: datetime) -> None:
        """What ended by this moment is out of hand, and who left or came back by then is away or here."""
        while self._ends and self._ends[0][0] <= moment:
            self._release(heapq.heappop(self._ends)[2])
        while self._turned < len(self._turns) and self._turns[self._turned][0] <= moment:
            _, change, away = self._turns[self._turned]
            self._turned += 1
            if away.user_id in self.people:
                leaves = change == "leaves"
                self.people[away.user_id] = replace(
                    self.people[away.user_id], absent=leaves, delegate_id=away.delegate_id if leaves else None
                )

    def _release(self, hold: Hold) -> None:
        self._open[hold.account_id] -= 1
        if hold.owner_id not in self.people:
            return
        person = self.people[hold.owner_id]
        self.people[hold.owner_id] = replace(
            person, load=person.load - hold.weight, value_in_hand=person.value_in_hand - hold.value
        )
        if hold.closed:
            self._closed[hold.account_id][hold.owner_id] += 1

    def _inputs(self, past: Past) -> Inputs:
        history = self.history.get(past.account_id, NO_HISTORY)
        previous = self._last_owner.get((past.account_id, past.reason)) or history.last_owner.get(past.reason)
        return Inputs(
            now=past.at,
            today=past.today,
            tie_key=past.id,
            weight=past.weight,
            facts=self._with_counts(past, history),
            roles=past.roles,
            about_user_id=past.about_user_id,
            exclude=frozenset(),
            team_id=None,
            people=self._people_for(past, history),
            teams=self.teams,
            previous_owner_id=previous,
            duty=self.duty,
            suggested=past.suggested,
            zone=past.basis.zone if past.basis else None,
        )

    def _with_counts(self, past: Past, history: History) -> Mapping[str, Any]:
        """What the account has in hand and had before, counted here where the record did not."""
        missing = (self.policy.fields & COUNTS) - past.facts.keys()
        if not missing:
            return past.facts
        earlier = history.earlier.get(past.reason, 0) + self._earlier.get((past.account_id, past.reason), 0)
        counted = {OPEN_COUNT: self._open.get(past.account_id, 0), REPEAT_COUNT: earlier}
        return {**past.facts, **{name: counted[name] for name in missing}}

    def _people_for(self, past: Past, history: History) -> Mapping[str, Person]:
        """Everybody, those who closed cases of this account before with how many."""
        closed = self._closed.get(past.account_id, {})
        known = [id_ for id_ in {*closed, *history.closed} if id_ in self.people]
        if not known:
            return self.people
        counts = {id_: closed.get(id_, 0) + history.closed.get(id_, 0) for id_ in known}
        return {**self.people, **{id_: replace(self.people[id_], closed_for_account=n) for id_, n in counts.items()}}


def _turns(absences: Iterable[Away]) -> list[tuple[datetime, Literal["leaves", "returns"], Away]]:
    """Every departure and return in order; at one moment returns come first, so that an absence may follow another."""
    turns: list[tuple[datetime, Literal["leaves", "returns"], Away]] = []
    for away in absences:
        turns += [(away.starts_at, "leaves", away), (away.ends_at, "returns", away)]
    return sorted(turns, key=lambda turn: (turn[0], turn[1] == "leaves"))
