"""The draft of a handover brief, drawn from what the case says of itself; a person completes and sends it.

Pure. The brief says what the next tier needs so that nobody asks the customer again: the problem in the customer's
words, what it does to them, what would make it right, what is at stake, what was tried with its results and so must
not be tried again, and what is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.escalations.path import Attempt

MOST = 20_000
ROOM_FOR_ONE = 2_000
NOT_SAID = "(the customer's own words are missing: please add)"


@dataclass(frozen=True, slots=True)
class Ground:
    """What the brief is made from."""

    title: str
    customer_statement: str | None
    impact: str | None
    desired_outcome: str | None
    value: str | None
    why: str | None
    asked: str | None
    attempts: Sequence[Attempt] = ()
    earlier: int = 0


def draft_of(ground: Ground) -> str:
    """The draft, at most `MOST` characters: of very many attempts the newest stand, and how many came before."""
    said = _cut(ground.customer_statement)
    parts = [
        _part("Problem", f"{ground.title}\n“{said}”" if said else f"{ground.title}\n{NOT_SAID}"),
        _part("Impact", _cut(ground.impact)),
        _part("Desired outcome", _cut(ground.desired_outcome)),
        _part("At stake", ground.value),
        _part("Why it moves up", ground.why),
    ]
    asked = _part("Asked of the next tier", ground.asked)
    room = MOST - sum(len(part) + 2 for part in (*parts, asked)) - 100
    return "\n\n".join([*parts, _tried(ground.attempts, ground.earlier, room), asked])


def not_again(attempts: Sequence[Attempt]) -> list[str]:
    """What was tried, each once, oldest first."""
    said = [" ".join(one.what.split()) for one in attempts if one.what]
    return list({one.casefold(): one for one in said}.values())


def _part(heading: str, content: str | None) -> str:
    return f"{heading}:\n{content or '(not known: please add)'}"


def _tried(attempts: Sequence[Attempt], earlier: int, room: int) -> str:
    heading = "Tried, with results, not to be tried again:"
    lines: list[str] = []
    for attempt in reversed(attempts):
        line = (
            f"- {_day(attempt.at)}, {attempt.tier.replace('_', ' ')}: {_said(attempt.what)} → {_said(attempt.result)}"
        )
        if len(line) > room:
            break
        room -= len(line) + 1
        lines.append(line)
    left_out = earlier + len(attempts) - len(lines)
    if left_out:
        lines.append(f"- and {left_out} earlier, in the case's timeline")
    return "\n".join([heading, *reversed(lines)] if lines else [heading, "(nothing was logged)"])


def _said(content: str | None) -> str:
    return "(erased)" if content is None else _cut(content)


def _day(at: datetime) -> str:
    return f"{at:%d %b %Y}"


def _cut(content: str | None) -> str:
    """A text in one piece, its end marked where it was too long for a brief."""
    said = " ".join((content or "").split())
    return said if len(said) <= ROOM_FOR_ONE else f"{said[: ROOM_FOR_ONE - 1]}…"
