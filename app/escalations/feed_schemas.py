"""What goes over the wire about a person's calendar feed."""

from marshmallow import fields

from app.http import AwareDateTime, Schema


class CalendarFeedSchema(Schema):
    created_at = AwareDateTime()
    last_used_at = AwareDateTime(
        allow_none=True, metadata={"description": "When a calendar client last asked, to the hour; null when none has."}
    )


class NewCalendarFeedSchema(CalendarFeedSchema):
    url = fields.String(
        allow_none=True, metadata={"description": "Shown in this answer only; null when the answer is a replay."}
    )
