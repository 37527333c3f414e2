"""What each field of an upsert accepts: a check gives the value to store or raises ValueError with what was expected.

The same checks serve a PUT and every row of an import; they are plain functions because an import runs them millions
of times.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from app.accounts.names import ESCALATOR_KINDS, HEALTH_MAX, HEALTH_MIN, SEGMENTS
from app.currencies import CODES

Check = Callable[[Any], Any]

MAX_EMAIL = 254
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\Z")
MAX_ATTRIBUTES = 16_384
MONEY_LIMIT = Decimal("1e15")
CENT = Decimal("0.01")
ESCALATOR_MEMBERS = {"kind", "percent", "floor", "cap"}
NO_ESCALATOR = {"kind": "none", "percent": None, "floor": None, "cap": None}


def text(limit: int) -> Check:
    """A text of 1 to `limit` characters once outer blanks are off; NUL can't be stored."""
    expected = f"expected a text of 1 to {limit} characters"

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(expected)  # noqa: TRY004 - one kind of error for every unusable value
        trimmed = value.strip()
        if not 0 < len(trimmed) <= limit:
            raise ValueError(expected)
        if "\x00" in trimmed:
            raise ValueError("expected a text without NUL characters")
        return _storable(trimmed)

    return check


def _storable(value: str) -> str:
    """UTF-8 has no lone surrogates; JSON's escapes can make them."""
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError("expected a text without lone surrogates")
    return value


def email(value: Any) -> str:
    """An address as given: something, one @, something; whether anybody has it is found out later."""
    checked: str = _email_text(value)
    if not ADDRESS.match(checked):
        raise ValueError("expected an e-mail address")
    return checked


_email_text = text(MAX_EMAIL)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone(value: Any) -> str:
    """An IANA zone that exists."""
    if not isinstance(value, str) or value not in _zones():
        raise ValueError("expected an IANA time zone such as Europe/Berlin")
    return value


def segment(value: Any) -> str:
    if not isinstance(value, str) or value not in SEGMENTS:
        raise ValueError(f"expected one of {', '.join(SEGMENTS)}")
    return value


def currency(value: Any) -> str:
    """A code of ISO 4217, in capitals."""
    if not isinstance(value, str) or value not in CODES:
        raise ValueError("expected an ISO 4217 currency code such as EUR")
    return value


def health(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not HEALTH_MIN <= value <= HEALTH_MAX:
        raise ValueError(f"expected a whole number from {HEALTH_MIN} to {HEALTH_MAX}")
    return value


def decimal(expected: str, low: Decimal, high: Decimal, places: int) -> Check:
    """A number or decimal text from `low` to `high` with at most `places` decimals."""

    def check(value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
            raise ValueError(expected)  # noqa: TRY004
        try:
            number = value if isinstance(value, Decimal) else Decimal(str(value).strip())
        except InvalidOperation:
            raise ValueError(expected) from None
        if not number.is_finite() or not low <= number <= high:
            raise ValueError(expected)
        exponent = number.normalize().as_tuple().exponent
        if isinstance(exponent, int) and -exponent > places:
            raise ValueError(f"expected at most {places} decimals")
        return number

    return check


money = decimal('expected an amount that is not negative, such as "1250.00"', Decimal(0), MONEY_LIMIT - CENT, 2)
probability = decimal("expected a number from 0 to 1", Decimal(0), Decimal(1), 6)
percent = decimal("expected a percentage from -100 to 1000", Decimal(-100), Decimal(1000), 4)
rate = decimal("expected a number above 0", Decimal("1e-12"), Decimal("1e12"), 12)


def day(value: Any) -> date:
    """A calendar day, ISO 8601."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and len(value) == 10:
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError("expected a date such as 2026-12-31")


def moment(value: Any) -> datetime:
    """A moment with an offset; a naive time is refused."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        read = None
    if not isinstance(read, datetime) or read.utcoffset() is None:
        raise ValueError("expected a moment in ISO 8601 with an offset, such as 2026-11-21T09:00:00Z")
    try:
        return read.astimezone(UTC)
    except OverflowError:
        raise ValueError("expected a moment between the years 1 and 9999") from None


def attributes(value: Any) -> dict[str, Any]:
    """A flat or nested object of the CRM's own fields, at most 16 KiB as JSON."""
    if not isinstance(value, Mapping):
        raise ValueError("expected an object")  # noqa: TRY004
    try:
        written = json.dumps(value, ensure_ascii=True, default=str)
    except (TypeError, ValueError, RecursionError):
        raise ValueError("expected an object of plain JSON values") from None
    if len(written) > MAX_ATTRIBUTES:
        raise ValueError(f"expected at most {MAX_ATTRIBUTES} characters as JSON")
    if "\\u0000" in written or "\\ud8" in written.lower() or "NaN" in written or "Infinity" in written:
        _check_values(value)
    read: dict[str, Any] = json.loads(written)
    return read


def _check_values(value: Any) -> None:
    """Name what PostgreSQL's jsonb can't hold."""
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("expected texts without NUL characters")
        _storable(value)
    elif isinstance(value, float) and value - value != 0:
        raise ValueError("expected finite numbers")
    elif isinstance(value, Mapping):
        for key, member in value.items():
            _check_values(key)
            _check_values(member)
    elif isinstance(value, list | tuple):
        for member in value:
            _check_values(member)


def escalator(value: Any) -> dict[str, Any]:
    """How the price rises at renewal: `kind` none, fixed or index with `percent`, `floor`, `cap` in percent."""
    if not isinstance(value, Mapping):
        raise ValueError("expected an object with kind, percent, floor, cap")  # noqa: TRY004
    if unknown := set(value) - ESCALATOR_MEMBERS:
        raise ValueError(f"unknown member {min(unknown)!r}; expected kind, percent, floor, cap")
    kind = value.get("kind", "none") or "none"
    if kind not in ESCALATOR_KINDS:
        raise ValueError(f"kind: expected one of {', '.join(ESCALATOR_KINDS)}")
    rises = {name: _rise(name, value.get(name)) for name in ("percent", "floor", "cap")}
    if rises["floor"] is not None and rises["cap"] is not None and rises["floor"] > rises["cap"]:
        raise ValueError("floor: expected at most the cap")
    return {"kind": kind, **rises} if kind != "none" else dict(NO_ESCALATOR)


def _rise(name: str, value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        checked: Decimal = percent(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    return checked
