"""Bodies and answers of saved views, schedules and links of reports."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, pre_load, validate

from app.http import AwareDateTime, Body, Page, Schema
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


def report() -> fields.String:
    return fields.String(required=True, validate=validate.OneOf(tuple(KINDS)))


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
