"""The story as it is written down in `live.toml` and `ended.toml`: thirty cases in every status, with what happened.

A case has `key, account, days_ago` (working days before the last one that is over), `time` (local), `by` (`customer`
or a colleague's key), `severity, reason, title, said, wanted, impact, about` and `steps`. A step has `day` (working
days after the raise), `time`, `verb`, `who` (`owner` when left out, `manager` for the owner's, `customer`, or a
colleague's key) and the words of its verb.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from app.operations.sample.checkins import check_ins

FILES = ("live.toml", "ended.toml")


@dataclass(frozen=True)
class Step:
    """What happens to a case on a working day after its raise, at this local time of its account."""

    day: int
    time: str
    verb: str
    who: str = "owner"
    words: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A demand and all that became of it."""

    key: str
    account: str
    days_ago: int
    time: str
    by: str
    severity: int
    reason: str
    title: str
    said: str | None = None
    wanted: str | None = None
    impact: str | None = None
    about: str | None = None
    steps: tuple[Step, ...] = ()


@cache
def read_cases() -> tuple[Case, ...]:
    """Every case, urgent ones with the check-ins that keep their rhythm."""
    return tuple(with_check_ins(case) for name in FILES for case in _read(name))


def _read(name: str) -> Iterator[Case]:
    content = tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    for written in content["case"]:
        steps = tuple(_step(**told) for told in written.pop("steps", ()))
        yield Case(**written, steps=steps)


def _step(day: int, time: str, verb: str, who: str = "owner", **words: Any) -> Step:
    return Step(day, time, verb, who, words)


def with_check_ins(case: Case) -> Case:
    told = [(step.day, step.time, step.verb) for step in case.steps]
    added = [
        Step(day, time, "update", words={"text": text})
        for day, time, text in check_ins(told, severity=case.severity, until=case.days_ago, seed=len(case.key))
    ]
    return replace(case, steps=tuple(sorted((*case.steps, *added), key=lambda step: (step.day, step.time))))
