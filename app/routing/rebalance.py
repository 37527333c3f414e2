"""Relief for an overloaded team: the fewest moves after which nobody holds more than fits. Pure.

Found by trying one move, then two, and so on: whoever holds too much must give something away, so only their cases are
branched over, and a case moves once at most. Somebody may be overfull for a moment, between a move to them and one
from them; never at the end. Among proposals of equally few moves the one that touches the fewest acknowledged cases
is taken, and of those the one whose cases are youngest in sum.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

BUDGET = 5_000  # looks at a state; over that the proposal is made by rule of thumb
PARTS = 100  # loads are kept in hundredths


@dataclass(frozen=True)
class Member:
    """Somebody of the team: all they hold, what fits, and whether anything may be given to them."""

    id: str
    load: Decimal
    capacity: Decimal
    takes: bool = True


@dataclass(frozen=True)
class Case:
    """A case that may be moved; `fits` are those who may have it, `age` counts from its raise, in
    one unit for all."""

    id: str
    owner_id: str
    weight: Decimal
    fits: frozenset[str]
    acknowledged: bool = False
    age: int = 0


@dataclass(frozen=True)
class Move:
    case_id: str
    from_id: str
    to_id: str


@dataclass(frozen=True)
class Proposal:
    """`loads` is what each would hold, `remaining` by how much somebody would still be over what fits.

    `fewest`: proved that no fewer moves would do. `impossible`: proved that nothing brings everybody under capacity;
    the moves then help as far as they go.
    """

    moves: tuple[Move, ...]
    loads: Mapping[str, Decimal]
    remaining: Mapping[str, Decimal]
    fewest: bool
    impossible: bool


def propose(members: Iterable[Member], cases: Iterable[Case], *, budget: int = BUDGET) -> Proposal:
    """The moves that bring everybody to what fits, or as far as that goes; never anybody beyond it by a move."""
    people = sorted(members, key=lambda member: member.id)
    known = sorted(cases, key=_cost)
    search = _Search(people, known, budget)
    try:
        moves = search.run()
    except _TooLong:
        moves = search.best
        if moves is None:
            thumb = _by_thumb(people, known)
            return _proposal(people, known, thumb, fewest=False, impossible=False)
    if moves is None:
        return _proposal(people, known, _by_thumb(people, known), fewest=False, impossible=True)
    return _proposal(people, known, moves, fewest=True, impossible=False)


def _cost(case: Case) -> tuple[bool, int, str]:
    """Rather one not acknowledged than one that is, rather a young one than an old one."""
    return case.acknowledged, case.age, case.id


def _proposal(
    people: Sequence[Member], cases: Sequence[Case], moves: Sequence[Move], *, fewest: bool, impossible: bool
) -> Proposal:
    weights = {case.id: case.weight for case in cases}
    loads = {member.id: member.load for member in people}
    for move in moves:
        loads[move.from_id] -= weights[move.case_id]
        loads[move.to_id] += weights[move.case_id]
    over = {member.id: loads[member.id] - member.capacity for member in people}
    remaining = {id_: excess for id_, excess in over.items() if excess > 0}
    return Proposal(tuple(moves), loads, remaining, fewest=fewest, impossible=impossible)


class _TooLong(Exception):
    """The budget is used up."""


class _Search:
    """Depth-first within a number of moves; `best` is the cheapest found with that number."""

    def __init__(self, people: Sequence[Member], cases: Sequence[Case], budget: int) -> None:
        self.room = {member.id: _parts(member.capacity) - _parts(member.load) for member in people}
        self.takers = frozenset(member.id for member in people if member.takes)
        self.cases = {id_: [case for case in cases if case.owner_id == id_] for id_ in self.room}
        self.weight = {case.id: _parts(case.weight) for case in cases}
        self.alike = self._alike()
        self.budget = budget
        self.best: list[Move] | None = None
        self.cost: tuple[int, int] = (0, 0)

    def _alike(self) -> dict[str, tuple[object, ...]]:
        """People whom no case tells apart, while they have the same room and nothing to give: one stands for all."""
        every = [case for cases in self.cases.values() for case in cases]
        return {
            id_: (id_,) if self.cases[id_] else tuple(id_ in case.fits for case in every) for id_ in sorted(self.room)
        }

    def run(self) -> list[Move] | None:
        """The fewest moves, None when no number of them will do."""
        first = self._least(dict.fromkeys(self.room, 0))
        if first is None:
            return None
        for limit in range(first, sum(len(cases) for cases in self.cases.values()) + 1):
            self._try([], dict.fromkeys(self.room, 0), limit, (0, 0))
            if self.best is not None:
                return self.best
        return None

    def _least(self, given: Mapping[str, int]) -> int | None:
        """At least so many more moves are needed; None when the team's room is too small for what is over, or somebody
        has not enough left to give."""
        over = {id_: -room for id_, room in self.room.items() if room < 0}
        if sum(over.values()) > sum(room for id_, room in self.room.items() if room > 0 and id_ in self.takers):
            return None
        needed = 0
        for id_, excess in over.items():
            for weight in sorted((self.weight[c.id] for c in self.cases[id_][given[id_] :]), reverse=True):
                if excess <= 0:
                    break
                excess -= weight
                needed += 1
            if excess > 0:
                return None
        return needed

    def _try(self, moves: list[Move], given: dict[str, int], limit: int, cost: tuple[int, int]) -> None:
        """Go on from here; `given[id]` is the place in their cases up to which somebody has decided what to give."""
        self.budget -= 1
        if self.budget < 0:
            raise _TooLong
        if self.best is not None and cost >= self.cost:
            return
        least = self._least(given)
        if least is None or len(moves) + least > limit:
            return
        if least == 0:
            self.best, self.cost = list(moves), cost
            return
        giver = min((id_ for id_, room in self.room.items() if room < 0), key=lambda id_: (self.room[id_], id_))
        for place, case in self._choices(giver, given[giver]):
            dearer = (cost[0] + case.acknowledged, cost[1] + case.age)
            for taker in self._takers(case, giver):
                self._shift(case, giver, taker)
                moves.append(Move(case.id, giver, taker))
                self._try(moves, {**given, giver: place + 1}, limit, dearer)
                moves.pop()
                self._shift(case, taker, giver)

    def _choices(self, giver: str, start: int) -> Iterator[tuple[int, Case]]:
        """Their cases from here on, the cheapest first; of those that weigh and fit alike only the cheapest."""
        seen = set()
        for place, case in enumerate(self.cases[giver][start:], start):
            like = (case.weight, case.fits)
            if like not in seen:
                seen.add(like)
                yield place, case

    def _takers(self, case: Case, giver: str) -> Iterator[str]:
        """Who may have it, the one with the most room first; of those nothing tells apart only one."""
        seen = set()
        for id_ in sorted(self.takers & case.fits - {giver}, key=lambda id_: (-self.room[id_], id_)):
            like = (self.room[id_], self.alike[id_])
            if like not in seen:
                seen.add(like)
                yield id_

    def _shift(self, case: Case, giver: str, taker: str) -> None:
        self.room[giver] += self.weight[case.id]
        self.room[taker] -= self.weight[case.id]


def _by_thumb(people: Sequence[Member], cases: Sequence[Case]) -> list[Move]:
    """From whoever is furthest over, what relieves them at one go, else the heaviest, to where it fits most closely."""
    room = {member.id: member.capacity - member.load for member in people}
    takers = {member.id for member in people if member.takes}
    left = {case.id: case for case in cases}
    moves: list[Move] = []
    while True:
        found = _relief(room, takers, left.values())
        if found is None:
            return moves
        case, taker = found
        del left[case.id]
        room[case.owner_id] += case.weight
        room[taker] -= case.weight
        moves.append(Move(case.id, case.owner_id, taker))


def _relief(room: Mapping[str, Decimal], takers: set[str], left: Iterable[Case]) -> tuple[Case, str] | None:
    held: dict[str, list[Case]] = {}
    for case in left:
        held.setdefault(case.owner_id, []).append(case)
    for giver in sorted((id_ for id_ in held if room[id_] < 0), key=lambda id_: (room[id_], id_)):
        fitting = [
            (case, taker)
            for case in held[giver]
            for taker in takers & case.fits - {giver}
            if room[taker] >= case.weight
        ]
        if fitting:
            return min(fitting, key=lambda found: _by_thumb_order(*found, room=room))
    return None


def _by_thumb_order(case: Case, taker: str, *, room: Mapping[str, Decimal]) -> tuple[object, ...]:
    enough = case.weight >= -room[case.owner_id]
    return (not enough, case.weight if enough else -case.weight, *_cost(case), room[taker], taker)


def _parts(amount: Decimal) -> int:
    return int(amount * PARTS)
