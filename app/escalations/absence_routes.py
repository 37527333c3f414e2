"""Doors to what was moved for an absence: the list that is offered at its end, and taking it back."""

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.auth.queries import get_user
from app.db import transaction as plain_transaction
from app.escalations import handing_back, handing_bodies
from app.escalations.case import Act
from app.escalations.schemas import PersonSchema
from app.http import ApiBlueprint, AwareDateTime, Page, PageArguments, Schema, answer, page, transaction
from app.routing import service as routing


class OfferedSchema(Schema):
    """A case that was moved and is still with somebody else."""

    escalation_id = fields.UUID()
    number = fields.String()
    title = fields.String()
    account = fields.String()
    status = fields.String()
    severity = fields.Integer()
    due_at = AwareDateTime()
    owner = fields.Nested(PersonSchema)
    moved_at = AwareDateTime()


OfferedPage = Page(OfferedSchema)


class TakenBackSchema(Schema):
    """The cases that are the person's again; `more` says that others are still offered."""

    escalation_ids = fields.List(fields.UUID())
    more = fields.Boolean()


def guard_absence(user_id: UUID, absence_id: UUID) -> None:
    """404 for an absence that does not exist, 403 unless it is the caller's own, that of somebody below, or any to an
    admin."""
    with plain_transaction():
        get_user(user_id)
        routing.get_absence(user_id, absence_id)
        routing.check_absences_of(user_id, current_actor())


bp = ApiBlueprint(
    "hand-back",
    __name__,
    url_prefix="/api/v1/users/<uuid:user_id>/absences/<uuid:absence_id>/hand-back",
    record_guard=guard_absence,
)


@bp.get("")
@bp.arguments(PageArguments, location="query")
@bp.response(200, OfferedPage)
@requires("escalations:read")
def list_offered(query: dict[str, Any], user_id: UUID, absence_id: UUID) -> Response:
    """What was moved for the absence and is still open with somebody else, in the order it was moved."""
    with transaction():
        absence = routing.get_absence(user_id, absence_id)
        routing.check_absences_of(user_id, current_actor())
        return page(
            OfferedPage,
            query,
            lambda after, limit: handing_back.list_offered(
                absence,
                actor=current_actor(),
                now=clock.now(),
                after=UUID(after[0]) if after else None,
                limit=limit,
            ),
            lambda line: [str(line["move_id"])],
        )


@bp.post("")
@bp.arguments(handing_bodies.TakeBackBody)
@bp.response(200, TakenBackSchema)
@requires("escalations:work")
def take_back(body: dict[str, Any], user_id: UUID, absence_id: UUID) -> Response:
    """Back into the hands of who was away: these cases, or all that are offered."""
    with transaction():
        absence = routing.get_absence(user_id, absence_id, lock=True)
        actor, now = current_actor(), clock.now()
        routing.check_absences_of(user_id, actor)
        taken = handing_back.take_back(absence, act=Act(actor, now), wanted=body["escalation_ids"])
        left = handing_back.list_offered(absence, actor=actor, now=now, after=None, limit=1)
        return answer(TakenBackSchema, {"escalation_ids": taken, "more": bool(left)})
