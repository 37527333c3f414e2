"""The reports on accounts, as they stand on the wire."""

from marshmallow import fields

from app.http import AwareDateTime, Money, Page, PageArguments, Query, Schema
from app.reports.schemas import (
    AtStakeSchema,
    CaseSchema,
    CountsSchema,
    FigureSchema,
    FrameSchema,
    NamedSchema,
    TotalSchema,
    ValueSchema,
    WhoseArguments,
)


class AccountsQuestion(WhoseArguments):
    as_of = AwareDateTime(metadata={"description": "A moment of the past; now unless said"})


class AccountsArguments(AccountsQuestion, PageArguments):
    pass


class GravestSchema(CaseSchema):
    severity = fields.Integer()


class AccountRowSchema(Schema):
    account = fields.Nested(NamedSchema)
    escalations = fields.Integer(metadata={"description": "Open ones"})
    value = fields.Nested(ValueSchema)
    gravest = fields.Nested(GravestSchema)
    oldest = AwareDateTime(metadata={"description": "When the oldest open one was raised"})
    next_due = AwareDateTime(metadata={"description": "When the first of them is to be closed"})
    overdue = fields.Integer(metadata={"description": "Open ones past their original target"})
    waiting = fields.Integer()
    health = fields.Integer(allow_none=True)
    renewal_on = fields.Date(allow_none=True)
    story = fields.String(metadata={"description": "All of this in one line"})


AccountRowPage = Page(AccountRowSchema)


class AccountsSchema(AccountRowPage, FrameSchema, FigureSchema):  # type: ignore[misc, valid-type]
    reader = fields.String()


class AccountReportArguments(Query):
    as_of = AwareDateTime(metadata={"description": "A moment of the past; now unless said"})
    first = fields.Date(
        data_key="from", metadata={"description": "First day raised; twelve calendar months unless said"}
    )
    last = fields.Date(data_key="to", metadata={"description": "Last day raised"})
    own = fields.Boolean(load_default=False, metadata={"description": "Without the accounts below this one"})


class ReportedAccountSchema(NamedSchema):
    source = fields.String()
    external_id = fields.String()
    segment = fields.String(allow_none=True)
    health = fields.Integer(allow_none=True, metadata={"description": "As of then"})
    gone_at = AwareDateTime(allow_none=True, metadata={"description": "When the CRM deleted it"})
    merged_into = fields.Nested(NamedSchema, allow_none=True)
    part_of = fields.Nested(NamedSchema, allow_none=True, metadata={"description": "Its ultimate parent then"})
    known_since = AwareDateTime(allow_none=True, metadata={"description": "When its first escalation was recorded"})


class BelowSchema(NamedSchema):
    escalations = fields.Integer()
    open = fields.Integer()


class CoversSchema(Schema):
    own = fields.Boolean()
    accounts = fields.Integer()
    below = fields.List(fields.Nested(BelowSchema), metadata={"description": "By name, at most 20"})


class CaseLineSchema(Schema):
    escalation = fields.Nested(CaseSchema)
    account = fields.Nested(NamedSchema)
    owner = fields.Nested(NamedSchema, allow_none=True)
    status = fields.String()
    outcome = fields.String(allow_none=True)
    verification = fields.String(allow_none=True)
    standing = fields.String()
    tier = fields.String()
    severity = fields.Integer()
    reason = fields.String()
    extended = fields.Boolean()
    reopens = fields.Integer()
    raised_at = AwareDateTime()
    close_target_at = AwareDateTime()
    due_at = AwareDateTime()
    closed_at = AwareDateTime(allow_none=True)


class OpenCasesSchema(FigureSchema):
    count = fields.Integer()
    overdue = fields.Integer(metadata={"description": "Past their original target"})
    oldest = AwareDateTime(allow_none=True)
    next_due = AwareDateTime(allow_none=True)
    items = fields.List(fields.Nested(CaseLineSchema), metadata={"description": "By due time, at most 20"})


class ConvertedSchema(Schema):
    amount = Money(allow_none=True, metadata={"description": "null without a rate"})
    currency = fields.String()


class ValueLineSchema(Schema):
    kind = fields.String()
    id = fields.UUID()
    name = fields.String(allow_none=True)
    amount = Money()
    currency = fields.String()
    value = fields.Nested(ConvertedSchema)


class AccountAtStakeSchema(AtStakeSchema):
    own = fields.Nested(TotalSchema, metadata={"description": "Without the accounts below it"})
    lines = fields.List(fields.Nested(ValueLineSchema), metadata={"description": "At most 20"})
    line_count = fields.Integer()


class RenewalSchema(TotalSchema, FigureSchema):
    on = fields.Date(allow_none=True)
    days = fields.Integer(allow_none=True)
    known_at = AwareDateTime(allow_none=True, metadata={"description": "When it was known like this"})


class CohortSchema(CountsSchema, FigureSchema):
    pass


class OverTimeMonthSchema(Schema):
    month = fields.Date()
    raised = fields.Integer()
    closed = fields.Integer()
    open = fields.Integer(metadata={"description": "At the month's end, or at the moment told of"})


class OverTimeSchema(FigureSchema):
    months = fields.List(fields.Nested(OverTimeMonthSchema))
    raised = fields.Integer(metadata={"description": "All there ever were up to then"})
    closed = fields.Integer()


