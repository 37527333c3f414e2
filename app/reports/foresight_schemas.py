"""Answers about what lies ahead, as they stand on the wire."""

from marshmallow import fields

from app.http import AwareDateTime, Page, PageArguments, Schema
from app.reports.schemas import CaseSchema, FigureSchema, NamedSchema, ValueSchema, WhoseArguments


class AheadArguments(WhoseArguments):
    as_of = AwareDateTime(metadata={"description": "A moment of the past; now unless said"})


class ForesightArguments(AheadArguments, PageArguments):
    pass


class EffectSchema(Schema):
    text = fields.String()
    points = fields.Integer(metadata={"description": "Points of a hundred that it adds, compared with the usual case"})


class ForetoldSchema(Schema):
    escalation = fields.Nested(CaseSchema)
    account = fields.Nested(NamedSchema)
    owner = fields.Nested(NamedSchema, allow_none=True)
    severity = fields.Integer()
    tier = fields.String()
    status = fields.String()
    reason = fields.String()
    raised_at = AwareDateTime()
    close_target_at = AwareDateTime()
    chance = fields.Float(metadata={"description": "To miss the original target; 1 once it has passed"})
    missed = fields.Boolean(metadata={"description": "The target has passed"})
    age_days = fields.Integer(allow_none=True)
    days_left = fields.Float(allow_none=True, metadata={"description": "Until the target, in quarters of a day"})
    reasons = fields.List(fields.Nested(EffectSchema), metadata={"description": "What moves it most, strongest first"})


class HazardQualitySchema(Schema):
    brier = fields.Float(metadata={"description": "Mean squared error: 0 is perfect"})
    auc = fields.Float(
        allow_none=True, metadata={"description": "How often one that missed was given more than one that did not"}
    )


class HazardBinSchema(Schema):
    least = fields.Float()
    forecasts = fields.Integer()
    said = fields.Float(metadata={"description": "Mean chance that was said"})
    missed = fields.Float(metadata={"description": "Share that did miss"})


class HazardMeasuresSchema(Schema):
    """On the newest cases, told from what was known before them; the base model's on the log it was learnt from."""

    forecasts = fields.Integer()
    missed = fields.Float()
    model = fields.Nested(HazardQualitySchema)
    share_so_far = fields.Nested(
        HazardQualitySchema, metadata={"description": "The share missed so far, for every case"}
    )
    age_only = fields.Nested(HazardQualitySchema, metadata={"description": "The share missed at the same age"})
    reliability = fields.List(fields.Nested(HazardBinSchema))
    calibration_error = fields.Float()


class HazardModelSchema(Schema):
    kind = fields.String(metadata={"description": "own, or base before there is history enough"})
    number = fields.Integer(allow_none=True)
    holds_from = AwareDateTime(allow_none=True)
    cases = fields.Integer(metadata={"description": "It was learnt from"})
    source = fields.String(allow_none=True, metadata={"description": "Of the base model: what it was learnt from"})
    measures = fields.Nested(HazardMeasuresSchema)


class ForecastSchema(Page(ForetoldSchema), FigureSchema):  # type: ignore[misc]
    as_of = AwareDateTime()
    lag_seconds = fields.Float()
    reader = fields.String()
    open = fields.Integer()
    missed = fields.Integer(metadata={"description": "Open ones past the target"})
    expected = fields.Float(metadata={"description": "Open ones that will have missed it as things stand"})
    likely = fields.Integer(metadata={"description": "Open ones with a chance of a half or more"})
    model = fields.Nested(HazardModelSchema)


class WarningPartsSchema(Schema):
    """Points; they add up to the score."""

    health = fields.Float()
    falling = fields.Float()
    repeats = fields.Float()
    silence = fields.Float()
    renewal = fields.Float()
    value = fields.Float()


class WarnedSchema(Schema):
    account = fields.Nested(NamedSchema)
    score = fields.Float(metadata={"description": "Of 100 points"})
    parts = fields.Nested(WarningPartsSchema)
    reasons = fields.List(fields.String(), metadata={"description": "What the parts stand for, the weightiest first"})
    value = fields.Nested(ValueSchema, metadata={"description": "ARR of its own contracts at that day's rates"})
    health = fields.Integer(allow_none=True)
    health_before = fields.Integer(allow_none=True, metadata={"description": "90 days before"})
    renewal_on = fields.Date(allow_none=True)
    raised = fields.Integer(metadata={"description": "In the last 90 days"})
    again = fields.Integer(metadata={"description": "Of them recurrences of another"})
    unanswered_at = AwareDateTime(allow_none=True, metadata={"description": "Its earliest message without an answer"})
    unheard_on = fields.Date(allow_none=True, metadata={"description": "A case was closed without its word"})


class HindsightSchema(Schema):
    since = AwareDateTime(metadata={"description": "90 days before the answer's moment"})
    listed = fields.Integer(metadata={"description": "Accounts that stood on the list then"})
    listed_raised = fields.Integer(metadata={"description": "Of them those that raised a case since"})
    listed_share = fields.Float(allow_none=True)
    others = fields.Integer()
    others_raised = fields.Integer()
    others_share = fields.Float(allow_none=True)


class WarningsSchema(Page(WarnedSchema), FigureSchema):  # type: ignore[misc]
    as_of = AwareDateTime()
    lag_seconds = fields.Float()
    reader = fields.String()
    listed = fields.Integer(metadata={"description": "Accounts from `least` points on"})
    looked_at = fields.Integer(metadata={"description": "Accounts without an open case"})
    busy = fields.Integer(metadata={"description": "Accounts with one, left out"})
    noted_at = AwareDateTime(
        allow_none=True, metadata={"description": "When something in the notes of accounts last changed"}
    )
    least = fields.Integer()
    weights = fields.Nested(WarningPartsSchema)
    hindsight = fields.Nested(HindsightSchema, allow_none=True)
