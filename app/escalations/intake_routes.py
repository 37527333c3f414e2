"""Doors to what is asked of a case, and to those that may be the same."""

from typing import Any
from uuid import UUID

from flask import Response

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.auth.reasons import check_reason
from app.auth.settings import tenant_settings
from app.escalations import asked, duplicates
from app.escalations.demand import NewEscalation
from app.escalations.duplicate_schemas import DuplicatesSchema, LookBody
from app.escalations.intake_schemas import IntakeSchema, QuestionArguments, QuestionsSchema
from app.escalations.likeness import Likeness
from app.escalations.raising import find_account
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


@bp.get("/<uuid:escalation_id>/duplicates")
@requires("escalations:read")
@bp.response(200, DuplicatesSchema)
def list_duplicates(escalation_id: UUID) -> Response:
    """Cases that may be the same as this one, at most 20, each with why; a person links or merges them."""
    with transaction():
        found = duplicates.duplicates_of(escalation_id, actor=current_actor(), now=clock.now())
        return answer(DuplicatesSchema, found)


@bp.post("/duplicates")
@requires("escalations:read")
@bp.arguments(LookBody)
@bp.response(200, DuplicatesSchema)
def look_for_duplicates(body: dict[str, Any]) -> Response:
    """Cases that may be the same as one that is being written; nothing is stored."""
    with transaction():
        found = duplicates.list_duplicates(like_of(body), actor=current_actor(), now=clock.now())
        return answer(DuplicatesSchema, found)


def like_of(body: dict[str, Any]) -> Likeness:
    """What is compared of a body, whose account and reason must exist."""
    check_reason(body["reason"], tenant_settings())
    named = body.get("account")
    key = (named["source"], named["external_id"]) if named else None
    sought = NewEscalation(body["title"], severity=4, account_id=body.get("account_id"), account=key)
    return Likeness(
        account_id=find_account(sought, clock.now()).account.id,
        title=body["title"],
        statement=body.get("customer_statement"),
        reason=body["reason"],
        refs=body.get("external_refs", ()),
    )
