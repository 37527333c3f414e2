"""Questions for files, as they stand on the wire."""

from functools import cache

from marshmallow import fields, validate

from app.http import Query
from app.reports.exports.sources import Source
from app.texts import LANGUAGES

FORMATS = ("csv", "xlsx", "pdf")
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
