"""Owners, teams and causes, as they stand on the wire."""

from marshmallow import fields

from app.http import AwareDateTime, Page, PageArguments, Schema
from app.reports.schemas import (
    CountsSchema,
    FigureSchema,
    FirstOwnerSchema,
    FrameSchema,
    NamedSchema,
    TotalSchema,
    WhoseArguments,
)  # fmt: skip


class CohortArguments(WhoseArguments):
    as_of = AwareDateTime(metadata={"description": "A moment of the past; now unless said"})
    first = fields.Date(data_key="from", metadata={"description": "First day raised of the cases that ended or not"})
    last = fields.Date(data_key="to", metadata={"description": "Last day raised"})


class OwnersArguments(CohortArguments, PageArguments):
    pass


class CountSchema(FigureSchema):
    count = fields.Integer()


class LoadSchema(FigureSchema):
    carried = fields.Float(
        data_key="load",
        attribute="load",
        metadata={"description": "4, 3, 2, 1 by severity, half while waiting or resolved"},
    )
    capacity = fields.Integer(allow_none=True, metadata={"description": "Today's; null of somebody deactivated"})
    share = fields.Float(allow_none=True, metadata={"description": "load ÷ capacity"})


class AgeSchema(FigureSchema):
    age = fields.String(metadata={"description": "By whole days since the raise"})
    cases = fields.Integer()


class InHandSchema(TotalSchema, FigureSchema):
    pass


class ClosingSchema(FigureSchema, CountsSchema):
    closed = fields.Integer()
    rows_of = fields.Dict(keys=fields.String(), values=fields.String())

    class Meta:
        exclude = ("withdrawn", "mistaken", "merged")


class MissedReasonSchema(Schema):
    reason = fields.String()
    label = fields.String()
    cases = fields.Integer()
    parts = fields.Dict(keys=fields.String(), values=fields.Integer(), metadata={"description": "Where time went"})
    rows = fields.String()


class MissedPartSchema(FigureSchema):
    part = fields.String()
    cases = fields.Integer()


class HelpSchema(Schema):
    part = fields.String()
    said = fields.String()
    helps = fields.String(metadata={"description": "What would help"})


class MissedSchema(CountSchema):
    reasons = fields.List(fields.Nested(MissedReasonSchema), metadata={"description": "By what the grievance was"})
    parts = fields.List(
        fields.Nested(MissedPartSchema),
        metadata={"description": "By where the time went; one case can count under several"},
    )
    help = fields.List(fields.Nested(HelpSchema), metadata={"description": "What is so for at least half of them"})


class CarriedSchema(Schema):
    open = fields.Nested(CountSchema)
    carried = fields.Nested(LoadSchema, data_key="load", attribute="load")
    ageing = fields.List(fields.Nested(AgeSchema))
    value_in_hand = fields.Nested(InHandSchema)
    closing = fields.Nested(ClosingSchema)
    missed = fields.Nested(MissedSchema)
    rerouted_away = fields.Nested(CountSchema)
    rerouted_to = fields.Nested(CountSchema)
    first_owner_right = fields.Nested(FirstOwnerSchema)


class OwnerReportSchema(NamedSchema, CarriedSchema):
    active = fields.Boolean()
    teams = fields.List(fields.Nested(NamedSchema))


class TeamReportSchema(NamedSchema, CarriedSchema):
    members = fields.Integer()


class CarryingSchema(FrameSchema):
    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")
    reader = fields.String(metadata={"description": "Whose figures these are"})
    todays = fields.String(metadata={"description": "What can only be told as of today"})


class OwnersSchema(Page(OwnerReportSchema), CarryingSchema):  # type: ignore[misc]
    missed = fields.Nested(MissedSchema, metadata={"description": "Of everybody together"})


class TeamsSchema(Page(TeamReportSchema), CarryingSchema):  # type: ignore[misc]
    pass


class CasesSchema(CountSchema):
    open = fields.Integer()


class PreventableSchema(CountSchema):
    said = fields.Integer(metadata={"description": "Cases of which it was said whether they were preventable"})
    share = fields.Float(allow_none=True, metadata={"description": "count ÷ said"})


class CostSchema(FigureSchema):
    days = fields.Integer()
    mean_days = fields.Float(allow_none=True)


class RecurringSchema(CountSchema):
    share = fields.Float(allow_none=True)


class PreventionStateSchema(CountSchema):
    state = fields.String(metadata={"description": "promised (all of them), done, open, overdue (of open) or dropped"})


class SparedSchema(CountSchema):
    days = fields.Integer(metadata={"description": "Their days open"})
    value = fields.Nested(TotalSchema)


class RootCauseSchema(FigureSchema):
    text = fields.String()
    cases = fields.Integer()
    preventable = fields.Integer()
    days = fields.Integer()


class CausesTotalSchema(Schema):
    cases = fields.Nested(CasesSchema)
    preventable = fields.Nested(PreventableSchema)
    cost = fields.Nested(CostSchema)
    value_touched = fields.Nested(InHandSchema)
    recurring = fields.Nested(RecurringSchema)
    prevention = fields.List(fields.Nested(PreventionStateSchema))
    spared = fields.Nested(SparedSchema)


class CauseSchema(CausesTotalSchema):
    reason = fields.String()
    label = fields.String()
    root_causes = fields.List(fields.Nested(RootCauseSchema), metadata={"description": "The costliest five"})


class SavingSchema(SparedSchema):
    reason = fields.String()
    label = fields.String()
    because = fields.String()


class CausesSchema(Page(CauseSchema), FrameSchema):  # type: ignore[misc]
    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")
    reader = fields.String(metadata={"description": "Whose figures these are"})
    total = fields.Nested(CausesTotalSchema)
    savings = fields.List(
        fields.Nested(SavingSchema), metadata={"description": "The five whose prevention would save most, and why"}
    )
