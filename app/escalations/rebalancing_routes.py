"""Doors to the relief of an overloaded team: the proposal, and its confirmation."""

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction as plain_transaction
from app.escalations import handing_bodies, rebalancing
from app.escalations.case import Act
from app.escalations.schemas import PersonSchema
from app.http import ApiBlueprint, Schema, answer, transaction
from app.routing import service as routing


class ReliefMoveSchema(Schema):
    escalation_id = fields.UUID()
    number = fields.String()
    title = fields.String()
    severity = fields.Integer()
    weight = fields.Float()
    from_user = fields.Nested(PersonSchema)
    to_user = fields.Nested(PersonSchema)


class ReliefLoadSchema(Schema):
    """What a member holds, in work weight, before and after; `over_by` is what would still be too much."""

    user = fields.Nested(PersonSchema)
    capacity = fields.Float()
    before = fields.Float()
    after = fields.Float()
    over_by = fields.Float()


class RebalancingSchema(Schema):
    """`complete`: nobody would hold more than fits. `fewest`: no fewer moves would do. `impossible`: none would."""

    team_id = fields.UUID()
    digest = fields.String()
    complete = fields.Boolean()
    fewest = fields.Boolean()
    impossible = fields.Boolean()
    moves = fields.List(fields.Nested(ReliefMoveSchema))
    people = fields.List(fields.Nested(ReliefLoadSchema))


def guard_team(team_id: UUID) -> None:
    with plain_transaction():
        rebalancing.check_may(routing.get_team(team_id), current_actor(), clock.now())


bp = ApiBlueprint(
    "rebalancing", __name__, url_prefix="/api/v1/teams/<uuid:team_id>/rebalancing", record_guard=guard_team
)


@bp.get("")
@bp.response(200, RebalancingSchema)
@requires("escalations:read")
def get_rebalancing(team_id: UUID) -> Response:
    """The fewest moves that bring everybody of the team to what fits; nothing is done."""
    with transaction():
        team, actor, now = routing.get_team(team_id), current_actor(), clock.now()
        rebalancing.check_may(team, actor, now)
        found = rebalancing.plan(team, actor=actor, now=now)
        return answer(RebalancingSchema, rebalancing.answer_of(found))


@bp.post("")
@bp.arguments(handing_bodies.RebalancingBody)
@bp.response(200, RebalancingSchema)
@requires("escalations:work")
def rebalance(body: dict[str, Any], team_id: UUID) -> Response:
    """Carry out exactly the proposal of this digest, with the reason; 409 when the ground has changed."""
    with transaction():
        team, actor, now = routing.get_team(team_id), current_actor(), clock.now()
        rebalancing.check_may(team, actor, now)
        done = rebalancing.apply(team, digest=body["digest"], reason=body["reason"], act=Act(actor, now))
        return answer(RebalancingSchema, rebalancing.answer_of(done))
