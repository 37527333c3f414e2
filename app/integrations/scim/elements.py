"""The filter inside brackets, asked of one value of a list: of one address, one role, one member."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.integrations.scim.errors import InvalidFilter
from app.integrations.scim.filters import Comparison, Every, Filter, Not, Presence, Some, Value, Within

Predicate = Callable[[Mapping[str, Any]], bool]
COMPARED: Mapping[str, Callable[[str, str], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "co": operator.contains,
    "sw": str.startswith,
    "ew": str.endswith,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


def predicate(asked: Filter) -> Predicate:
    """The filter inside brackets as a question to one value of a list, such as an address; made once, asked often."""
    match asked:
        case Every(parts):
            every = [predicate(part) for part in parts]
            return lambda value: all(ask(value) for ask in every)
        case Some(parts):
            some = [predicate(part) for part in parts]
            return lambda value: any(ask(value) for ask in some)
        case Not(part):
            ask = predicate(part)
            return lambda value: not ask(value)
        case Presence(path):
            return lambda value: _held(value, path) not in (None, "")
        case Comparison(path, op, wanted):
            return _comparing(path, op, wanted)
        case Within():
            raise InvalidFilter("expected no brackets within brackets")


def _comparing(path: str, op: str, wanted: Value) -> Predicate:
    """Texts whatever their case; a truth may be sent as a text, as directories do."""
    if wanted is None:
        if op not in ("eq", "ne"):
            raise InvalidFilter(f"{op} cannot be asked of null")
        return lambda value: (_held(value, path) is None) == (op == "eq")
    if isinstance(wanted, bool) and op not in ("eq", "ne"):
        raise InvalidFilter(f"{op} cannot be asked of true or false")
    compared, folded, without = COMPARED[op], str(wanted).casefold(), op == "ne"

    def ask(value: Mapping[str, Any]) -> bool:
        held = _held(value, path)
        return without if held is None else compared(str(held).casefold(), folded)

    return ask


def _held(value: Mapping[str, Any], name: str) -> Any:
    if name in value:
        return value[name]
    return next((held for key, held in value.items() if key.lower() == name.lower()), None)


def equalities(asked: Filter) -> dict[str, Value] | None:
    """The parts that a filter of nothing but `eq` and `and` names, with their values; None for another."""
    parts: Sequence[Filter] = asked.parts if isinstance(asked, Every) else (asked,)
    if not all(isinstance(part, Comparison) and part.operator == "eq" for part in parts):
        return None
    return {part.path: part.value for part in parts if isinstance(part, Comparison)}
