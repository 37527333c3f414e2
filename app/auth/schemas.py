"""Bodies and answers of users, tokens and settings."""

import re
from typing import Any
from zoneinfo import available_timezones

from marshmallow import ValidationError, fields, validate, validates_schema

from app.auth.roles import ROLES, SCOPES
from app.auth.settings import ABSENCE_MODES, PRIORITY_WEIGHTS
from app.currencies import CODES
from app.http import AwareDateTime, Body, Page, PageArguments, Schema
from app.http.schemas import words


def zone(value: str) -> None:
    """An IANA zone name."""
    if value not in available_timezones():
        raise ValidationError("expected an IANA time zone such as Europe/Berlin")


ORIGIN = re.compile(r"https://(\*\.)?[a-z0-9.-]+(:\d{1,5})?|http://(localhost|127\.0\.0\.1)(:\d{1,5})?")
currency = validate.OneOf(sorted(CODES), error="expected an ISO 4217 code such as USD")


class SkillLevelSchema(Schema):
    skill = fields.String()
    level = fields.Integer()


class UserSchema(Schema):
    """A colleague; `capacity` is the largest they have in a team, the tenant's default without one."""

    id = fields.UUID()
    email = fields.String()
    name = fields.String()
    role = fields.String()
    manager_id = fields.UUID(allow_none=True)
    manager_email = fields.String(allow_none=True)
    timezone = fields.String(allow_none=True)
    calendar = fields.String(allow_none=True)
    capacity = fields.Integer()
    skills = fields.List(fields.Nested(SkillLevelSchema))
    active = fields.Boolean()
    created_at = AwareDateTime()


class UserBody(Body):
    email = fields.Email(required=True, validate=words(3, 254))
    name = fields.String(required=True, validate=words(1, 200))
    role = fields.String(load_default="csm", validate=validate.OneOf(ROLES))
    manager_email = fields.Email(load_default=None, allow_none=True)
    timezone = fields.String(load_default=None, allow_none=True, validate=zone)
    calendar = fields.String(load_default=None, allow_none=True, validate=words(1, 100))


class UserPatch(Body):
    email = fields.Email(validate=words(3, 254))
    name = fields.String(validate=words(1, 200))
    role = fields.String(validate=validate.OneOf(ROLES))
    manager_email = fields.Email(allow_none=True)
    timezone = fields.String(allow_none=True, validate=zone)
    calendar = fields.String(allow_none=True, validate=words(1, 100))
    active = fields.Boolean(truthy={True}, falsy={False})


class UserList(PageArguments):
    role = fields.String(validate=validate.OneOf(ROLES))
    active = fields.Boolean()
    skill = fields.String(validate=words(1, 100), metadata={"description": "Who masters the skill of this name."})
    q = fields.String(validate=words(1, 200))


class TokenSchema(Schema):
    id = fields.UUID()
    user_id = fields.UUID()
    user_email = fields.String()
    name = fields.String()
    scopes = fields.List(fields.String(), allow_none=True)
    created_at = AwareDateTime()
    expires_at = AwareDateTime(allow_none=True)
    revoked_at = AwareDateTime(allow_none=True)
    last_used_at = AwareDateTime(allow_none=True)


class NewTokenSchema(TokenSchema):
    token = fields.String(
        allow_none=True, metadata={"description": "Shown in this answer only; null when the answer is a replay."}
    )


class TokenBody(Body):
    user_email = fields.Email(metadata={"description": "Whose token; the caller's own when left out."})
    name = fields.String(load_default="", validate=words(0, 200))
    scopes = fields.List(
        fields.String(validate=validate.OneOf(sorted(SCOPES))),
        validate=words(1, 100),
        load_default=None,
        allow_none=True,
    )
    expires_at = AwareDateTime(load_default=None, allow_none=True)


class TokenList(PageArguments):
    user_id = fields.UUID()


def number(low: int, high: int) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(low, high))


class Share(fields.Float):
    """A number from 0 to 1, never text."""

    def _validated(self, value: Any) -> Any:
        if isinstance(value, str) or not 0 <= super()._validated(value) <= 1:
            raise ValidationError("expected a number from 0 to 1")
        return super()._validated(value)


class ApprovalFields(Body):
    asked = fields.Boolean(truthy={True}, falsy={False})
    approvers = fields.List(fields.Email(), validate=validate.Length(max=50))


def reason_name() -> fields.String:
    word = validate.Regexp(r"^[a-z][a-z0-9_]{0,49}\Z", error="expected a word such as data_loss")
    return fields.String(validate=word)


class ReasonFields(Body):
    """How a reason is called, whether it can mostly be prevented, and whether new cases may still have it."""

    label = fields.String(validate=words(1, 100))
    preventable_by_default = fields.Boolean(truthy={True}, falsy={False}, allow_none=True)
    retired = fields.Boolean(truthy={True}, falsy={False})


def origin(value: str) -> None:
    """The scheme and host of a page that may embed the panel, `*.` for all below a host; http only for this machine."""
    if not ORIGIN.fullmatch(value):
        raise ValidationError("expected an origin such as https://example.my.salesforce.com, without a path")


class SettingsBody(Body):
    """What a tenant may set; a field left out keeps its value."""

    timezone = fields.String(validate=zone)
    reporting_currency = fields.String(validate=currency)
    calendar = fields.String(validate=words(1, 100))
    approval = fields.Nested(ApprovalFields)
    duty_owner_email = fields.Email()
    duty_deputy_email = fields.Email(allow_none=True)
    absence_mode = fields.String(validate=validate.OneOf(ABSENCE_MODES))
    close_days = number(1, 365)
    acknowledge_hours = number(1, 240)
    respond_business_days = number(1, 60)
    decide_business_days = number(1, 60)
    verify_business_days = number(1, 60)
    wait_budget_business_days = number(0, 250)
    resume_within_business_days = number(1, 250)
    reopen_days = number(0, 365)
    rate_max_age_days = number(0, 365)
    silent_gap_business_days = number(1, 60)
    capacity = number(1, 1000)
    suggestion_confidence = Share(allow_none=True)
    priority_weights = fields.Nested(
        Body.from_dict({name: number(0, 100) for name in PRIORITY_WEIGHTS}, name="PriorityWeights")
    )
    reasons = fields.List(reason_name(), validate=validate.Length(max=50))
    reason_details = fields.Dict(keys=reason_name(), values=fields.Nested(ReasonFields))
    embed_origins = fields.List(fields.String(validate=origin), validate=validate.Length(max=50))
    embed_match_email = fields.Boolean(
        truthy={True},
        falsy={False},
        metadata={"description": "Whether a CRM's user is learnt by the address that the CRM vouches for."},
    )

    @validates_schema
    def check_reasons(self, data: dict[str, Any], **kwargs: Any) -> None:
        reasons = data.get("reasons", [])
        if len(set(reasons)) != len(reasons):
            raise ValidationError("expected each reason once", "reasons")


class SettingsSchema(SettingsBody):
    """The settings in force: what the tenant set over the defaults."""


class ReasonSchema(Schema):
    name = fields.String()
    label = fields.String()
    preventable_by_default = fields.Boolean(allow_none=True)
    built_in = fields.Boolean()
    retired = fields.Boolean()


class ReasonsSchema(Schema):
    items = fields.List(fields.Nested(ReasonSchema))


UserPage = Page(UserSchema)
TokenPage = Page(TokenSchema)
