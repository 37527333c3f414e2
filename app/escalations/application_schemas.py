"""Applying newer versions to open cases, on the wire."""

from marshmallow import fields, validate

from app.http import AwareDateTime, Body, Page, Schema

LONGEST_SPREAD = 7 * 24 * 60


class ApplyBody(Body):
    """With `preview` nothing is changed. `spread_minutes`: over how long what fires at once is spread."""

    preview = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    spread_minutes = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, LONGEST_SPREAD))


class ExampleSchema(Schema):
    """One clock that would be re-targeted, started or ended."""

    escalation_id = fields.UUID()
    number = fields.String()
    clock = fields.String()
    what = fields.String()
    was = AwareDateTime(allow_none=True)
    becomes = AwareDateTime(allow_none=True)
    breaches = fields.Boolean()
    steps = fields.Integer()


class PreviewSchema(Schema):
    """What applying it now would do. `escalations` go by the newer version afterwards; of them `clocks` move, start or
    end, `breached` break and `steps` fire at once, in `firing` cases. The first hundred clocks are listed."""

    escalations = fields.Integer()
    clocks = fields.Integer()
    breached = fields.Integer()
    steps = fields.Integer()
    firing = fields.Integer()
    examples = fields.List(fields.Nested(ExampleSchema))


class ApplicationSchema(Schema):
    """How far it is: `escalations` of `total` are moved. `firing` is known once a spread has been counted."""

    id = fields.UUID()
    kind = fields.String()
    name = fields.String()
    number = fields.Integer()
    phase = fields.String()
    spread_minutes = fields.Function(lambda found: found.spread_seconds // 60, metadata={"type": "integer"})
    total = fields.Integer()
    escalations = fields.Integer()
    clocks = fields.Integer()
    breached = fields.Integer()
    steps = fields.Integer()
    firing = fields.Integer()
    fired = fields.Integer()
    failed = fields.List(fields.UUID(), attribute="failed_ids")
    started_at = AwareDateTime()
    ended_at = AwareDateTime(allow_none=True)


ApplicationPage = Page(ApplicationSchema)
