"""The filter language of SCIM (RFC 7644 §3.4.2.2), read into a tree."""

import json
import re
from dataclasses import dataclass
from typing import NoReturn

from app.integrations.scim.errors import InvalidFilter, InvalidPath

OPERATORS = ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le")
LONGEST = 10_000
DEEPEST = 20
TOKEN = re.compile(r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<mark>[()\[\]])|(?P<word>[^\s()\[\]"]+))', re.DOTALL)
PATH = re.compile(r"(?:urn:[a-z0-9.:_-]+:)?[$a-z][a-z0-9_-]*(?:\.[$a-z][a-z0-9_-]*)?\Z", re.IGNORECASE)
PART = re.compile(r"\.([$a-z][a-z0-9_-]*)\Z", re.IGNORECASE)
NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?(?:e[+-]?\d{1,3})?\Z", re.IGNORECASE)
WORDS = {"true": True, "false": False, "null": None}
UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")

Value = str | bool | int | float | None


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
        if op not in OPERATORS:
            self.fail(f"pr or one of {', '.join(OPERATORS)}")
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
