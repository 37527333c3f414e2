"""Bodies and answers of teams and routing."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from app.auth.settings import ABSENCE_MODES
from app.http import AwareDateTime, Body, Page, Query, Schema
from app.http.schemas import words
from app.routing.fields import RAISED_BY_KINDS
from app.sla.level import TIERS

LONG = 20_000


class MemberSchema(Schema):
    user_id = fields.UUID()
    email = fields.String()
    name = fields.String()
    active = fields.Boolean()
    capacity = fields.Integer(allow_none=True)
    weight = fields.Float()


class TeamSchema(Schema):
    id = fields.UUID()
    name = fields.String()
    tier = fields.String(allow_none=True)
    lead_id = fields.UUID(allow_none=True)
    lead_email = fields.String(allow_none=True)
    calendar = fields.String(allow_none=True)
    members = fields.List(fields.Nested(MemberSchema))
    created_at = AwareDateTime()


class TeamBody(Body):
    name = fields.String(required=True, validate=[words(1, 200), validate.Regexp(r"\S", error="expected some text")])
    tier = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(TIERS))
    lead_email = fields.Email(load_default=None, allow_none=True)
    calendar = fields.String(load_default=None, allow_none=True, validate=words(1, 100))


class TeamPatch(Body):
    name = fields.String(validate=[words(1, 200), validate.Regexp(r"\S", error="expected some text")])
    tier = fields.String(allow_none=True, validate=validate.OneOf(TIERS))
    lead_email = fields.Email(allow_none=True)
    calendar = fields.String(allow_none=True, validate=words(1, 100))


class Weight(fields.Decimal):
    """What a member's score in a team is multiplied by: more than 0, at most 1, in hundredths."""

    def _validated(self, value: Any) -> Decimal:
        weight = super()._validated(value)
        if isinstance(value, str) or not 0 < weight <= 1 or weight != round(weight, 2):
            raise ValidationError("expected a number above 0 and at most 1 with at most two decimals, such as 0.5")
        return weight


class MemberBody(Body):
    """`capacity` in work weight, null or left out the tenant's default; a newcomer's `weight` is below 1."""

    capacity = fields.Integer(strict=True, load_default=None, allow_none=True, validate=validate.Range(0, 10_000))
    weight = Weight(load_default=Decimal(1))


TeamPage = Page(TeamSchema)


class AbsenceSchema(Schema):
    id = fields.UUID()
    user_id = fields.UUID()
    starts_at = AwareDateTime()
    ends_at = AwareDateTime()
    delegate_id = fields.UUID(allow_none=True)
    delegate_email = fields.String(allow_none=True)
    mode = fields.String()
    created_at = AwareDateTime()


class AbsenceBody(Body):
    """`mode` left out is the tenant's `absence_mode`; without a delegate nobody stands in."""

    starts_at = AwareDateTime(required=True)
    ends_at = AwareDateTime(required=True)
    delegate_email = fields.Email(load_default=None, allow_none=True)
    mode = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(ABSENCE_MODES))


AbsencePage = Page(AbsenceSchema)


class RoutedOwnerSchema(Schema):
    id = fields.UUID()
    email = fields.String()
    name = fields.String()


class ExplanationSchema(Schema):
    owner = fields.Nested(RoutedOwnerSchema)
    team_id = fields.UUID(allow_none=True)
    rule = fields.String(allow_none=True)
    why = fields.String()
    failure = fields.String(allow_none=True)
    policy_number = fields.Integer()
    rules = fields.List(fields.Dict())
    candidates = fields.List(fields.Dict())
    excluded = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))


class ExplainAccount(Body):
    source = fields.String(required=True, validate=words(1, 200))
    external_id = fields.String(required=True, validate=words(1, 500))


class ExplainRaisedBy(Body):
    kind = fields.String(load_default="colleague", validate=validate.OneOf(RAISED_BY_KINDS))
    email = fields.Email()


class ExplainRef(Body):
    system = fields.String(required=True, validate=words(1, 200))
    external_id = fields.String(required=True, validate=words(1, 500))
    url = fields.String(allow_none=True, validate=words(1, 2000))


