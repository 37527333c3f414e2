"""Bodies and answers of simulations."""

from datetime import date

from marshmallow import ValidationError, fields, validate, validates_schema

from app.http import AwareDateTime, Body, Page, PageArguments, Schema
from app.routing.policy_schemas import PolicyPersonSchema
from app.routing.simulation_models import STATES

DAY = validate.Range(date(2000, 1, 1), date(2100, 12, 31))


class SimulateBody(Body):
    """A version, or rules with weights; without either the newest draft, else the version in force. Days are those of
    the tenant's zone, both included; the last 90 unless said."""

    number = fields.Integer(strict=True, validate=validate.Range(1, 2**31 - 1))
    rules = fields.List(fields.Raw())
    weights = fields.Dict()
    first = fields.Date(data_key="from", validate=DAY)
    last = fields.Date(data_key="to", validate=DAY)

    @validates_schema
    def one_policy(self, data: dict[str, object], **kwargs: object) -> None:
        if "number" in data and "rules" in data:
            raise ValidationError("expected a version's number or rules, not both", "number")
        if "weights" in data and "rules" not in data:
            raise ValidationError("expected rules beside the weights", "weights")


class UnroutedSchema(Schema):
    """How many, and how many by code."""

    cases = fields.Integer()
    codes = fields.Dict(keys=fields.String(), values=fields.Integer())


class RightSchema(Schema):
    """Of the cases that were closed: the share closed by whom the replay chose first, and by their real first owner."""

    closed = fields.Integer()
    predicted = fields.Float(allow_none=True)
    real = fields.Float(allow_none=True)


class RuleCasesSchema(Schema):
    rule = fields.String()
    cases = fields.Integer()


class TodaysFactsSchema(Schema):
    """Cases whose record lacked a fact that was asked for, so that today's was taken; by fact."""

    cases = fields.Integer()
    fields_ = fields.Dict(keys=fields.String(), values=fields.Integer(), data_key="fields", attribute="fields")


class ResultSchema(Schema):
    cases = fields.Integer()
    changed = fields.Integer()
    unrouted = fields.Nested(UnroutedSchema)
    real_unrouted = fields.Nested(UnroutedSchema)
    first_owner_right = fields.Nested(RightSchema)
    rules = fields.List(fields.Nested(RuleCasesSchema))
    todays_facts = fields.Nested(TodaysFactsSchema)


class SimulationSchema(Schema):
    """`number` is null of rules that were sent along; `result` comes with `done`."""

    id = fields.UUID()
    number = fields.Integer(allow_none=True)
    since = AwareDateTime()
    until = AwareDateTime()
    state = fields.String(validate=validate.OneOf(STATES))
    done = fields.Integer()
    total = fields.Integer()
    problem = fields.String(allow_none=True)
    asked_by = fields.UUID(allow_none=True)
    asked_at = AwareDateTime()
    ended_at = AwareDateTime(allow_none=True)
    result = fields.Nested(ResultSchema, allow_none=True)


SimulationPage = Page(SimulationSchema)


class CaseArguments(PageArguments):
    """`changed`: another owner than the real first one; `unrouted`: nobody by the rules; `owner`: either one's id."""

    changed = fields.Boolean()
    unrouted = fields.Boolean()
    owner = fields.UUID()


class SimulatedCaseSchema(Schema):
    """`todays` names facts that are as of today, for want of a record."""

    escalation_id = fields.UUID()
    number = fields.String()
    at = AwareDateTime()
    reason = fields.String()
    real_owner = fields.Nested(PolicyPersonSchema, allow_none=True)
    owner = fields.Nested(PolicyPersonSchema, allow_none=True)
    closer = fields.Nested(PolicyPersonSchema, allow_none=True)
    changed = fields.Boolean()
    rule = fields.String(allow_none=True)
    why = fields.String(allow_none=True)
    failure = fields.String(allow_none=True)
    real_failure = fields.String(allow_none=True)
    todays = fields.List(fields.String())


SimulatedCasePage = Page(SimulatedCaseSchema)


class DayLoadSchema(Schema):
    """Mean and peak of the work in hand on that day."""

    mean = fields.Float()
    peak = fields.Float()


class DaySchema(Schema):
    on = fields.Date()
    real = fields.Nested(DayLoadSchema)
    simulated = fields.Nested(DayLoadSchema)


class OwnerLoadSchema(Schema):
    """One owner's work by day, really and in the replay, against their capacity of today."""

    owner = fields.Nested(PolicyPersonSchema)
    capacity = fields.Float()
    real_cases = fields.Integer()
    cases = fields.Integer()
    real_peak = fields.Float()
    peak = fields.Float()
    days = fields.List(fields.Nested(DaySchema))


OwnerLoadPage = Page(OwnerLoadSchema)
