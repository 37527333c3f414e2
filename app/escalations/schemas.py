"""Answers of the doors to a case: the line of a list, the record, and the lines of its timeline."""

from marshmallow import fields

from app.escalations.duplicate_schemas import DuplicateSchema
from app.http import AwareDateTime, Page, Schema


class PersonSchema(Schema):
    id = fields.UUID()
    email = fields.String()
    name = fields.String()


class AccountRefSchema(Schema):
    id = fields.UUID()
    name = fields.String()
    source = fields.String()
    external_id = fields.String()
    segment = fields.String(allow_none=True)


class RoutingSchema(Schema):
    rule = fields.String(allow_none=True)
    why = fields.String()


class LevelRefSchema(Schema):
    """The version of a service level that the case goes by."""

    name = fields.String()
    number = fields.Integer()


class PrioritySchema(Schema):
    score = fields.Float()
    parts = fields.Dict(keys=fields.String(), values=fields.Float())


class AmountSchema(Schema):
    """An amount not convertible in full is `incomplete`, and what is missing is listed."""

    amount = fields.String(allow_none=True)
    currency = fields.String()
    incomplete = fields.Boolean()
    unconverted = fields.List(fields.Dict())


class NextDueSchema(Schema):
    clock = fields.String()
    at = AwareDateTime()


class ClockSummarySchema(Schema):
    kind = fields.String()
    cycle = fields.Integer()
    state = fields.String()
    flags = fields.List(fields.String())
    due_at = AwareDateTime(allow_none=True)
    original_due_at = AwareDateTime(allow_none=True)


class SilenceSchema(Schema):
    """`days` are whole days since they were last told something, since the raise if never; `next_due_at` is the
    earliest promise to tell them, also one already missed."""

    last_told_at = AwareDateTime(allow_none=True)
    days = fields.Integer()
    next_due_at = AwareDateTime(allow_none=True)


class CustomerSilenceSchema(Schema):
    last_told_at = AwareDateTime(allow_none=True)
    days = fields.Integer()


class SilencesSchema(Schema):
    customer = fields.Nested(SilenceSchema)
    account_team = fields.Nested(SilenceSchema)
    executive = fields.Nested(SilenceSchema)


class RaisedBySchema(Schema):
    kind = fields.String()
    email = fields.String(allow_none=True)


class WaitingSchema(Schema):
    party = fields.String()
    reason = fields.String()
    since = AwareDateTime()
    resume_on = fields.Date()
    budget_used = fields.Boolean()


class VendorSchema(Schema):
    """Who works on it at the vendor's, and under which of their numbers, while it is there or with management."""

    name = fields.String(allow_none=True)
    contact = fields.String(allow_none=True)
    reference = fields.String(allow_none=True)
    since = AwareDateTime()


class RequestSchema(Schema):
    kind = fields.String()
    asked_at = AwareDateTime()
    asker_id = fields.UUID(allow_none=True)
    until = AwareDateTime(allow_none=True)
    customer_agreed = fields.Boolean(allow_none=True)
    reason = fields.String(allow_none=True)


class WordSchema(Schema):
    """The customer's word on a resolution; nobody's silence is called a confirmation."""

    word = fields.String(metadata={"enum": ["confirmed", "refused", "unanswered"]})
    at = AwareDateTime()
    confirmed_by = fields.String(allow_none=True)
    channel = fields.String(allow_none=True)
    comment = fields.String(allow_none=True)
    logged_by = fields.String(allow_none=True)


class SurveyAnswerSchema(Schema):
    """What the customer thought of how it was handled, 1 (very poor) to 5 (very good), once they have answered."""

    asked_at = AwareDateTime()
    answered_at = AwareDateTime(allow_none=True)
    score = fields.Integer(allow_none=True)
    comment = fields.String(allow_none=True)


class PreventionLineSchema(Schema):
    """What somebody does so that it does not happen again."""

    id = fields.UUID()
    action = fields.String()
    owner = fields.String()
    due_on = fields.String(metadata={"format": "date"})
    state = fields.String()


