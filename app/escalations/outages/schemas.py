"""Bodies and answers of outages."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, pre_load, validate, validates_schema

from app.escalations.bodies import NAME, SHORT, ActionBody, text
from app.escalations.drafting_schemas import DraftPreviewSchema
from app.escalations.likeness import OUTAGE
from app.escalations.raise_bodies import AccountKeyBody
from app.escalations.schemas import PersonSchema
from app.escalations.task_schemas import TaskSchema
from app.escalations.words import AUDIENCES
from app.http import AwareDateTime, Body, Page, PageArguments, Schema

MOST_ACCOUNTS = 200
# Shorter than what a case may hold: it goes into a draft that says more than it.
WORD = validate.Length(1, 10_000)


def title(*, required: bool) -> fields.String:
    return fields.String(required=required, validate=[SHORT, validate.Regexp(r"\s*\S", error="expected some text")])


def word(*, required: bool = False) -> fields.String:
    return fields.String(required=required, validate=[WORD, validate.Regexp(r"\s*\S", error="expected some text")])


class OutageBody(ActionBody):
    """Without `owner_email` who opens it owns it."""

    title = title(required=True)
    statement = text(allow_none=True)
    owner_email = fields.Email()


class OutageChangeBody(ActionBody):
    title = title(required=False)
    statement = text(allow_none=True)
    owner_email = fields.Email()


class NewsBody(ActionBody):
    """What is offered to each case: `text`, and in `texts` what single audiences read instead. `channel` is by which
    it is meant to go out."""

    audience = fields.List(
        fields.String(validate=validate.OneOf(AUDIENCES)), load_default=["customer"], validate=validate.Length(1, 3)
    )
    channel = fields.String(validate=NAME)
    text = word()
    texts = fields.Dict(keys=fields.String(validate=validate.OneOf(AUDIENCES)), values=word())

    @pre_load
    def one_or_more(self, data: Any, **kwargs: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("audience"), str):
            return {**data, "audience": [data["audience"]]}
        return data

    @validates_schema(skip_on_field_errors=True)
    def for_its_readers(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if others := set(data.get("texts", {})) - set(data["audience"]):
            raise ValidationError(f"{min(others)} is not in audience", "texts")


class OutageUpdateBody(NewsBody):
    @validates_schema(skip_on_field_errors=True)
    def each_reads_something(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if "text" not in data and set(data["audience"]) - set(data.get("texts", {})):
            raise ValidationError("expected a text, or in texts one for each audience", "text")


class OutageResolveBody(NewsBody):
    """`summary`, `root_cause` and `preventable` are offered as each case's resolution; what customers read is `text`,
    without it the summary."""

    summary = word(required=True)
    root_cause = word()
    preventable = fields.Boolean(allow_none=True)


class AffectedBody(Body):
    """An account that is hit, or a case that is there already; what is left out is as said for all."""

    account_id = fields.UUID()
    account = fields.Nested(AccountKeyBody)
    escalation_id = fields.UUID()
    title = title(required=False)
    severity = fields.Integer(strict=True, validate=validate.Range(1, 4))
    customer_statement = text(allow_none=True)
    desired_outcome = text(allow_none=True)
    impact = text(allow_none=True)

    @validates_schema
    def one_of_them(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if sum(name in data for name in ("account_id", "account", "escalation_id")) != 1:
            raise ValidationError("expected one of account_id, account, escalation_id", "account_id")


class AffectBody(ActionBody):
    """`title` is the outage's unless said."""

    accounts = fields.List(fields.Raw(), required=True, validate=validate.Length(1, MOST_ACCOUNTS))
    title = title(required=False)
    severity = fields.Integer(required=True, strict=True, validate=validate.Range(1, 4))
    reason = fields.String(load_default=OUTAGE, validate=NAME)
    impact = text(allow_none=True)


class OutageArguments(PageArguments):
    state = fields.String()
    owner = fields.String()


class CasesArguments(PageArguments):
    status = fields.String()
    sort = fields.String(load_default="due", validate=validate.OneOf(("-priority", "due", "-value_at_stake", "raised")))


class WordOfOutageSchema(Schema):
    """The update, or the end, that is offered to the cases now."""

    kind = fields.String()
    at = AwareDateTime()
    audiences = fields.List(fields.String())
    texts = fields.Dict(keys=fields.String(), values=fields.String(allow_none=True))


class CaseCountsSchema(Schema):
    """Of the cases that the caller may see."""

    open = fields.Integer()
    resolved = fields.Integer()
    closed = fields.Integer()
    requested = fields.Integer()


class OutageItemSchema(Schema):
    id = fields.UUID()
    title = fields.String()
    statement = fields.String(allow_none=True)
    state = fields.String()
    owner = fields.Nested(PersonSchema)
    opened_at = AwareDateTime()
    resolved_at = AwareDateTime(allow_none=True)
    version = fields.Integer()


OutagePage = Page(OutageItemSchema)


class OutageSchema(OutageItemSchema):
    last_word = fields.Nested(WordOfOutageSchema, allow_none=True)
    escalations = fields.Nested(CaseCountsSchema)


class HitFaultSchema(Schema):
    pointer = fields.String()
    detail = fields.String()


class HitSchema(Schema):
    """`outcome`: raised, linked, known or rejected; of what was rejected the code and why."""

    index = fields.Integer()
    outcome = fields.String()
    escalation_id = fields.UUID(allow_none=True)
    number = fields.String(allow_none=True)
    code = fields.String(allow_none=True)
    detail = fields.String(allow_none=True)
    errors = fields.List(fields.Nested(HitFaultSchema))


class HitsSchema(Schema):
    """One entry for each that was sent, in their order."""

    items = fields.List(fields.Nested(HitSchema))
    raised = fields.Integer()
    linked = fields.Integer()
    known = fields.Integer()
    rejected = fields.Integer()


class OfferedResolutionSchema(Schema):
    """What `resolve` can be called with."""

    summary = fields.String(allow_none=True)
    root_cause = fields.String(allow_none=True)
    preventable = fields.Boolean(allow_none=True)


class OfferSchema(Schema):
    """What an outage offers to a case: the message as it would go out, and once it is over the resolution."""

    task = fields.Nested(TaskSchema)
    outage_id = fields.UUID(allow_none=True)
    channel = fields.String(allow_none=True)
    message = fields.Nested(DraftPreviewSchema)
    resolution = fields.Nested(OfferedResolutionSchema, allow_none=True)
