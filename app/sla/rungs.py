"""A ladder as one looks at it: where each step stands on a line from the start past the due time, and its words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.sla.ladder import Step, parse_ladder
from app.sla.offsets import Length

DUE_X = 70.0
LAST_X = 98.0
UNITS = (("days", "P{}D"), ("hours", "PT{}H"), ("minutes", "PT{}M"))
_ONE_UNIT = re.compile(r"P(?:(\d+)D|T(?:(\d+)H|(\d+)M))")


@dataclass(frozen=True, slots=True)
class Rung:
    """A step and its place in percent of the line; `when` and `amount` say its offset as a form has it."""

    step: Step
    x: float
    when: str
    amount: str
    every: tuple[str, str] | None


def draw(steps: Sequence[Mapping[str, Any]], *, span_days: float, day_seconds: int) -> list[Rung]:
    """The steps on their line: before the due time to scale with `span_days`, after it among themselves."""
    ladder = parse_ladder(steps)
    longest = max((_days(step, day_seconds) for step in ladder if not step.when.before_due), default=0.0)
    rungs = [
        Rung(step, _place(step, span_days, longest, day_seconds), *_said(step.offset), _every(step)) for step in ladder
    ]
    return sorted(rungs, key=lambda rung: rung.x)


def _days(step: Step, day_seconds: int) -> float:
    return _length_days(step.when.length, day_seconds)


def _length_days(length: Length, day_seconds: int) -> float:
    return length.days + length.seconds / day_seconds


def _place(step: Step, span_days: float, longest: float, day_seconds: int) -> float:
    if step.when.share is not None:
        return round(DUE_X * step.when.share / 100, 1)
    days = _days(step, day_seconds)
    if step.when.before_due:
        return round(DUE_X * max(span_days - days, 0.0) / span_days, 1)
    return round(DUE_X + (LAST_X - DUE_X) * days / longest, 1) if longest else DUE_X


def _said(offset: str) -> tuple[str, str]:
    """An offset as a choice and a number: `before_days` and `7`; `written` for what needs more than one unit."""
    if offset == "0":
        return "due", ""
    if offset.endswith("%"):
        return "share", offset[:-1]
    unit, number = _split(offset[1:])
    if unit == "written":
        return "written", offset
    return f"{'before' if offset[0] == '-' else 'after'}_{unit}", number


def _every(step: Step) -> tuple[str, str] | None:
    return _split(step.repeat.every) if step.repeat else None


def _split(duration: str) -> tuple[str, str]:
    found = _ONE_UNIT.fullmatch(duration)
    if found is None:
        return "written", duration
    return next((unit, number) for (unit, _), number in zip(UNITS, found.groups(), strict=True) if number)


def write_offset(when: str, amount: str) -> str:
    """The offset that a choice and a number mean."""
    if when in ("due", "written"):
        return "0" if when == "due" else amount
    if when == "share":
        return f"{amount}%"
    side, _, unit = when.partition("_")
    return ("-" if side == "before" else "+") + write_length(unit, amount)


def write_length(unit: str, amount: str) -> str:
    """`P1D` of `days` and `1`; what is `written` stays."""
    forms = dict(UNITS)
    return forms[unit].format(amount) if unit in forms else amount
