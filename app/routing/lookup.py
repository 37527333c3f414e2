"""Many conditions asked at once: a comparison that several share is made once, and a fact is looked up among all the
values it is compared with, so that a hundred rules on a region cost what one does. Pure."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from app.routing.compare import Facts, Moment, comparison_of_present, folded, holds_of_missing
from app.routing.fields import Field, read_fact
from app.routing.match import Compiled, Leaf

YES, NO = "1", "0"
MAX_KEPT = 4096


class Lookup:
    """The conditions of a policy, compiled together; safe to be asked from many threads."""

    def __init__(self, conditions: Sequence[Compiled]) -> None:
        numbers: dict[Any, int] = {}
        groups: dict[str, _Group] = {}
        self._conditions: list[_Condition] = []
        for condition in conditions:
            places = []
            for leaf in condition.leaves:
                key = (leaf.field.name, leaf.op, leaf.value)
                if key not in numbers:
                    numbers[key] = len(numbers)
                    groups.setdefault(leaf.field.name, _Group(leaf.field)).add(numbers[key], leaf)
                places.append(numbers[key])
            self._conditions.append(_Condition(condition, places))
        self._groups = tuple(groups.values())
        self._count = len(numbers)

    def ask(self, facts: Facts, *, today: date, now: datetime) -> Iterator[tuple[bool, str]]:
        """Of each condition in order, whether it matches, and a 1 or 0 for each of its comparisons as written."""
        moment = Moment(today, now)
        held = [NO] * self._count
        for group in self._groups:
            group.mark(facts, moment, held)
        for condition in self._conditions:
            yield condition.read(held)


class _Condition:
    """One condition with the places of its comparisons among all; what a pattern of them means is remembered."""

    def __init__(self, compiled: Compiled, places: Sequence[int]) -> None:
        self._shape = compiled.shape
        self._pick = _picker(places)
        self._known: dict[str, tuple[bool, str]] = {}

    def read(self, held: list[str]) -> tuple[bool, str]:
        pattern = self._pick(held)
        known = self._known.get(pattern)
        if known is None:
            if len(self._known) >= MAX_KEPT:
                self._known.clear()
            known = self._known[pattern] = self._shape([mark == YES for mark in pattern]), pattern
        return known


class _Group:
    """All comparisons of one fact."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._missing: list[int] = []
        self._equal: dict[Any, list[int]] = {}
        self._unequal: list[int] = []
        self._unequal_to: dict[Any, list[int]] = {}
        self._others: list[tuple[int, Callable[[Any, Moment], bool]]] = []

    def add(self, number: int, leaf: Leaf) -> None:
        if holds_of_missing(leaf.op, leaf.value):
            self._missing.append(number)
        if leaf.op in ("=", "in"):
            for value in {folded(v) for v in (leaf.value if leaf.op == "in" else (leaf.value,))}:
                self._equal.setdefault(value, []).append(number)
        elif leaf.op == "!=":
            self._unequal.append(number)
            self._unequal_to.setdefault(folded(leaf.value), []).append(number)
        else:
            self._others.append((number, comparison_of_present(leaf.field, leaf.op, leaf.value)))

    def mark(self, facts: Facts, moment: Moment, held: list[str]) -> None:
        actual = read_fact(facts, self._field)
        if actual is None:
            _set(held, self._missing, YES)
            return
        if self._equal or self._unequal:
            value = folded(actual)
            _set(held, self._equal.get(value, ()), YES)
            _set(held, self._unequal, YES)
            _set(held, self._unequal_to.get(value, ()), NO)
        for number, compare in self._others:
            if compare(actual, moment):
                held[number] = YES


def _set(held: list[str], numbers: Sequence[int], mark: str) -> None:
    for number in numbers:
        held[number] = mark


def _picker(places: Sequence[int]) -> Callable[[list[str]], str]:
    if not places:
        return lambda held: ""
    pick: Callable[[list[str]], Any] = itemgetter(*places)
    return pick if len(places) == 1 else lambda held: "".join(pick(held))
