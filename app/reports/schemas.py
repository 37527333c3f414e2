"""Answers of reports, as they stand on the wire."""

from marshmallow import fields

from app.http import AwareDateTime, Money, Query, Schema


class SummaryArguments(Query):
    as_of = AwareDateTime(metadata={"description": "A moment of the past; now unless said"})
    first = fields.Date(data_key="from", metadata={"description": "First day raised of the cohorts"})
    last = fields.Date(data_key="to", metadata={"description": "Last day raised of the cohorts"})


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


class SummarySchema(Schema):
    as_of = AwareDateTime(metadata={"description": "The moment answered for: the last final one up to what was asked"})
    lag_seconds = fields.Float(metadata={"description": "How far that lies before what was asked"})
    currency = fields.String()
    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")
    open = fields.Nested(OpenSchema)
    value_at_stake = fields.Nested(AtStakeSchema)
    renewals_at_risk = fields.Nested(RenewalsSchema)
