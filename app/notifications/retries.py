"""When a message that did not go out is tried again, and when it is given up (pure).

What is wrong with one message counts its tries: after the last delay it is a dead letter. What is wrong with the mail
server is no message's fault: nothing is counted, and everything waits at most half an hour at a time, for two days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (30, 120, 600, 1_800, 7_200, 21_600, 43_200, 86_400)
)  # 30 s to a day: nearly two days in all
MOST_TRIES = len(DELAYS) + 1
JITTER = 0.2
OUTAGE_SHORTEST, OUTAGE_LONGEST = timedelta(seconds=30), timedelta(minutes=30)
OUTAGE_GIVE_UP = timedelta(days=2)


@dataclass(frozen=True)
class Outcome:
    """What became of one try: `sent`, `refused` (for ever), `failed` (this message), `outage` or `untried`."""

    kind: str
    error: str | None = None


SENT = Outcome("sent")
UNTRIED = Outcome("untried")


@dataclass(frozen=True)
class Next:
    """The state that follows; `counted` says whether this try counts, `failing_since` when trouble began."""

    state: str
    retry_at: datetime | None = None
    failing_since: datetime | None = None
    counted: bool = True


@dataclass(frozen=True)
class Step:
    """What to write down of one message after a try."""

    id: UUID
    next: Next
    error: str | None


def columns_of(steps: Sequence[Step]) -> dict[str, list[Any]]:
    """What is written down of many, a list for each column, as one statement takes it."""
    return {
        "ids": [step.id for step in steps],
        "states": [step.next.state for step in steps],
        "errors": [step.error for step in steps],
        "retries": [step.next.retry_at for step in steps],
        "since": [step.next.failing_since for step in steps],
        "counted": [step.next.counted for step in steps],
    }


def follow(outcome: Outcome, *, attempts: int, failing_since: datetime | None, now: datetime, spread: float) -> Next:
    """What follows the try number `attempts`; `spread`, from -1 to 1, moves the delay by up to a fifth."""
    since = failing_since or now
    if outcome.kind == "sent":
        return Next("sent")
    if outcome.kind == "untried":
        return Next("pending", failing_since=failing_since, counted=False)
    if outcome.kind == "outage" and now - since < OUTAGE_GIVE_UP:
        delay = min(max((now - since) / 2, OUTAGE_SHORTEST), OUTAGE_LONGEST)
        return Next("pending", now + jittered(delay, spread), since, counted=False)
    if outcome.kind == "failed" and attempts < MOST_TRIES:
        return Next("pending", now + jittered(DELAYS[attempts - 1], spread), since)
    return Next("dead", failing_since=since)


def jittered(delay: timedelta, spread: float) -> timedelta:
    """Moved by up to a fifth, so that what failed together does not come back together."""
    return delay * (1 + JITTER * spread)
