"""The facts a condition may ask about: their names, types and operators, and how their values are written.

Facts are flat, `{"account.segment": "enterprise"}`. A fact that is absent, None, "" or empty is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from app.accounts.names import SEGMENTS
from app.sla.level import TIERS

OPERATORS: Mapping[str, tuple[str, ...]] = {
    "text": ("=", "!=", "in", "contains", "is_set"),
    "number": ("=", "!=", "in", "<", "<=", ">", ">=", "is_set"),
    "money": ("=", "!=", "in", "<", "<=", ">", ">=", "is_set"),
    "date": ("=", "!=", "<", "<=", ">", ">=", "within_days", "is_set"),
    "datetime": ("<", "<=", ">", ">=", "within_days", "is_set"),
    "bool": ("=", "!=", "is_set"),
    "list": ("contains", "is_set"),
}
MAX_TEXT = 1000
ATTRIBUTE_PREFIX = "account.attributes."


@dataclass(frozen=True)
class Field:
    """One fact by name; `values`, where given, are the only words it can have."""

    name: str
    type: str
    doc: str
    values: tuple[str, ...] = ()

    @property
    def operators(self) -> tuple[str, ...]:
        return OPERATORS[self.type]


RAISED_BY_KINDS = ("customer", "colleague", "system")

_LISTED = (
    Field("escalation.severity", "number", "1 (worst) to 4."),
    Field("escalation.reason", "text", "What kind of grievance it is."),
    Field("escalation.source", "text", "The system it came from."),
    Field("escalation.raised_by_kind", "text", "Who demands.", RAISED_BY_KINDS),
    Field("escalation.raised_at", "datetime", "When it was raised."),
    Field("escalation.title", "text", "Its title."),
    Field("escalation.customer_statement", "text", "The customer's own words."),
    Field("escalation.desired_outcome", "text", "What the customer wants to have."),
    Field("escalation.impact", "text", "What it does to the customer."),
    Field("escalation.restricted", "bool", "Whether only the owner, their line and watchers see it."),
    Field("escalation.tier", "text", "How far up the path it is.", TIERS),
    Field("escalation.has_outage", "bool", "Whether an outage stands behind it."),
    Field("escalation.has_about_user", "bool", "Whether it is about a colleague."),
    Field("escalation.systems", "list", "The systems of its external references."),
    Field("account.name", "text", "The account's name."),
    Field("account.segment", "text", "The kind of customer.", SEGMENTS),
    Field("account.region", "text", "The account's region."),
    Field("account.timezone", "text", "The account's zone, by its IANA name."),
    Field("account.domain", "text", "The account's mail and web domain."),
    Field("account.lifecycle", "text", "The stage the CRM gives the account."),
    Field("account.health", "number", "0 to 100; missing when the CRM doesn't say."),
    Field("account.is_gone", "bool", "Whether the CRM deleted it."),
    Field("account.has_parent", "bool", "Whether it belongs to another account."),
    Field("value.amount", "money", "Value at stake, in the reporting currency."),
    Field("value.arr", "money", "ARR of the active contracts, in the reporting currency."),
    Field("value.pipeline", "money", "Open opportunities by probability, in the reporting currency."),
    Field("value.is_incomplete", "bool", "Whether a rate was missing for a part of the value."),
    Field("value.renewal_on", "date", "The next renewal."),
    Field("value.renewal_value", "money", "What is renewed then, in the reporting currency."),
    Field("contract.service_level", "text", "The service level that holds for the escalation."),
    Field("contract.currencies", "list", "Currencies of the contracts touched."),
    Field("counts.open_escalations", "number", "Open escalations of the account, this one not counted."),
    Field("counts.repeats", "number", "Earlier escalations of the account with the same reason."),
)
FIELDS: Mapping[str, Field] = {field.name: field for field in _LISTED}


def find_field(name: str) -> Field | None:
    """A listed field, or one of the account's own attributes, which are read as text."""
    if name.startswith(ATTRIBUTE_PREFIX) and len(name) > len(ATTRIBUTE_PREFIX):
        return Field(name, "text", "An attribute of the account as the CRM gives it.")
    return FIELDS.get(name)


def read_fact(facts: Mapping[str, Any], field: Field) -> Any:
    """The fact, or None when it is missing; an attribute that is not text is read as JSON writes it."""
    actual = facts.get(field.name)
    if actual is None or actual == "" or (field.type == "list" and not actual):
        return None
    if field.type != "text" or isinstance(actual, str):
        return actual
    return str(actual).lower() if isinstance(actual, bool) else str(actual)


def parse_value(field: Field, value: Any) -> Any:
    """A written value in the field's type; ValueError says what was expected."""
    parsed = _PARSERS[field.type](value)
    if field.values and parsed not in field.values:
        raise ValueError(f"one of {', '.join(field.values)}")
    return parsed


def freeze_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts in JSON's types, for the decision record."""
    return {name: as_json(value) for name, value in facts.items()}


def thaw_facts(frozen: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a decision record in their types again, so that it can be re-run."""
    return {name: _thaw(find_field(name), value) for name, value in frozen.items()}


def as_json(value: Any) -> Any:
    """Money as a decimal string, moments and days in ISO 8601, the rest as it is."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_json(item) for item in (value if isinstance(value, (list, tuple)) else sorted(value))]
    return value


def _thaw(field: Field | None, value: Any) -> Any:
    if field is None or value is None or field.type in {"text", "bool", "list"}:
        return value
    return _PARSERS[field.type](value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise ValueError(f"a text of 1 to {MAX_TEXT} characters")
    return value


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise ValueError("a number")  # noqa: TRY004 - one kind of error for every unusable value
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("a number") from None
    if not number.is_finite():
        raise ValueError("a finite number")
    return number


def _plain_number(value: Any) -> Decimal:
    if isinstance(value, str):
        raise ValueError("a number, not a text")  # noqa: TRY004
    return _number(value)


def _date(value: Any) -> date:
    if isinstance(value, str):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise ValueError("a date like 2026-12-25") from None
        if day.isoformat() == value:
            return day
    raise ValueError("a date like 2026-12-25")


def _moment(value: Any) -> datetime:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("a time like 2026-12-25T09:00:00+00:00") from None
        if moment.utcoffset() is not None:
            return moment
    raise ValueError("a time with an offset like 2026-12-25T09:00:00+00:00")


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")  # noqa: TRY004
    return value


_PARSERS: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "number": _plain_number,
    "money": _number,
    "date": _date,
    "datetime": _moment,
    "bool": _bool,
    "list": _text,
}
