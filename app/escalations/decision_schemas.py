"""Answers about who owns a case and why."""

from marshmallow import fields

from app.http import AwareDateTime, Page, Schema


class LookSchema(Schema):
    """A rule looked at; `because` has each comparison as written, the fact it saw (`actual`), if it held (`ok`)."""

    rule = fields.String(allow_none=True)
    matched = fields.Boolean()
    because = fields.List(fields.Dict())
    targets = fields.List(fields.Dict())


class DecisionSchema(Schema):
    """One decision, kept for ever.

    `named_by`: who named the owner; null when routing found them. `failure`: why no rule's target could take it,
    null when one did. `excluded`: ids by the code of why they were not eligible. `relaxed`: preferred skills that had
    to be passed over. `misroute`: why it was found wrong, as said when the case was given on.
    """

    id = fields.UUID()
    at = AwareDateTime()
    policy_number = fields.Integer()
    cause = fields.String()
    rule = fields.String(allow_none=True)
    why = fields.String()
    owner_id = fields.UUID()
    team_id = fields.UUID(allow_none=True)
    named_by = fields.UUID(allow_none=True)
    assignment_failed = fields.Boolean()
    failure = fields.String(allow_none=True)
    misroute = fields.String(allow_none=True)
    rules = fields.List(fields.Nested(LookSchema))
    relaxed = fields.List(fields.Dict())
    candidates = fields.List(fields.Dict())
    excluded = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))
    inputs = fields.Dict()


class NamedPersonSchema(Schema):
    id = fields.UUID()
    email = fields.String()
    name = fields.String()


class NamedTeamSchema(Schema):
    id = fields.UUID()
    name = fields.String()


class DecisionPage(Schema):
    """Decisions, oldest first, and who stands behind their ids; empty for a token that may not read users."""

    items = fields.List(fields.Nested(DecisionSchema))
    people = fields.List(fields.Nested(NamedPersonSchema))
    teams = fields.List(fields.Nested(NamedTeamSchema))
    next_cursor = fields.String(allow_none=True)


class FailureSchema(Schema):
    id = fields.UUID()
    escalation_id = fields.UUID()
    at = AwareDateTime()
    cause = fields.String()
    policy_number = fields.Integer()
    owner_id = fields.UUID()
    team_id = fields.UUID(allow_none=True)
    rule = fields.String(allow_none=True)
    why = fields.String()
    failure = fields.String(allow_none=True)


FailurePage = Page(FailureSchema)
