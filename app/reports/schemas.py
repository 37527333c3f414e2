"""Answers of reports, as they stand on the wire."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields, validate

from app.http import AwareDateTime, Money, Page, PageArguments, Query, Schema, split_words
from app.reports.figures import WITH_ROWS

MOST_ACCOUNTS = 50


class Identifiers(fields.String):
    """Several ids in one parameter, by comma."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        try:
            found = [UUID(word) for word in split_words(str(value))]
        except ValueError:
            raise ValidationError("expected ids with commas between them") from None
        if not 0 < len(set(found)) <= MOST_ACCOUNTS:
            raise ValidationError(f"expected 1 to {MOST_ACCOUNTS} ids with commas between them")
        return list(dict.fromkeys(found))


class WhoseArguments(Query):
    accounts = Identifiers(metadata={"description": "Ids with commas between them: these accounts alone"})
    own_accounts = fields.Boolean(
        metadata={"description": "Those of which the caller is owner, CSM or executive sponsor alone"}
    )


class SummaryArguments(WhoseArguments):
    as_of = AwareDateTime(metadata={"description": "A moment of the past; now unless said"})
    first = fields.Date(data_key="from", metadata={"description": "First day raised of the cohorts"})
    last = fields.Date(data_key="to", metadata={"description": "Last day raised of the cohorts"})
    since = AwareDateTime(metadata={"description": "The last report: what changed after it; a week before unless said"})


class UnconvertedSchema(Schema):
    currency = fields.String()
    amount = Money(metadata={"description": "The sum in this currency, in no total"})
    lines = fields.Integer(metadata={"description": "How many contracts or opportunities it adds"})


class TotalSchema(Schema):
    amount = Money(allow_none=True, metadata={"description": "null when no amount has a rate"})
    currency = fields.String()
    incomplete = fields.Boolean()
    unconverted = fields.List(fields.Nested(UnconvertedSchema))


class FigureSchema(Schema):
    definition = fields.String(metadata={"description": "Its key in GET /reports/definitions"})
    rows = fields.String(metadata={"description": "Where its rows are listed"})


class OpenSchema(FigureSchema):
    count = fields.Integer()
    accounts = fields.Integer(metadata={"description": "Distinct accounts with an open escalation"})
    groups = fields.Integer(metadata={"description": "Distinct groups, by ultimate parent"})


class AtStakeSchema(TotalSchema, FigureSchema):
    pass


class RenewalsSchema(TotalSchema, FigureSchema):
    accounts = fields.Integer()


class CountsSchema(Schema):
    raised = fields.Integer()
    on_time = fields.Integer()
    late = fields.Integer(metadata={"description": "Closed after the original target"})
    unresolved = fields.Integer()
    customer_silent = fields.Integer()
    open_overdue = fields.Integer()
    open_not_due = fields.Integer(metadata={"description": "Neither on time nor late yet"})
    withdrawn = fields.Integer(metadata={"description": "Outside the cohort, as mistaken and merged"})
    mistaken = fields.Integer()
    merged = fields.Integer()
    share = fields.Float(allow_none=True, metadata={"description": "on_time ÷ (raised − open_not_due)"})


class MonthSchema(CountsSchema):
    month = fields.Date(metadata={"description": "First day of the month of raising"})


class OnTimeSchema(CountsSchema, FigureSchema):
    months = fields.List(fields.Nested(MonthSchema))


class PointSchema(Schema):
    day = fields.Integer()
    share = fields.Float()
    at_risk = fields.Integer()
    closed = fields.Integer()


class SurvivalSchema(FigureSchema):
    points = fields.List(fields.Nested(PointSchema))
    median_days = fields.Integer(allow_none=True)
    seen_days = fields.Integer(metadata={"description": "The last day after a raise of which anything is known"})


class ApartSchema(FigureSchema):
    extended = fields.Integer()
    long_pause = fields.Integer()
    logged_late = fields.Integer()
    unanswered = fields.Integer()
    unresolved = fields.Integer()
    customer_silent = fields.Integer()


class FirstOwnerSchema(FigureSchema):
    ended = fields.Integer()
    by_first_owner = fields.Integer()
    share = fields.Float(allow_none=True)


class TierSchema(Schema):
    tier = fields.String()
    cases = fields.Integer()
    seconds = fields.Integer()
    mean_seconds = fields.Integer()


class TiersSchema(FigureSchema):
    tiers = fields.List(fields.Nested(TierSchema))


class NamedSchema(Schema):
    id = fields.UUID()
    name = fields.String(allow_none=True)


class CaseSchema(Schema):
    id = fields.UUID()
    number = fields.String()
    title = fields.String()


class ChangeSchema(Schema):
    text = fields.String()
    why = fields.String(
        allow_none=True, metadata={"description": "Its root cause, grievance, or who is waited for; null if not known"}
    )
    change = fields.String()
    severity = fields.Integer()
    escalation = fields.Nested(CaseSchema)
    account = fields.Nested(NamedSchema)


