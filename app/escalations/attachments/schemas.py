"""Bodies and answers of the doors to attachments."""

from marshmallow import fields, validate

from app.escalations.bodies import sentence
from app.escalations.schemas import PersonSchema
from app.http import AwareDateTime, Body, Page, Query, Schema


class UploadQuery(Query):
    filename = fields.String(required=True, validate=validate.Length(min=1, max=4096))


class RemoveBody(Body):
    reason = sentence()


class AttachmentSchema(Schema):
    """A file; `state` is `unscanned` (no scanner is set), `scanning`, `clean`, `failed`, `infected` or `removed`."""

    id = fields.UUID()
    escalation_id = fields.UUID()
    origin_id = fields.UUID(allow_none=True)
    name = fields.String()
    media_type = fields.String()
    size = fields.Integer()
    sha256 = fields.String()
    state = fields.String()
    reason = fields.String(allow_none=True)
    uploaded_by = fields.Nested(PersonSchema, allow_none=True)
    uploaded_at = AwareDateTime()
    removed_by_id = fields.UUID(allow_none=True)
    removed_at = AwareDateTime(allow_none=True)
    scanned_at = AwareDateTime(allow_none=True)


AttachmentPage = Page(AttachmentSchema)


class AttachmentLinkSchema(Schema):
    url = fields.String()
    expires_at = AwareDateTime()
