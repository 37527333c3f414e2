"""Bodies and answers of playbooks."""

from marshmallow import fields, validate

from app.http import AwareDateTime, Body, Page, Schema


class PlaybookBody(Body):
    """What it says is checked as a whole, so that every fault comes with its place."""

    definition = fields.Dict(required=True)


class PublishPlaybookBody(Body):
    """`number` left out is the newest."""

    number = fields.Integer(strict=True, load_default=None, allow_none=True, validate=validate.Range(1, 2**31 - 1))


class AdoptBody(Body):
    publish = fields.Boolean(load_default=False)


class PlaybookSchema(Schema):
    """`definition` is what it says now (of one never published: the newest); `draft` a newer version, if there is."""

    id = fields.UUID()
    name = fields.String()
    state = fields.String()
    number = fields.Integer(allow_none=True)
    newest = fields.Integer()
    definition = fields.Dict()
    draft = fields.Dict(allow_none=True)
    retired_at = AwareDateTime(allow_none=True)
    created_at = AwareDateTime()


class PlaybookVersionSchema(Schema):
    number = fields.Integer()
    definition = fields.Dict()
    created_by = fields.UUID(allow_none=True)
    created_at = AwareDateTime()


class CheckedPlaybookSchema(Schema):
    """How much there is in what was checked; `ladders` by kind of clock."""

    name = fields.String()
    questions = fields.Integer()
    tasks = fields.Integer()
    tiers = fields.List(fields.String())
    criteria = fields.Integer()
    drafts = fields.Integer()
    ladders = fields.List(fields.String())


class BuiltInSchema(Schema):
    key = fields.String()
    name = fields.String()
    about = fields.String()
    definition = fields.Dict()


class BuiltInsSchema(Schema):
    items = fields.List(fields.Nested(BuiltInSchema))


PlaybookPage = Page(PlaybookSchema)
PlaybookVersionPage = Page(PlaybookVersionSchema)
