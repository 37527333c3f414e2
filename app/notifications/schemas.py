"""The inbox and the outbox on the wire."""

from marshmallow import fields, validate

from app.http import AwareDateTime, Page, PageArguments, Schema
from app.notifications.models import STATES


class NotificationSchema(Schema):
    id = fields.UUID()
    kind = fields.String()
    subject = fields.String()
    body = fields.String()
    why = fields.String(allow_none=True)
    escalation_id = fields.UUID(allow_none=True)
    clock_id = fields.UUID(allow_none=True)
    at = AwareDateTime(metadata={"description": "When what it tells of happened, tenant time."})
    shown_at = AwareDateTime(attribute="hold_until", metadata={"description": "Since when it is here, tenant time."})
    read_at = AwareDateTime(allow_none=True)


class NotificationList(PageArguments):
    unread = fields.Boolean(metadata={"description": "Only those not read yet, or only those read."})


class MessageSchema(Schema):
    """A message of the outbox, for who keeps it running: everything but the words."""

    id = fields.UUID()
    user_id = fields.UUID(allow_none=True)
    address = fields.String(allow_none=True)
    channel = fields.String(metadata={"description": "What carries it, or carried it, beside the inbox."})
    kind = fields.String()
    subject = fields.String()
    escalation_id = fields.UUID(allow_none=True)
    state = fields.String()
    reason = fields.String(
        allow_none=True,
        metadata={
            "description": "Why it was taken back, or why the inbox alone carried it: no_mail_server, no_address."
        },
    )
    at = AwareDateTime()
    hold_until = AwareDateTime()
    recorded_at = AwareDateTime()
    attempts = fields.Integer()
    retry_at = AwareDateTime(allow_none=True)
    last_error = fields.String(allow_none=True)
    sent_at = AwareDateTime(allow_none=True)


class MessageList(PageArguments):
    state = fields.String(load_default="dead", validate=validate.OneOf(STATES))


NotificationPage = Page(NotificationSchema)
MessagePage = Page(MessageSchema)
