"""Playbooks as YAML, so that a team can keep them in its own files: read strictly, with the line of every fault."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from app.playbooks.definition import MEMBERS
from app.playbooks.reading import Fault

MOST_BYTES = 256 * 1024
DEEPEST = 30


class Unreadable(ValueError):
    """Not YAML that can be taken; `line` counts from 1."""

    def __init__(self, line: int, detail: str) -> None:
        super().__init__(f"line {line}: {detail}")
        self.line = line
        self.detail = detail


@dataclass(frozen=True)
class Written:
    """Plain data, and the line at which each place of it stands, by JSON pointer."""

    content: Any
    lines: Mapping[str, int]

    def line_of(self, pointer: str) -> int:
        """The line of a place, or of the nearest one around it that was written."""
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, 1)

    def placed(self, faults: Sequence[Fault]) -> list[dict[str, Any]]:
        """The faults as they are answered, in the order of their lines."""
        found = sorted((self.line_of(fault.pointer), fault) for fault in faults)
        return [
            {"pointer": fault.pointer or "/", "detail": fault.detail, "code": fault.code, "line": line}
            for line, fault in found
        ]


class _Loader(yaml.SafeLoader):
    """YAML without what plain data does not need: no aliases, of which a few lines can grow to gigabytes, no dates, and
    no `yes`, `no` or `on` that turn a word into a truth value."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise Unreadable(self.line + 1, "aliases (*name) are not taken: write it out")
        if self.depth >= DEEPEST:
            raise Unreadable(self.line + 1, f"nested more than {DEEPEST} deep")
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)$"), list("-+.0123456789")
)


def read_yaml(text: str) -> Written:
    """One document of plain data; Unreadable says at which line it ends to be that."""
    if len(text.encode()) > MOST_BYTES:
        raise Unreadable(1, f"expected at most {MOST_BYTES // 1024} kB")
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Unreadable(line, "expected text without control characters") from error
    try:
        node = loader.get_single_node()
        if node is None:
            raise Unreadable(1, "expected a playbook, found nothing")
        lines = dict(_lines(node, ""))
        return Written(loader.construct_document(node), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(mark.line + 1 if mark else 1, error.problem or "not YAML") from error
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(1, str(error)) from error
    finally:
        loader.dispose()


def _lines(node: yaml.Node, pointer: str) -> Iterator[tuple[str, int]]:
    """Where each place stands; a member that is written twice would silently win over the first."""
    yield pointer, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            if not isinstance(name, yaml.ScalarNode):
                raise Unreadable(name.start_mark.line + 1, "expected a plain word as name")
            if name.value in seen:
                raise Unreadable(name.start_mark.line + 1, f"{name.value} stands here twice")
            seen.add(name.value)
            yield from _lines(value, f"{pointer}/{name.value}")
            yield f"{pointer}/{name.value}", name.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, f"{pointer}/{index}")


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, so that a change of one line shows as one."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def write_yaml(definition: Mapping[str, Any]) -> str:
    """A definition in the order in which people read it; reading it again gives the same."""
    ordered = {name: definition[name] for name in MEMBERS if name in definition}
    return str(yaml.dump(ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))
