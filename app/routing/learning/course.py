"""One training: learn from the oldest cases, measure on the newest, then learn from all of them. Pure but for its need
of the extra `learn`."""

import math
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec

from app.routing.learning.features import Row, Shape
from app.routing.learning.measures import Measures, measure
from app.routing.learning.model import Learnt

LEARNT_SHARE = 0.7
LEAST_ROWS = 50
LEAST_OWNERS = 2
LEAST_EACH = 5
INSTALL = "install the extra learn: pip install 'firsthand[learn]'"


class TooFew(ValueError):
    """The history is too short to learn from; the text says what is missing."""


def is_installed() -> bool:
    """Whether this process could learn; suggesting from what was learnt needs nothing."""
    return all(find_spec(name) is not None for name in ("sklearn", "scipy", "numpy", "threadpoolctl"))


def fault() -> str | None:
    """What to do so that this process can learn; None when it can."""
    return None if is_installed() else INSTALL


def train(rows: Sequence[Row], shape: Shape) -> tuple[Learnt, Measures]:
    """The model of all rows, and how good one of the oldest 70 % is on the newest 30 %; TooFew says what is missing."""
    check(rows)
    from app.routing.learning.fit import learn

    older, newer = divide(rows)
    return learn(rows, shape), measure(learn(older, shape), older, newer)


def divide(rows: Sequence[Row], share: float = LEARNT_SHARE) -> tuple[list[Row], list[Row]]:
    """The oldest by opening, and the rest."""
    ordered = sorted(rows, key=lambda row: row.at)
    cut = math.floor(len(ordered) * share)
    return ordered[:cut], ordered[cut:]


def check(rows: Sequence[Row]) -> None:
    if len(rows) < LEAST_ROWS:
        raise TooFew(f"{len(rows)} closed cases, expected at least {LEAST_ROWS}")
    often = [owner for owner, count in Counter(row.owner for row in rows).items() if count >= LEAST_EACH]
    if len(often) < LEAST_OWNERS:
        people = "1 person" if len(often) == 1 else f"{len(often)} people"
        raise TooFew(f"{people} closed {LEAST_EACH} cases or more, expected at least {LEAST_OWNERS}")
