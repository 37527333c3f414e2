"""What each operator of the condition language means, as closures over the written value."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.routing.fields import Field, read_fact

Facts = Mapping[str, Any]
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Moment:
    """The present as conditions see it: the tenant's date and the time."""

    today: date
    now: datetime


Test = Callable[[Facts, Moment], bool]


def comparison(known: Field, op: str, value: Any) -> Test:
    """The test one leaf makes; a missing fact fails all but `!=` and `is_set` false."""
    missing = holds_of_missing(op, value)
    compare = comparison_of_present(known, op, value)

    def test(facts: Facts, moment: Moment) -> bool:
        actual = read_fact(facts, known)
        return missing if actual is None else compare(actual, moment)

    return test


def holds_of_missing(op: str, value: Any) -> bool:
    """What a comparison says of a missing fact."""
    return op == "!=" or (op == "is_set" and value is False)


def comparison_of_present(known: Field, op: str, value: Any) -> Callable[[Any, Moment], bool]:
    """The test of a fact that is there."""
    if op == "is_set":
        return lambda actual, moment: bool(value)
    if op == "within_days":
        return _within_days(known, value)
    if op == "contains":
        return _contains(known, value)
    if op in _ORDER:
        order = _ORDER[op]
        return lambda actual, moment: order(actual, value)
    wanted = frozenset(folded(v) for v in (value if op == "in" else (value,)))
    if op == "!=":
        return lambda actual, moment: folded(actual) not in wanted
    return lambda actual, moment: folded(actual) in wanted


def _contains(known: Field, value: str) -> Callable[[Any, Moment], bool]:
    """A part of a text, or one item of a list."""
    wanted = value.casefold()
    if known.type == "text":
        return lambda actual, moment: wanted in actual.casefold()
    return lambda actual, moment: any(wanted == item.casefold() for item in actual)


def _within_days(known: Field, days: int) -> Callable[[Any, Moment], bool]:
    """From now to so many days ahead, both included; a negative number looks back in the same way."""
    span = timedelta(days=days)
    low, high = min(span, timedelta()), max(span, timedelta())
    if known.type == "date":
        return lambda actual, moment: low <= actual - moment.today <= high
    return lambda actual, moment: low <= actual - moment.now <= high


def folded(value: Any) -> Any:
    """As values are compared: text without regard to case."""
    return value.casefold() if isinstance(value, str) else value
