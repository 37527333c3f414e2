"""Bodies and answers of customers' records; what a field accepts is said once, in `checks`."""

from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError, fields, validate

from app.accounts import checks
from app.accounts.names import ESCALATOR_KINDS, SEGMENTS
from app.http import AwareDateTime, Body, Money, Page, PageArguments, Query, Schema
from app.http.schemas import words


def checked(check: checks.Check) -> Callable[[Any], None]:
    """A check as marshmallow's validator."""

    def validator(value: Any) -> None:
        try:
            check(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None

    return validator


def _text(check: checks.Check, **more: Any) -> fields.String:
    return fields.String(allow_none=True, validate=checked(check), **more)


class Number(fields.Float):
    """A number or its decimal text, kept exact; the checks read it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return value

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else float(value)


class AccountBody(Body):
    name = fields.String(validate=checked(checks.text(500)))
    domain = _text(checks.text(253))
    segment = fields.String(allow_none=True, validate=validate.OneOf(SEGMENTS))
    region = _text(checks.text(100))
    timezone = _text(checks.zone)
    calendar = _text(checks.text(100))
    health = fields.Integer(strict=True, allow_none=True, validate=validate.Range(0, 100))
    lifecycle = _text(checks.text(100))
    owner_email = _text(checks.email)
    csm_email = _text(checks.email)
    sponsor_email = _text(checks.email)
    parent_external_id = _text(checks.text(255))
    attributes = fields.Dict(allow_none=True, validate=checked(checks.attributes))
    source_updated_at = AwareDateTime(allow_none=True)


class EscalatorBody(Body):
    kind = fields.String(load_default="none", validate=validate.OneOf(ESCALATOR_KINDS))
    percent = Number(allow_none=True, validate=checked(checks.percent))
    floor = Number(allow_none=True, validate=checked(checks.percent))
    cap = Number(allow_none=True, validate=checked(checks.percent))


class ContractBody(Body):
    arr = Money()
    currency = fields.String(validate=checked(checks.currency))
    starts_on = fields.Date()
    ends_on = fields.Date(allow_none=True)
    escalator = fields.Nested(EscalatorBody, allow_none=True)
    service_level = _text(checks.text(100))
    source_updated_at = AwareDateTime(allow_none=True)


class ContactBody(Body):
    name = _text(checks.text(500))
    email = _text(checks.email)
    role = _text(checks.text(200))
    source_updated_at = AwareDateTime(allow_none=True)


class OpportunityBody(Body):
    name = _text(checks.text(500))
    amount = Money()
    currency = fields.String(validate=checked(checks.currency))
    probability = Number(allow_none=True, validate=checked(checks.probability))
    type = _text(checks.text(100))
    closes_on = fields.Date(allow_none=True)
    source_updated_at = AwareDateTime(allow_none=True)


class RateBody(Body):
    rate = Number(required=True, validate=checked(checks.rate))


class AccountSchema(Schema):
    id = fields.UUID()
    source = fields.String()
    external_id = fields.String()
    name = fields.String()
    domain = fields.String(allow_none=True)
    segment = fields.String(allow_none=True)
    region = fields.String(allow_none=True)
    timezone = fields.String(allow_none=True)
    calendar = fields.String(allow_none=True)
    health = fields.Integer(allow_none=True)
    lifecycle = fields.String(allow_none=True)
    owner_email = fields.String(allow_none=True)
    csm_email = fields.String(allow_none=True)
    sponsor_email = fields.String(allow_none=True)
    parent_external_id = fields.String(allow_none=True)
    attributes = fields.Dict()
    gone_at = AwareDateTime(allow_none=True)
    version = fields.Integer()


class AccountPersonSchema(Schema):
    id = fields.UUID()
    email = fields.String()
    name = fields.String()
    active = fields.Boolean()


class AccountRecordSchema(AccountSchema):
    """One account with who stands for it and the ids of its parents, nearest first."""

    owner = fields.Nested(AccountPersonSchema, allow_none=True)
    csm = fields.Nested(AccountPersonSchema, allow_none=True)
    sponsor = fields.Nested(AccountPersonSchema, allow_none=True)
    parents = fields.List(fields.UUID())
    warnings = fields.List(fields.String())


class Upserted(Schema):
    """What became of the request, and what it names that is not known yet."""

    upsert = fields.String(validate=validate.OneOf(("created", "updated", "unchanged", "stale")))
    warnings = fields.List(fields.String())


class AccountUpsertSchema(AccountSchema, Upserted):
    source_updated_at = AwareDateTime(allow_none=True)


class _BelowAccount(Upserted):
    id = fields.UUID()
    account_id = fields.UUID()
    source = fields.String()
    external_id = fields.String()
    source_updated_at = AwareDateTime(allow_none=True)
    version = fields.Integer()


class ContractEscalatorSchema(Schema):
    kind = fields.String()
    percent = Number(allow_none=True)
    floor = Number(allow_none=True)
    cap = Number(allow_none=True)


class ContractUpsertSchema(_BelowAccount):
    arr = Money()
    currency = fields.String()
    starts_on = fields.Date()
    ends_on = fields.Date(allow_none=True)
    escalator = fields.Nested(ContractEscalatorSchema)
    service_level = fields.String(allow_none=True)


class ContactUpsertSchema(_BelowAccount):
    name = fields.String(allow_none=True)
    email = fields.String(allow_none=True)
    role = fields.String(allow_none=True)


class OpportunityUpsertSchema(_BelowAccount):
    name = fields.String(allow_none=True)
    amount = Money()
    currency = fields.String()
    probability = Number()
    type = fields.String(allow_none=True)
    closes_on = fields.Date(allow_none=True)


class RateUpsertSchema(Upserted):
    currency = fields.String()
    date = fields.Date(attribute="on_date")
    rate = Number()


class AccountList(PageArguments):
    """`segment`, `region` and `owner` (e-mails) take several values by comma; `q` is a part of the name."""

    q = fields.String(validate=words(1, 200))
    segment = fields.String(validate=words(1, 200))
    region = fields.String(validate=words(1, 500))
    owner = fields.String(validate=words(1, 1000))


AccountPage = Page(AccountSchema)


class DayOrMoment(fields.String):
    """A date, or a moment with an offset, whose date in the tenant's zone counts."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        for check in (checks.day, checks.moment):
            try:
                return check(value)
            except ValueError:
                continue
        raise ValidationError("expected a date such as 2026-12-31, or a moment with an offset")


class ValueQuery(Query):
    as_of = DayOrMoment()


class AccountUnconvertedSchema(Schema):
    kind = fields.String()
    id = fields.UUID()
    amount = Money()
    currency = fields.String()


class AccountTotalSchema(Schema):
    """A sum in `currency`; null when nothing of it has a rate. `unconverted` is what it lacks."""

    amount = Money(allow_none=True)
    currency = fields.String()
    incomplete = fields.Boolean()
    unconverted = fields.List(fields.Nested(AccountUnconvertedSchema))


class AccountPartSchema(Schema):
    kind = fields.String()
    id = fields.UUID()
    amount = Money()
    currency = fields.String()
    rate = Number(allow_none=True)
    rate_on = fields.Date(allow_none=True)
    weight = Number()
    converted = Money(allow_none=True)
    from_account = fields.UUID(allow_none=True, data_key="from")
    touched = fields.Boolean()


class AccountInputsSchema(Schema):
    """What the account gives to a case's priority: `value_percentile` is its place (0–1) in the daily book."""

    value_percentile = Number(allow_none=True)
    book_on = fields.Date(allow_none=True)
    renewal_on = fields.Date(allow_none=True)
    days_to_renewal = fields.Integer(allow_none=True)
    health = fields.Integer(allow_none=True)


class AccountValueSchema(Schema):
    account_id = fields.UUID()
    as_of = fields.Date()
    currency = fields.String()
    arr = fields.Nested(AccountTotalSchema)
    pipeline = fields.Nested(AccountTotalSchema)
    value_at_stake = fields.Nested(AccountTotalSchema)
    renewal_on = fields.Date(allow_none=True)
    renewal_value = fields.Nested(AccountTotalSchema)
    estimate = fields.Boolean()
    from_account = fields.UUID(allow_none=True, data_key="from")
    service_level = fields.String(allow_none=True)
    parts = fields.List(fields.Nested(AccountPartSchema))
    priority_inputs = fields.Nested(AccountInputsSchema)
