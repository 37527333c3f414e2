"""Doors to the playbook of a case: how it stands, what another would change, and replacing it."""

from typing import Any
from uuid import UUID

from flask import Response

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.escalations import playbook_schemas as schemas
from app.escalations import playbook_state, replacing
from app.escalations.doors import act, guard_record
from app.http import ApiBlueprint, answer, transaction

bp = ApiBlueprint("case-playbook", __name__, url_prefix="/api/v1/escalations", record_guard=guard_record)


@bp.get("/<uuid:escalation_id>/playbook")
@requires("escalations:read")
@bp.response(200, schemas.CasePlaybookSchema)
def get_case_playbook(escalation_id: UUID) -> Response:
    """The version the case goes by, and how its questions, tasks, tiers and exit criteria stand."""
    with transaction():
        found = playbook_state.get_state(escalation_id, actor=current_actor(), now=clock.now())
        return answer(schemas.CasePlaybookSchema, found)


@bp.post("/<uuid:escalation_id>/playbook/preview")
@requires("escalations:work")
@bp.arguments(schemas.PreviewBody)
@bp.response(200, schemas.ReplacementSchema)
def preview_playbook(body: dict[str, Any], escalation_id: UUID) -> Response:
    """What becomes of every task, promise, tier and criterion under another playbook; its digest confirms it."""
    with transaction():
        found = replacing.preview(escalation_id, body["playbook_id"], act=act())
        return answer(schemas.ReplacementSchema, found.view())


@bp.post("/<uuid:escalation_id>/playbook")
@requires("escalations:work")
@bp.arguments(schemas.ReplaceBody)
@bp.response(200, schemas.ReplacementSchema)
def replace_playbook(body: dict[str, Any], escalation_id: UUID) -> Response:
    """Another playbook, exactly as previewed; 409 `ground_changed` when it would do something else by now."""
    with transaction():
        doing = act(body)
        return answer(schemas.ReplacementSchema, replacing.replace(escalation_id, act=doing, **body).view())
