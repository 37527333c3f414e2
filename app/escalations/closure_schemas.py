"""What the doors to the end of a case take and answer: exit criteria, prevention actions."""

from typing import Any

from marshmallow import fields, validate

from app.escalations.bodies import ActionBody
from app.escalations.closure_models import CRITERION_STATES, PREVENTION_STATES
from app.escalations.schemas import PersonSchema
from app.http import AwareDateTime, Page, PageArguments, Schema

SAID = validate.Regexp(r"\s*\S", error="expected some text")


class AgreeBody(ActionBody):
    """What the customer and we call solved, and with whom of theirs it was agreed."""

    text = fields.String(required=True, validate=[validate.Length(max=2_000), SAID])
    agreed_with = fields.String(required=True, validate=[validate.Length(max=300), SAID])


class CriterionBody(ActionBody):
    state = fields.String(required=True, validate=validate.OneOf(CRITERION_STATES))
    reason = fields.String(allow_none=True, validate=validate.Length(max=20_000))


class CriterionSchema(Schema):
    """`required_by` is the playbook, or the agreement with the customer for this case."""

    key = fields.String()
    text = fields.String()
    required_by = fields.String(metadata={"enum": ["playbook", "agreement"]})
    agreed_with = fields.String(allow_none=True)
    state = fields.String()
    by = fields.Nested(PersonSchema, allow_none=True)
    at = AwareDateTime(allow_none=True)
    reason = fields.String(allow_none=True)
    version = fields.Integer()


CriterionPage = Page(CriterionSchema)


class SurveySchema(Schema):
    """`url` is shown in this answer only; ask again for another."""

    id = fields.UUID()
    url = fields.String()
    expires_at = AwareDateTime()


class PreventionArguments(PageArguments):
    state = fields.String(load_default="open")
    owner = fields.String(validate=validate.Length(1, 2_000))
    account = fields.UUID()
    escalation = fields.UUID()
    overdue = fields.Boolean()


class PreventionChangeBody(ActionBody):
    """Another day or owner, done, dropped with the reason, or open again."""

    state = fields.String(validate=validate.OneOf(PREVENTION_STATES))
    reason = fields.String(allow_none=True, validate=validate.Length(max=20_000))
    due_on = fields.Date()
    owner_email = fields.Email()


class PreventionCaseSchema(Schema):
    """`title` is null where the action's owner may not see the case."""

    id = fields.UUID()
    number = fields.String()
    title = fields.String(allow_none=True)


class PreventionAccountSchema(Schema):
    id = fields.UUID()
    name = fields.String()


class PreventionActionSchema(Schema):
    id = fields.UUID()
    action = fields.String()
    owner = fields.Nested(PersonSchema)
    due_on = fields.Date()
    overdue = fields.Boolean()
    state = fields.String()
    reason = fields.String(allow_none=True)
    escalation = fields.Nested(PreventionCaseSchema)
    account = fields.Nested(PreventionAccountSchema)
    created_at = AwareDateTime()
    ended_at = AwareDateTime(allow_none=True)
    version = fields.Integer()


PreventionActionPage = Page(PreventionActionSchema)


def criterion_view(found: Any) -> dict[str, Any]:
    """A criterion as answered."""
    row, user = found.row, found.by
    return {
        "key": found.key,
        "text": found.text,
        "required_by": "agreement" if row and row.agreed_with else "playbook",
        "agreed_with": row.agreed_with if row else None,
        "state": found.state,
        "by": {"id": user.id, "email": user.email, "name": user.name} if user else None,
        "at": row.settled_at if row else None,
        "reason": row.reason if row else None,
        "version": found.version,
    }


class LessonArguments(PageArguments):
    reason = fields.String(validate=validate.Length(1, 200))
    account = fields.UUID()
    q = fields.String(validate=validate.Length(1, 200))


class LessonAttemptSchema(Schema):
    what = fields.String(allow_none=True)
    result = fields.String(allow_none=True)


class LessonPreventionSchema(Schema):
    id = fields.UUID()
    action = fields.String()
    state = fields.String()
    due_on = fields.String(metadata={"format": "date"})


class LessonSchema(Schema):
    """A resolved case: what it was, what was tried, oldest first, what solved it and what keeps it from coming back."""

    id = fields.UUID()
    number = fields.String()
    title = fields.String()
    reason = fields.String()
    severity = fields.Integer()
    status = fields.String()
    verification = fields.String(allow_none=True)
    reopens = fields.Integer()
    account = fields.Nested(PreventionAccountSchema)
    resolved_at = AwareDateTime()
    closed_at = AwareDateTime(allow_none=True)
    summary = fields.String(allow_none=True)
    root_cause = fields.String(allow_none=True)
    preventable = fields.Boolean(allow_none=True)
    tried = fields.List(fields.Nested(LessonAttemptSchema))
    prevention = fields.List(fields.Nested(LessonPreventionSchema))


LessonPage = Page(LessonSchema)
