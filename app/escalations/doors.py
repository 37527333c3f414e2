"""What the doors to a case share: the blueprint, who acts, and how the record is answered."""

from typing import Any
from uuid import UUID

from flask import Response, request

from app import clock
from app.auth.actor import SYSTEM, current_actor
from app.db import transaction as plain_transaction
from app.escalations import lifecycle, permissions, queries, record_shapes, schemas, standing
from app.escalations.case import Act
from app.escalations.errors import NotYours
from app.escalations.models import Escalation
from app.escalations.service import Raised
from app.escalations.words import numbered
from app.http import ApiBlueprint, answer, check_if_match, require_if_match

LOGGED = {
    "tasks": "add_task",
    "move": "move",
    "undo": "move",
    "playbook": "playbook",
    "preview": "playbook",
    "exit-criteria": "criterion",
    "survey": "survey",
    **{f"{log}s": log for log in permissions.LOGS},
}


def guard_record(escalation_id: UUID, **others: Any) -> None:
    """404 for what the caller may not see, 403 for what they may not do to it, before a faulty body is described."""
    with plain_transaction():
        record = standing.lock_record(escalation_id)
        found = standing.standing_of(record, current_actor(), now=clock.now())
        standing.check_seen(record, found, current_actor())
        action = asked_action(others)
        if action is not None and not permissions.who_may(action, found):
            raise NotYours(f"{action}: {NotYours.title.lower()}")


def asked_action(others: dict[str, Any]) -> str | None:
    """What the request would do to the case; None for reads, and for answers to a request, judged with that request."""
    if request.method == "PATCH":
        return "task" if others else "edit"
    name = request.path.rpartition("/")[2]
    if name in permissions.ANSWERS:
        return None
    return name if name in lifecycle.ACTIONS else LOGGED.get(name)


bp = ApiBlueprint("escalations", __name__, url_prefix="/api/v1/escalations", record_guard=guard_record)


def act(body: dict[str, Any] | None = None) -> Act:
    """Who acts now, under which precondition; takes the note out of the body."""
    note = body.pop("note", None) if body else None
    return Act(actor=current_actor(), now=clock.now(), check=check_if_match, note=note)


def record(escalation_id: UUID, status: int = 200) -> Response:
    """The record as it is now, inside the open transaction."""
    found = queries.get_record(escalation_id, actor=current_actor(), now=clock.now())
    return answer(schemas.EscalationSchema, found, status)


def acted(changed: Escalation, status: int = 200) -> Response:
    """The answer of an action, also to who just gave a restricted case out of their hands.

    An integration, which reads nothing, gets what it needs to go on.
    """
    if current_actor().role == "integration":
        brief = {"id": changed.id, "number": numbered(changed.number), "status": changed.status}
        return answer(schemas.EscalationSchema, {**brief, "version": changed.version}, status)
    found = queries.get_record(changed.id, actor=SYSTEM, now=clock.now())
    return answer(schemas.EscalationSchema, found, status)


def raised(result: Raised) -> Response:
    """201 with owner, why, and every due time."""
    location = {"Location": f"/api/v1/escalations/{result.record.id}"}
    return answer(schemas.RaisedSchema, record_shapes.raised_of(result, clock.now()), 201, location)


def precondition(found: Escalation) -> None:
    require_if_match()
    check_if_match(found)
