"""Many conditions asked at once: a comparison that several share is made once, and a fact is looked up among all the
values it is compared with, so that a hundred rules on a region cost what one does. Pure."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import Any, Generic, TypeVar

from app.routing.compare import Facts, Moment, comparison_of_present, folded, holds_of_missing
from app.routing.fields import Field, read_fact
from app.routing.match import Compiled, Leaf, Shape

YES, NO = "1", "0"
MAX_KEPT = 4096
T = TypeVar("T")


class Lookup(Generic[T]):
    """The conditions of a policy, compiled together, each with what it stands for; safe to be asked by many threads."""

    def __init__(self, conditions: Iterable[tuple[T, Compiled]]) -> None:
        numbers: dict[Any, int] = {}
        groups: dict[str, _Group] = {}
        self._conditions: list[tuple[_Condition[T], slice]] = []
        places: list[int] = []
        for meant, compiled in conditions:
            begins = len(places)
            for leaf in compiled.leaves:
                key = (leaf.field.name, leaf.op, leaf.value)
                if key not in numbers:
                    numbers[key] = len(numbers)
                    groups.setdefault(leaf.field.name, _Group(leaf.field)).add(numbers[key], leaf)
                places.append(numbers[key])
            self._conditions.append((_Condition(meant, compiled.shape), slice(begins, len(places))))
        self._pick: Callable[[list[str]], Any] = itemgetter(*places) if places else lambda held: ""
        self._groups = tuple(groups.values())
        self._count = len(numbers)

    def ask(self, facts: Facts, *, today: date, now: datetime) -> list[tuple[T, bool, str]]:
        """In order, what each condition stands for, whether it matches, and a 1 or 0 for each of its comparisons."""
        moment = Moment(today, now)
        held = [NO] * self._count
        for group in self._groups:
            group.mark(facts, moment, held)
        marks = "".join(self._pick(held))  # of all conditions, one after the other
        return [condition[marks[part]] for condition, part in self._conditions]


class _Condition(dict[str, tuple[T, bool, str]]):
    """By the marks of one condition's comparisons, what they have meant so far."""

    def __init__(self, meant: T, shape: Shape) -> None:
        self._meant = meant
        self._shape = shape

    def __missing__(self, marks: str) -> tuple[T, bool, str]:
        if len(self) >= MAX_KEPT:
            self.clear()
        answer = self[marks] = (self._meant, self._shape([mark == YES for mark in marks]), marks)
        return answer


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
