"""A learnt model: who is likely to close a case, how sure that is, and the strongest reasons. Pure.

A multinomial logit over traits (`features`), with a temperature that makes its confidence true. It is stored as plain
JSON and asked without any library: a model from the database is numbers and words, never code.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.routing.learning.features import Shape, traits_of

FORM = 1
BEST = 3
REASONS = 3


class UnknownForm(ValueError):
    """Stored by another release; the next training replaces it."""


@dataclass(frozen=True)
class Trait:
    """How many cases had it and whose they ended as; `weights` speak for an owner or, below 0, against."""

    cases: int
    closed: Mapping[int, int]
    weights: Mapping[int, float]


@dataclass(frozen=True)
class Suggestion:
    """`confidence` is the probability that this owner closes the case."""

    owner: str
    confidence: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Learnt:
    """`known` is the share of cases that ended with an owner the model knew: what no confidence can be above."""

    shape: Shape
    owners: tuple[str, ...]
    intercepts: tuple[float, ...]
    traits: Mapping[str, Trait]
    temperature: float = 1.0
    known: float = 1.0

    def probabilities(self, facts: Mapping[str, Any]) -> list[float]:
        """For each of `owners`; they add up to `known`."""
        scores = list(self.intercepts)
        for trait in self._present(facts).values():
            for index, weight in trait.weights.items():
                scores[index] += weight
        highest = max(scores)
        shares = [math.exp((score - highest) / self.temperature) for score in scores]
        return [self.known * share / sum(shares) for share in shares]

    def suggest(self, facts: Mapping[str, Any], *, limit: int = BEST) -> list[Suggestion]:
        """The likeliest owners, surest first; of equals the first by name."""
        shares = self.probabilities(facts)
        best = sorted(range(len(shares)), key=lambda i: (-shares[i], self.owners[i]))[:limit]
        present = self._present(facts)
        return [Suggestion(self.owners[i], round(shares[i], 4), self._reasons(i, present)) for i in best]

    def _present(self, facts: Mapping[str, Any]) -> dict[str, Trait]:
        named = traits_of(facts, self.shape)
        return {name: self.traits[name] for name in named if name in self.traits}

    def _reasons(self, owner: int, present: Mapping[str, Trait]) -> tuple[str, ...]:
        """What speaks most for this owner against the others' average; a trait of none of their cases is no reason."""

        def strength(trait: Trait) -> float:
            return trait.weights.get(owner, 0.0) - sum(trait.weights.values()) / len(self.owners)

        speaking = [(strength(trait), name, trait) for name, trait in present.items() if trait.closed.get(owner)]
        best = sorted((s for s in speaking if s[0] > 0), key=lambda s: (-s[0], s[1]))[:REASONS]
        return tuple(reason(name, trait.closed[owner], trait.cases) for _, name, trait in best)

    def as_json(self) -> dict[str, Any]:
        return {
            "form": FORM,
            "shape": asdict(self.shape),
            "owners": list(self.owners),
            "intercepts": list(self.intercepts),
            "temperature": self.temperature,
            "known": self.known,
            "traits": {
                name: [trait.cases, _written(trait.closed), _written(trait.weights)]
                for name, trait in self.traits.items()
            },
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Learnt":
        """A stored model; UnknownForm for what this release can't read."""
        if stored.get("form") != FORM:
            raise UnknownForm(f"a model of form {stored.get('form')}, expected {FORM}")
        shape = stored["shape"]
        return cls(
            shape=Shape(
                categories=tuple(shape["categories"]),
                texts=tuple(shape["texts"]),
                prefixes=tuple(shape["prefixes"]),
                lookup=tuple(map(tuple, shape["lookup"])),
            ),
            owners=tuple(stored["owners"]),
            intercepts=tuple(map(float, stored["intercepts"])),
            temperature=float(stored["temperature"]),
            known=float(stored["known"]),
            traits={
                name: Trait(int(cases), _read(closed, int), _read(weights, float))
                for name, (cases, closed, weights) in stored["traits"].items()
            },
        )


def _written(numbers: Mapping[int, float]) -> list[list[float]]:
    return [[index, number] for index, number in sorted(numbers.items())]


def _read(pairs: Sequence[Sequence[Any]], kind: Any) -> dict[int, Any]:
    return {int(index): kind(number) for index, number in pairs}


def reason(trait: str, closed: int, cases: int) -> str:
    """ "12 of 14 earlier cases with reason “billing” ended with this owner"."""
    noun = "case" if cases == 1 else "cases"
    return f"{closed} of {cases} earlier {noun} {_of(trait)} ended with this owner"


def _of(trait: str) -> str:
    """The trait in plain words."""
    name, sign, value = _split(trait)
    noun = name.rpartition(".")[2].replace("_", " ")
    if sign == "~":
        return f"whose {noun} says “{value}”"
    if name == "account.id":
        return "of this account"
    return f"with {noun} “{value}”" if value else f"without {noun}"


def _split(trait: str) -> tuple[str, str, str]:
    """A fact's name has neither sign in it but an attribute's may: whichever comes first."""
    at = min(i for sign in "=~" if (i := trait.find(sign)) >= 0)
    return trait[:at], trait[at], trait[at + 1 :]
