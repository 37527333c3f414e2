"""What a caller may do with a case now: the lifecycle's steps and everything beside them that its doors take."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.auth.actor import Actor
from app.db import db
from app.escalations import lifecycle, permissions, standing
from app.escalations.approving import approver_ids
from app.escalations.models import Escalation, Request
from app.escalations.tiers import TIERS, tiers_above
from app.playbooks import service as playbooks

UNTIL_RESOLVED = frozenset({lifecycle.OPEN, lifecycle.IN_PROGRESS, lifecycle.WAITING})
NOT_MERGED = frozenset(lifecycle.STATUSES) - {lifecycle.MERGED}

# What is no step of the lifecycle: what the permission is called, and in which statuses it is taken.
BESIDE: Mapping[str, tuple[str, frozenset[str]]] = {
    "edit": ("edit", NOT_MERGED),
    "updates": ("update", NOT_MERGED),
    "messages": ("message", NOT_MERGED),
    "attempts": ("attempt", NOT_MERGED),
    "comments": ("comment", NOT_MERGED),
    "links": ("link", NOT_MERGED),
    "attachments": ("attachment", NOT_MERGED),
    "tasks": ("add_task", lifecycle.LIVE),
    "exit-criteria": ("criterion", UNTIL_RESOLVED),
    "playbook": ("playbook", UNTIL_RESOLVED),
    "survey": ("survey", frozenset({lifecycle.CLOSED})),
}


def list_allowed(record: Escalation, actor: Actor, *, now: datetime) -> tuple[str, ...]:
    """The actions that the doors would take from this actor now, as far as rights and status decide; two statements,
    of a request for approval up to five. Of a merged case, and of one they may not see, none."""
    asked = select(Request.kind, Request.asker_id).where(Request.escalation_id == record.id, Request.state == "pending")
    pending = {row.kind: row.asker_id for row in db.session.execute(asked)}
    return allowed_to(record, actor, standing_in(record, actor, now=now), pending)


def standing_in(record: Escalation, actor: Actor, *, now: datetime) -> permissions.Actor:
    """How the actor stands to the case, before a request for approval as one of its approvers too."""
    found = standing.standing_of(record, actor, now=now)
    if record.status == lifecycle.REQUESTED:
        return permissions.as_approver(found, actor.user_id, approver_ids(record))
    return found


def allowed_to(
    record: Escalation, actor: Actor, found: permissions.Actor, pending: Mapping[str, UUID | None]
) -> tuple[str, ...]:
    """The same from what is known; `pending` tells who asked for what still waits for an answer."""
    if record.status == lifecycle.MERGED or not permissions.may_see(found, restricted=record.restricted):
        return ()
    facts = lifecycle.Facts(acknowledgement_void=not record.acknowledged, extension_pending="extension" in pending)
    steps = [
        step
        for step in lifecycle.allowed(record.status, facts)
        if leads_on(record, step) and _may(step, record, actor, found, pending)
    ]
    beside = [name for name, (right, taken) in BESIDE.items() if record.status in taken and _has(right, found)]
    if record.verification != "confirmed" and "survey" in beside:
        beside.remove("survey")
    return (*steps, *beside)


def leads_on(record: Escalation, step: str) -> bool:
    """With management nothing is asked but the decision, and from the end of the path nothing leads up."""
    if step == "qualify":
        return record.tier != TIERS[-1]
    return step != "escalate" or bool(tiers_above(record.tier, path_of(record)))


def path_of(record: Escalation) -> Sequence[str]:
    """The tiers of the case's playbook; all of them without one."""
    playbook = playbooks.find_playbook(record.playbook_version_id)
    return playbook.path if playbook else TIERS


def _may(
    step: str,
    record: Escalation,
    actor: Actor,
    found: permissions.Actor,
    pending: Mapping[str, UUID | None],
) -> bool:
    if step not in permissions.ANSWERS:
        return _has(step, found)
    kind: permissions.Pending = "raise" if record.status == lifecycle.REQUESTED else "extension"
    if kind not in pending or (pending[kind] is not None and pending[kind] == actor.user_id):
        return False
    return permissions.who_may(step, found, pending=kind)


def _has(right: str, found: permissions.Actor) -> bool:
    return permissions.who_may(right, found)
