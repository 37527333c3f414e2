"""The Kaplan–Meier estimate: which share is still open after so many days, cases that are open now counted honestly.

E. L. Kaplan, P. Meier, Nonparametric Estimation from Incomplete Observations, 1958.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """After `day` whole days `share` is still open; `at_risk` were looked at up to there, `closed` closed on it."""

    day: int
    share: float
    at_risk: int
    closed: int


def kaplan_meier(closed: Mapping[int, int], seen_open: Mapping[int, int], *, never: int = 0) -> list[Point]:
    """One point for each day on which any closed, first of all (0, 1.0) if there is anything.

    `closed` counts by days to the closing, `seen_open` by the age at which an open one was last seen: it is at risk on
    that day and on none after it. `never` ended without a resolution and stay at risk for ever.
    """
    at_risk = sum(closed.values()) + sum(seen_open.values()) + never
    if not at_risk:
        return []
    share, points = 1.0, [Point(0, 1.0, at_risk, 0)]
    for day in sorted({*closed, *seen_open}):
        if ended := closed.get(day, 0):
            share *= 1 - ended / at_risk
            points.append(Point(day, share, at_risk, ended))
        at_risk -= ended + seen_open.get(day, 0)
    return points


def median_day(points: list[Point]) -> int | None:
    """The first day after which at most half are still open; None while more are."""
    return next((point.day for point in points if point.share <= 0.5), None)
