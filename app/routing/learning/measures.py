"""How good a model is on cases it has not seen, beside what needs no learning. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.routing.learning.features import Row, Shape, values_of
from app.routing.learning.model import BEST, Learnt

BINS = 10
CONFIDENCES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class AtConfidence:
    """Of the test cases, the share for which the model is at least so sure, and how often it is right then."""

    confidence: float
    share: float
    right: float | None


@dataclass(frozen=True)
class Measures:
    """Shares of the test cases whose last owner was named first, or among the first three.

    `brier` is the mean squared error of the probabilities over all owners (0 is perfect, 2 the worst), `ece` how far
    the confidence of the first suggestion lies from its being right, on average over ten bins. The baselines:
    `commonest` always names the commonest owner, `lookup` asks a table of earlier cases with wider and wider keys,
    `people` is whom the case was first given to.
    """

    cases: int
    first_choice: float
    top_3: float
    brier: float
    ece: float
    commonest: float
    lookup: float
    people: float
    at_confidence: tuple[AtConfidence, ...]


def measure(model: Learnt, learnt_from: Sequence[Row], test: Sequence[Row]) -> Measures:
    """The model and the baselines, which learn from the same rows, on the same later ones."""
    answers = [model.probabilities(row.facts) for row in test]
    ranked = [_ranked(model, shares) for shares in answers]
    right = [names[0] == row.owner for names, row in zip(ranked, test, strict=True)]
    sure = [max(shares) for shares in answers]
    table = lookup_table(learnt_from, model.shape)
    common = Counter(row.owner for row in learnt_from).most_common(1)[0][0]
    return Measures(
        cases=len(test),
        first_choice=_share(right),
        top_3=_share([row.owner in names for names, row in zip(ranked, test, strict=True)]),
        brier=round(sum(_squared(model, *pair) for pair in zip(answers, test, strict=True)) / len(test), 4),
        ece=round(_calibration_error(sure, right), 4),
        commonest=_share([row.owner == common for row in test]),
        lookup=_share([table(row.facts) == row.owner for row in test]),
        people=_share([row.first == row.owner for row in test]),
        at_confidence=tuple(_at(level, sure, right) for level in CONFIDENCES),
    )


def lookup_table(rows: Sequence[Row], shape: Shape) -> Callable[[Mapping[str, Any]], str]:
    """Asks for the commonest owner of the earlier cases with the same key, a wider one where there was none."""
    tables: list[dict[tuple[str, ...], Counter[str]]] = [{} for _ in (*shape.lookup, ())]
    keys = (*shape.lookup, ())
    for row in rows:
        for names, table in zip(keys, tables, strict=True):
            table.setdefault(_key(row.facts, names), Counter())[row.owner] += 1

    def ask(facts: Mapping[str, Any]) -> str:
        found = (table.get(_key(facts, names)) for names, table in zip(keys, tables, strict=True))
        return next(counts for counts in found if counts).most_common(1)[0][0]

    return ask


def _key(facts: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("|".join(values_of(facts.get(name))) for name in names)


def _ranked(model: Learnt, shares: Sequence[float]) -> list[str]:
    order = sorted(range(len(shares)), key=lambda i: (-shares[i], model.owners[i]))
    return [model.owners[i] for i in order[:BEST]]


def _share(held: Sequence[bool]) -> float:
    return round(sum(held) / len(held), 4)


def _squared(model: Learnt, shares: Sequence[float], row: Row) -> float:
    """Over all owners; one the model doesn't know was given nothing."""
    known = row.owner in model.owners
    wrong = sum((share - (owner == row.owner)) ** 2 for owner, share in zip(model.owners, shares, strict=True))
    return wrong + (0 if known else 1)


def _calibration_error(sure: Sequence[float], right: Sequence[bool]) -> float:
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for confidence, held in zip(sure, right, strict=True):
        bins[min(int(confidence * BINS), BINS - 1)].append((confidence, held))
    gaps = [abs(sum(c for c, _ in found) - sum(held for _, held in found)) for found in bins]
    return sum(gaps) / len(sure)


def _at(level: float, sure: Sequence[float], right: Sequence[bool]) -> AtConfidence:
    held = [r for s, r in zip(sure, right, strict=True) if s >= level]
    return AtConfidence(level, round(len(held) / len(sure), 4), _share(held) if held else None)
