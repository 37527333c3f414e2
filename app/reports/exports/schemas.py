"""Questions for files, as they stand on the wire."""

from functools import cache

from marshmallow import fields, validate

from app.http import AwareDateTime, Body, Page, Query, Schema
from app.reports.exports.models import FORMATS, STATES
from app.reports.exports.sources import SOURCES, Source
from app.texts import LANGUAGES

PAPERS = ("a4", "letter")


class FileArguments(Query):
    table = fields.String(metadata={"description": "Of CSV: which of the report's tables; its first unless said"})
    paper = fields.String(
        load_default="a4", validate=validate.OneOf(PAPERS), metadata={"description": "Of PDF: the size of its pages"}
    )
    language = fields.String(
        load_default="en", validate=validate.OneOf(LANGUAGES), metadata={"description": "Of headings and titles"}
    )


@cache
def arguments_of(source: Source) -> type[Query]:
    """A report's own arguments and those of its file."""
    name = "".join(word.capitalize() for word in source.key.split("_"))
    return type(f"{name}FileArguments", (FileArguments, source.arguments), {})


@cache
def kept_arguments_of(source: Source) -> type[Query]:
    """The same with what stands in the report's address, for a file that is made later."""
    whose = {"account_id": fields.UUID(required=True)} if "account_id" in source.path else {}
    return type(f"Kept{arguments_of(source).__name__}", (arguments_of(source),), whose)


class ExportBody(Body):
    report = fields.String(required=True, validate=validate.OneOf(sorted(SOURCES)))
    format = fields.String(required=True, validate=validate.OneOf(FORMATS))
    arguments = fields.Dict(
        keys=fields.String(),
        load_default=dict,
        metadata={"description": "As the query of the report's file at once, and account_id where its address has one"},
    )


class ExportSchema(Schema):
    id = fields.UUID()
    report = fields.String()
    format = fields.String()
    arguments = fields.Dict(keys=fields.String())
    as_of = AwareDateTime()
    state = fields.String(validate=validate.OneOf(STATES))
    rows_done = fields.Integer()
    rows_total = fields.Integer(allow_none=True, metadata={"description": "null where the report has no long table"})
    failure = fields.String(allow_none=True)
    size = fields.Integer(allow_none=True, metadata={"description": "Bytes"})
    asked_at = AwareDateTime()
    ended_at = AwareDateTime(allow_none=True)
    expires_at = AwareDateTime(allow_none=True, metadata={"description": "Then the file is removed"})


ExportPage = Page(ExportSchema)
