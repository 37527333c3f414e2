"""Answers of the doors to tasks: in their case, moved, and on the list of whose they are."""

from marshmallow import fields

from app.escalations.schemas import PersonSchema
from app.http import AwareDateTime, Page, Schema


class EvidenceFileSchema(Schema):
    """A file of the case; `state` as in the list of attachments."""

    id = fields.UUID()
    name = fields.String()
    state = fields.String()


class EvidenceSchema(Schema):
    """What shows that a task was done, as last said; null where it was erased."""

    text = fields.String(allow_none=True)
    links = fields.List(fields.String())
    attachments = fields.List(fields.Nested(EvidenceFileSchema))
    at = AwareDateTime()
    by = fields.Nested(PersonSchema, allow_none=True)


class TaskSchema(Schema):
    id = fields.UUID()
    kind = fields.String()
    title = fields.String()
    role = fields.String()
    assignee_id = fields.UUID(allow_none=True)
    required = fields.Boolean()
    state = fields.String()
    reason = fields.String(allow_none=True)
    due_at = AwareDateTime(allow_none=True)
    key = fields.String(allow_none=True)
    after = fields.List(fields.String())
    customer_visible = fields.Boolean()
    ready_at = AwareDateTime(allow_none=True)
    ended_at = AwareDateTime(allow_none=True)
    origin_id = fields.UUID(allow_none=True)
    outage_event_id = fields.UUID(allow_none=True)
    version = fields.Integer()


class ShownTaskSchema(TaskSchema):
    """A task in its case, with what shows that it was done."""

    evidence = fields.Nested(EvidenceSchema, allow_none=True)


TaskPage = Page(ShownTaskSchema)


class MovedTaskSchema(Schema):
    """A task's due time before and after; `moves` is false where it stays, and `why` says so."""

    task_id = fields.UUID()
    key = fields.String(allow_none=True)
    title = fields.String()
    was = AwareDateTime(allow_none=True)
    becomes = AwareDateTime(allow_none=True, data_key="is")
    moves = fields.Boolean()
    overdue = fields.Boolean()
    why = fields.String(allow_none=True)


class TaskMoveSchema(Schema):
    """The task first, then what hangs on it; `move_id`, null of a preview, is what `undo` takes."""

    move_id = fields.UUID(allow_none=True)
    tasks = fields.List(fields.Nested(MovedTaskSchema))


class MyTaskSchema(TaskSchema):
    """A task with its case; `covering` is the address of the absent colleague whose it is."""

    escalation_id = fields.UUID()
    number = fields.String()
    escalation = fields.String()
    account = fields.String()
    covering = fields.String(allow_none=True)


MyTaskPage = Page(MyTaskSchema)
