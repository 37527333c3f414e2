"""What the doors take that pass many cases to other hands: back to who was away, or to who has room."""

from marshmallow import fields, validate

from app.escalations import handing_back
from app.escalations.bodies import sentence
from app.http import Body


class TakeBackBody(Body):
    """Left out, `escalation_ids` means all that are offered, 200 at most in one call."""

    escalation_ids = fields.List(
        fields.UUID(), validate=validate.Length(1, handing_back.MOST_TAKEN), load_default=None, allow_none=True
    )


class RebalancingBody(Body):
    """`digest` is that of the proposal to be carried out."""

    digest = fields.String(required=True, validate=validate.Length(1, 64))
    reason = sentence()
