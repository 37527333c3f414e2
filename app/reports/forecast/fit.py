"""Learning the hazard from histories. The only module that needs numpy and scipy: the extra `learn`.

Logistic regression over the days at risk, its weights drawn towards those of a base model: a trait with little history
behind it keeps the base's weight, one with much gets its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, diags

from app.reports.forecast.course import Look, days_of
from app.reports.forecast.hazard import Hazard

ROUNDS = 25
ENOUGH = 1e-4  # no weight moves by more: learnt
LONGEST_STEP = 2.0  # of a weight in a round, so that what is nearly certain does not overshoot


def learn(looks: Sequence[Look], base: Hazard, *, pull: float, cases: int) -> Hazard:
    """The weights that make what happened likeliest, less `pull` times half their squared distance from the base's.

    The same looks give the same model.
    """
    counts = days_of(looks)
    names = sorted({trait for traits in counts for trait in traits})
    start = np.array([base.intercept, *(base.weights.get(trait, 0.0) for trait in names)])
    pulls = np.full(len(start), pull)
    pulls[0] = pull / 10  # how fast cases close at all is each company's own
    days, closed = np.array(list(counts.values()), dtype=float).T
    found = _solve(_matrix(list(counts), names), days, closed, start, pulls)
    weights = {**base.weights, **{trait: float(found[n + 1]) for n, trait in enumerate(names)}}
    return Hazard(float(found[0]), weights, usual_of(looks, weights), cases)


def _matrix(rows: Sequence[tuple[str, ...]], names: Sequence[str]) -> Any:
    """A column for the intercept and one for each trait."""
    index = {trait: n + 1 for n, trait in enumerate(names)}
    columns = [column for traits in rows for column in (0, *(index[trait] for trait in traits))]
    ends = np.cumsum([0, *(len(traits) + 1 for traits in rows)])
    return csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(rows), len(names) + 1))


def _solve(matrix: Any, days: Any, closed: Any, start: Any, pulls: Any) -> Any:
    """Newton's steps, none longer than allowed."""
    weights = start.copy()
    for _ in range(ROUNDS):
        shares = 1 / (1 + np.exp(-(matrix @ weights)))
        slope = matrix.T @ (closed - days * shares) - pulls * (weights - start)
        bend = matrix.T @ diags(days * shares * (1 - shares)) @ matrix + diags(pulls)
        step = np.linalg.solve(bend.toarray(), slope)
        longest = float(np.abs(step).max())
        weights = weights + step * min(1.0, LONGEST_STEP / max(longest, 1e-12))
        if longest < ENOUGH:
            break
    return weights


def usual_of(looks: Sequence[Look], weights: Mapping[str, float]) -> dict[str, float]:
    """The mean weight of each group over the looks."""
    totals: dict[str, float] = {}
    for one in looks:
        for group, trait in one.standing.traits.items():
            totals[group] = totals.get(group, 0.0) + weights.get(trait, 0.0)
    return {group: total / len(looks) for group, total in totals.items()}
