"""What the doors to tasks take: of one's own list, of a new task, and of what is said of a task there is."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from app.escalations.bodies import SHORT, ActionBody, sentence, text
from app.http import AwareDateTime, Body, PageArguments


class MyTaskArguments(PageArguments):
    """`open` are those that can be begun, `waiting` those that wait for others."""

    state = fields.String(load_default="open", validate=validate.OneOf(("open", "waiting", "done", "waived")))
    due_before = AwareDateTime()


class NewTaskBody(ActionBody):
    """A task of the owner, whoever that is, unless `assignee_email` names a colleague."""

    title = fields.String(required=True, validate=[SHORT, validate.Regexp(r"\s*\S", error="expected some text")])
    role = fields.String(load_default="owner", validate=validate.OneOf(("owner",)))
    assignee_email = fields.Email()
    due_at = AwareDateTime()
    required = fields.Boolean(load_default=False)


class EvidenceBody(Body):
    """What shows that a task is done: a text, links, files of the case."""

    text = sentence(required=False)
    links = fields.List(fields.Url(schemes={"http", "https"}, require_tld=False), validate=validate.Length(1, 20))
    attachments = fields.List(fields.UUID(), validate=validate.Length(1, 20))

    @validates_schema
    def some(self, body: Mapping[str, Any], **kwargs: Any) -> None:
        if not body:
            raise ValidationError("expected text, links or attachments")


class MoveTaskBody(ActionBody):
    """`cascade`: what hangs on the task moves with it. `preview`: nothing is written, only shown."""

    due_at = AwareDateTime(required=True)
    cascade = fields.Boolean(load_default=False)
    preview = fields.Boolean(load_default=False)


class TaskBody(ActionBody):
    """`evidence` is taken of a task that is done, or done by this."""

    evidence = fields.Nested(EvidenceBody)
    state = fields.String(validate=validate.OneOf(("open", "done", "waived")))
    reason = text(allow_none=True)
    due_at = AwareDateTime(allow_none=True)
