"""What the events of one case say, one after the other: the course it has taken so far. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

NO_REROUTES = ("absence", "hand_back")


@dataclass(frozen=True)
class Entry:
    """One event or snapshot: `known` when it counts from, `at` when it happened, `kind` empty for a snapshot."""

    id: UUID
    known: datetime
    at: datetime
    kind: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class Course:
    """What the events so far say. `owners` are in order, without those who stood in for somebody absent; `waits` is the
    time waited by whom for, `in_tiers` that spent in each tier, both as far as it ended."""

    status: str = ""
    outcome: str | None = None
    verification: str | None = None
    tier: str = "tier_1"
    severity: int = 4
    reason: str = "other"
    owner_id: str | None = None
    first_owner_id: str | None = None
    owners: tuple[str, ...] = ()
    reopens: int = 0
    due_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_late: bool = False
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    closing_known: datetime | None = None
    extended: bool = False
    customer_agreed: bool | None = None
    preventable: bool | None = None
    resolution_id: str | None = None
    root_cause: str | None = None
    prevention: dict[str, dict[str, Any]] = field(default_factory=dict)
    waits: dict[str, timedelta] = field(default_factory=dict)
    waiting_for: str | None = None
    waiting_since: datetime | None = None
    tier_since: datetime | None = None
    in_tiers: dict[str, timedelta] = field(default_factory=dict)

    @property
    def waited(self) -> timedelta:
        return sum(self.waits.values(), timedelta(0))


def follow(course: Course, event: Entry) -> Course:
    """The course after this event; kinds that say nothing to reports change nothing."""
    step = STEPS.get(event.kind)
    return step(course, event) if step else course


def _request(course: Course, event: Entry) -> Course:
    return _described(replace(course, status="requested"), event)


def _raise(course: Course, event: Entry) -> Course:
    return _enter(_described(replace(course, status="open"), event), event.facts.get("tier", course.tier), event.at)


def _approve(course: Course, event: Entry) -> Course:
    if course.status != "requested":
        return course
    return _enter(replace(course, status="open"), event.facts.get("tier", course.tier), event.at)


def _described(course: Course, event: Entry) -> Course:
    return replace(course, severity=event.facts["severity"], reason=event.facts["reason"])


def _decline(course: Course, event: Entry) -> Course:
    return replace(course, status="declined") if course.status == "requested" else course


def _acknowledge(course: Course, event: Entry) -> Course:
    course = replace(course, status="in_progress" if course.status == "open" else course.status)
    if course.acknowledged_at is not None:
        return course
    return replace(course, acknowledged_at=event.at, acknowledged_late=bool(event.facts.get("late")))


def _assign(course: Course, event: Entry) -> Course:
    """The chain of owners leaves out who stands in for somebody absent, and the hand-back after it."""
    owner = event.facts["owner"]
    course = replace(course, owner_id=owner, first_owner_id=course.first_owner_id or owner)
    if event.facts.get("cause") in NO_REROUTES:
        return course
    return course if course.owners[-1:] == (owner,) else replace(course, owners=(*course.owners, owner))


def _escalate(course: Course, event: Entry) -> Course:
    return _enter(course, event.facts["tier"], event.at)


def _wait(course: Course, event: Entry) -> Course:
    course = _stop_waiting(course, event.at)
    return replace(course, status="waiting", waiting_for=event.facts["party"], waiting_since=event.at)


def _resume(course: Course, event: Entry) -> Course:
    return replace(_stop_waiting(course, event.at), status="in_progress")


def _resolve(course: Course, event: Entry) -> Course:
    course = _leave(_stop_waiting(course, event.at), event.at)
    course = _prevent(course, event, state="open")
    found: dict[str, Any] = {name: event.facts.get(name) for name in ("preventable", "root_cause")}
    return replace(course, status="resolved", resolved_at=event.at, resolution_id=str(event.id), **found)


def _verify(course: Course, event: Entry) -> Course:
    unanswered = bool(event.facts.get("unanswered"))
    if unanswered or event.facts.get("accepted"):
        word = "unanswered" if unanswered else "confirmed"
        return _close(replace(course, verification=word), "resolved", event)
    return _again(course, event)


def _close_unresolved(course: Course, event: Entry) -> Course:
    return _close(course, event.facts["outcome"], event)


def _close(course: Course, outcome: str, event: Entry) -> Course:
    course = _leave(_stop_waiting(course, event.at), event.at)
    return replace(course, status="closed", outcome=outcome, closed_at=event.at, closing_known=event.known)


def _reopen(course: Course, event: Entry) -> Course:
    return _again(replace(course, outcome=None, verification=None, closed_at=None, closing_known=None), event)


def _again(course: Course, event: Entry) -> Course:
    course = _enter(course, course.tier, event.at)
    undone: dict[str, Any] = dict.fromkeys(("resolved_at", "preventable", "resolution_id", "root_cause"))
    return replace(course, status="in_progress", reopens=course.reopens + 1, **undone)


def _merge(course: Course, event: Entry) -> Course:
    """Only the merged one ends; the survivor's event names where it came from."""
    if "into" not in event.facts:
        return course
    return replace(_leave(_stop_waiting(course, event.at), event.at), status="merged")


def _extend(course: Course, event: Entry) -> Course:
    agreed = event.facts.get("customer_agreed")
    until = datetime.fromisoformat(event.facts["until"])
    return replace(course, extended=True, customer_agreed=agreed, due_at=until)


def _edit(course: Course, event: Entry) -> Course:
    changed = {name: event.facts[name]["is"] for name in ("severity", "reason") if name in event.facts}
    return replace(course, **changed)


def _change_prevention(course: Course, event: Entry) -> Course:
    return _prevent(course, event, state=event.facts["state"], due_on=event.facts["due_on"])


def _prevent(course: Course, event: Entry, *, state: str, due_on: str | None = None) -> Course:
    """An action promised or changed; promised anew in the same words it is the same one."""
    action = event.facts.get("prevention")
    if action is None:
        return course
    said = {"id": action, "state": state, "due_on": due_on or event.facts["prevention_due_on"]}
    return replace(course, prevention={**course.prevention, action: said})


STEPS: dict[str, Callable[[Course, Entry], Course]] = {
    "request": _request,
    "raise": _raise,
    "approve": _approve,
    "decline": _decline,
    "acknowledge": _acknowledge,
    "assign": _assign,
    "escalate": _escalate,
    "wait": _wait,
    "resume": _resume,
    "resolve": _resolve,
    "verify": _verify,
    "close_unresolved": _close_unresolved,
    "reopen": _reopen,
    "merge": _merge,
    "extend": _extend,
    "edit": _edit,
    "prevention": _change_prevention,
}


def _stop_waiting(course: Course, at: datetime) -> Course:
    if course.waiting_since is None or course.waiting_for is None:
        return course
    waited = course.waits.get(course.waiting_for, timedelta(0)) + max(at - course.waiting_since, timedelta(0))
    return replace(course, waits={**course.waits, course.waiting_for: waited}, waiting_for=None, waiting_since=None)


def _enter(course: Course, tier: str, at: datetime) -> Course:
    return replace(_leave(course, at), tier=tier, tier_since=at)


def _leave(course: Course, at: datetime) -> Course:
    """Time in a tier runs until the work in it ends."""
    if course.tier_since is None:
        return course
    spent = course.in_tiers.get(course.tier, timedelta(0)) + max(at - course.tier_since, timedelta(0))
    return replace(course, in_tiers={**course.in_tiers, course.tier: spent}, tier_since=None)
