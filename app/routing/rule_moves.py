"""What is done to the rules of a form besides typing: `up 2`, `leaf 0.when.of.1`, `drop 3`. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from app.routing.fields import find_field
from app.routing.policy import MAX_RULES
from app.routing.rule_form import Asked, Group, Leaf, RuleForm, Unreadable, opened, write

Rules = list[RuleForm]


def fit(rules: Rules) -> None:
    """Another field may leave a comparison with an operator it does not have: it gets its field's first one."""
    for rule in rules:
        _fit_node(rule.when)


def _fit_node(node: Leaf | Group) -> None:
    if isinstance(node, Group):
        for one in node.of:
            _fit_node(one)
        return
    known = find_field(node.field)
    if known and node.op not in known.operators:
        node.op, node.values = known.operators[0], []


def do(rules: Rules, wish: str, emails: Mapping[str, str]) -> str:
    """Do one thing; answers at which part of the form the reader goes on."""
    verb, _, path = wish.partition(" ")
    if verb not in _DO:
        return ""
    try:
        return _DO[verb](rules, path.split(".") if path else [], emails)
    except (ValueError, IndexError, AttributeError):
        raise Unreadable("this part of the form is not there any more: read the page again") from None


def _add(rules: Rules, path: list[str], emails: Mapping[str, str]) -> str:
    """A new rule before the last, which holds for every case."""
    if len(rules) >= MAX_RULES:
        raise Unreadable(f"at most {MAX_RULES} rules")
    place = max(len(rules) - 1, 0)
    rules.insert(place, RuleForm(when=Group("all", [Leaf()])))
    return f"rules.{place}.name"


def _up(rules: Rules, path: list[str], emails: Mapping[str, str]) -> str:
    return _move(rules, int(path[0]), -1)


def _down(rules: Rules, path: list[str], emails: Mapping[str, str]) -> str:
    return _move(rules, int(path[0]), 1)


def _move(rules: Rules, place: int, step: int) -> str:
    other = place + step
    if 0 <= other < len(rules) and 0 <= place < len(rules):
        rules[place], rules[other] = rules[other], rules[place]
        return f"{'up' if step < 0 else 'down'} {other}"
    return ""


def _open(rules: Rules, path: list[str], emails: Mapping[str, str]) -> str:
    place = int(path[0])
    if rules[place].closed is not None:
        rules[place] = opened(rules[place].closed, emails)
    return f"rules.{place}.name"


def _close(rules: Rules, path: list[str], emails: Mapping[str, str]) -> str:
    place = int(path[0])
    rules[place] = RuleForm(closed=write(rules)[0][place])
    return f"open {place}"


def _drop(rules: Rules, path: list[str], emails: Mapping[str, str]) -> str:
    if len(path) == 1:
        del rules[int(path[0])]
        return "add"
    holder = _at(rules, path[:-1])
    del holder[int(path[-1])]
    return f"leaf {'.'.join(path[:-2])}" if path[-2] == "of" else f"skill {'.'.join(path[:-1])}"


def _leaf(rules: Rules, path: list[str], emails: Mapping[str, str]) -> str:
    of = _at(rules, [*path, "of"])
    of.append(Leaf())
    return f"rules.{'.'.join(path)}.of.{len(of) - 1}.field"


def _group(rules: Rules, path: list[str], emails: Mapping[str, str]) -> str:
    of = _at(rules, [*path, "of"])
    of.append(Group("any", [Leaf()]))
    return f"rules.{'.'.join(path)}.of.{len(of) - 1}.word"


def _skill(rules: Rules, path: list[str], emails: Mapping[str, str]) -> str:
    asked = _at(rules, path)
    asked.append(Asked())
    return f"rules.{'.'.join(path)}.{len(asked) - 1}.skill"


def _at(rules: Rules, path: list[str]) -> Any:
    """The list at a place of the form."""
    here: Any = rules
    for step in path:
        here = here[int(step)] if step.isdecimal() else getattr(here, step)
    if not isinstance(here, list):
        raise ValueError("no list")  # noqa: TRY004 - one kind of error for every path that leads nowhere
    return here


_DO: Mapping[str, Callable[[Rules, list[str], Mapping[str, str]], str]] = {
    "add": _add,
    "up": _up,
    "down": _down,
    "open": _open,
    "close": _close,
    "drop": _drop,
    "leaf": _leaf,
    "group": _group,
    "skill": _skill,
}
