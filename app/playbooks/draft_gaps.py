"""Which gaps a template can leave, known before it is rendered: fields that it writes, and what the sender has to."""

from collections.abc import Iterator, Mapping

from jinja2 import nodes

from app.playbooks.draft_checks import path_as_written
from app.playbooks.draft_filters import FILTERS, OPEN, SHUT


def gaps_in(node: nodes.Node, lists: Mapping[str, str]) -> Iterator[str]:
    """What may stand between the marks in a text made from this checked template; `lists` is what loops go through."""
    match node:
        case nodes.Name() | nodes.Getattr():
            first, dot, rest = path_as_written(node).partition(".")
            yield lists.get(first, first) + dot + rest
        case nodes.Filter():
            yield from _filtered(node, lists)
        case nodes.For(target=nodes.Name(name=name)):
            inner = {**lists, name: path_as_written(node.iter)}
            for child in (*node.body, *node.else_):
                yield from gaps_in(child, inner)
        case _:
            for child in node.iter_child_nodes():
                yield from gaps_in(child, lists)


def _filtered(node: nodes.Filter, lists: Mapping[str, str]) -> Iterator[str]:
    """A field is marked by its own name whatever filters it passes, unless one says what to write instead."""
    base: nodes.Node | None = node
    chain: list[nodes.Filter] = []
    while isinstance(base, nodes.Filter):
        chain.append(base)
        base = base.node
    if isinstance(base, nodes.Const):
        yield from open_gaps(_applied(str(base.value), chain))
    elif base is not None and all(one.name != "default" for one in chain):
        yield from gaps_in(base, lists)


def _applied(value: str, chain: list[nodes.Filter]) -> str:
    for one in reversed(chain):
        arguments = [arg.value for arg in one.args if isinstance(arg, nodes.Const)]
        if one.name != "default":
            value = f"{OPEN}{value}{SHUT}" if one.name == "write" else str(FILTERS[one.name].run(value, *arguments))
    return value


def open_gaps(text: str) -> list[str]:
    """What stands between marks in a text."""
    parts = text.split(OPEN)[1:]
    return [part.partition(SHUT)[0] for part in parts if SHUT in part]
