"""Answers of the models and of what they suggest."""

from marshmallow import fields

from app.http import AwareDateTime, Page, Schema
from app.routing.schemas import RoutedOwnerSchema


class AtConfidenceSchema(Schema):
    confidence = fields.Float()
    share = fields.Float()
    right = fields.Float(allow_none=True)


class MeasuresSchema(Schema):
    """On the newest 30 %; shares of 1. `commonest`, `lookup` and `people` are what to beat."""

    cases = fields.Integer()
    first_choice = fields.Float()
    top_3 = fields.Float()
    brier = fields.Float()
    ece = fields.Float()
    commonest = fields.Float()
    lookup = fields.Float()
    people = fields.Float()
    at_confidence = fields.List(fields.Nested(AtConfidenceSchema))


class SuggestionModelSchema(Schema):
    number = fields.Integer()
    state = fields.String()
    problem = fields.String(allow_none=True)
    current = fields.Boolean()
    asked_by = fields.UUID(allow_none=True)
    asked_at = AwareDateTime()
    trained_at = AwareDateTime(allow_none=True)
    cases = fields.Integer(allow_none=True)
    measures = fields.Nested(MeasuresSchema, allow_none=True)


SuggestionModelPage = Page(SuggestionModelSchema)


class SuggestedSchema(Schema):
    """`sure_enough`: at or above the tenant's `suggestion_confidence`, so that a rule would take them."""

    owner = fields.Nested(RoutedOwnerSchema, allow_none=True)
    confidence = fields.Float()
    sure_enough = fields.Boolean()
    reasons = fields.List(fields.String())


class SuggestionsSchema(Schema):
    """`model` is null, and nobody suggested, until one was trained."""

    model = fields.Integer(allow_none=True)
    suggestion_confidence = fields.Float(allow_none=True)
    items = fields.List(fields.Nested(SuggestedSchema))
