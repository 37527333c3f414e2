"""Resolving: the work is done, subject to the customer's word; what is still required stands between."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.db import db
from app.errors import invalid
from app.escalations import criteria, lessons, prevention, promises, tasking
from app.escalations.case import Act, Change, begin
from app.escalations.errors import NotReady
from app.escalations.models import Escalation
from app.escalations.outages.models import RESOLUTION
from app.escalations.waiting import stop_waiting
from app.escalations.working import reweigh
from app.playbooks import service as playbooks

TAKEN_UP_AGAIN = text(
    """
    select max(recorded_at) from event where escalation_id = :id
    and (kind = 'reopen' or kind = 'verify' and facts ->> 'accepted' = 'false')
    """
)


@dataclass(frozen=True)
class Resolution:
    """What was done, why it happened, and what will keep it from happening again."""

    summary: str
    root_cause: str
    preventable: bool
    prevention: dict[str, Any] | None = None
    waived: tuple[dict[str, Any], ...] = ()
    met: tuple[str, ...] = ()


def resolve(escalation_id: UUID, *, act: Act, resolution: Resolution, at: datetime | None = None) -> Escalation:
    """The work is done, subject to the customer's word; required tasks are done or waived with a reason."""
    change = begin(escalation_id, "resolve", act)
    was_waiting = change.record.status == "waiting"
    change.step("resolve")
    found = criteria.of_case(change.record, change.playbook)
    waive(change, resolution, found)
    happened_at = moment_of(change, at)
    if was_waiting:
        stop_waiting(change)
    change.record.resolved_at = happened_at
    promises.resolved(change, happened_at)
    promised = prevention.promise(change, resolution.prevention) if resolution.prevention else None
    facts = {
        "met": found.in_state("met"),
        "waived_criteria": found.in_state("waived"),
        "preventable": resolution.preventable,
        "prevention": promised.id if promised else None,
        "prevention_owner": promised.owner_id if promised else None,
        "prevention_due_on": promised.due_on if promised else None,
    }
    texts = {
        "summary": resolution.summary,
        "root_cause": resolution.root_cause,
        "prevention": promised.action if promised else None,
    }
    change.note("resolve", facts, texts, at=happened_at)
    reweigh(change)
    saved = change.save()
    lessons.keep(saved.id)
    return saved


def moment_of(change: Change, at: datetime | None) -> datetime:
    """When it was resolved: never before the case was last taken up again, or what runs since then would run on."""
    happened_at = change.happened_at(at)
    if change.record.reopens == 0 or happened_at == change.now:
        return happened_at
    again: datetime | None = db.session.scalar(TAKEN_UP_AGAIN, {"id": change.record.id})
    if again is not None and happened_at < again:
        raise invalid("at", f"expected not before the case was taken up again, {again.isoformat()}")
    return happened_at


def waive(change: Change, resolution: Resolution, found: criteria.Criteria) -> None:
    """Waive the tasks and exit criteria named with their reasons; what is still required is answered by name."""
    reasons = {entry["task_id"]: entry["reason"] for entry in resolution.waived if entry.get("task_id")}
    open_tasks = playbooks.list_open(change.record.id)
    if unknown := set(reasons) - {task.id for task in open_tasks}:
        raise invalid("waived", f"{unknown.pop()} is no open task of this case")
    missing = list_unmet(change, resolution, found)
    for task in open_tasks:
        if task.id in reasons:
            tasking.settle(change, task, {"state": "waived", "reason": reasons[task.id]})
            change.note("task", {"task": task.id, "state": "waived"}, {"reason": reasons[task.id]})
        elif task.kind in ("qualification", RESOLUTION):  # it is resolved here: that is the answer
            tasking.settle(change, task, {"state": "done"})
            change.note("task", {"task": task.id, "state": "done"})
        elif task.required:
            missing.append({"task_id": str(task.id), "title": task.title})
    if missing:
        raise NotReady(missing=missing)


def list_unmet(change: Change, resolution: Resolution, found: criteria.Criteria) -> list[dict[str, str]]:
    """The exit criteria that are still open once those named are met or waived; one the case does not have is refused.

    What was said earlier counts.
    """
    known = {one.key: one for one in found}
    waived = {entry["criterion"]: entry["reason"] for entry in resolution.waived if entry.get("criterion")}
    for field, keys in (("met", resolution.met), ("waived", waived)):
        if unknown := sorted(set(keys) - set(known)):
            expected = f"one of {', '.join(known)}" if known else "none: this case has no exit criteria"
            raise invalid(field, f"{unknown[0]} is no exit criterion, expected {expected}")
    for key in resolution.met:
        found.settle(change, known[key], "met")
    for key, reason in waived.items():
        found.settle(change, known[key], "waived", reason)
    return [{"criterion": one.key, "text": one.text} for one in found if one.state == "open"]
