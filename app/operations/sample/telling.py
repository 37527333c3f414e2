"""The words in which the sample's story is written down."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Step:
    """What happens to a case `day` working days after its raise, at this local time of its account.

    `who` is `owner`, `manager` (the owner's), or a colleague's key.
    """

    day: int
    time: str
    verb: str
    who: str = "owner"
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A demand raised `days_ago` working days before the last working day.

    `by` is `customer` or the key of the colleague who raises for them.
    """

    key: str
    account: str
    days_ago: int
    time: str
    by: str
    severity: int
    reason: str
    title: str
    said: str | None
    wanted: str | None
    impact: str | None
    steps: tuple[Step, ...] = ()
    about: str | None = None


def step(day: int, time: str, verb: str, who: str = "owner", **fields: Any) -> Step:
    return Step(day, time, verb, who, fields)
