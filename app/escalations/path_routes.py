"""Doors to the way of a case up the tiers: its path, the draft of a handover brief, the dossier for a decision."""

from typing import Any
from uuid import UUID

from flask import Response

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.escalations import briefing, dossier, history
from app.escalations.path_schemas import DossierSchema, HandoverArguments, HandoverSchema, PathSchema
from app.http import ApiBlueprint, PageArguments, answer, transaction

bp = ApiBlueprint("paths", __name__, url_prefix="/api/v1/escalations")


@bp.get("/<uuid:escalation_id>/path")
@requires("escalations:read")
@bp.response(200, PathSchema)
def get_path(escalation_id: UUID) -> Response:
    """Where the work was, is and may still go: what each tier answered, tried and handed up, its time against its
    target, and first of all what must not be tried again."""
    with transaction():
        return answer(PathSchema, history.get_path(escalation_id, actor=current_actor(), now=clock.now()))


@bp.get("/<uuid:escalation_id>/handover")
@requires("escalations:read")
@bp.arguments(HandoverArguments, location="query")
@bp.response(200, HandoverSchema)
def draft_handover(arguments: dict[str, Any], escalation_id: UUID) -> Response:
    """A draft of the handover brief for the next tier or for `to_tier`, drawn from the case; a person completes it."""
    with transaction():
        found = briefing.draft_handover(
            escalation_id, actor=current_actor(), now=clock.now(), to_tier=arguments.get("to_tier")
        )
        return answer(HandoverSchema, found)


@bp.get("/<uuid:escalation_id>/dossier")
@requires("escalations:read")
@bp.arguments(PageArguments, location="query")
@bp.response(200, DossierSchema)
def get_dossier(arguments: dict[str, Any], escalation_id: UUID) -> Response:
    """What management decides on: the options, the record, the path, and page by page everything done, in order."""
    with transaction():
        found = dossier.get_dossier(
            escalation_id,
            actor=current_actor(),
            now=clock.now(),
            limit=arguments["limit"],
            cursor=arguments.get("cursor"),
        )
        return answer(DossierSchema, found)
