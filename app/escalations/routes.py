"""Doors to a case: each route loads its body, opens one transaction and answers inside it."""

from typing import Any
from uuid import UUID

from flask import Response

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.escalations import (
    absence_routes,
    action_routes,
    application_pages,
    application_routes,
    bodies,
    clock_routes,
    closure_routes,
    decision_routes,
    drafting_routes,
    feed_routes,
    intake_routes,
    listing,
    outbox_pages,
    path_routes,
    playbook_routes,
    queries,
    raise_bodies,
    rebalancing_routes,
    schemas,
    seals,
    service,
    task_routes,
    timeline_reads,
)
from app.escalations.attachments import routes as attachment_routes
from app.escalations.case import Act
from app.escalations.doors import act, acted, bp, precondition, raised, record
from app.escalations.outages import routes as outage_routes
from app.http import PageArguments, answer, transaction


@bp.post("")
@requires("escalations:raise")
@bp.arguments(raise_bodies.RaiseBody)
@bp.response(201, schemas.RaisedSchema)
def raise_escalation(body: dict[str, Any]) -> Response:
    """Link the demand to its account and value, give it to its owner, start its promises."""
    with transaction():
        return raised(service.raise_escalation(service.new_escalation(body), act=act()))


@bp.get("")
@requires("escalations:read")
@bp.arguments(bodies.ListArguments, location="query")
@bp.response(200, schemas.EscalationPage)
def list_escalations(arguments: dict[str, Any]) -> Response:
    """Cases by status, tier, severity, owner, account, team, due; sorted by due unless said."""
    with transaction():
        page = listing.list_escalations(arguments, actor=current_actor(), now=clock.now())
        return answer(schemas.EscalationPage, page)


@bp.get("/<uuid:escalation_id>")
@requires("escalations:read")
@bp.response(200, schemas.EscalationSchema)
def get_escalation(escalation_id: UUID) -> Response:
    """The record; a merged one shows where it leads."""
    with transaction():
        return record(escalation_id)


@bp.patch("/<uuid:escalation_id>")
@requires("escalations:work")
@bp.arguments(bodies.EditBody)
@bp.response(200, schemas.EscalationSchema)
def edit_escalation(body: dict[str, Any], escalation_id: UUID) -> Response:
    """Change what the record says; needs If-Match."""
    with transaction():
        return acted(service.edit(escalation_id, act=Act(current_actor(), clock.now(), precondition), changes=body))


@bp.get("/<uuid:escalation_id>/timeline")
@requires("escalations:read")
@bp.arguments(PageArguments, location="query")
@bp.response(200, schemas.EventPage)
def get_timeline(arguments: dict[str, Any], escalation_id: UUID) -> Response:
    """Every event, oldest first, with its hash."""
    with transaction():
        found = queries.get_visible(escalation_id, actor=current_actor(), now=clock.now())
        page = timeline_reads.list_events(found.id, cursor=arguments.get("cursor"), limit=arguments["limit"])
        return answer(schemas.EventPage, page)


@bp.get("/<uuid:escalation_id>/timeline/verify")
@requires("escalations:read")
@bp.response(200, schemas.ChainSchema)
def verify_timeline(escalation_id: UUID) -> Response:
    """Recompute the chain of hashes and compare it with the newest signed list that names it."""
    with transaction():
        found = queries.get_visible(escalation_id, actor=current_actor(), now=clock.now())
        return answer(schemas.ChainSchema, seals.verify(found))


# Importing the actions gives the blueprint their routes.
blueprints = [
    *action_routes.blueprints,
    *task_routes.blueprints,
    clock_routes.bp,
    clock_routes.aside,
    clock_routes.events,
    outbox_pages.bp,
    *closure_routes.blueprints,
    *decision_routes.blueprints,
    path_routes.bp,
    playbook_routes.bp,
    *drafting_routes.blueprints,
    *intake_routes.blueprints,
    *feed_routes.blueprints,
    application_routes.bp,
    application_pages.bp,
    absence_routes.bp,
    rebalancing_routes.bp,
    *attachment_routes.blueprints,
    *outage_routes.blueprints,
]
