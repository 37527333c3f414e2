"""The lifecycle of an escalation: which action leads from which status to which, not who or how.

The table is `STEPS`; every function below only reads it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from app.errors import AppError
from app.routing.fields import RAISED_BY_KINDS as RAISED_BY_KINDS
from app.sla.calendar import local_days_later

REQUESTED = "requested"
DECLINED = "declined"
OPEN = "open"
IN_PROGRESS = "in_progress"
WAITING = "waiting"
RESOLVED = "resolved"
CLOSED = "closed"
MERGED = "merged"

STATUSES = (REQUESTED, DECLINED, OPEN, IN_PROGRESS, WAITING, RESOLVED, CLOSED, MERGED)
LIVE = frozenset({OPEN, IN_PROGRESS, WAITING, RESOLVED})
ENDED = frozenset({DECLINED, CLOSED, MERGED})

OUTCOMES = ("resolved", "unresolved", "withdrawn", "customer_silent", "mistaken")
OUTCOMES_UNRESOLVED = OUTCOMES[1:]
ACTIONS = (
    "approve",
    "decline",
    "acknowledge",
    "assign",
    "qualify",
    "escalate",
    "wait",
    "resume",
    "resolve",
    "verify",
    "reopen",
    "close-unresolved",
    "decision",
    "merge",
    "extend",
    "plan",
    "watch",
)

REOPEN_DAYS = 14


class StepNotAllowed(AppError):
    """The lifecycle has no such step from this status; `allowed` names the actions it has."""

    status, code, title = 409, "step_not_allowed", "The lifecycle has no such step from here"

    def __init__(self, action: str, status: str, allowed: Iterable[str]) -> None:
        self.action = action
        self.current = status
        self.allowed = tuple(allowed)
        listed = ", ".join(self.allowed) or "none"
        super().__init__(f"{action} is not a step from {status}; allowed: {listed}", allowed=list(self.allowed))


class MomentRefused(ValueError):
    """A stated moment is naive, in the future, before the raise or too long ago; see `expected`."""

    code = "moment_refused"

    def __init__(self, at: datetime, expected: str) -> None:
        self.at = at
        self.expected = expected
        super().__init__(f"{at.isoformat()}: expected {expected}")


@dataclass(frozen=True)
class Facts:
    """What a step may hang on beside the status.

    `accepted` is the customer's word at verify (None: no word), `unanswered` that the verify clock ran out,
    `acknowledgement_void` that a new owner or a lapse undid it, `extension_pending` that an extension
    waits for its answer, `within_window` that a closed case can still be reopened.
    """

    accepted: bool | None = None
    unanswered: bool = False
    acknowledgement_void: bool = False
    extension_pending: bool = False
    within_window: bool = True


NO_FACTS = Facts()


@dataclass(frozen=True)
class Step:
    """One line of the table: `to` None means the status stays; `needs` names the fact that must hold."""

    action: str
    sources: frozenset[str]
    to: str | None = None
    needs: str | None = None


_AT_WORK = frozenset({IN_PROGRESS, WAITING})
_BEFORE_RESOLVED = frozenset({OPEN, IN_PROGRESS, WAITING})

STEPS = (
    Step("approve", frozenset({REQUESTED}), OPEN),
    Step("approve", LIVE, needs="extension_pending"),
    Step("decline", frozenset({REQUESTED}), DECLINED),
    Step("decline", LIVE, needs="extension_pending"),
    Step("acknowledge", frozenset({OPEN}), IN_PROGRESS),
    Step("acknowledge", _AT_WORK, needs="acknowledgement_void"),
    Step("assign", LIVE),
    Step("qualify", _BEFORE_RESOLVED),
    Step("escalate", _BEFORE_RESOLVED),
    Step("wait", _AT_WORK, WAITING),
    Step("resume", frozenset({WAITING}), IN_PROGRESS),
    Step("resolve", _AT_WORK, RESOLVED),
    Step("verify", frozenset({RESOLVED})),  # where to is the customer's word: see _verified
    Step("reopen", frozenset({CLOSED}), IN_PROGRESS),
    Step("close-unresolved", LIVE, CLOSED),
    Step("decision", LIVE),
    Step("merge", LIVE, MERGED),
    Step("extend", LIVE),
    Step("plan", _BEFORE_RESOLVED),
    Step("watch", frozenset(STATUSES) - {MERGED}),
)


def status_on_raise(raised_by: str, *, approval_asked: bool) -> str:
    """Only a colleague's raise waits for approval, and only if the setting asks for it."""
    return REQUESTED if raised_by == "colleague" and approval_asked else OPEN


