"""Answers of the doors to what is asked of a case."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from app.escalations.schemas import PersonSchema
from app.http import AwareDateTime, Query, Schema


class AnsweredSchema(Schema):
    """A question with its answer; `ask` is null of what was answered without being asked."""

    key = fields.String()
    ask = fields.String(allow_none=True)
    required = fields.Boolean()
    answer = fields.String(allow_none=True)
    answered_at = AwareDateTime(allow_none=True)
    answered_by = fields.Nested(PersonSchema, allow_none=True)


class IntakeSchema(Schema):
    """`missing` are the keys of what is required and has no answer; `completeness` is in percent."""

    completeness = fields.Integer()
    missing = fields.List(fields.String())
    items = fields.List(fields.Nested(AnsweredSchema))


class QuestionArguments(Query):
    """The parts of a raise by which a playbook and its questions are mostly chosen."""

    account_id = fields.UUID()
    severity = fields.Integer(validate=validate.Range(1, 4))
    reason = fields.String(load_default="other", validate=validate.Length(1, 200))

    @validates_schema
    def complete(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        missing = [name for name in ("account_id", "severity") if name not in data]
        if missing:
            raise ValidationError({name: ["Missing data for required field."] for name in missing})


class QuestionSchema(Schema):
    key = fields.String()
    ask = fields.String()
    required = fields.Boolean()


class QuestionsSchema(Schema):
    """`playbook` is the name of the one that such a case would get, null for none."""

    playbook = fields.String(allow_none=True)
    items = fields.List(fields.Nested(QuestionSchema))
