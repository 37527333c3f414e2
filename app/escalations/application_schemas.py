"""Applying newer versions to open cases, on the wire."""

from typing import Any

from marshmallow import fields, validate

from app.http import AwareDateTime, Body, Page, Schema

LONGEST_SPREAD = 7 * 24 * 60


class ApplyBody(Body):
    """With `preview` nothing is changed; more than 500 cases are counted in the background. `spread_minutes`: over how
    long what fires at once is spread."""

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
    """How far it is: `escalations` of `total` are moved. `firing` is known once a spread has been counted, and
    `counted` says how many have been looked at for it. A `preview` is complete when it is `done`, moves nothing, and
    its numbers say what applying would do."""

    id = fields.UUID()
    preview = fields.Boolean()
    kind = fields.String()
    name = fields.String()
    number = fields.Integer()
    phase = fields.String()
    spread_minutes = fields.Function(lambda found: found.spread_seconds // 60, metadata={"type": "integer"})
    total = fields.Integer()
    counted = fields.Integer()
    escalations = fields.Integer()
    clocks = fields.Integer()
    breached = fields.Integer()
    steps = fields.Integer()
    firing = fields.Integer()
    fired = fields.Integer()
    failed = fields.List(fields.UUID(), attribute="failed_ids")
    started_at = AwareDateTime()
    ended_at = AwareDateTime(allow_none=True)


class KeptMoment(AwareDateTime):
    """A moment that is stored as it is answered."""

    def _serialize(self, value: str | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:  # type: ignore[override]
        return value


class KeptExampleSchema(ExampleSchema):
    """As it was counted by the workers."""

    was = KeptMoment(allow_none=True)
    becomes = KeptMoment(allow_none=True)


class WholeApplicationSchema(ApplicationSchema):
    """With the first hundred clocks that a preview has found."""

    examples = fields.List(fields.Nested(KeptExampleSchema))


ApplicationPage = Page(ApplicationSchema)
