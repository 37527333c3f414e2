"""Calendars, service levels and ladders on the wire."""

from marshmallow import fields, validate

from app.http import AwareDateTime, Body, Page, Schema
from app.sla.targets import CLOCK_KINDS

MOST_OPERATIONS = 10_000


class HoursBody(Body):
    """Opening hours; what they mean is checked when they are compiled."""

    timezone = fields.String()
    weekly = fields.Dict(keys=fields.String())
    holidays = fields.List(fields.String())
    holidays_of = fields.List(fields.Dict(keys=fields.String()))
    overrides = fields.Dict(keys=fields.String())
    breaks = fields.List(fields.Dict(keys=fields.String()))
    always_open = fields.Boolean(truthy={True}, falsy={False})
    day_seconds = fields.Integer(strict=True)


class CalendarBody(HoursBody):
    """A calendar to publish; a name that is known gets its next version."""

    name = fields.String(required=True, validate=validate.Length(1, 100))


class ComputeBody(Body):
    calendar = fields.Nested(HoursBody, required=True)
    operations = fields.List(
        fields.Dict(keys=fields.String()), required=True, validate=validate.Length(max=MOST_OPERATIONS)
    )


class ComputedSchema(Schema):
    results = fields.List(fields.Dict())


class CalendarVersionSchema(Schema):
    id = fields.UUID()
    number = fields.Integer()
    definition = fields.Dict()
    published_at = AwareDateTime(attribute="created_at")


class CalendarSchema(Schema):
    """A calendar with its latest versions (20), oldest first; `number` and `definition` are the current one's."""

    id = fields.UUID()
    name = fields.String()
    version = fields.Integer()
    number = fields.Integer()
    definition = fields.Dict()
    versions = fields.List(fields.Nested(CalendarVersionSchema))


CalendarPage = Page(CalendarSchema)
CalendarVersionPage = Page(CalendarVersionSchema)


class ServiceLevelBody(Body):
    """A service level to publish; a name that is known gets its next version. What is left out goes by the settings,
    or is not asked for; what the targets mean is checked when they are read."""

    name = fields.String(required=True, validate=validate.Length(1, 100))
    respond = fields.Dict(keys=fields.String())
    reply = fields.Dict(keys=fields.String())
    customer_update = fields.Dict(keys=fields.String())
    account_team_update = fields.Integer(strict=True)
    executive_update = fields.Integer(strict=True)
    tiers = fields.Dict(keys=fields.String())
    close_days = fields.Integer(strict=True)
    calendar = fields.String(validate=validate.Length(1, 100))


class ServiceLevelSchema(Schema):
    """A service level with its latest versions (20), oldest first; `number` and `definition` are the current one's."""

    id = fields.UUID()
    name = fields.String()
    version = fields.Integer()
    number = fields.Integer()
    definition = fields.Dict()
    retired_at = AwareDateTime(allow_none=True)
    versions = fields.List(fields.Nested(CalendarVersionSchema))


ServiceLevelPage = Page(ServiceLevelSchema)


class LadderBody(Body):
    """The steps of one kind of clock: `{offset, audience, action, repeat: {every, times}}`."""

    kind = fields.String(required=True, validate=validate.OneOf(CLOCK_KINDS))
    steps = fields.List(fields.Dict(keys=fields.String()), required=True)


class LadderVersionSchema(Schema):
    number = fields.Integer()
    steps = fields.List(fields.Dict())
    published_at = AwareDateTime(attribute="created_at")


class LadderSchema(Schema):
    """One kind's ladder with its latest versions (20), oldest first. Numbers count all kinds' publications together."""

    kind = fields.String()
    number = fields.Integer()
    steps = fields.List(fields.Dict())
    versions = fields.List(fields.Nested(LadderVersionSchema))


LadderPage = Page(LadderSchema)
LadderVersionPage = Page(LadderVersionSchema)