class ExplainBody(Body):
    """The body of a raise; only the account and the severity are needed to ask. `policy_number` asks a draft."""

    account_id = fields.UUID()
    account = fields.Nested(ExplainAccount)
    severity = fields.Integer(required=True, strict=True, validate=validate.Range(1, 4))
    reason = fields.String(load_default="other", validate=words(1, 200))
    title = fields.String(validate=words(1, 500))
    customer_statement = fields.String(allow_none=True, validate=words(0, LONG))
    desired_outcome = fields.String(allow_none=True, validate=words(0, LONG))
    impact = fields.String(allow_none=True, validate=words(0, LONG))
    raised_by = fields.Nested(ExplainRaisedBy, load_default=lambda: {"kind": "colleague"})
    source = fields.String(load_default="api", validate=words(1, 200))
    external_refs = fields.List(fields.Nested(ExplainRef), validate=validate.Length(max=50))
    answers = fields.Dict(keys=fields.String(), validate=validate.Length(max=100))
    contract_ids = fields.List(fields.UUID(), validate=validate.Length(max=200))
    about_user = fields.Email(allow_none=True)
    restricted = fields.Boolean(load_default=False)
    outage_id = fields.UUID(allow_none=True)
    raised_at = AwareDateTime()
    policy_number = fields.Integer(strict=True, validate=validate.Range(1, 2**31 - 1))

    @validates_schema
    def one_account(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if ("account_id" in data) == ("account" in data):
            raise ValidationError("expected account_id, or account with source and external_id", "account_id")


class QualityArguments(Query):
    """Days of the tenant's zone, both included."""

    first = fields.Date(data_key="from", validate=validate.Range(date(2000, 1, 1), date(2100, 12, 31)))
    last = fields.Date(data_key="to", validate=validate.Range(date(2000, 1, 1), date(2100, 12, 31)))


class GroupSchema(Schema):
    """Cases closed, those closed by their first owner, their share (null of none), the re-routes they saw."""

    closed = fields.Integer()
    by_first_owner = fields.Integer()
    rate = fields.Float(allow_none=True)
    reroutes = fields.Integer()


class RuleGroupSchema(GroupSchema):
    """`rule` null: a person or a stand-in had it first."""

    rule = fields.String(attribute="key", allow_none=True)


class TeamGroupSchema(GroupSchema):
    team_id = fields.String(attribute="key", allow_none=True)
    team = fields.String(attribute="name", allow_none=True)


class ReasonGroupSchema(GroupSchema):
    reason = fields.String(attribute="key")


class RuleGroupsSchema(Schema):
    """Most cases first; `others` adds up those beyond 200."""

    items = fields.List(fields.Nested(RuleGroupSchema))
    others = fields.Nested(GroupSchema, allow_none=True)


class TeamGroupsSchema(Schema):
    items = fields.List(fields.Nested(TeamGroupSchema))
    others = fields.Nested(GroupSchema, allow_none=True)


class ReasonGroupsSchema(Schema):
    items = fields.List(fields.Nested(ReasonGroupSchema))
    others = fields.Nested(GroupSchema, allow_none=True)


class WrongSchema(Schema):
    """`rule` is that of the decision which a re-route took the place of."""

    rule = fields.String(allow_none=True)
    misroute = fields.String()
    reroutes = fields.Integer()


class ReroutesSchema(Schema):
    by_cause = fields.Dict(keys=fields.String(), values=fields.Integer())
    by_misroute = fields.Dict(keys=fields.String(), values=fields.Integer())
    by_rule = fields.List(fields.Nested(WrongSchema))


class QualitySchema(Schema):
    """Of the cases closed in the period, those closed by their first owner, and how the others moved."""

    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")
    all = fields.Nested(GroupSchema)
    reroutes = fields.Nested(ReroutesSchema)
    by_rule = fields.Nested(RuleGroupsSchema)
    by_team = fields.Nested(TeamGroupsSchema)
    by_reason = fields.Nested(ReasonGroupsSchema)
