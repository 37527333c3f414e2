"""The condition language of rules: a JSON tree of `all / any / not` over named fields, compiled once.

A leaf is `{"field": "account.segment", "op": "=", "value": "enterprise"}`. Text is compared without regard
to case. A missing fact fails every comparison but `!=`, which is exactly the opposite of `=`, and is what
`is_set` false asks for. `{"all": []}` always holds: the catch-all; `{"any": []}` never does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from app.routing.compare import Facts, Moment, Test, comparison
from app.routing.fields import Field, as_json, find_field, parse_value, read_fact

MAX_DEPTH = 20
MAX_LEAVES = 200
MAX_CHOICES = 500
MAX_DAYS = 3650

# What a tree says once each of its comparisons, in the order written, is known to hold or not.
Shape = Callable[[Sequence[bool]], bool]


class ConditionRefused(ValueError):
    """A condition that can't be saved; `pointer` is a JSON pointer, `detail` says what was expected."""

    code = "condition_refused"

    def __init__(self, pointer: str, detail: str) -> None:
        self.pointer = pointer
        self.detail = detail
        super().__init__(f"{pointer or '/'}: {detail}")


class UnknownField(ConditionRefused):
    """The leaf names a field there is none of."""

    code = "unknown_field"


class WrongType(ConditionRefused):
    """The operator or the value does not fit the field's type."""

    code = "wrong_type"


class WrongShape(ConditionRefused):
    """The tree is not made of `all`, `any`, `not` and leaves."""

    code = "wrong_shape"


class TooLarge(ConditionRefused):
    """The tree is deeper or has more leaves than anyone can read."""

    code = "too_large"


@dataclass(frozen=True)
class Leaf:
    """One compiled comparison and the place it was written at."""

    pointer: str
    field: Field
    op: str
    value: Any
    test: Test


@dataclass(frozen=True)
class LeafResult:
    """What one comparison found: the fact as it was and whether it held, apart from any `not` around it."""

    pointer: str
    field: str
    op: str
    value: Any
    actual: Any
    ok: bool

    def as_record(self) -> dict[str, Any]:
        """For the decision record, in JSON's types."""
        return {
            "pointer": self.pointer,
            "field": self.field,
            "op": self.op,
            "value": as_json(self.value),
            "actual": as_json(self.actual),
            "ok": self.ok,
        }


@dataclass(frozen=True)
class Compiled:
    """A condition ready to be asked, any number of times and in any thread."""

    shape: Shape
    leaves: tuple[Leaf, ...]
    is_catch_all: bool

    def matches(self, facts: Facts, *, today: date, now: datetime) -> bool:
        """Whether the condition holds for these facts at this moment."""
        return self.shape(self.held(facts, today=today, now=now))

    def held(self, facts: Facts, *, today: date, now: datetime) -> tuple[bool, ...]:
        """Whether each leaf held, in the order written."""
        moment = Moment(today, now)
        return tuple(leaf.test(facts, moment) for leaf in self.leaves)

    def explain(self, facts: Facts, *, today: date, now: datetime) -> tuple[LeafResult, ...]:
        """Every leaf in the order written, each with the fact it saw."""
        moment = Moment(today, now)
        return tuple(
            LeafResult(
                leaf.pointer,
                leaf.field.name,
                leaf.op,
                leaf.value,
                read_fact(facts, leaf.field),
                leaf.test(facts, moment),
            )
            for leaf in self.leaves
        )


def compile_condition(tree: Any) -> Compiled:
    """The tree as closures; a ConditionRefused names the first place that can't be used."""
    compiler = _Compiler()
    shape = compiler.node(tree, "", 1)
    return Compiled(shape, tuple(compiler.leaves), is_catch_all=tree == {"all": []})


@dataclass
class _Compiler:
    leaves: list[Leaf] = field(default_factory=list)

    def node(self, tree: Any, pointer: str, depth: int) -> Shape:
        if depth > MAX_DEPTH:
            raise TooLarge(pointer, f"at most {MAX_DEPTH} levels")
        if not isinstance(tree, dict):
            raise WrongShape(pointer, "an object with all, any, not or field")
        if "field" in tree:
            return self.leaf(tree, pointer)
        if len(tree) != 1 or next(iter(tree)) not in {"all", "any", "not"}:
            raise WrongShape(pointer, "exactly one of all, any, not, or a leaf with field, op, value")
        ((word, below),) = tree.items()
        if word == "not":
            return _negation(self.node(below, f"{pointer}/not", depth + 1))
        return self.branch(word, below, f"{pointer}/{word}", depth)

    def branch(self, word: str, below: Any, pointer: str, depth: int) -> Shape:
        if not isinstance(below, list):
            raise WrongShape(pointer, "a list of conditions")
        shapes = tuple(self.node(tree, f"{pointer}/{i}", depth + 1) for i, tree in enumerate(below))
        if word == "all":
            return lambda held: all(shape(held) for shape in shapes)
        return lambda held: any(shape(held) for shape in shapes)

    def leaf(self, tree: dict[str, Any], pointer: str) -> Shape:
        if len(self.leaves) >= MAX_LEAVES:
            raise TooLarge(pointer, f"at most {MAX_LEAVES} comparisons")
        known = _field_of(tree, pointer)
        op = _op_of(tree, known, pointer)
        value = _value_of(tree, known, op, f"{pointer}/value")
        self.leaves.append(Leaf(pointer, known, op, value, comparison(known, op, value)))
        return itemgetter(len(self.leaves) - 1)


def _field_of(tree: dict[str, Any], pointer: str) -> Field:
    extra = set(tree) - {"field", "op", "value"}
    if extra:
        raise WrongShape(pointer, f"only field, op and value, not {', '.join(sorted(map(str, extra)))}")
    name = tree["field"]
    known = find_field(name) if isinstance(name, str) else None
    if known is None:
        raise UnknownField(f"{pointer}/field", f"there is no field {name!r}")
    return known


def _op_of(tree: dict[str, Any], known: Field, pointer: str) -> str:
    op = tree.get("op")
    if not isinstance(op, str) or op not in known.operators:
        raise WrongType(f"{pointer}/op", f"{known.name} is {known.type}: one of {', '.join(known.operators)}")
    return op


def _value_of(tree: dict[str, Any], known: Field, op: str, pointer: str) -> Any:
    value = tree.get("value")
    if op == "is_set":
        return _flag(tree.get("value", True), pointer)
    if op == "within_days":
        return _days(value, pointer)
    if op == "in":
        return _choices(value, known, pointer)
    if op == "contains" and known.type == "text":
        known = Field(known.name, "text", known.doc)
    return _parsed(value, known, pointer)


def _flag(value: Any, pointer: str) -> bool:
    if not isinstance(value, bool):
        raise WrongType(pointer, "true or false")
    return value


def _days(value: Any, pointer: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_DAYS:
        raise WrongType(pointer, f"a whole number of days, at most {MAX_DAYS} ahead or (negative) back")
    return value


def _choices(value: Any, known: Field, pointer: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_CHOICES:
        raise WrongType(pointer, f"a list of 1 to {MAX_CHOICES} values")
    return tuple(_parsed(item, known, f"{pointer}/{i}") for i, item in enumerate(value))


def _parsed(value: Any, known: Field, pointer: str) -> Any:
    try:
        return parse_value(known, value)
    except ValueError as unusable:
        raise WrongType(pointer, str(unusable)) from None


def _negation(shape: Shape) -> Shape:
    return lambda held: not shape(held)