class ChangesSchema(FigureSchema):
    since = AwareDateTime()
    counts = fields.Dict(keys=fields.String(), values=fields.Integer())
    items = fields.List(fields.Nested(ChangeSchema), metadata={"description": "The gravest first, at most 20"})


class FrameSchema(Schema):
    as_of = AwareDateTime(metadata={"description": "The moment answered for: the last final one up to what was asked"})
    lag_seconds = fields.Float(metadata={"description": "How far that lies before what was asked"})
    currency = fields.String()


class SummarySchema(FrameSchema):
    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")
    reader = fields.String(metadata={"description": "Whose figures these are"})
    open = fields.Nested(OpenSchema)
    value_at_stake = fields.Nested(AtStakeSchema)
    renewals_at_risk = fields.Nested(RenewalsSchema)
    on_time = fields.Nested(OnTimeSchema)
    survival = fields.Nested(SurvivalSchema)
    apart = fields.Nested(ApartSchema)
    first_owner_right = fields.Nested(FirstOwnerSchema)
    tiers = fields.Nested(TiersSchema)
    changes = fields.Nested(ChangesSchema)


class DefinitionSchema(Schema):
    key = fields.String()
    name = fields.String()
    text = fields.String()
    formula = fields.String()
    source = fields.String(metadata={"description": "What its rows are"})


class DefinitionsSchema(Schema):
    reader = fields.String()
    items = fields.List(fields.Nested(DefinitionSchema))


class PartArguments(Query):
    owner = fields.UUID(metadata={"description": "Those of this colleague, as the figure counts whose they are"})
    team = fields.UUID(metadata={"description": "Those of this team's members of today"})
    reason = fields.String(validate=validate.Length(1, 100), metadata={"description": "Those of this reason"})
    root_cause = fields.String(
        validate=validate.Regexp("^[0-9a-f]{32}$", error="expected a root cause as a figure's address names it")
    )
    account = fields.UUID(metadata={"description": "Those of this account, those below it included"})
    own = fields.Boolean(metadata={"description": "With `account`: without those below it"})


class RowsOfArguments(WhoseArguments, PartArguments):
    figure = fields.String(required=True, validate=validate.OneOf(WITH_ROWS))
    as_of = AwareDateTime(metadata={"description": "As the summary answered it; now unless said"})
    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")


class RowsArguments(RowsOfArguments, PageArguments):
    pass


class ValueSchema(Schema):
    amount = Money(allow_none=True)
    currency = fields.String()
    incomplete = fields.Boolean()


class ReportRowSchema(Schema):
    """A case, or a contract, opportunity, account or group with its value; a row has the fields of its kind."""

    escalation = fields.Nested(CaseSchema)
    account = fields.Nested(NamedSchema)
    owner = fields.Nested(NamedSchema, allow_none=True)
    standing = fields.String()
    status = fields.String()
    outcome = fields.String(allow_none=True)
    verification = fields.String(allow_none=True)
    tier = fields.String()
    severity = fields.Integer()
    reason = fields.String()
    raised_at = AwareDateTime()
    day_raised = fields.Date()
    close_target_at = AwareDateTime()
    due_at = AwareDateTime()
    closed_at = AwareDateTime(allow_none=True)
    days = fields.Integer(allow_none=True, metadata={"description": "Whole days from the raise to the closing"})
    days_open = fields.Integer(metadata={"description": "The same, of an open case up to the moment asked about"})
    weight = fields.Float(allow_none=True, metadata={"description": "What an open case weighs in its owner's load"})
    action = fields.String(
        allow_none=True, metadata={"description": "What was promised against it happening again; null when erased"}
    )
    state = fields.String(metadata={"description": "open, done or dropped"})
    due_on = fields.Date()
    overdue = fields.Boolean()
    kind = fields.String(metadata={"description": "contract, opportunity or renewal; update or message"})
    id = fields.UUID()
    external_id = fields.String(allow_none=True)
    own_amount = Money(metadata={"description": "In the line's own currency, weighted or raised"})
    currency = fields.String()
    escalations = fields.Integer(metadata={"description": "Open ones that touch it"})
    value = fields.Nested(ValueSchema)
    clock = fields.String(metadata={"description": "The kind of promise"})
    kept = fields.String(metadata={"description": "Of a promise: kept, missed, overdue, running or cancelled"})
    at = AwareDateTime(metadata={"description": "When it was told, written or found"})
    channel = fields.String(allow_none=True)
    root_cause = fields.String(allow_none=True)
    preventable = fields.Boolean(allow_none=True)
    ended_on = fields.Date(allow_none=True)


ReportRowPage = Page(ReportRowSchema)


class RowsSchema(ReportRowPage, FrameSchema):  # type: ignore[misc, valid-type]
    figure = fields.String()
