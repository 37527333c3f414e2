"""Bodies and answers of the doors to possible duplicates."""

from marshmallow import fields, validate

from app.escalations.raise_bodies import RaiseBody
from app.http import AwareDateTime, Schema


class LookBody(RaiseBody):
    """A raise as far as it is written; the account and some title are enough."""

    severity = fields.Integer(strict=True, validate=validate.Range(1, 4))


class ReferenceSchema(Schema):
    system = fields.String()
    external_id = fields.String()


class WhySchema(Schema):
    """`same_reference`, `similar_text`, `same_account`, `same_group` or `same_reason`; `score` is from 0 to 1."""

    kind = fields.String()
    score = fields.Float()
    reference = fields.Nested(ReferenceSchema)


class DuplicateSchema(Schema):
    """A case that may be the same; `reason` is its grievance, `reasons` say why it is shown."""

    id = fields.UUID()
    number = fields.String()
    title = fields.String()
    status = fields.String()
    reason = fields.String()
    account_id = fields.UUID()
    account_name = fields.String()
    raised_at = AwareDateTime()
    closed_at = AwareDateTime(allow_none=True)
    reasons = fields.List(fields.Nested(WhySchema))


class DuplicatesSchema(Schema):
    items = fields.List(fields.Nested(DuplicateSchema))
