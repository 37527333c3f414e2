"""Whether a parsed template says only what a draft may say: known fields, known filters, bounded work.

The tree is walked against what is allowed, node by node, so that whatever Jinja may learn one day stays refused. What
remains cannot run for ever: the only repetition is a `for` over one of the documented lists, of at most MOST_LISTED
entries and never one inside another, there are no calls, macros, includes or assignments, and no operator or literal
makes a longer value out of shorter ones. The steps are therefore known before anything is run, and limited.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jinja2 import nodes

from app.playbooks.draft_fields import MOST_LISTED, Field, Group, Many
from app.playbooks.draft_filters import FILTERS, Filter

MOST_STEPS, MOST_FILTERS, MOST_NUMBER = 2_000, 3, 20_000
LOOP: Group = {"index": Field("number", "which one, from 1"), "first": Field("flag", ""), "last": Field("flag", "")}
Found = Field | Many | Group


@dataclass(frozen=True)
class TemplateFault:
    """What is wrong in which line of the text."""

    line: int
    detail: str
    code: str = "not_allowed"


class _Refused(Exception):
    def __init__(self, node: nodes.Node, detail: str, code: str = "not_allowed") -> None:
        super().__init__(detail)
        self.fault = TemplateFault(node.lineno, detail, code)


@dataclass
class Checker:
    """Walks one template; `customer`: it is written for the customer, so no internal field may stand in it."""

    fields: Group
    customer: bool
    faults: list[TemplateFault] = field(default_factory=list)
    steps: int = 0

    def check(self, template: nodes.Template) -> list[TemplateFault]:
        self._all(template.body, self.fields, listing=False)
        if self.steps > MOST_STEPS:
            self.faults.append(TemplateFault(1, f"expected at most {MOST_STEPS} steps, counted {self.steps}", "limit"))
        return self.faults

    def _all(self, body: list[nodes.Node], scope: Group, *, listing: bool) -> None:
        for node in body:
            try:
                self._statement(node, scope, listing=listing)
            except _Refused as refused:
                self.faults.append(refused.fault)

    def _statement(self, node: nodes.Node, scope: Group, *, listing: bool) -> None:
        self._count(node, listing)
        match node:
            case nodes.Output():
                for one in node.nodes:
                    self._piece(one, scope, listing)
            case nodes.If():
                self._condition(node.test, scope, listing)
                self._all([*node.body, *node.elif_, *node.else_], scope, listing=listing)
            case nodes.For():
                self._loop(node, scope, listing)
            case _:
                raise _Refused(node, f"{_name(node)} is not taken: only fields, filters, if and for")

    def _piece(self, node: nodes.Node, scope: Group, listing: bool) -> None:
        try:
            if not isinstance(node, nodes.TemplateData):
                self._written(node, scope, listing)
        except _Refused as refused:
            self.faults.append(refused.fault)

    def _loop(self, node: nodes.For, scope: Group, listing: bool) -> None:
        if listing:
            raise _Refused(node, "a for inside a for is not taken")
        listed = self._kind(node.iter, scope, listing)
        if not isinstance(listed, Many):
            raise _Refused(node, f"for goes through a list: {', '.join(_lists(self.fields))}", "wrong_type")
        if node.recursive or not isinstance(node.target, nodes.Name):
            raise _Refused(node, "expected for NAME in LIST")
        if node.target.name in scope or node.target.name == "loop":
            raise _Refused(node, f"{node.target.name} is the name of a field: choose another one")
        inner = {**scope, node.target.name: listed.of}
        if node.test is not None:
            self._condition(node.test, inner, True)
        self._all(node.body, {**inner, "loop": LOOP}, listing=True)
        self._all(node.else_, scope, listing=listing)

    def _condition(self, node: nodes.Node, scope: Group, listing: bool) -> None:
        """Whether something is there, or how it compares."""
        self._count(node, listing)
        match node:
            case nodes.Not():
                self._condition(node.node, scope, listing)
            case nodes.And() | nodes.Or():
                self._condition(node.left, scope, listing)
                self._condition(node.right, scope, listing)
            case nodes.Compare():
                self._comparison(node, scope, listing)
            case _:
                self._kind(node, scope, listing)

    def _comparison(self, node: nodes.Compare, scope: Group, listing: bool) -> None:
        kinds = [self._value(one, scope, listing) for one in (node.expr, *(op.expr for op in node.ops))]
        for operand in node.ops:
            if operand.op not in ("eq", "ne", "lt", "lteq", "gt", "gteq"):
                raise _Refused(node, "expected ==, !=, <, <=, > or >=")
            if operand.op not in ("eq", "ne") and set(kinds) != {"number"}:
                raise _Refused(node, "only numbers are more or less than another", "wrong_type")
        if len({"text" if kind == "constant" else kind for kind in kinds}) > 1:
            raise _Refused(node, f"a {kinds[0]} is never a {kinds[1]}", "wrong_type")

    def _written(self, node: nodes.Node, scope: Group, listing: bool) -> None:
        if isinstance(node, nodes.CondExpr):
            self._count(node, listing)
            self._condition(node.test, scope, listing)
            self._written(node.expr1, scope, listing)
            if node.expr2 is not None:
                self._written(node.expr2, scope, listing)
            return
        kind = self._value(node, scope, listing)
        if kind == "flag":
            raise _Refused(node, "whether it is so can be asked by if, not written", "wrong_type")

    def _value(self, node: nodes.Node, scope: Group, listing: bool) -> str:
        """The kind of a single value."""
        found = self._kind(node, scope, listing)
        if isinstance(found, str):
            return found
        if isinstance(found, Field):
            return found.kind
        raise _Refused(node, f"{path_as_written(node)} is more than one value: {_offered(found)}", "wrong_type")

    def _kind(self, node: nodes.Node, scope: Group, listing: bool) -> Found | str:
        self._count(node, listing)
        match node:
            case nodes.Name() | nodes.Getattr():
                return self._field(node, scope)
            case nodes.Const(value=bool() | float() | None):
                raise _Refused(node, "expected a text or a whole number")
            case nodes.Const(value=int() as number):
                if number > MOST_NUMBER:
                    raise _Refused(node, f"expected a number up to {MOST_NUMBER}", "limit")
                return "number"
            case nodes.Const(value=str()):
                return "constant"
            case nodes.Filter():
                return self._filtered(node, scope, listing)
        raise _Refused(node, f"{_name(node)} is not taken: only fields, texts, numbers and filters")

    def _field(self, node: nodes.Node, scope: Group) -> Field | Many | Group:
        if isinstance(node, nodes.Name):
            around: Group = scope
            name, before = node.name, ""
        elif isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name | nodes.Getattr):
            held = self._field(node.node, scope)
            name, before = node.attr, path_as_written(node.node)
            around = held if isinstance(held, Mapping) else {}
        else:
            raise _Refused(node, f"{_name(node)} is not taken: only fields, texts, numbers and filters")
        found = around.get(name)
        if found is None:
            where = f"{before} has {_offered(around)}" if before else f"there are {_offered(around)}"
            raise _Refused(node, f"there is no field {path_as_written(node)}: {where}", "unknown_field")
        if self.customer and isinstance(found, Field | Many) and found.internal:
            raise _Refused(
                node, f"{path_as_written(node)} is for us alone, this is written for the customer", "internal_field"
            )
        return found

    def _filtered(self, node: nodes.Filter, scope: Group, listing: bool) -> str:
        known = FILTERS.get(node.name)
        if known is None:
            raise _Refused(node, f"there is no filter {node.name}: there are {', '.join(FILTERS)}", "unknown_filter")
        if node.node is None or _chained(node) > MOST_FILTERS:
            raise _Refused(node, f"expected a value with at most {MOST_FILTERS} filters", "limit")
        found = self._kind(node.node, scope, listing)
        kind = found if isinstance(found, str) else found.kind if isinstance(found, Field) else "list"
        taken = (*known.takes, "constant") if "text" in known.takes else known.takes
        if kind not in taken or (kind == "list" and not isinstance(found, Many)):
            raise _Refused(node, f"{node.name} takes {' or '.join(known.takes)}, not {kind}", "wrong_type")
        _check_argument(node, known)
        return known.gives

    def _count(self, node: nodes.Node, listing: bool) -> None:
        self.steps += MOST_LISTED if listing else 1


def _check_argument(node: nodes.Filter, known: Filter) -> None:
    expected = "a whole number" if known.argument is int else "a text" if known.argument is str else "nothing"
    plain = not node.kwargs and node.dyn_args is None and node.dyn_kwargs is None
    values = [arg.value if isinstance(arg, nodes.Const) else None for arg in node.args]
    fits = [type(value) for value in values] == ([known.argument] if known.argument else [])
    if not plain or not fits or any(isinstance(value, int) and not 1 < value <= MOST_NUMBER for value in values):
        raise _Refused(node, f"{node.name} needs {expected} in its brackets", "wrong_type")


def _chained(node: nodes.Node | None) -> int:
    count = 0
    while isinstance(node, nodes.Filter):
        count, node = count + 1, node.node
    return count


def path_as_written(node: nodes.Node) -> str:
    """As it was written: `owner.name`."""
    if isinstance(node, nodes.Getattr):
        return f"{path_as_written(node.node)}.{node.attr}"
    return node.name if isinstance(node, nodes.Name) else "this"


def _name(node: nodes.Node) -> str:
    return type(node).__name__.lower()


def _offered(group: object) -> str:
    if isinstance(group, Many):
        return "a list, to go through with for"
    return ", ".join(sorted(group)) if isinstance(group, Mapping) and group else "nothing within it"


def _lists(fields: Group) -> list[str]:
    return [name for name, one in fields.items() if isinstance(one, Many)]
