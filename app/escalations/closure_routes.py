"""Doors to what a good end needs: exit criteria, what keeps a case from happening again, the customer's opinion, and
what was learnt."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import Response, request

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction as plain_transaction
from app.escalations import closure_schemas as schemas
from app.escalations import criteria, lessons, prevention, prevention_lists, queries, surveys
from app.escalations.bodies import ActionBody
from app.escalations.case import Act
from app.escalations.doors import act, bp
from app.http import (
    ApiBlueprint,
    PageArguments,
    answer,
    check_if_match,
    decode_cursor,
    encode_cursor,
    page,
    require_if_match,
    transaction,
)
from app.playbooks import service as playbooks


def guard_action(prevention_action_id: UUID) -> None:
    """404 for what the caller may not see, 403 for what is not theirs to change, before a faulty body is described."""
    with plain_transaction():
        now = clock.now()
        prevention_lists.get_action(prevention_action_id, actor=current_actor(), now=now)
        if request.method == "PATCH":
            prevention.take(prevention_action_id, Act(current_actor(), now))


actions = ApiBlueprint("prevention", __name__, url_prefix="/api/v1/prevention-actions", record_guard=guard_action)


learnt = ApiBlueprint("lessons", __name__, url_prefix="/api/v1/lessons")


@bp.get("/<uuid:escalation_id>/exit-criteria")
@requires("escalations:read")
@bp.arguments(PageArguments, location="query")
@bp.response(200, schemas.CriterionPage)
def list_criteria(arguments: dict[str, Any], escalation_id: UUID) -> Response:
    """What must hold before the case is called resolved: the playbook's, then what was agreed for this case."""
    position, limit = decode_cursor(arguments.get("cursor")), arguments["limit"]
    with transaction():
        found = queries.get_visible(escalation_id, actor=current_actor(), now=clock.now())
        playbook = playbooks.find_playbook(found.playbook_version_id)
        views = [schemas.criterion_view(one) for one in criteria.of_case(found, playbook)]
        first = next((n + 1 for n, view in enumerate(views) if position and view["key"] == position[0]), 0)
        shown = views[first : first + limit]
        more = len(views) > first + limit
        return answer(
            schemas.CriterionPage,
            {"items": shown, "next_cursor": encode_cursor([shown[-1]["key"]]) if more else None},
        )


@bp.post("/<uuid:escalation_id>/exit-criteria")
@requires("escalations:work")
@bp.arguments(schemas.AgreeBody)
@bp.response(201, schemas.CriterionSchema)
def agree_criterion(body: dict[str, Any], escalation_id: UUID) -> Response:
    """Keep what the customer and we call solved, for this case alone."""
    with transaction():
        doing = act(body)
        agreed = criteria.agree(escalation_id, act=doing, content=body["text"], agreed_with=body["agreed_with"])
        return answer(schemas.CriterionSchema, schemas.criterion_view(agreed), 201)


@bp.patch("/<uuid:escalation_id>/exit-criteria/<key>")
@requires("escalations:work")
@bp.arguments(schemas.CriterionBody)
@bp.response(200, schemas.CriterionSchema)
def change_criterion(body: dict[str, Any], escalation_id: UUID, key: str) -> Response:
    """Met, waived with its reason, or open again, before resolving; needs the criterion's ETag in If-Match."""
    note = body.pop("note", None)
    with transaction():
        require_if_match()
        doing = Act(current_actor(), clock.now(), note=note)
        state, reason = body["state"], body.get("reason")
        changed = criteria.change_criterion(
            escalation_id, key, act=doing, state=state, reason=reason, check=check_if_match
        )
        return answer(schemas.CriterionSchema, schemas.criterion_view(changed))


@bp.post("/<uuid:escalation_id>/survey")
@requires("escalations:work")
@bp.arguments(ActionBody)
@bp.response(201, schemas.SurveySchema)
def ask_survey(body: dict[str, Any], escalation_id: UUID) -> Response:
    """A link for the customer to say how it was handled, once they have confirmed; it can be answered once."""
    with transaction():
        asked = surveys.ask(escalation_id, act=act(body), now=clock.real_now())
        return answer(schemas.SurveySchema, asked, 201, once=("url",))


@actions.get("")
@requires("escalations:read")
@actions.arguments(schemas.PreventionArguments, location="query")
@actions.response(200, schemas.PreventionActionPage)
def list_actions(query: dict[str, Any]) -> Response:
    """What was promised to keep cases from happening again, by its day: mine, a colleague's, an account's, overdue."""
    with transaction():
        return page(
            schemas.PreventionActionPage,
            query,
            lambda after, limit: prevention_lists.list_actions(
                query,
                actor=current_actor(),
                now=clock.now(),
                after=(date.fromisoformat(after[0]), UUID(after[1])) if after else None,
                limit=limit,
            ),
            lambda found: [found["due_on"].isoformat(), str(found["id"])],
        )


@actions.get("/<uuid:prevention_action_id>")
@requires("escalations:read")
@actions.response(200, schemas.PreventionActionSchema)
def get_action(prevention_action_id: UUID) -> Response:
    """One prevention action."""
    with transaction():
        return _action(prevention_action_id)


@actions.patch("/<uuid:prevention_action_id>")
@requires("escalations:work")
@actions.arguments(schemas.PreventionChangeBody)
@actions.response(200, schemas.PreventionActionSchema)
def change_action(body: dict[str, Any], prevention_action_id: UUID) -> Response:
    """Done, dropped with the reason, open again, or due on another day or of another owner; needs its ETag."""
    note = body.pop("note", None)
    with transaction():
        require_if_match()
        doing = Act(current_actor(), clock.now(), note=note)
        prevention.change_action(prevention_action_id, act=doing, changes=body, check=check_if_match)
        return _action(prevention_action_id)


def _action(action_id: UUID) -> Response:
    found = prevention_lists.get_action(action_id, actor=current_actor(), now=clock.now())
    return answer(schemas.PreventionActionSchema, found)


@learnt.get("")
@requires("escalations:read")
@learnt.arguments(schemas.LessonArguments, location="query")
@learnt.response(200, schemas.LessonPage)
def list_lessons(query: dict[str, Any]) -> Response:
    """What solved cases of this reason before, newest first; `q` finds words of the case by how they begin."""
    with transaction():
        return page(
            schemas.LessonPage,
            query,
            lambda after, limit: lessons.list_lessons(
                query,
                actor=current_actor(),
                now=clock.now(),
                after=(datetime.fromisoformat(after[0]), UUID(after[1])) if after else None,
                limit=limit,
            ),
            lambda found: [found["resolved_at"].isoformat(), str(found["id"])],
        )


blueprints = [actions, learnt]
