"""What the doors to the cases that there are take, and the fields that bodies are made of."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, pre_load, validate, validates_schema

from app.escalations import lifecycle, words
from app.escalations.models import PARTIES
from app.http import AwareDateTime, Body, PageArguments
from app.playbooks.definition import KEY
from app.routing.models import MISROUTES

LONG = validate.Length(max=20_000)
SHORT = validate.Length(min=1, max=300)
NAME = validate.Length(min=1, max=200)


def text(*, required: bool = False, limit: validate.Length = LONG, **more: Any) -> fields.String:
    return fields.String(required=required, validate=limit, **more)


def sentence(*, required: bool = True) -> fields.String:
    """A text that says something: not blank, at most 20,000 characters."""
    return fields.String(required=required, validate=[LONG, validate.Regexp(r"\s*\S", error="expected some text")])


def question_key() -> fields.String:
    return fields.String(validate=validate.Regexp(KEY.pattern + r"\Z", error="expected a key such as error_messages"))


class ActionBody(Body):
    """Every action accepts a note."""

    note = text(allow_none=True)


class EmptyBody(ActionBody):
    at = AwareDateTime()


class ReasonBody(ActionBody):
    reason = sentence()


class AssignBody(ReasonBody):
    """`misroute`: why the case was with the wrong one; left out when nothing was wrong, as at a change of shift."""

    owner_id = fields.UUID()
    owner_email = fields.Email()
    team_id = fields.UUID()
    misroute = fields.String(validate=validate.OneOf(MISROUTES))

    @validates_schema
    def at_most_one(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if sum(name in data for name in ("owner_id", "owner_email", "team_id")) > 1:
            raise ValidationError("expected at most one of owner_id, owner_email, team_id", "owner_id")


class VendorBody(Body):
    name = fields.String(required=True, validate=SHORT)
    contact = fields.String(required=True, validate=SHORT)
    reference = fields.String(validate=SHORT, allow_none=True)


class EscalateBody(ActionBody):
    reason = fields.String(required=True, validate=validate.OneOf(words.HOP_REASONS))
    brief = text(allow_none=True)
    to_tier = fields.String(validate=validate.OneOf(words.TIERS))
    vendor = fields.Nested(VendorBody)


class QualifyBody(ActionBody):
    """`reason`: of a no one of the reasons to move up. With `brief` a no moves the work up at once."""

    resolvable = fields.Boolean(required=True)
    reason = sentence()
    brief = sentence(required=False)
    to_tier = fields.String(validate=validate.OneOf(words.TIERS))
    vendor = fields.Nested(VendorBody)

    @validates_schema
    def fits(self, body: Mapping[str, Any], **kwargs: Any) -> None:
        if not body["resolvable"] and body["reason"] not in words.HOP_REASONS:
            raise ValidationError(f"of a no expected one of {', '.join(words.HOP_REASONS)}", "reason")
        for name in ("brief", "to_tier", "vendor"):
            if name in body and body["resolvable"]:
                raise ValidationError("expected only of a no", name)
        for name in ("to_tier", "vendor"):
            if name in body and "brief" not in body:
                raise ValidationError("expected only with a brief", name)


class WaitBody(ActionBody):
    party = fields.String(required=True, validate=validate.OneOf(PARTIES))
    reason = sentence()
    resume_on = fields.Date(required=True)


class PreventionBody(Body):
    action = sentence()
    owner_email = fields.Email(required=True)
    due_on = fields.Date(required=True)


class WaivedBody(Body):
    """Either a task or an exit criterion."""

    task_id = fields.UUID()
    criterion = fields.String(validate=SHORT)
    reason = sentence()

    @validates_schema
    def either(self, body: dict[str, Any], **kwargs: Any) -> None:
        if ("task_id" in body) == ("criterion" in body):
            raise ValidationError("expected either task_id or criterion")


class ResolveBody(ActionBody):
    summary = sentence()
    root_cause = sentence()
    preventable = fields.Boolean(required=True)
    prevention = fields.Nested(PreventionBody, allow_none=True)
    waived = fields.List(fields.Nested(WaivedBody), validate=validate.Length(max=200))
    met = fields.List(fields.String(validate=SHORT), validate=validate.Length(max=200))
    at = AwareDateTime()


class VerifyBody(ActionBody):
    accepted = fields.Boolean(required=True)
    confirmed_by = fields.String(required=True, validate=SHORT)
    channel = fields.String(required=True, validate=validate.OneOf(("call", "email", "meeting", "portal")))
    comment = text(allow_none=True)
    at = AwareDateTime()


class CloseUnresolvedBody(ReasonBody):
    outcome = fields.String(required=True, validate=validate.OneOf(lifecycle.OUTCOMES_UNRESOLVED))


class DecisionBody(ReasonBody):
    choice = fields.String(required=True, validate=validate.OneOf(words.CHOICES))


class MergeBody(ReasonBody):
    into_id = fields.UUID(required=True)


class ExtendBody(ReasonBody):
    until = AwareDateTime(required=True)
    customer_agreed = fields.Boolean(required=True)


class PlanBody(ActionBody):
    plan = sentence()
    forecast_close_on = fields.Date(required=True)
    customer_agreed = fields.Boolean(required=True)


class WatchBody(ActionBody):
    watching = fields.Boolean(required=True)


class AttemptBody(ActionBody):
    what = sentence()
    result = sentence()
    at = AwareDateTime()


class UpdateBody(ActionBody):
    """`audience` is one word or a list of them; `texts` holds what single audiences read instead of `text`, which may
    be left out once each has a wording of its own. `draft` is the draft it was written from; `task_id` the offer of an
    outage that it answers, whose draft is sent as it stands where no text is given."""

    audience = fields.List(
        fields.String(validate=validate.OneOf(words.AUDIENCES)), required=True, validate=validate.Length(1, 3)
    )
    channel = fields.String(required=True, validate=NAME)
    subject = fields.String(validate=SHORT)
    text = sentence(required=False)
    texts = fields.Dict(keys=fields.String(validate=validate.OneOf(words.AUDIENCES)), values=sentence())
    draft = fields.String(validate=SHORT)
    task_id = fields.UUID()
    at = AwareDateTime()

    @validates_schema(skip_on_field_errors=True)
    def each_reads_something(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        own = data.get("texts", {})
        if others := set(own) - set(data["audience"]):
            raise ValidationError(f"{min(others)} is not in audience", "texts")
        if "text" not in data and (own or "task_id" not in data) and set(data["audience"]) - set(own):
            raise ValidationError("expected a text, or in texts one for each audience", "text")

    @pre_load
    def one_or_more(self, data: Any, **kwargs: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("audience"), str):
            return {**data, "audience": [data["audience"]]}
        return data


MessageBody = ActionBody.from_dict(
    {
        "from": fields.String(required=True, validate=SHORT),
        "channel": fields.String(required=True, validate=NAME),
        "text": sentence(),
        "at": AwareDateTime(),
        "external_id": fields.String(validate=SHORT),
    },
    name="MessageBody",
)


class CommentBody(ActionBody):
    text = sentence()


class LinkBody(ActionBody):
    system = fields.String(required=True, validate=NAME)
    external_id = fields.String(required=True, validate=NAME)
    url = fields.Url(schemes={"http", "https"}, allow_none=True, require_tld=False)


class EditBody(Body):
    """`PATCH /escalations/{id}`: a field left out keeps its value; a lower severity needs `severity_reason`.

    `answers` by the keys of their questions, those of the record's own texts among them; null takes one back.
    """

    title = fields.String(validate=[SHORT, validate.Regexp(r"\s*\S", error="expected some text")])
    severity = fields.Integer(strict=True, validate=validate.Range(1, 4))
    severity_reason = text()
    reason = fields.String(validate=NAME)
    desired_outcome = text(allow_none=True)
    impact = text(allow_none=True)
    contract_ids = fields.List(fields.UUID(), allow_none=True, validate=validate.Length(max=200))
    restricted = fields.Boolean()
    outage_id = fields.UUID(allow_none=True)
    handover_brief = sentence(required=False)
    vendor = fields.Nested(VendorBody)
    forecast_close_on = fields.Date(allow_none=True)
    answers = fields.Dict(keys=question_key(), values=text(allow_none=True), validate=validate.Length(max=100))


class ListArguments(PageArguments):
    status = fields.String()
    tier = fields.String()
    severity = fields.String()
    owner = fields.String()
    account = fields.String()
    team = fields.String()
    outage = fields.String()
    overdue = fields.Boolean()
    due_before = AwareDateTime()
    q = fields.String(validate=validate.Length(1, 200))
    sort = fields.String(load_default="due", validate=validate.OneOf(("-priority", "due", "-value_at_stake", "raised")))
