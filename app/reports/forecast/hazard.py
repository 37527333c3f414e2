"""A discrete-time hazard: each day of an open case has a chance that it is closed as resolved on it. Pure.

The chance of a day is logistic in the traits of what is known now (`features`) and of the day itself; the chance to
miss is that of getting through every day that is left until the target, the last one in part. It is stored as plain
numbers and asked without any library.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, exp, log1p
from typing import Any

from app.reports.forecast.features import AGE, DAY_TRAITS, Standing

FORM = 1


class UnknownForm(ValueError):
    """Stored by another release; the next training replaces it."""


@dataclass(frozen=True)
class Hazard:
    """`weights` by trait, on the log-odds of being closed on a day; a trait that is not there weighs nothing.

    `usual` is the mean weight of each group over the cases it was learnt from: what a trait is compared with.
    """

    intercept: float
    weights: Mapping[str, float]
    usual: Mapping[str, float] = field(default_factory=dict)
    cases: int = 0
    _by_day: dict[str, list[float]] = field(default_factory=dict, compare=False, repr=False)

    def miss(self, standing: Standing, *, without: str | None = None) -> float:
        """The chance to be open still at the target; with a group as it usually is when `without` names it."""
        return exp(-self._cumulated(standing, self._fixed(standing, without)))

    def _fixed(self, standing: Standing, without: str | None) -> float:
        traits = standing.traits
        if not without:
            return self.intercept + sum([self.weights.get(trait, 0.0) for trait in traits.values()])
        others = [self.weights.get(trait, 0.0) for group, trait in traits.items() if group != without]
        return self.intercept + sum(others) + self.usual.get(without, 0.0)

    def _cumulated(self, standing: Standing, fixed: float) -> float:
        """The sum of the days' log chances to stay open: of whole days, and of the part of the last one."""
        begun = ceil(standing.left)
        if not begun:
            return 0.0
        days = zip(self._days(AGE, standing.age, begun), self._days(*standing.ahead, begun), strict=True)
        parts = [log1p(exp(fixed + age + ahead)) for age, ahead in days]
        return sum(parts) - parts[-1] * (begun - standing.left)

    def _days(self, kind: str, first: int, count: int) -> Sequence[float]:
        """The weights of so many days that follow each other."""
        known = self._by_day.get(kind)
        if known is None:
            known = self._by_day[kind] = [self.weights.get(trait, 0.0) for trait in DAY_TRAITS[kind]]
        missing = first + count - len(known)
        return known[first : first + count] if missing <= 0 else [*known[first:], *known[-1:] * min(missing, count)]

    def as_json(self) -> dict[str, Any]:
        return {
            "form": FORM,
            "intercept": round(self.intercept, 4),
            "weights": {trait: round(weight, 4) for trait, weight in sorted(self.weights.items())},
            "usual": {group: round(weight, 4) for group, weight in sorted(self.usual.items())},
            "cases": self.cases,
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Hazard":
        """A stored model; UnknownForm for what this release can't read."""
        if stored.get("form") != FORM:
            raise UnknownForm(f"a model of form {stored.get('form')}, expected {FORM}")
        weights = {str(trait): float(weight) for trait, weight in stored["weights"].items()}
        usual = {str(group): float(weight) for group, weight in stored["usual"].items()}
        return cls(float(stored["intercept"]), weights, usual, int(stored["cases"]))
