"""The choice among the people of a team by the printed score, with every number it was made from."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple

SEVERITY_WEIGHT: Mapping[int, Decimal] = {1: Decimal(4), 2: Decimal(3), 3: Decimal(2), 4: Decimal(1)}
HALF_WEIGHT_STATUSES = frozenset({"waiting", "resolved"})
DEFAULT_CAPACITY = Decimal(24)
REST_FULL = timedelta(days=1)
# Points are compared after rounding, so that the last bit of a float never decides who owns a case.
POINT_DIGITS = 4


@dataclass(frozen=True)
class Weights:
    """The points each part can give; they are part of the policy version."""

    affinity: float = 40
    capacity: float = 30
    overlap: float = 15
    value: float = 10
    rest: float = 5

    def points(self) -> dict[str, float]:
        """By part."""
        return {part: getattr(self, part) for part in PARTS}


DEFAULT_WEIGHTS = Weights()
PARTS = tuple(field.name for field in fields(Weights))


class Candidate(NamedTuple):
    """One person of the team. `affinity`, `overlap`, `rest` are 0–1; `overlap` None: not known.

    `load` is the work weight in hand, `value_in_hand` the value at stake in hand in the reporting currency; `weight`,
    above 0 up to 1, multiplies the score in this team.
    `excluded` is the code of why the person is not eligible; they still count in the team's value.
    """

    id: str
    affinity: float = 0.0
    load: Decimal = Decimal(0)
    capacity: Decimal = DEFAULT_CAPACITY
    overlap: float | None = None
    value_in_hand: Decimal = Decimal(0)
    rest: float = 1.0
    weight: float = 1.0
    excluded: str | None = None


class Ranked(NamedTuple):
    """A candidate with the points of each part; `score` is their sum times the candidate's weight."""

    candidate: Candidate
    score: float
    parts: Mapping[str, float]
    tie: str


@dataclass(frozen=True)
class Ranking:
    """Best first. `left_out` names parts nobody was scored by, not being known for everybody."""

    ranked: tuple[Ranked, ...]
    excluded: Mapping[str, tuple[str, ...]]
    left_out: tuple[str, ...]
    weights: Weights
    tie_key: str

    @property
    def winner(self) -> Candidate | None:
        return self.ranked[0].candidate if self.ranked else None

    def candidates_record(self) -> list[dict[str, Any]]:
        """The eligible as a decision keeps them."""
        return [_candidate_record(ranked) for ranked in self.ranked]

    def as_record(self) -> dict[str, Any]:
        """What the decision record keeps, in JSON's types: enough to run the choice again."""
        return {
            "candidates": self.candidates_record(),
            "excluded": {code: list(ids) for code, ids in self.excluded.items()},
            "left_out": list(self.left_out),
            "weights": self.weights.points(),
            "tie_key": self.tie_key,
        }


def choose(
    candidates: Iterable[Candidate],
    *,
    tie_key: str,
    weights: Weights = DEFAULT_WEIGHTS,
    order: Mapping[str, int] | None = None,
) -> Ranking:
    """Rank the eligible by score; ties fall by a stable hash of `tie_key` and the id, never by input order.

    `order`, a place for each id, ranks instead of the score where the order is known beforehand.
    When the overlap of one of the eligible is not known, the part is left out for all: sums stay comparable.
    """
    people = list(candidates)
    eligible = [c for c in people if c.excluded is None]
    left_out = ("overlap",) if any(c.overlap is None for c in eligible) else ()
    team_value = sum((c.value_in_hand for c in people), Decimal(0))
    points = {name: most for name, most in weights.points().items() if name not in left_out}
    ranked = [_rank(c, team_value, points, tie_key) for c in eligible]
    if order is None:
        ranked.sort(key=lambda r: (-r.score, r.tie, r.candidate.id))
    else:
        ranked.sort(key=lambda r: order[r.candidate.id])
    return Ranking(tuple(ranked), _excluded_by_code(people), left_out, weights, tie_key)


def shares_of(candidate: Candidate, *, team_value: Decimal) -> dict[str, float | None]:
    """Each part as a share from 0 to 1, None where it is not known."""
    overlap = candidate.overlap
    return {
        "affinity": _clamp(candidate.affinity),
        "capacity": free_share(candidate.load, candidate.capacity),
        "overlap": None if overlap is None else _clamp(overlap),
        "value": 1.0 if team_value <= 0 else _clamp(1 - float(candidate.value_in_hand / team_value)),
        "rest": _clamp(candidate.rest),
    }


def work_weight(severity: int, status: str) -> Decimal:
    """4, 3, 2, 1 by severity 1–4, half of it while waiting or resolved."""
    weight = SEVERITY_WEIGHT[severity]
    return weight / 2 if status in HALF_WEIGHT_STATUSES else weight


def free_share(load: Decimal, capacity: Decimal) -> float:
    """What is left of the capacity; nobody has less than none."""
    return 0.0 if capacity <= 0 else _clamp(1 - float(load / capacity))


def has_room(load: Decimal, capacity: Decimal, *, weight: Decimal) -> bool:
    """Under capacity means that this work still fits in."""
    return load + weight <= capacity


def affinity_share(*, is_account_owner: bool, is_csm: bool, closed_for_account: int) -> float:
    """1 for the account's own owner or CSM; else by cases closed for the account: 0, ½, ⅔, ¾ …"""
    if is_account_owner or is_csm:
        return 1.0
    return closed_for_account / (closed_for_account + 1)


def rest_share(last_assigned_at: datetime | None, *, now: datetime) -> float:
    """0 right after an assignment, growing evenly to 1 after a day; never assigned is fully rested."""
    return 1.0 if last_assigned_at is None else _clamp((now - last_assigned_at) / REST_FULL)


def tie_hash(tie_key: str, candidate_id: str) -> str:
    """The same for the same case and person in every process and release."""
    return sha256(f"{tie_key}\n{candidate_id}".encode()).hexdigest()


def _rank(candidate: Candidate, team_value: Decimal, points: Mapping[str, float], tie_key: str) -> Ranked:
    shares = shares_of(candidate, team_value=team_value)
    parts = {name: round(most * (shares[name] or 0.0), POINT_DIGITS) for name, most in points.items()}
    score = round(sum(parts.values()) * candidate.weight, POINT_DIGITS)
    return Ranked(candidate, score, parts, tie_hash(tie_key, candidate.id))


def _excluded_by_code(people: Iterable[Candidate]) -> dict[str, tuple[str, ...]]:
    codes: dict[str, list[str]] = defaultdict(list)
    for candidate in people:
        if candidate.excluded is not None:
            codes[candidate.excluded].append(candidate.id)
    return {code: tuple(sorted(codes[code])) for code in sorted(codes)}


def _candidate_record(ranked: Ranked) -> dict[str, Any]:
    candidate = ranked.candidate
    return {
        "id": candidate.id,
        "score": ranked.score,
        "parts": dict(ranked.parts),
        "affinity": candidate.affinity,
        "load": str(candidate.load),
        "capacity": str(candidate.capacity),
        "overlap": candidate.overlap,
        "value_in_hand": str(candidate.value_in_hand),
        "rest": candidate.rest,
        "weight": candidate.weight,
    }


def _clamp(share: float) -> float:
    return 0.0 if share < 0.0 else 1.0 if share > 1.0 else share
