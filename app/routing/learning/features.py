"""What was known of a case when it was opened, as the traits that a model weighs. Pure.

A trait is written `name=value` for a fact, `name=` for one that is missing, `name~word` for a word of a text.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MAX_VALUE = 120
MAX_WORDS = 60
WORD = re.compile(r"[^\W\d_]{3,30}")


@dataclass(frozen=True)
class Row:
    """One closed case: when it was opened, what was known then, who closed it, and who was chosen first."""

    at: datetime
    facts: Mapping[str, Any]
    owner: str
    first: str | None = None


@dataclass(frozen=True)
class Shape:
    """Which facts count: `categories` by value, every fact beginning with one of `prefixes` too, `texts` by word.

    `lookup` are the keys of the table that a model must beat, from the most exact to the widest.
    """

    categories: tuple[str, ...]
    texts: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    lookup: tuple[tuple[str, ...], ...] = ()


def traits_of(facts: Mapping[str, Any], shape: Shape) -> list[str]:
    """The distinct traits of a case, the same for the same facts whatever their order."""
    more = sorted(name for name in facts if name.startswith(shape.prefixes)) if shape.prefixes else []
    found = [f"{name}={value}" for name in (*shape.categories, *more) for value in values_of(facts.get(name))]
    found += [f"{name}~{word}" for name in shape.texts for word in _words(facts.get(name))]
    return list(dict.fromkeys(found))


def values_of(fact: Any) -> Iterator[str]:
    """A fact as text, each item of a list, "" for a missing one."""
    if isinstance(fact, (list, tuple, set, frozenset)) and fact:
        for item in fact:
            yield from values_of(item)
    elif fact is None or isinstance(fact, (dict, list, tuple, set, frozenset)):
        yield ""
    else:
        yield str(fact).replace("\x00", "")[:MAX_VALUE]


def _words(text: Any) -> list[str]:
    return sorted(set(WORD.findall(str(text or "").lower())))[:MAX_WORDS]