def allowed(status: str, facts: Facts = NO_FACTS) -> tuple[str, ...]:
    """The actions this status has now, in the order of `ACTIONS`."""
    return tuple(action for action in ACTIONS if _find_step(status, action, facts) is not None)


def next_status(
    status: str,
    action: str,
    *,
    accepted: bool | None = None,
    unanswered: bool = False,
    acknowledgement_void: bool = False,
    extension_pending: bool = False,
    within_window: bool = True,
) -> str:
    """The status after the action; StepNotAllowed when the table has no such line.

    Reopening after the window leaves the old case closed: the caller raises a recurrence of it.
    """
    facts = Facts(accepted, unanswered, acknowledgement_void, extension_pending, within_window)
    step = _find_step(status, action, facts)
    if step is None:
        raise StepNotAllowed(action, status, allowed(status, facts))
    if action == "verify":
        return _verified(facts)
    if action == "reopen" and not within_window:
        return status
    return step.to or status


def _find_step(status: str, action: str, facts: Facts) -> Step | None:
    return next((s for s in STEPS if s.action == action and status in s.sources and _holds(s, facts)), None)


def _holds(step: Step, facts: Facts) -> bool:
    return step.needs is None or bool(getattr(facts, step.needs))


def _verified(facts: Facts) -> str:
    """Accepted and unanswered close, rejected goes back to work; no word at all is not a verification."""
    if facts.unanswered:
        return CLOSED
    if facts.accepted is None:
        raise ValueError("verify needs the customer's word: accepted true or false, or unanswered")
    return CLOSED if facts.accepted else IN_PROGRESS


def verification_of(*, accepted: bool | None = None, unanswered: bool = False) -> str | None:
    """Running out is never reported as confirmed; a rejection is no verification."""
    if unanswered:
        return "unanswered"
    return "confirmed" if accepted else None


def reopen_deadline(closed_at: datetime, zone: ZoneInfo, days: int = REOPEN_DAYS) -> datetime:
    """The last moment a closed case can be reopened: the same local time `days` calendar days later."""
    return local_days_later(closed_at, days, zone)


def can_reopen(closed_at: datetime, zone: ZoneInfo, *, now: datetime, days: int = REOPEN_DAYS) -> bool:
    """Up to and including the deadline, whatever the outcome was."""
    return now <= reopen_deadline(closed_at, zone, days)


def check_at(at: datetime, *, now: datetime, raised_at: datetime, earliest: datetime) -> datetime:
    """A person's `at` is never in the future, before the raise, or more than one business day before now.

    `earliest` is that business day counted back by the caller's calendar. The answer is in UTC.
    A verified system's time is not checked here: it counts as sent.
    """
    if at.utcoffset() is None:
        raise MomentRefused(at, "a time with an offset")
    if at > now:
        raise MomentRefused(at, f"not later than now, {now.isoformat()}")
    if at < raised_at:
        raise MomentRefused(at, f"not before the raise, {raised_at.isoformat()}")
    if at < earliest:
        raise MomentRefused(at, f"not more than one business day ago, {earliest.isoformat()}")
    return at.astimezone(UTC)


def survivor_of(first: tuple[datetime, int], second: tuple[datetime, int]) -> tuple[datetime, int]:
    """A merge goes into the one raised first, each given as (raised_at, number); the number decides a tie."""
    return min(first, second)