class PromiseCountsSchema(Schema):
    kept = fields.Integer()
    missed = fields.Integer()
    overdue = fields.Integer(metadata={"description": "Past due and not kept yet"})
    running = fields.Integer()
    late_by_original = fields.Integer(metadata={"description": "Of those kept: by an extended due time alone"})
    logged_late = fields.Integer(metadata={"description": "Of those kept: recorded after the due time"})


class PromiseKindSchema(PromiseCountsSchema):
    clock = fields.String()
    to_customer = fields.Boolean()


class PromisesSchema(PromiseCountsSchema, FigureSchema):
    to_customer = fields.Nested(PromiseCountsSchema)
    kinds = fields.List(fields.Nested(PromiseKindSchema))


class SaidSchema(Schema):
    at = AwareDateTime()
    channel = fields.String(allow_none=True)
    escalation = fields.Nested(CaseSchema)


class LongestSilenceSchema(Schema):
    since = AwareDateTime()
    until = AwareDateTime()
    days = fields.Integer(metadata={"description": "Whole days"})
    goes_on = fields.Boolean()
    escalation = fields.Nested(CaseSchema)


class ToldSchema(FigureSchema):
    updates = fields.Integer()
    messages = fields.Integer(metadata={"description": "What the customer wrote"})
    last_told = fields.Nested(SaidSchema, allow_none=True)
    last_heard = fields.Nested(SaidSchema, allow_none=True)
    longest_silence = fields.Nested(LongestSilenceSchema, allow_none=True)


class ReasonMetSchema(Schema):
    reason = fields.String()
    escalations = fields.Integer()
    preventable = fields.Integer()
    judged = fields.Integer(metadata={"description": "Of which it was said whether they could be prevented"})


class RootCauseFoundSchema(Schema):
    escalation = fields.Nested(CaseSchema)
    reason = fields.String()
    at = AwareDateTime()
    preventable = fields.Boolean(allow_none=True)
    root_cause = fields.String(allow_none=True, metadata={"description": "null when it was erased"})


class RootCausesFoundSchema(FigureSchema):
    count = fields.Integer()
    preventable = fields.Integer()
    judged = fields.Integer()
    preventable_share = fields.Float(allow_none=True)
    reasons = fields.List(fields.Nested(ReasonMetSchema))
    items = fields.List(fields.Nested(RootCauseFoundSchema), metadata={"description": "The newest, at most 20"})


class ActionSchema(Schema):
    id = fields.UUID()
    action = fields.String(allow_none=True)
    escalation = fields.Nested(CaseSchema)
    owner = fields.Nested(NamedSchema)
    state = fields.String()
    due_on = fields.Date()
    ended_on = fields.Date(allow_none=True)
    overdue = fields.Boolean()
    by_its_day = fields.Boolean(allow_none=True, metadata={"description": "Of one that is done: in time"})


class PreventionSchema(FigureSchema):
    promised = fields.Integer()
    done = fields.Integer()
    done_by_their_day = fields.Integer()
    dropped = fields.Integer()
    open = fields.Integer()
    overdue = fields.Integer()
    items = fields.List(fields.Nested(ActionSchema), metadata={"description": "Open ones first, at most 20"})


class RecurrenceSchema(FigureSchema):
    count = fields.Integer()
    recurring = fields.Integer(metadata={"description": "Raised for an earlier case"})
    reopened = fields.Integer()
    repeated = fields.List(fields.Nested(ReasonMetSchema), metadata={"description": "Reasons met more than once"})


class StandsForSchema(NamedSchema):
    id = fields.UUID(allow_none=True)
    email = fields.String()


class ThankSchema(NamedSchema):
    on_time = fields.Integer(metadata={"description": "Cases of theirs closed on time"})


class ThankCustomerSchema(Schema):
    name = fields.String()
    confirmed = fields.Integer(metadata={"description": "Resolutions they confirmed"})


class AskSchema(NamedSchema):
    open = fields.Integer()
    next_due = AwareDateTime()


class PeopleSchema(Schema):
    owner = fields.Nested(StandsForSchema, allow_none=True)
    csm = fields.Nested(StandsForSchema, allow_none=True)
    sponsor = fields.Nested(StandsForSchema, allow_none=True)
    thank = fields.List(fields.Nested(ThankSchema))
    thank_customer = fields.List(fields.Nested(ThankCustomerSchema))
    ask = fields.List(fields.Nested(AskSchema))


class BriefSchema(Schema):
    for_customer = fields.List(fields.String(), metadata={"description": "What may be said in the call"})
    for_us = fields.List(fields.String(), metadata={"description": "What is to be known, and not to be said"})
    text = fields.String(metadata={"description": "Both as plain text"})


class AccountReportSchema(FrameSchema):
    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")
    reader = fields.String()
    account = fields.Nested(ReportedAccountSchema)
    covers = fields.Nested(CoversSchema)
    notes = fields.List(fields.String())
    story = fields.List(fields.String())
    open = fields.Nested(OpenCasesSchema)
    closed = fields.List(fields.Nested(CaseLineSchema), metadata={"description": "The last closed, at most 5"})
    value = fields.Nested(AccountAtStakeSchema)
    renewal = fields.Nested(RenewalSchema)
    on_time = fields.Nested(CohortSchema)
    over_time = fields.Nested(OverTimeSchema)
    promises = fields.Nested(PromisesSchema)
    told = fields.Nested(ToldSchema)
    causes = fields.Nested(RootCausesFoundSchema)
    prevention = fields.Nested(PreventionSchema)
    recurrence = fields.Nested(RecurrenceSchema)
    people = fields.Nested(PeopleSchema)
    brief = fields.Nested(BriefSchema)
