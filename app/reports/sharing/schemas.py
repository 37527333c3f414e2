"""Bodies and answers of saved views, schedules and links of reports."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, pre_load, validate, validates_schema

from app.auth.schemas import zone
from app.http import AwareDateTime, Body, Page, PageArguments, Schema
from app.http.schemas import words
from app.reports.schemas import MOST_ACCOUNTS, NamedSchema
from app.reports.sharing.kinds import KINDS
from app.reports.sharing.models import PAPERS, RHYTHMS
from app.reports.sharing.schedules import DAYS
from app.reports.sharing.spans import SPANS

MOST_PEOPLE = 50


class _Named(Body):
    @pre_load
    def strip(self, data: Any, **kwargs: Any) -> Any:
        """Blanks around a name are no part of it."""
        if isinstance(data, Mapping) and isinstance(data.get("name"), str):
            return {**data, "name": data["name"].strip()}
        return data


# Named in a dictionary, since `from` is no name in a class.
ArgumentsBody = type(
    "ArgumentsBody",
    (Body,),
    {
        "__doc__": "What the report is asked: days, or a span that is told anew on the day one reads.",
        "as_of": AwareDateTime(metadata={"description": "A fixed moment; left out, the view is always as of now"}),
        "span": fields.String(validate=validate.OneOf(SPANS)),
        "from": fields.Date(),
        "to": fields.Date(),
        "accounts": fields.List(fields.UUID(), validate=validate.Length(1, MOST_ACCOUNTS)),
        "own_accounts": fields.Boolean(metadata={"description": "The reader's own accounts, whoever reads"}),
        "account_id": fields.UUID(metadata={"description": "Of a report about one account"}),
    },
)
ArgumentsSchema = type(
    "ArgumentsSchema",
    (Schema,),
    {
        "as_of": fields.String(),
        "span": fields.String(),
        "from": fields.String(),
        "to": fields.String(),
        "accounts": fields.List(fields.UUID()),
        "own_accounts": fields.Boolean(),
        "account_id": fields.UUID(),
    },
)


def report(*, required: bool = True) -> fields.String:
    return fields.String(required=required, validate=validate.OneOf(tuple(KINDS)))


class ViewBody(_Named):
    name = fields.String(required=True, validate=words(1, 120))
    report = report()
    arguments = fields.Nested(ArgumentsBody, load_default=dict)
    shared = fields.Boolean(load_default=False, metadata={"description": "With all who may read reports"})


class ViewPatch(_Named):
    name = fields.String(validate=words(1, 120))
    arguments = fields.Nested(ArgumentsBody)
    shared = fields.Boolean()


class ReportViewSchema(Schema):
    id = fields.UUID()
    name = fields.String()
    report = fields.String()
    arguments = fields.Nested(ArgumentsSchema)
    shared = fields.Boolean()
    owner = fields.Nested(NamedSchema)
    mine = fields.Boolean()
    may_change = fields.Boolean()
    address = fields.String(metadata={"description": "Where the API answers it today: a span is told in days"})
    page = fields.String(metadata={"description": "Where the panel shows it"})
    created_at = AwareDateTime()
    changed_at = AwareDateTime()


ReportViewPage = Page(ReportViewSchema)


class _OfOneReport(_Named):
    """A saved view, or a report with its arguments."""

    view_id = fields.UUID(metadata={"description": "A saved view, instead of report and arguments"})
    report = report(required=False)
    arguments = fields.Nested(ArgumentsBody)

    @validates_schema
    def one_report(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if ("view_id" in data) == ("report" in data):
            raise ValidationError("expected view_id or report", "report")
        if "view_id" in data and "arguments" in data:
            raise ValidationError("expected none beside view_id", "arguments")


class ReportLinkBody(_OfOneReport):
    name = fields.String(validate=words(1, 120), metadata={"description": "Stands as the page's heading"})
    days = fields.Integer(
        load_default=14,
        strict=True,
        validate=validate.Range(1, 90),
        metadata={"description": "How long it leads there"},
    )


class ReportLinkSchema(Schema):
    """`works` says whether its maker may read reports still: without, it leads nowhere."""

    id = fields.UUID()
    name = fields.String()
    report = fields.String()
    arguments = fields.Nested(ArgumentsSchema)
    as_of = AwareDateTime(metadata={"description": "The moment that it shows for good"})
    maker = fields.Nested(NamedSchema)
    works = fields.Boolean()
    created_at = AwareDateTime()
    expires_at = AwareDateTime()
    revoked_at = AwareDateTime(allow_none=True)
    opened = fields.Integer(metadata={"description": "How often, previews by chat programs included"})
    last_opened_at = AwareDateTime(allow_none=True)


class NewReportLinkSchema(ReportLinkSchema):
    url = fields.String(
        allow_none=True, metadata={"description": "Shown in this answer only; null when the answer is a replay"}
    )


class LinkList(PageArguments):
    of = fields.String(
        load_default="mine",
        validate=validate.OneOf(("mine", "all")),
        metadata={"description": "`all` is everybody's, for admins"},
    )


class OpeningSchema(Schema):
    at = AwareDateTime()


ReportLinkPage = Page(ReportLinkSchema)
OpeningPage = Page(OpeningSchema)


def people() -> fields.List[Any]:
    return fields.List(
        fields.Email(validate=words(3, 254)),
        validate=validate.Length(1, MOST_PEOPLE),
        metadata={"description": "Addresses of colleagues who may read reports: each gets what they may see"},
    )


class ScheduleBody(_OfOneReport):
    name = fields.String(required=True, validate=words(1, 120))
    own_accounts = fields.Boolean(
        load_default=False, metadata={"description": "To each the accounts they own, look after or sponsor, alone"}
    )
    rhythm = fields.String(required=True, validate=validate.OneOf(RHYTHMS))
    weekday = fields.String(allow_none=True, validate=validate.OneOf(DAYS), metadata={"description": "Of a weekly one"})
    day = fields.Integer(
        strict=True,
        allow_none=True,
        validate=validate.Range(1, 31),
        metadata={"description": "Of the month, or of the quarter's first; the last day where a month is shorter"},
    )
    hour = fields.Integer(required=True, strict=True, validate=validate.Range(0, 23))
    timezone = fields.String(validate=zone, metadata={"description": "The tenant's unless said"})
    paper = fields.String(load_default="a4", validate=validate.OneOf(PAPERS))
    recipients = people()

    @validates_schema
    def somebody(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if "recipients" not in data:
            raise ValidationError("expected one address or more", "recipients")


class SchedulePatch(_Named):
    name = fields.String(validate=words(1, 120))
    view_id = fields.UUID()
    report = report(required=False)
    arguments = fields.Nested(ArgumentsBody)
    own_accounts = fields.Boolean()
    rhythm = fields.String(validate=validate.OneOf(RHYTHMS))
    weekday = fields.String(allow_none=True, validate=validate.OneOf(DAYS))
    day = fields.Integer(strict=True, allow_none=True, validate=validate.Range(1, 31))
    hour = fields.Integer(strict=True, validate=validate.Range(0, 23))
    timezone = fields.String(validate=zone)
    paper = fields.String(validate=validate.OneOf(PAPERS))
    recipients = people()
    active = fields.Boolean(metadata={"description": "false pauses it; what fell due meanwhile is not sent"})

    @validates_schema
    def one_report(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if "view_id" in data and ("report" in data or "arguments" in data):
            raise ValidationError("expected view_id or report", "report")


class RecipientSchema(NamedSchema):
    email = fields.String()
    reads = fields.Boolean(metadata={"description": "false: they left, or may not read reports any more"})


class ReportScheduleSchema(Schema):
    id = fields.UUID()
    name = fields.String()
    view = fields.Nested(NamedSchema, allow_none=True)
    report = fields.String()
    arguments = fields.Nested(ArgumentsSchema)
    own_accounts = fields.Boolean()
    rhythm = fields.String()
    weekday = fields.String(allow_none=True)
    day = fields.Integer(allow_none=True)
    hour = fields.Integer()
    timezone = fields.String()
    paper = fields.String()
    active = fields.Boolean()
    next_at = AwareDateTime(allow_none=True)
    owner = fields.Nested(NamedSchema)
    recipients = fields.List(fields.Nested(RecipientSchema))
    to_me = fields.Boolean()
    may_change = fields.Boolean()
    created_at = AwareDateTime()
    changed_at = AwareDateTime()


class DeliverySchema(Schema):
    """`state` is `waiting` until the report is made, then its message's; `failed`: a dead letter says why."""

    id = fields.UUID()
    recipient = fields.Nested(NamedSchema)
    due_at = AwareDateTime(metadata={"description": "The moment it is true for"})
    asked_for = fields.Boolean(metadata={"description": "Sent because somebody asked for one now"})
    late = fields.Boolean(metadata={"description": "It went out after downtime, and says so"})
    missed = fields.Integer(metadata={"description": "Earlier ones that nobody was sent"})
    state = fields.String()
    reason = fields.String(allow_none=True)
    last_error = fields.String(allow_none=True)
    sent_at = AwareDateTime(allow_none=True)
    message_id = fields.UUID(allow_none=True)


ReportSchedulePage = Page(ReportScheduleSchema)
DeliveryPage = Page(DeliverySchema)
