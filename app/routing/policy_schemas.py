"""Bodies and answers of the policy: versions, what is wrong with one, what rules may be made of."""

from marshmallow import fields, validate

from app.http import AwareDateTime, Body, Page, Schema
from app.http.schemas import words


class PolicyBody(Body):
    """Rules and weights are checked as a whole, so that every fault comes with its pointer."""

    rules = fields.List(fields.Raw(), required=True)
    weights = fields.Dict(load_default=dict)


class PolicyVersionSchema(Schema):
    number = fields.Integer()
    rules = fields.List(fields.Dict())
    weights = fields.Dict()
    created_by = fields.UUID(allow_none=True)
    created_at = AwareDateTime()


class FaultSchema(Schema):
    """One thing and its place in the body."""

    pointer = fields.String()
    detail = fields.String()
    code = fields.String()


class PolicySchema(Schema):
    """The version in force and the newest one not published yet."""

    current = fields.Nested(PolicyVersionSchema)
    draft = fields.Nested(PolicyVersionSchema, allow_none=True)


class SavedPolicySchema(PolicySchema):
    """The same after saving or publishing, with what that version probably does not do as meant."""

    warnings = fields.List(fields.Nested(FaultSchema))


class CheckedSchema(Schema):
    """`errors` would keep it from being saved, `warnings` would not."""

    valid = fields.Boolean()
    errors = fields.List(fields.Nested(FaultSchema))
    warnings = fields.List(fields.Nested(FaultSchema))


class PublishBody(Body):
    """`reason`: why, when cases would find no owner by it or an older version is taken up again."""

    number = fields.Integer(required=True, strict=True, validate=validate.Range(1, 2**31 - 1))
    reason = fields.String(
        load_default=None,
        allow_none=True,
        validate=[words(1, 2000), validate.Regexp(r"\s*\S", error="expected some text")],
    )


class PolicyPersonSchema(Schema):
    id = fields.UUID()
    email = fields.String()
    name = fields.String()


class PublicationSchema(Schema):
    """When a version came into force; `roll_back`: it took the place of a newer one."""

    kind = fields.String(validate=validate.OneOf(["publish", "roll_back"]))
    previous_number = fields.Integer(allow_none=True)
    published_at = AwareDateTime()
    published_by = fields.Nested(PolicyPersonSchema, allow_none=True)
    reason = fields.String(allow_none=True)
    cases = fields.Integer(allow_none=True)
    unrouted = fields.Integer(allow_none=True)


class VersionSummarySchema(Schema):
    """A version without its rules; `publications` are the latest 20, newest first."""

    number = fields.Integer()
    state = fields.String(validate=validate.OneOf(["draft", "current", "published"]))
    rule_count = fields.Integer()
    created_by = fields.Nested(PolicyPersonSchema, allow_none=True)
    created_at = AwareDateTime()
    publications = fields.List(fields.Nested(PublicationSchema))


class VersionSchema(VersionSummarySchema):
    rules = fields.List(fields.Dict())
    weights = fields.Dict()


VersionPage = Page(VersionSummarySchema)


class TakesSchema(Schema):
    """What an operator's value looks like; `values`, where given, are the only words it can be."""

    shape = fields.String()
    values = fields.List(fields.String())


class RuleFieldSchema(Schema):
    """`values` are the only words it can have, `seen` words it has in this tenant."""

    name = fields.String()
    type = fields.String()
    doc = fields.String()
    operators = fields.List(fields.String())
    values = fields.List(fields.String())
    seen = fields.List(fields.String())
    takes = fields.Dict(keys=fields.String(), values=fields.Nested(TakesSchema))


class ShapeSchema(Schema):
    name = fields.String()
    doc = fields.String()
    example = fields.Raw()


class OperatorSchema(Schema):
    name = fields.String()
    doc = fields.String()


class TargetMemberSchema(Schema):
    name = fields.String()
    type = fields.String()
    doc = fields.String()
    required = fields.Boolean()
    values = fields.List(fields.String())


class TargetKindSchema(Schema):
    kind = fields.String()
    doc = fields.String()
    members = fields.List(fields.Nested(TargetMemberSchema))


class RuleFieldsSchema(Schema):
    """Everything a form for rules is built from."""

    items = fields.List(fields.Nested(RuleFieldSchema))
    shapes = fields.List(fields.Nested(ShapeSchema))
    operators = fields.List(fields.Nested(OperatorSchema))
    targets = fields.List(fields.Nested(TargetKindSchema))
    rule = fields.List(fields.Nested(TargetMemberSchema))
    skills = fields.List(fields.String())
