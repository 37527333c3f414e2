"""The filters of a message draft: each takes some kinds of value and is at most one pass over a text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

OPEN, SHUT = "⟦", "⟧"
TEXTS = ("text",)
ANY = ("text", "number", "date", "moment", "money")


@dataclass(frozen=True)
class Money:
    """An amount with its currency; `at_least`: not all of it could be converted."""

    amount: Decimal
    currency: str
    at_least: bool = False


class Missing:
    """A field that this case does not have: false in a condition, and marked where it is written."""

    def __init__(self, field: str, gaps: list[tuple[str, str]]) -> None:
        self.field = field
        self.gaps = gaps

    def __bool__(self) -> bool:
        return False

    def __lt__(self, other: object) -> bool:
        return False

    __le__ = __gt__ = __ge__ = __lt__

    def __str__(self) -> str:
        if ("field", self.field) not in self.gaps:
            self.gaps.append(("field", self.field))
        return f"{OPEN}{self.field}{SHUT}"


@dataclass(frozen=True)
class Filter:
    """What it takes and gives; `argument` is the type of the one it needs, None without."""

    run: Callable[..., Any]
    takes: tuple[str, ...]
    gives: str
    about: str
    argument: type | None = None


def as_date(value: date) -> str:
    """`Friday 20 November 2026`."""
    return f"{value:%A} {value.day} {value:%B} {value.year}"


def as_moment(value: datetime) -> str:
    """`Friday 20 November 2026, 17:00 (Europe/Berlin)`."""
    return f"{as_date(value)}, {value:%H:%M} ({value.tzinfo})"


def as_iso(value: date) -> str:
    """`2026-11-20`, of a moment also the time with its offset."""
    return value.isoformat(timespec="minutes") if isinstance(value, datetime) else value.isoformat()


def as_money(value: Money) -> str:
    """`120,000 USD`; cents only where there are any."""
    places = 0 if value.amount == value.amount.to_integral_value() else 2
    return f"{'at least ' if value.at_least else ''}{value.amount:,.{places}f} {value.currency}"


def shown(value: Any) -> Any:
    """How a value without a filter is written."""
    if isinstance(value, datetime):
        return as_moment(value)
    if isinstance(value, date):
        return as_date(value)
    return as_money(value) if isinstance(value, Money) else value


def in_words(value: str) -> str:
    """`product limit` for the code `product_limit`."""
    return value.replace("_", " ")


def shortened(value: str, most: int) -> str:
    """At most so many characters, cut between words with an ellipsis."""
    if len(value) <= most:
        return value
    kept = value[: most - 1]
    return (kept.rpartition(" ")[0] or kept).rstrip() + "…"


def quoted(value: str) -> str:
    """Each line as a quotation."""
    return "\n".join(f"> {line}".rstrip() for line in value.strip().splitlines())


def first_letter_up(value: str) -> str:
    return value[:1].upper() + value[1:]


FILTERS: Mapping[str, Filter] = {
    "date": Filter(as_date, ("date", "moment"), "text", "Friday 20 November 2026, in the customer's zone"),
    "moment": Filter(as_moment, ("moment",), "text", "Friday 20 November 2026, 17:00 (Europe/Berlin)"),
    "iso": Filter(as_iso, ("date", "moment"), "text", "2026-11-20, of a moment also the time"),
    "money": Filter(as_money, ("money",), "text", "120,000 USD"),
    "words": Filter(in_words, TEXTS, "text", "a code as words: product_limit, product limit"),
    "capital": Filter(first_letter_up, TEXTS, "text", "begins with a capital letter"),
    "upper": Filter(str.upper, TEXTS, "text", "in capital letters"),
    "lower": Filter(str.lower, TEXTS, "text", "in small letters"),
    "trim": Filter(str.strip, TEXTS, "text", "without blanks around it"),
    "shorten": Filter(shortened, TEXTS, "text", "at most so many characters: shorten(200)", int),
    "quoted": Filter(quoted, TEXTS, "text", "each line as a quotation"),
    "default": Filter(str, ANY, "text", "this instead where the case has nothing: default('you')", str),
    "length": Filter(len, ("list",), "number", "how many there are"),
    "write": Filter(str, ("constant",), "text", "a gap that the sender has to fill: 'what we found' | write"),
}
