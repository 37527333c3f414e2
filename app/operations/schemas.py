"""What goes over the wire."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from marshmallow import ValidationError, fields

from app.http import AwareDateTime, Body, Schema
from app.operations.sandbox import parse_duration


class Duration(fields.Field[timedelta]):
    """An ISO 8601 duration."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> timedelta:
        try:
            return parse_duration(value if isinstance(value, str) else "")
        except ValueError as error:
            raise ValidationError(str(error)) from None


class AdvanceBody(Body):
    advance = Duration(required=True, metadata={"type": "string", "format": "duration", "examples": ["P7D"]})


class AdvancedSchema(Schema):
    now = AwareDateTime(metadata={"description": "the tenant's time when everything due was done"})
    fired = fields.Integer(metadata={"description": "steps of clocks that fired"})
