"""Bodies and answers of webhooks."""

from marshmallow import fields, validate

from app.http import AwareDateTime, Body, Page, PageArguments, Schema
from app.http.schemas import words
from app.integrations.webhooks.kinds import EVENTS
from app.integrations.webhooks.models import STATES


def events(*, required: bool = False) -> fields.List[str]:
    return fields.List(
        fields.String(validate=validate.OneOf(EVENTS)),
        required=required,
        validate=validate.Length(min=1, max=len(EVENTS)),
    )


class WebhookBody(Body):
    url = fields.String(required=True, validate=words(1, 2_000))
    events = events(required=True)


class WebhookPatch(Body):
    url = fields.String(validate=words(1, 2_000))
    events = events()
    active = fields.Boolean()


class WebhookSchema(Schema):
    """`ended_because` says why it was switched off by itself; `failing_since`, since when it has not answered."""

    id = fields.UUID()
    url = fields.String()
    events = fields.List(fields.String())
    active = fields.Boolean()
    ended_because = fields.String(allow_none=True)
    failing_since = AwareDateTime(allow_none=True)
    rests_until = AwareDateTime(allow_none=True)
    old_until = AwareDateTime(allow_none=True, metadata={"description": "Until when the former secret signs, too."})
    created_at = AwareDateTime()
    version = fields.Integer()


class WebhookMadeSchema(WebhookSchema):
    secret = fields.String(metadata={"description": "Shown in this answer alone."})


class SecretSchema(Schema):
    secret = fields.String(metadata={"description": "Shown in this answer alone."})
    old_until = AwareDateTime()


class WebhookDeliverySchema(Schema):
    """`id` with `msg_` before it, without hyphens, is the message's `webhook-id`."""

    id = fields.UUID()
    type = fields.String()
    state = fields.String()
    body = fields.String()
    attempts = fields.Integer()
    last_status = fields.Integer(allow_none=True)
    last_error = fields.String(allow_none=True)
    retry_at = AwareDateTime(allow_none=True)
    created_at = AwareDateTime()
    sent_at = AwareDateTime(allow_none=True)


class DeliveryArguments(PageArguments):
    state = fields.String(validate=validate.OneOf(STATES))


WebhookPage = Page(WebhookSchema)
WebhookDeliveryPage = Page(WebhookDeliverySchema)
