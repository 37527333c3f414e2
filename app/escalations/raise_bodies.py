"""What the doors take that raise a case, one by one or as rows of a file."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from app.escalations import lifecycle
from app.escalations.bodies import NAME, SHORT, text
from app.http import AwareDateTime, Body


class AccountKeyBody(Body):
    source = fields.String(required=True, validate=NAME)
    external_id = fields.String(required=True, validate=NAME)


class RaisedByBody(Body):
    kind = fields.String(load_default="colleague", validate=validate.OneOf(lifecycle.RAISED_BY_KINDS))
    email = fields.Email(validate=SHORT)


class ExternalRefBody(Body):
    system = fields.String(required=True, validate=NAME)
    external_id = fields.String(required=True, validate=NAME)
    url = fields.Url(schemes={"http", "https"}, allow_none=True, load_default=None, require_tld=False)


class RaiseBody(Body):
    """`POST /escalations`; required are the account, `title` and `severity`."""

    account_id = fields.UUID()
    account = fields.Nested(AccountKeyBody)
    title = fields.String(required=True, validate=[SHORT, validate.Regexp(r"\s*\S", error="expected some text")])
    customer_statement = text(allow_none=True)
    desired_outcome = text(allow_none=True)
    impact = text(allow_none=True)
    severity = fields.Integer(required=True, strict=True, validate=validate.Range(1, 4))
    reason = fields.String(load_default="other", validate=NAME)
    raised_by = fields.Nested(RaisedByBody)
    source = fields.String(load_default="api", validate=NAME)
    external_refs = fields.List(fields.Nested(ExternalRefBody), validate=validate.Length(max=50))
    answers = fields.Dict(keys=fields.String(validate=NAME), values=text(), validate=validate.Length(max=100))
    contract_ids = fields.List(fields.UUID(), validate=validate.Length(max=200))
    about_user = fields.Email()
    restricted = fields.Boolean(load_default=False)
    outage_id = fields.UUID(allow_none=True)
    raised_at = AwareDateTime()

    @validates_schema
    def one_account(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if ("account_id" in data) == ("account" in data):
            raise ValidationError("expected account_id, or account with source and external_id", "account_id")
