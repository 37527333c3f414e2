"""Doors to what is asked of a case."""

from typing import Any
from uuid import UUID

from flask import Response

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.escalations import asked
from app.escalations.intake_schemas import IntakeSchema, QuestionArguments, QuestionsSchema
from app.http import ApiBlueprint, answer, transaction

bp = ApiBlueprint("intake", __name__, url_prefix="/api/v1/escalations")
before = ApiBlueprint("questions", __name__, url_prefix="/api/v1/playbooks")
blueprints = [bp, before]


@bp.get("/<uuid:escalation_id>/intake")
@requires("escalations:read")
@bp.response(200, IntakeSchema)
def get_intake(escalation_id: UUID) -> Response:
    """What is asked of a case with its reason, what was answered by whom, and what is still open."""
    with transaction():
        return answer(IntakeSchema, asked.get_intake(escalation_id, actor=current_actor(), now=clock.now()))


@before.get("/questions")
@requires("escalations:raise")
@before.arguments(QuestionArguments, location="query")
@before.response(200, QuestionsSchema)
def list_questions(query: dict[str, Any]) -> Response:
    """What would be asked of a case raised with these, so that a form can show it first; nothing is stored."""
    with transaction():
        return answer(QuestionsSchema, asked.questions_before(query, now=clock.now()))
