"""Moving a task's due time: what hangs on it is shown before, and everything is moved back together."""

from uuid import UUID

from flask import Response
from marshmallow import fields

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction as reading
from app.escalations import overview, task_bodies
from app.escalations import service as escalations
from app.http import transaction
from app.http.panels import go, page
from app.panels.case_edit import of_version
from app.panels.case_forms import doing, load
from app.panels.cases import bp


class MoveForm(task_bodies.MoveTaskBody):
    version = fields.Integer(required=True)


@bp.post("/escalations/<uuid:escalation_id>/tasks/<uuid:task_id>/move/preview")
@requires("escalations:work")
def preview_move(escalation_id: UUID, task_id: UUID) -> Response:
    """Which tasks would be due when; nothing is written."""
    with reading():
        body = load(MoveForm, escalation_id)
        check, act = of_version(body.pop("version")), doing(body)
        found = escalations.move_task(escalation_id, task_id, act=act, check=check, **{**body, "preview": True})
        return page("panels/case/moves.html", move=found.view(), case_id=escalation_id)


@bp.post("/escalations/<uuid:escalation_id>/tasks/<uuid:task_id>/move")
@requires("escalations:work")
def move_task(escalation_id: UUID, task_id: UUID) -> Response:
    """Another due time, with what hangs on it if asked."""
    with transaction():
        body = load(MoveForm, escalation_id)
        check, act = of_version(body.pop("version")), doing(body)
        done = escalations.move_task(escalation_id, task_id, act=act, check=check, **{**body, "preview": False})
        return go(f"/escalations/{escalation_id}/moves/{done.id}")


@bp.get("/escalations/<uuid:escalation_id>/moves/<uuid:move_id>")
@requires("escalations:read")
def show_move(escalation_id: UUID, move_id: UUID) -> Response:
    """What was moved together, to be moved back."""
    with reading():
        _record, case = overview.get_case(escalation_id, actor=current_actor(), now=clock.now())
        found = overview.get_move(escalation_id, move_id)
        return page("panels/case/moved.html", case=case, case_id=escalation_id, move=found, zone=case["zone"])


@bp.post("/escalations/<uuid:escalation_id>/moves/<uuid:move_id>/undo")
@requires("escalations:work")
def undo_move(escalation_id: UUID, move_id: UUID) -> Response:
    """Every task of the move is due as before; refused when one of them was changed since."""
    with transaction():
        escalations.undo_move(escalation_id, move_id, act=doing({}))
        return go(f"/escalations/{escalation_id}/moves/{move_id}")
