"""Schema parts shared by every door: strict bodies and queries, money, moments with an offset."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from marshmallow import RAISE, ValidationError, fields, validate
from marshmallow import Schema as MarshmallowSchema


@cache
def the_one(schema: type[MarshmallowSchema]) -> MarshmallowSchema:
    """The schema's one instance: it keeps nothing of what it loads or dumps, and making one takes a millisecond."""
    return schema()


class Schema(MarshmallowSchema):
    """An answer; fields are named as on the wire."""


class Body(MarshmallowSchema):
    """A request body; an unknown field is refused."""

    class Meta:
        unknown = RAISE


class Query(MarshmallowSchema):
    """Query parameters; an unknown one is refused."""

    class Meta:
        unknown = RAISE


class Money(fields.Field[Decimal]):
    """An amount: a decimal string in answers; a string or a number, not negative, at most two decimals, in bodies.

    A number is read through its decimal text, so 0.1 stays 0.1.
    """

    default_error_messages = {"invalid": 'expected an amount such as "1250.00"'}
    limit = Decimal("1e15")

    def __init__(self, *, negative: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.negative = negative

    def _serialize(self, value: Decimal | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else f"{value:.2f}"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
            raise self.make_error("invalid")
        try:
            amount = Decimal(str(value).strip())
        except InvalidOperation:
            raise self.make_error("invalid") from None
        if not amount.is_finite() or abs(amount) >= self.limit:
            raise self.make_error("invalid")
        if amount != amount.quantize(Decimal("0.01")):
            raise ValidationError("expected at most two decimals")
        if amount < 0 and not self.negative:
            raise ValidationError("expected an amount that is not negative")
        return amount


class AwareDateTime(fields.AwareDateTime):
    """A moment: ISO 8601 with an offset; a naive time is refused. Answered in UTC."""

    default_error_messages = {
        "invalid": "expected a moment in ISO 8601 with an offset, such as 2026-11-21T09:00:00Z",
        "invalid_awareness": "expected an offset, such as Z or +02:00: a time without one is ambiguous",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        moment = super()._deserialize(value, attr, data, **kwargs)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise self.make_error("invalid") from None


def words(low: int = 1, high: int = 500) -> validate.Length:
    """Length limits of a text."""
    return validate.Length(min=low, max=high)


def split_words(value: str) -> list[str]:
    """Several values of one query parameter, by comma."""
    return [word for word in (part.strip() for part in value.split(",")) if word]
