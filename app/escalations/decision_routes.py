"""Doors to who owns a case and why, and to the cases for which no rule found an owner."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.escalations import decisions, queries
from app.escalations.decision_schemas import DecisionPage, FailurePage
from app.http import ApiBlueprint, PageArguments, answer, page, transaction

bp = ApiBlueprint("decisions", __name__, url_prefix="/api/v1/escalations")
failures = ApiBlueprint("failures", __name__, url_prefix="/api/v1/routing/failures")
blueprints = [bp, failures]


@bp.get("/<uuid:escalation_id>/routing")
@requires("escalations:read")
@bp.arguments(PageArguments, location="query")
@bp.response(200, DecisionPage)
def list_decisions(arguments: dict[str, Any], escalation_id: UUID) -> Response:
    """Every decision on the case's owner, oldest first: rules, candidates, who was left out, and what it was made from.

    A case that the caller may not see looks like none; whom a case is about never sees it.
    """
    with transaction():
        actor = current_actor()
        found = queries.get_visible(escalation_id, actor=actor, now=clock.now())
        return answer(DecisionPage, decisions.list_decisions(found.id, actor=actor, **arguments))


@failures.get("")
@failures.arguments(PageArguments, location="query")
@failures.response(200, FailurePage)
@requires("routing:read")
def list_failures(query: dict[str, Any]) -> Response:
    """Decisions in which no rule found an owner and somebody stood in, newest first, of the cases the caller sees."""
    with transaction():
        return page(
            FailurePage,
            query,
            lambda after, limit: decisions.list_failures(
                actor=current_actor(), now=clock.now(), before=_position(after), limit=limit
            ),
            lambda decision: [decision.at.isoformat(), str(decision.id)],
        )


def _position(after: list[Any] | None) -> tuple[datetime, UUID] | None:
    return (datetime.fromisoformat(after[0]), UUID(after[1])) if after else None
