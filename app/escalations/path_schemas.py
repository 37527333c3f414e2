"""Answers about the way of a case up the tiers."""

from marshmallow import fields, validate

from app.escalations import words
from app.escalations.schemas import EscalationSchema, PersonSchema
from app.http import AwareDateTime, Query, Schema


class TriedSchema(Schema):
    """What was tried in which tier and what came of it; null where a text was erased."""

    tier = fields.String()
    what = fields.String(allow_none=True)
    result = fields.String(allow_none=True)
    at = AwareDateTime()
    by = fields.Nested(PersonSchema, allow_none=True)


class ReplySchema(Schema):
    """An answer to a tier's question. `word`: `yes` or `no` as said; `resolved` or `moved_up` (by hand) without a word;
    `unanswered` when its time ran out. `after_seconds`: the open time since the work came to the tier."""

    word = fields.String()
    at = AwareDateTime()
    by = fields.Nested(PersonSchema, allow_none=True)
    acting_for_id = fields.UUID(allow_none=True)
    reason = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    after_seconds = fields.Integer()


class NamedVendorSchema(Schema):
    name = fields.String(allow_none=True)
    contact = fields.String(allow_none=True)
    reference = fields.String(allow_none=True)
    at = AwareDateTime()
    by = fields.Nested(PersonSchema, allow_none=True)


class TierClockSchema(Schema):
    """The tier's time against its target, as of now."""

    state = fields.String(attribute="state.state")
    flags = fields.List(fields.String(), attribute="state.flags")
    due_at = AwareDateTime(attribute="state.due_at", allow_none=True)
    original_due_at = AwareDateTime(attribute="state.original_due_at", allow_none=True)
    target_seconds = fields.Integer(attribute="row.target_value")
    elapsed_seconds = fields.Integer(attribute="state.elapsed_seconds")
    paused_seconds = fields.Integer(attribute="state.paused_seconds")


class StageSchema(Schema):
    """A tier of the way. `state`: `left`, `current`, `ended` (where the case ended), `passed_over` or `skipped` with
    `why` (`no_vendor`, `nobody_there`, `to_tier`), `ahead`. `reason`, `automatic` and `brief` tell how it was left."""

    tier = fields.String(attribute="stage.tier")
    state = fields.String(attribute="stage.state")
    why = fields.String(attribute="stage.why", allow_none=True)
    entered_at = AwareDateTime(attribute="stage.entered_at", allow_none=True)
    left_at = AwareDateTime(attribute="stage.left_at", allow_none=True)
    left_by = fields.Nested(PersonSchema, attribute="stage.left_by", allow_none=True)
    reason = fields.String(attribute="stage.reason", allow_none=True)
    automatic = fields.Boolean(attribute="stage.automatic", allow_none=True)
    brief = fields.String(attribute="stage.brief", allow_none=True)
    worked_by = fields.Nested(PersonSchema, attribute="stage.worked_by", allow_none=True)
    qualification = fields.Nested(ReplySchema, attribute="stage.answer", allow_none=True)
    replies = fields.List(fields.Nested(ReplySchema), attribute="stage.replies")
    vendors = fields.List(fields.Nested(NamedVendorSchema), attribute="stage.vendors")


class StageInFullSchema(StageSchema):
    """A tier with what was tried in it and its time."""

    attempts = fields.List(fields.Nested(TriedSchema), attribute="stage.attempts")
    clock = fields.Nested(TierClockSchema, allow_none=True)


class AskedSchema(Schema):
    """Who is asked what at present; `kind` is the task's: `qualification`, `handover`, `decision`."""

    task_id = fields.UUID()
    kind = fields.String()
    title = fields.String()
    of = fields.Nested(PersonSchema, allow_none=True)
    since = AwareDateTime()


class PathSchema(Schema):
    """`path`: the tiers this case may go through. `not_again`: what earlier tiers tried. Of very many attempts the
    newest are shown; `earlier_attempts` counts the others."""

    tier = fields.String()
    path = fields.List(fields.String())
    asked = fields.List(fields.Nested(AskedSchema))
    not_again = fields.List(fields.Nested(TriedSchema))
    earlier_attempts = fields.Integer()
    items = fields.List(fields.Nested(StageInFullSchema))


class HandoverArguments(Query):
    to_tier = fields.String(validate=validate.OneOf(words.TIERS))


class HandoverSchema(Schema):
    """A draft: `brief` is the text to complete and send with `escalate`, the rest what it was made from."""

    to_tier = fields.String()
    problem = fields.String(allow_none=True)
    impact = fields.String(allow_none=True)
    desired_outcome = fields.String(allow_none=True)
    value_at_stake = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    asked = fields.String()
    tried = fields.List(fields.Nested(TriedSchema))
    not_again = fields.List(fields.String())
    earlier_attempts = fields.Integer()
    brief = fields.String()


class OptionSchema(Schema):
    """Something management may decide, in words, and the call that does it."""

    choice = fields.String()
    means = fields.String()
    call = fields.String(allow_none=True)


class DoneSchema(Schema):
    """An event as the timeline has it, with the tier the work was in and the title of the task it tells of."""

    seq = fields.Integer()
    kind = fields.String()
    at = AwareDateTime()
    tier = fields.String()
    by = fields.Nested(PersonSchema, allow_none=True)
    acting_for_id = fields.UUID(allow_none=True)
    task = fields.String(allow_none=True)
    facts = fields.Dict()
    texts = fields.Dict(keys=fields.String(), values=fields.String(allow_none=True))


class DossierSchema(Schema):
    """What management decides on. `path` is without its attempts, which stand among `items`: everything done."""

    escalation = fields.Nested(EscalationSchema)
    options = fields.List(fields.Nested(OptionSchema))
    asked = fields.List(fields.Nested(AskedSchema))
    path = fields.List(fields.Nested(StageSchema))
    attempts = fields.Integer()
    items = fields.List(fields.Nested(DoneSchema))
    next_cursor = fields.String(allow_none=True)
