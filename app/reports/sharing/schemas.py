"""Bodies and answers of saved views, schedules and links of reports."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, pre_load, validate, validates_schema

from app.http import AwareDateTime, Body, Page, PageArguments, Schema
from app.http.schemas import words
from app.reports.schemas import MOST_ACCOUNTS, NamedSchema
from app.reports.sharing.kinds import KINDS
from app.reports.sharing.spans import SPANS


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
