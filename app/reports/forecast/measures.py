"""How good forecasts are on cases they were not learnt from, beside what needs no learning. Pure."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.reports.forecast.course import Look
from app.reports.forecast.hazard import Hazard

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Forecasts from `least` to below the next bin: how many, what they said on average, and what came true."""

    least: float
    forecasts: int
    said: float
    missed: float


@dataclass(frozen=True)
class Quality:
    """`brier` is the mean squared error (0 is perfect), `auc` the chance that a case that missed was given more than
    one that did not; None when all ended alike."""

    brier: float
    auc: float | None


@dataclass(frozen=True)
class Measures:
    """How many forecasts, the share of them whose case missed, and how good they are beside the share missed so far
    (the same for all) and the share missed of those of the same age. `calibration_error` is how far what was said lies
    from what came true, on average over `reliability`.
    """

    forecasts: int
    missed: float
    model: Quality
    share_so_far: Quality
    age_only: Quality
    reliability: tuple[Bin, ...]
    calibration_error: float


def measure(model: Hazard, learnt_from: Sequence[Look], test: Sequence[Look]) -> Measures:
    """The model and the baselines, which know the same earlier looks, on the same later ones with a known end."""
    decided = [one for one in test if one.missed is not None]
    truth = [bool(one.missed) for one in decided]
    said = [model.miss(one.standing) for one in decided]
    by_age, bins = age_table(learnt_from), reliability(said, truth)
    return Measures(
        forecasts=len(decided),
        missed=round(sum(truth) / len(truth), 4),
        model=quality(said, truth),
        share_so_far=quality([share_so_far(learnt_from)] * len(truth), truth),
        age_only=quality([by_age(one) for one in decided], truth),
        reliability=tuple(bins),
        calibration_error=round(sum(b.forecasts * abs(b.said - b.missed) for b in bins) / len(truth), 4),
    )


def quality(said: Sequence[float], truth: Sequence[bool]) -> Quality:
    squared = sum((chance - missed) ** 2 for chance, missed in zip(said, truth, strict=True))
    found = auc(said, truth)
    return Quality(round(squared / len(truth), 4), None if found is None else round(found, 4))


def auc(said: Sequence[float], truth: Sequence[bool]) -> float | None:
    """Over all pairs of one that missed and one that did not, the share that is in order; equal ones count half."""
    others = sorted(chance for chance, missed in zip(said, truth, strict=True) if not missed)
    missing = [chance for chance, missed in zip(said, truth, strict=True) if missed]
    if not others or not missing:
        return None
    below = sum(bisect_left(others, chance) + bisect_right(others, chance) for chance in missing) / 2
    return below / (len(others) * len(missing))


def share_so_far(looks: Sequence[Look]) -> float:
    """The share missed of the looks whose end is known; none known is none missed."""
    decided = [one.missed for one in looks if one.missed is not None]
    return sum(decided) / len(decided) if decided else 0.0


def age_table(looks: Sequence[Look]) -> Callable[[Look], float]:
    """The share missed of those of the same age in days; of an age never seen, that of all."""
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for one in looks:
        if one.missed is not None:
            counts[one.standing.age][0] += 1
            counts[one.standing.age][1] += one.missed
    overall = share_so_far(looks)

    def ask(one: Look) -> float:
        seen, missed = counts.get(one.standing.age, (0, 0))
        return missed / seen if seen else overall

    return ask


def reliability(said: Sequence[float], truth: Sequence[bool]) -> list[Bin]:
    """What was said beside what came true, in tenths; empty ones left out."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for chance, missed in zip(said, truth, strict=True):
        bins[min(int(chance * BINS), BINS - 1)].append((chance, missed))
    return [
        Bin(n / BINS, len(held), _mean([c for c, _ in held]), _mean([float(m) for _, m in held]))
        for n, held in sorted(bins.items())
    ]


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4)
