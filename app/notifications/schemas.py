"""The inbox and the outbox on the wire."""

from marshmallow import fields, validate

from app.auth.schemas import zone
from app.http import AwareDateTime, Body, Page, PageArguments, Schema
from app.notifications.models import STATES
from app.notifications.quiet import DAYS, EMAIL


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
    digest_id = fields.UUID(allow_none=True, metadata={"description": "The digest that carries it, once put together."})
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


TEXTS = {"type": "array", "items": {"type": "string"}}
LOCAL_WINDOWS = {
    "description": 'Local times from 00:00 to 24:00 by the day a window starts on: {"mon": [["22:00", "07:00"]]}.',
    "additionalProperties": {"type": "array", "items": TEXTS},
}


class DigestFields(Body):
    """One message at this local time of these days."""

    at = fields.String(required=True)
    days = fields.List(fields.String(), load_default=lambda: list(DAYS))


class PreferencesBody(Body):
    """How somebody wants to be told; a field left out keeps its value."""

    quiet_hours = fields.Dict(keys=fields.String(), metadata=LOCAL_WINDOWS)
    digest = fields.Nested(DigestFields, allow_none=True, metadata={"description": "null: each message by itself."})
    channels = fields.List(
        fields.String(validate=validate.OneOf((EMAIL,))),
        validate=validate.Length(max=1),
        metadata={"description": "What carries messages beside the inbox."},
    )
    timezone = fields.String(
        allow_none=True, validate=zone, metadata={"description": "null: the user's, else the tenant's."}
    )


class PreferencesSchema(PreferencesBody):
    """Preferences in force; `zone` is the one that local times are read in."""

    user_id = fields.UUID()
    zone = fields.String()


NotificationPage = Page(NotificationSchema)
MessagePage = Page(MessageSchema)
