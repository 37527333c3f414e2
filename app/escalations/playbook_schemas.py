"""Bodies and answers of the doors to a case's playbook."""

from marshmallow import fields, validate

from app.escalations.bodies import ActionBody, sentence
from app.http import AwareDateTime, Body, Schema


class PreviewBody(Body):
    playbook_id = fields.UUID(required=True)


class ReplaceBody(ActionBody):
    """`digest` is that of the preview whose content is confirmed."""

    playbook_id = fields.UUID(required=True)
    reason = sentence()
    digest = fields.String(required=True, validate=validate.Length(equal=64))


class TargetSchema(Schema):
    kind = fields.String()
    value = fields.Integer()


class TaskLineSchema(Schema):
    """`what`: kept under its key (`changes` names what of it becomes another), ended (waived), new, or stays as it
    ended. `due` of a new one counts from when it is ready."""

    what = fields.String(metadata={"enum": ["kept", "ended", "new", "stays"]})
    key = fields.String()
    task_id = fields.UUID(allow_none=True)
    title = fields.String()
    role = fields.String()
    required = fields.Boolean()
    state = fields.String(allow_none=True)
    due_at = AwareDateTime(allow_none=True)
    due = fields.Dict(keys=fields.String(), values=fields.Integer(), allow_none=True)
    ready = fields.Boolean()
    changes = fields.List(fields.String())


class ClockLineSchema(Schema):
    """A promise of the playbook's: when it was due and becomes due; one that is started counts from the moment."""

    kind = fields.String()
    what = fields.String(metadata={"enum": ["retargeted", "started", "ended"]})
    was = AwareDateTime(allow_none=True)
    becomes = AwareDateTime(allow_none=True)
    target = fields.Nested(TargetSchema, allow_none=True)


class PassedStepSchema(Schema):
    """`subject` is the task, of a task's clock."""

    at = AwareDateTime()
    step = fields.String()
    subject = fields.String(allow_none=True)


class LadderLineSchema(Schema):
    """A kind of clock that takes other steps from here on: so many `clocks` of it run now, new steps whose time has
    gone by are passed over and never fire, the first to come is at `next_at`."""

    kind = fields.String()
    was = fields.List(fields.Dict())
    becomes = fields.List(fields.Dict())
    clocks = fields.Integer()
    passed_over = fields.List(fields.Nested(PassedStepSchema))
    next_at = AwareDateTime(allow_none=True)


class PathChangeSchema(Schema):
    """The tiers of the way before and after; the work stays in its `tier`."""

    was = fields.List(fields.String())
    becomes = fields.List(fields.String())
    tier = fields.String()


class CriterionLineSchema(Schema):
    key = fields.String()
    text = fields.String()
    state = fields.String()
    what = fields.String(metadata={"enum": ["kept", "new", "ended"]})


class PercentSchema(Schema):
    was = fields.Integer()
    becomes = fields.Integer()


class IntakeLineSchema(Schema):
    """The task that names the questions still open: renamed by the new ones, done as nothing is open, or new."""

    what = fields.String(metadata={"enum": ["renamed", "done", "new"]})
    task_id = fields.UUID(allow_none=True)
    title = fields.String()


class ReplacementSchema(Schema):
    """What replacing the playbook does: `question` is asked of the tier where nobody was asked so far; `missing` are
    the new playbook's questions without an answer, `intake` what becomes of the task that names them, if anything."""

    digest = fields.String()
    name = fields.String()
    version_id = fields.UUID()
    was_version_id = fields.UUID(allow_none=True)
    tasks = fields.List(fields.Nested(TaskLineSchema))
    question = fields.String(allow_none=True)
    intake = fields.Nested(IntakeLineSchema, allow_none=True)
    clocks = fields.List(fields.Nested(ClockLineSchema))
    ladders = fields.List(fields.Nested(LadderLineSchema))
    path = fields.Nested(PathChangeSchema)
    exit_criteria = fields.List(fields.Nested(CriterionLineSchema))
    completeness = fields.Nested(PercentSchema)
    missing = fields.List(fields.String())


class TaskCountsSchema(Schema):
    ready = fields.Integer()
    waiting = fields.Integer()
    done = fields.Integer()
    waived = fields.Integer()
    required_open = fields.Integer()


class QuestionStateSchema(Schema):
    asked = fields.Integer()
    missing = fields.List(fields.String())
    completeness = fields.Integer()


class CriterionStateSchema(Schema):
    key = fields.String()
    text = fields.String()
    state = fields.String()


class TierStateSchema(Schema):
    tier = fields.String()
    state = fields.String(metadata={"enum": ["behind", "current", "ahead"]})


class CasePlaybookSchema(Schema):
    """Which version a case goes by, and how each section stands; of a case without one these are null. `ladders` are
    the kinds of clock that take the playbook's steps."""

    playbook_id = fields.UUID(allow_none=True)
    name = fields.String(allow_none=True)
    number = fields.Integer(allow_none=True)
    version_id = fields.UUID(allow_none=True)
    is_current = fields.Boolean()
    questions = fields.Nested(QuestionStateSchema)
    tasks = fields.Nested(TaskCountsSchema)
    tiers = fields.List(fields.Nested(TierStateSchema))
    ladders = fields.List(fields.String())
    exit_criteria = fields.List(fields.Nested(CriterionStateSchema))
