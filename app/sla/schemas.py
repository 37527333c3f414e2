"""Calendars and clocks on the wire."""

from marshmallow import fields, validate

from app.http import AwareDateTime, Body, Page, Schema

MOST_OPERATIONS = 10_000


class HoursBody(Body):
    """Opening hours; what they mean is checked when they are compiled."""

    timezone = fields.String()
    weekly = fields.Dict(keys=fields.String())
    holidays = fields.List(fields.String())
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
    """A calendar with its versions, oldest first; `number` and `definition` are the current one's."""

    id = fields.UUID()
    name = fields.String()
    version = fields.Integer()
    number = fields.Integer()
    definition = fields.Dict()
    versions = fields.List(fields.Nested(CalendarVersionSchema))


CalendarPage = Page(CalendarSchema)


class MoveSchema(Schema):
    """A due time was, is, because."""

    at = AwareDateTime()
    was = AwareDateTime()
    becomes = AwareDateTime(data_key="is")
    because = fields.String()


class LedgerEntrySchema(Schema):
    """What happened to a clock, when, and when we knew; a void entry was overtaken by facts learnt later."""

    seq = fields.Integer()
    type = fields.String()
    at = AwareDateTime()
    recorded_at = AwareDateTime()
    void = fields.Boolean()
    target = fields.Dict()
    due_at = fields.String()
    because = fields.String()


class ClockSchema(Schema):
    """One cycle of a clock as `queries.list_clocks` answers it."""

    id = fields.UUID(attribute="row.id")
    kind = fields.String(attribute="row.kind")
    subject = fields.String(attribute="row.subject")
    cycle = fields.Integer(attribute="row.cycle")
    state = fields.String(attribute="state.state")
    flags = fields.List(fields.String(), attribute="state.flags")
    started_at = AwareDateTime(attribute="state.cycle_started_at")
    due_at = AwareDateTime(attribute="state.due_at")
    original_due_at = AwareDateTime(attribute="state.original_due_at")
    breached_at = AwareDateTime(attribute="state.breached_at")
    ended_at = AwareDateTime(attribute="state.ended_at")
    elapsed_seconds = fields.Integer(attribute="state.elapsed_seconds")
    paused_seconds = fields.Integer(attribute="state.paused_seconds")
    ledger = fields.List(fields.Nested(LedgerEntrySchema))
    moves = fields.List(fields.Nested(MoveSchema))