class EscalationItemSchema(Schema):
    """A line of a list."""

    id = fields.UUID()
    number = fields.String()
    title = fields.String()
    status = fields.String()
    outcome = fields.String(allow_none=True)
    tier = fields.String()
    severity = fields.Integer()
    reason = fields.String()
    account = fields.Nested(AccountRefSchema)
    owner = fields.Nested(PersonSchema, allow_none=True)
    team_id = fields.UUID(allow_none=True)
    raised_at = AwareDateTime()
    close_target_at = AwareDateTime()
    due_at = AwareDateTime()
    resolve_by_at = AwareDateTime()
    overdue = fields.Boolean()
    next_due = fields.Nested(NextDueSchema, allow_none=True)
    priority = fields.Nested(PrioritySchema)
    value_at_stake = fields.Nested(AmountSchema)
    completeness = fields.Integer()
    assignment_failed = fields.Boolean()
    brief_missing = fields.Boolean()
    restricted = fields.Boolean()
    merged_into = fields.UUID(allow_none=True)
    version = fields.Integer()


class OutageRefSchema(Schema):
    """The one cause that this case shares with others."""

    id = fields.UUID()
    title = fields.String()
    state = fields.String()


class EscalationSchema(EscalationItemSchema):
    """The record; `preventable_by_default` is what its reason suggests to whoever resolves it."""

    preventable_by_default = fields.Boolean(allow_none=True)

    verification = fields.String(allow_none=True)
    customer_statement = fields.String(allow_none=True)
    desired_outcome = fields.String(allow_none=True)
    impact = fields.String(allow_none=True)
    answers = fields.Dict()
    source = fields.String()
    raised_by = fields.Nested(RaisedBySchema)
    about_user = fields.String(allow_none=True)
    recorded_at = AwareDateTime()
    resolved_at = AwareDateTime(allow_none=True)
    closed_at = AwareDateTime(allow_none=True)
    reopens = fields.Integer()
    recurrence_of = fields.UUID(allow_none=True)
    outage = fields.Nested(OutageRefSchema, allow_none=True)
    forecast_close_on = fields.Date(allow_none=True)
    forecast_slips = fields.List(fields.Dict())
    waiting = fields.Nested(WaitingSchema, allow_none=True)
    vendor = fields.Nested(VendorSchema, allow_none=True)
    service_level = fields.Nested(LevelRefSchema, allow_none=True)
    routing = fields.Nested(RoutingSchema, allow_none=True)
    external_refs = fields.List(fields.Dict())
    contract_ids = fields.List(fields.UUID())
    watchers = fields.List(fields.String())
    pending = fields.List(fields.Nested(RequestSchema))
    allowed = fields.List(fields.String())
    clocks = fields.List(fields.Nested(ClockSummarySchema))
    silence = fields.Nested(SilencesSchema, allow_none=True)
    quality_control = fields.List(fields.Nested(WordSchema))
    survey = fields.Nested(SurveyAnswerSchema, allow_none=True)
    prevention = fields.List(fields.Nested(PreventionLineSchema))
    lessons = fields.String()


class RaisedSchema(EscalationSchema):
    """The answer to a raise; of a request it names the approvers."""

    possible_duplicates = fields.List(fields.Nested(DuplicateSchema))
    approvers = fields.List(fields.Nested(PersonSchema))
    warnings = fields.List(fields.String())


class OfferRefSchema(Schema):
    """A task that the outage offers, and what became of it: open, done or waived."""

    task_id = fields.UUID()
    kind = fields.String()
    state = fields.String()
    reason = fields.String(allow_none=True)


class EscalationLineSchema(EscalationItemSchema):
    """`covering` is the owner's address where `owner=me` shows their case because the caller acts in their place;
    `customer_silence` is null once the case is not open any more. `offer` is the last of an outage, where its cases are
    listed."""

    covering = fields.String(allow_none=True)
    offer = fields.Nested(OfferRefSchema, allow_none=True)
    customer_silence = fields.Nested(CustomerSilenceSchema, allow_none=True)


EscalationPage = Page(EscalationLineSchema)


class EventSchema(Schema):
    """A line of the timeline; `texts` holds what people wrote, null where it was erased."""

    id = fields.UUID()
    seq = fields.Integer()
    kind = fields.String()
    actor = fields.Nested(PersonSchema, allow_none=True)
    acting_for_id = fields.UUID(allow_none=True)
    at = AwareDateTime()
    recorded_at = AwareDateTime()
    facts = fields.Dict()
    texts = fields.Dict(keys=fields.String(), values=fields.String(allow_none=True))
    hash = fields.String()


EventPage = Page(EventSchema)


class ChainSchema(Schema):
    intact = fields.Boolean()
    events = fields.Integer()
    erased_texts = fields.Integer()
    first_fault = fields.Dict(allow_none=True)
