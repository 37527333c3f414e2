"""Bodies and answers of message drafts."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from app.escalations.bodies import NAME
from app.escalations.words import AUDIENCES
from app.http import AwareDateTime, Body, Schema
from app.playbooks.definition import MESSAGE, TITLE

AUDIENCE = validate.OneOf(AUDIENCES)
WRITTEN = validate.Length(1, MESSAGE)


class DraftSchema(Schema):
    """`suggested`: it suits the present status of the case."""

    key = fields.String()
    title = fields.String()
    audience = fields.List(fields.String())
    suggested = fields.Boolean()
    last_sent_at = AwareDateTime(allow_none=True)


class DraftsSchema(Schema):
    items = fields.List(fields.Nested(DraftSchema))


class DraftPreviewBody(Body):
    """`audience`: whom it would be sent to, left out: everybody it is written for."""

    audience = fields.List(fields.String(validate=AUDIENCE), validate=validate.Length(1, 3))


class UnsavedDraftBody(Body):
    """A template that is not saved, on a case the caller sees."""

    escalation_id = fields.UUID(required=True)
    audience = fields.List(fields.String(validate=AUDIENCE), required=True, validate=validate.Length(1, 3))
    subject = fields.String(load_default="", validate=validate.Length(max=TITLE))
    text = fields.String(required=True, validate=WRITTEN)
    texts = fields.Dict(keys=fields.String(validate=AUDIENCE), values=fields.String(validate=WRITTEN), load_default={})
    title = fields.String(load_default="", validate=NAME)

    @validates_schema(skip_on_field_errors=True)
    def only_for_its_readers(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if others := set(data["texts"]) - set(data["audience"]):
            raise ValidationError(f"{min(others)} is not in audience", "texts")


class DraftGapSchema(Schema):
    """`field`: the case does not have it; `write`: the sender has to write it."""

    kind = fields.String()
    what = fields.String()


class MetClockSchema(Schema):
    clock = fields.String()
    cycle = fields.Integer()
    due_at = AwareDateTime(allow_none=True)
    late = fields.Boolean()


class BegunClockSchema(Schema):
    clock = fields.String()
    due_at = AwareDateTime(allow_none=True)


class DraftPreviewSchema(Schema):
    """What would be sent now: `text`, and in `texts` what single audiences read instead; each gap stands in it as ⟦…⟧.

    `meets` are the promises that sending it keeps, `begins` those that it makes.
    """

    key = fields.String(allow_none=True)
    title = fields.String(allow_none=True)
    audience = fields.List(fields.String())
    subject = fields.String()
    text = fields.String()
    texts = fields.Dict(keys=fields.String(), values=fields.String())
    gaps = fields.List(fields.Nested(DraftGapSchema))
    meets = fields.List(fields.Nested(MetClockSchema))
    begins = fields.List(fields.Nested(BegunClockSchema))


class DraftFieldSchema(Schema):
    """`internal`: never in a text for the customer. One of a list is `list[].name`; `answers.KEY` are the answers to
    the playbook's questions."""

    field = fields.String()
    kind = fields.String()
    about = fields.String()
    internal = fields.Boolean()


class DraftFilterSchema(Schema):
    name = fields.String()
    takes = fields.List(fields.String())
    about = fields.String()


class DraftFieldsSchema(Schema):
    fields_ = fields.List(fields.Nested(DraftFieldSchema), data_key="fields", attribute="fields")
    filters = fields.List(fields.Nested(DraftFilterSchema))
