"""Answers about imports."""

from marshmallow import fields

from app.http import AwareDateTime, PageArguments, Query, Schema


class ImportQuery(Query):
    """`dry_run` checks and counts everything and writes nothing."""

    dry_run = fields.Boolean(load_default=False)


class ImportList(PageArguments):
    """Pages through the refused rows."""


class ImportFaultSchema(Schema):
    line = fields.Integer()
    field = fields.String(allow_none=True)
    detail = fields.String()


class CountsSchema(Schema):
    """How far an import is: `total` rows, and what became of them."""

    state = fields.String()
    total = fields.Integer()
    created = fields.Integer()
    updated = fields.Integer()
    unchanged = fields.Integer()
    stale = fields.Integer()
    rejected = fields.Integer()


class ImportSchema(CountsSchema):
    """`state` is running, done or failed; `failure` says why it ended early. `errors` lists at most 10,000 rows."""

    id = fields.UUID()
    kind = fields.String()
    failure = fields.String(allow_none=True)
    started_at = AwareDateTime(allow_none=True)
    ended_at = AwareDateTime(allow_none=True)
    errors = fields.List(fields.Nested(ImportFaultSchema))
    next_cursor = fields.String(allow_none=True)


class ImportedSchema(CountsSchema):
    id = fields.UUID(allow_none=True)
    dry_run = fields.Boolean()
