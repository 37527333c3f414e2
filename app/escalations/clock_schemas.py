"""Answers about the promises of a case."""

from marshmallow import fields, validate

from app.escalations.schedule import MOST
from app.http import AwareDateTime, Page, PageArguments, Query, Schema
from app.sla.models import ENTRY_TYPES, KINDS


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
    was = fields.String()
    because = fields.String()


class ClockSchema(Schema):
    """One cycle of a clock as `queries.list_clocks` answers it."""

    id = fields.UUID(attribute="row.id")
    kind = fields.String(attribute="row.kind")
    subject = fields.String(attribute="row.subject")
    cycle = fields.Integer(attribute="row.cycle")
    state = fields.String(attribute="state.state")
    flags = fields.List(fields.String(), attribute="state.flags")
    set_aside = fields.Boolean(
        metadata={"description": "It could not be swept: it reminds nobody until that is mended."}
    )
    problem = fields.String(
        allow_none=True,
        metadata={"description": "What it ran into. Its times are as last stored if they could not be counted."},
    )
    started_at = AwareDateTime(attribute="state.cycle_started_at")
    due_at = AwareDateTime(attribute="state.due_at")
    original_due_at = AwareDateTime(attribute="state.original_due_at")
    breached_at = AwareDateTime(attribute="state.breached_at")
    ended_at = AwareDateTime(attribute="state.ended_at")
    elapsed_seconds = fields.Integer(attribute="state.elapsed_seconds")
    paused_seconds = fields.Integer(attribute="state.paused_seconds")
    ledger = fields.List(fields.Nested(LedgerEntrySchema))
    moves = fields.List(fields.Nested(MoveSchema))


ClockPage = Page(ClockSchema)


class UpcomingStepSchema(Schema):
    """A step to come; `held_until` when its message is written and waits for its hour."""

    at = AwareDateTime()
    held_until = AwareDateTime(allow_none=True)
    clock = fields.String()
    cycle = fields.Integer()
    step = fields.String()
    repeat = fields.Integer()
    action = fields.String()
    recipients = fields.List(fields.String())
    channel = fields.String(allow_none=True)


class SentStepSchema(Schema):
    """What a step did for one recipient, or why it did not; `folded` is how many earlier ones it stands for.

    `delegated_to` is who was told in the place of an absent recipient.
    """

    at = AwareDateTime()
    fired_at = AwareDateTime()
    clock = fields.String()
    cycle = fields.Integer()
    step = fields.String()
    repeat = fields.Integer()
    action = fields.String()
    recipient = fields.String()
    roles = fields.List(fields.String())
    channel = fields.String(allow_none=True)
    outcome = fields.String()
    reason = fields.String(allow_none=True)
    folded = fields.Integer()
    delegated_to = fields.String(allow_none=True)


class ScheduleArguments(Query):
    """How many lines of the log are wanted, and from which page on."""

    limit = fields.Integer(load_default=MOST, validate=validate.Range(1, MOST))
    cursor = fields.String()


class ScheduleSchema(Schema):
    """`sent` are the latest lines, oldest first; `next_cursor` leads to those before them."""

    upcoming = fields.List(fields.Nested(UpcomingStepSchema))
    sent = fields.List(fields.Nested(SentStepSchema))
    next_cursor = fields.String(allow_none=True)


class SetAsideSchema(Schema):
    """A clock that reminds nobody, and what the sweep ran into."""

    id = fields.UUID()
    escalation_id = fields.UUID()
    number = fields.String()
    kind = fields.String()
    cycle = fields.Integer()
    due_at = AwareDateTime(allow_none=True)
    problem = fields.String()


SetAsidePage = Page(SetAsideSchema)


class TakenUpSchema(Schema):
    taken_up = fields.Integer(metadata={"description": "clocks that the next sweep looks at again"})


class ClockEventArguments(PageArguments):
    """Entries recorded since a moment (tenant time), of one kind of clock, of one type, of one case."""

    since = AwareDateTime()
    kind = fields.String(validate=validate.OneOf(KINDS))
    type = fields.String(validate=validate.OneOf(ENTRY_TYPES))
    escalation = fields.UUID()


class ClockEventSchema(Schema):
    """One entry of a clock's ledger, with the clock and the case it belongs to; of a tier, update or task that nobody
    gave a time there is no clock and no target. `subject` is the task's id, or the name of such a tier."""

    id = fields.UUID()
    escalation_id = fields.UUID()
    number = fields.String()
    clock_id = fields.UUID(allow_none=True)
    kind = fields.String()
    subject = fields.String()
    cycle = fields.Integer()
    seq = fields.Integer()
    type = fields.String()
    at = AwareDateTime()
    recorded_at = AwareDateTime()
    target = fields.Dict(allow_none=True)
    due_at = fields.String()
    because = fields.String()


class ClockEventPage(Schema):
    """`next_cursor` is always there: ask again with it for what comes; `more`: there is more already."""

    items = fields.List(fields.Nested(ClockEventSchema))
    next_cursor = fields.String()
    more = fields.Boolean()
