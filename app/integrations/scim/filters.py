"""The filter language of SCIM (RFC 7644 §3.4.2.2), read into a tree, and asked of one value of a resource."""

import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from app.integrations.scim.errors import InvalidFilter, InvalidPath

LONGEST = 10_000
DEEPEST = 20
TOKEN = re.compile(r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<mark>[()\[\]])|(?P<word>[^\s()\[\]"]+))', re.DOTALL)
PATH = re.compile(r"(?:urn:[a-z0-9.:_-]+:)?[$a-z][a-z0-9_-]*(?:\.[$a-z][a-z0-9_-]*)?\Z", re.IGNORECASE)
PART = re.compile(r"\.([$a-z][a-z0-9_-]*)\Z", re.IGNORECASE)
NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?(?:e[+-]?\d{1,3})?\Z", re.IGNORECASE)
WORDS = {"true": True, "false": False, "null": None}
UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")

Value = str | bool | int | float | None
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


@dataclass(frozen=True)
class Comparison:
    path: str
    operator: str
    value: Value


@dataclass(frozen=True)
class Presence:
    path: str


@dataclass(frozen=True)
class Within:
    """One value of the list at `path` answers to `inner`."""

    path: str
    inner: "Filter"


@dataclass(frozen=True)
class Every:
    parts: tuple["Filter", ...]


@dataclass(frozen=True)
class Some:
    parts: tuple["Filter", ...]


@dataclass(frozen=True)
class Not:
    part: "Filter"


Filter = Comparison | Presence | Within | Every | Some | Not


@dataclass(frozen=True)
class Target:
    """What a PATCH operation's path points at: an attribute, perhaps those of its values that answer, or their part."""

    path: str
    inner: Filter | None = None
    part: str | None = None


def parse_filter(text: str) -> Filter:
    """The tree of a filter; whatever cannot be read is InvalidFilter."""
    parser = _Parser(text)
    found = parser.whole()
    parser.end()
    return found


def parse_target(text: str) -> Target:
    """A PATCH path: `name.givenName`, `emails[type eq "work"].value`; what cannot be read is InvalidPath."""
    before, bracket, _ = text.partition("[")
    if not PATH.match(before.strip()):
        raise InvalidPath(f"{text[:100]!r} is not the path of an attribute")
    if not bracket:
        return Target(before.strip())
    try:
        parser = _Parser(text)
        parser.take()
        inner, part = parser.bracket(), parser.part()
        parser.end()
    except InvalidFilter as error:
        raise InvalidPath(error.detail) from None
    return Target(before.strip(), inner, part)


class _Parser:
    """Reads tokens from left to right: `or` binds weakest, then `and`, then `not`."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise InvalidFilter(f"expected at most {LONGEST} characters")
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def fail(self, expected: str) -> NoReturn:
        raise InvalidFilter(
            f"expected {expected} before {self.peek()[:50]!r}" if self.peek() else f"ends before {expected}"
        )

    def end(self) -> None:
        if self.peek():
            self.fail("the end")

    def whole(self) -> Filter:
        parts = [self.every()]
        while self.peek().lower() == "or":
            self.take()
            parts.append(self.every())
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def every(self) -> Filter:
        parts = [self.one()]
        while self.peek().lower() == "and":
            self.take()
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def one(self) -> Filter:
        if self.peek() == "(":
            return self.enclosed(")")
        if self.peek().lower() == "not" and self.after() == "(":
            self.take()
            return Not(self.enclosed(")"))
        return self.expression()

    def after(self) -> str:
        return self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else ""

    def enclosed(self, closing: str) -> Filter:
        self.take()
        self.depth += 1
        if self.depth > DEEPEST:
            raise InvalidFilter(f"expected at most {DEEPEST} brackets within each other")
        found = self.whole()
        if self.take() != closing:
            self.at -= 1
            self.fail(repr(closing))
        self.depth -= 1
        return found

    def expression(self) -> Filter:
        if not PATH.match(self.peek()):
            self.fail("an attribute")
        path = self.take()
        if self.peek() == "[":
            return self.within(path)
        return self.asked(path)

    def within(self, path: str) -> Filter:
        """`emails[type eq "work"]`, and with `.value eq …` behind it a question to the same value."""
        inner, part = self.bracket(), self.part()
        return Within(path, inner if part is None else Every((inner, self.asked(part))))

    def bracket(self) -> Filter:
        return self.enclosed("]")

    def part(self) -> str | None:
        found = PART.match(self.peek())
        return None if found is None or self.take() is None else found[1]

    def asked(self, path: str) -> Filter:
        """The operator and value behind an attribute."""
        op = self.peek().lower()
        if op == "pr":
            self.take()
            return Presence(path)
        if op not in COMPARED:
            self.fail(f"pr or one of {', '.join(COMPARED)}")
        self.take()
        return Comparison(path, op, self.value())

    def value(self) -> Value:
        token = self.peek()
        if token.startswith('"'):
            value: Value = _text(token)
        elif token.lower() in WORDS:
            value = WORDS[token.lower()]
        elif NUMBER.match(token):
            value = float(token)
        else:
            self.fail("a value: a text in quotes, a number, true, false or null")
        self.take()
        return value


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            raise InvalidFilter(f"cannot be read from {text[at : at + 50]!r} on")
        tokens.append(found[0].strip())
        at = found.end()
    return tokens


def _text(token: str) -> str:
    try:
        value: str = json.loads(token, strict=False)
    except ValueError:
        raise InvalidFilter(f"{token[:50]} is not a text as JSON writes it") from None
    if UNSTORABLE.search(value):
        raise InvalidFilter("expected text without NUL or half a character")
    return value


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
