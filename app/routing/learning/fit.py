"""Learning from closed cases. The only module that needs scikit-learn: the extra `learn`.

How fast the past fades and how freely weights may grow is chosen on the newest quarter of what is learnt from, and so
are the temperature and the share of owners known; then everything is learnt anew from all of it.
"""

import math
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from app.routing.learning.features import Row, Shape, traits_of
from app.routing.learning.model import Learnt, Trait

CHOSEN_ON = 0.25
LEAST_CASES = 2  # of a trait: what was seen once says nothing of the next
MOST_TRAITS = 12_000
MOST_OWNERS = 200
ROUNDS = 100
SMALLEST = 0.02  # a weight that moves nothing is not stored
TEMPERATURES = tuple(0.5 * 1.06**n for n in range(32))


@dataclass(frozen=True)
class Setting:
    """`fading`: after which share of the time span a case counts half (None: never); `freedom`: the inverse of the
    penalty on weights."""

    fading: float | None
    freedom: float


USUAL = Setting(0.6, 2.0)
OTHERS = (Setting(None, 2.0), Setting(0.2, 2.0), Setting(0.6, 8.0))
CLEARLY = 0.05  # what another setting must gain in the mean log loss: less is as likely chance


def learn(rows: Sequence[Row], shape: Shape) -> Learnt:
    """The model of these rows, at least two owners and eight cases; the same rows give the same model."""
    ordered = sorted(rows, key=lambda row: row.at)
    cut = math.ceil(len(ordered) * (1 - CHOSEN_ON))
    older, newer = ordered[:cut], ordered[cut:]
    with threadpool_limits(limits=1):
        setting, temperature = _choose(older, newer, shape)
        model = _fit(ordered, shape, setting)
    known = sum(row.owner in {r.owner for r in older} for row in newer)
    return replace(model, temperature=temperature, known=round((known + 1) / (len(newer) + 1), 4))


def _choose(older: Sequence[Row], newer: Sequence[Row], shape: Shape) -> tuple[Setting, float]:
    """The usual setting, unless under another one the newer cases surprise clearly less; with half its temperature's
    way from 1, since what is learnt from all cases in the end errs less than what the newer ones were shown to."""

    def tried(setting: Setting) -> tuple[float, float, Setting]:
        return *_calibrate(_fit(older, shape, setting), newer), setting

    usual = tried(USUAL)
    loss, temperature, setting = min((tried(other) for other in OTHERS), key=lambda found: found[0])
    chosen = (setting, temperature) if loss < usual[0] - CLEARLY else (USUAL, usual[1])
    return chosen[0], round(math.sqrt(chosen[1]), 4)


def _fit(rows: Sequence[Row], shape: Shape, setting: Setting) -> Learnt:
    """Logistic regression over the traits of the rows, newer ones counting more where `fading` says so."""
    owners = tuple(sorted(owner for owner, _ in Counter(row.owner for row in rows).most_common(MOST_OWNERS)))
    index = {owner: n for n, owner in enumerate(owners)}
    rows = [row for row in rows if row.owner in index]
    named = [traits_of(row.facts, shape) for row in rows]
    counts = Counter(trait for traits in named for trait in traits)
    kept = [trait for trait, count in counts.most_common(MOST_TRAITS) if count >= LEAST_CASES]
    if len(owners) < 2:
        return _only(owners, shape, named, kept, rows)
    matrix = _matrix(named, {trait: n for n, trait in enumerate(kept)})
    regression = LogisticRegression(C=setting.freedom, max_iter=ROUNDS, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # rounds are few on purpose: the rest would gain nothing
        regression.fit(matrix, [index[row.owner] for row in rows], sample_weight=_fading(rows, setting.fading))
    weights, intercepts = _per_owner(regression)
    closed = _closed(named, rows, index)
    traits = {trait: Trait(counts[trait], closed[trait], _sparse(weights[:, n])) for n, trait in enumerate(kept)}
    return Learnt(shape, owners, tuple(round(float(i), 4) for i in intercepts), traits)


def _only(
    owners: tuple[str, ...], shape: Shape, named: list[list[str]], kept: list[str], rows: Sequence[Row]
) -> Learnt:
    """Where an older part has one owner alone there is nothing to weigh."""
    closed = _closed(named, rows, dict.fromkeys(owners, 0))
    return Learnt(shape, owners, (0.0,), {trait: Trait(closed[trait][0], closed[trait], {}) for trait in kept})


def _matrix(named: Sequence[Sequence[str]], columns: dict[str, int]) -> Any:
    pairs = [(n, columns[trait]) for n, traits in enumerate(named) for trait in traits if trait in columns]
    places = ([n for n, _ in pairs], [column for _, column in pairs])
    return csr_matrix((np.ones(len(pairs)), places), shape=(len(named), max(len(columns), 1)))


def _fading(rows: Sequence[Row], fading: float | None) -> Any:
    """1 for the newest; a half at `fading` of the whole span before it."""
    newest, oldest = max(row.at for row in rows), min(row.at for row in rows)
    span = (newest - oldest).total_seconds()
    if fading is None or not span:
        return None
    return np.array([0.5 ** ((newest - row.at).total_seconds() / span / fading) for row in rows])


def _per_owner(regression: Any) -> tuple[Any, Any]:
    """One row of weights for each owner; for two owners scikit-learn keeps one row, for the second."""
    weights, intercepts = regression.coef_, regression.intercept_
    if len(weights) == 1:
        return np.vstack([np.zeros_like(weights), weights]), np.array([0.0, intercepts[0]])
    return weights, intercepts


def _sparse(weights: Any) -> dict[int, float]:
    """Only differences between owners count, so the middle one is taken off and most are left out."""
    middle = median(weights)
    shifted = ((n, round(float(weight - middle), 3)) for n, weight in enumerate(weights))
    return {n: weight for n, weight in shifted if abs(weight) >= SMALLEST}


def _closed(named: Sequence[Sequence[str]], rows: Sequence[Row], index: dict[str, int]) -> dict[str, dict[int, int]]:
    """How many of the cases with a trait ended with whom."""
    found: dict[str, Counter[int]] = {}
    for traits, row in zip(named, rows, strict=True):
        for trait in traits:
            found.setdefault(trait, Counter())[index[row.owner]] += 1
    return {trait: dict(counts) for trait, counts in found.items()}


def _calibrate(model: Learnt, rows: Sequence[Row]) -> tuple[float, float]:
    """(loss, temperature): the temperature at which the newer cases surprise the least."""
    index = {owner: n for n, owner in enumerate(model.owners)}
    told = [(model.probabilities(row.facts), index[row.owner]) for row in rows if row.owner in index]
    if not told:
        return math.inf, 1.0
    scores = np.log(np.maximum([shares for shares, _ in told], 1e-12))
    right = np.array([owner for _, owner in told])
    return min((_loss(scores / temperature, right), temperature) for temperature in TEMPERATURES)


def _loss(scores: Any, right: Any) -> float:
    scores = scores - scores.max(axis=1, keepdims=True)
    told = scores[np.arange(len(right)), right] - np.log(np.exp(scores).sum(axis=1))
    return float(-told.mean())
