"""Priority: 0 to 100, orders work and never changes a promise; the sum of named points."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from app.accounts.names import HEALTH_MAX, HEALTH_MIN, HEALTH_UNKNOWN

PARTS = ("value", "severity", "renewal", "age", "health", "repeats")
DEFAULT_WEIGHTS: Mapping[str, Decimal] = MappingProxyType(
    {
        "value": Decimal(30),
        "severity": Decimal(25),
        "renewal": Decimal(15),
        "age": Decimal(15),
        "health": Decimal(10),
        "repeats": Decimal(5),
    }
)
RENEWAL_HORIZON_DAYS = 180
REPEATS_FULL = 3
VALUE_UNKNOWN = Fraction(1, 2)
NOTED_CHANGE = Decimal(5)


@dataclass(frozen=True)
class Priority:
    """`parts` are points with one decimal that add up to `score` exactly."""

    score: Decimal
    parts: Mapping[str, Decimal] = field(default_factory=dict)


def priority(
    *,
    value_percentile: Fraction | Decimal | None,
    severity: int,
    renewal_on: date | None,
    raised_at: datetime,
    target_at: datetime,
    health: int | Decimal | None,
    repeats: int,
    now: datetime,
    today: date,
    weights: Mapping[str, Decimal] = DEFAULT_WEIGHTS,
) -> Priority:
    """Each part is its weight times a share from 0 to 1, rounded to one decimal (half to even).

    `value_percentile` is 0–1 (None: unknown, counts one half); `target_at` is the present due of close;
    `repeats` counts earlier escalations of the account with this reason; `today` is the tenant's date.
    """
    check_weights(weights)
    shares = {
        "value": value_share(value_percentile),
        "severity": severity_share(severity),
        "renewal": renewal_share(renewal_on, today=today),
        "age": age_share(raised_at, target_at, now=now),
        "health": health_share(health),
        "repeats": repeats_share(repeats),
    }
    parts = {name: _points(weights[name], shares[name]) for name in PARTS}
    return Priority(sum(parts.values(), Decimal("0.0")), parts)


def check_weights(weights: Mapping[str, Decimal]) -> None:
    """Weights name every part, are not negative, have at most one decimal and add up to 100."""
    if set(weights) != set(PARTS):
        raise ValueError(f"weights must name exactly {', '.join(PARTS)}")
    if any(w < 0 or w * 10 != int(w * 10) for w in weights.values()):
        raise ValueError("a weight is a number from 0 with at most one decimal")
    if sum(weights.values()) != 100:
        raise ValueError("weights must add up to 100")


def value_share(percentile: Fraction | Decimal | None) -> Fraction:
    """The percentile itself; a value that could not be converted is neither top nor bottom."""
    return VALUE_UNKNOWN if percentile is None else _clamp(Fraction(percentile))


def severity_share(severity: int) -> Fraction:
    """Severity 1, 2, 3, 4 gives 1, ⅔, ⅓, 0."""
    if severity not in (1, 2, 3, 4):
        raise ValueError(f"severity is 1 to 4, not {severity}")
    return Fraction(4 - severity, 3)


def renewal_share(renewal_on: date | None, *, today: date) -> Fraction:
    """1 on the day of renewal, falling evenly to 0 at 180 days; without a renewal 0."""
    if renewal_on is None:
        return Fraction(0)
    return _clamp(1 - Fraction((renewal_on - today).days, RENEWAL_HORIZON_DAYS))


def age_share(raised_at: datetime, target_at: datetime, *, now: datetime) -> Fraction:
    """The share of the time from raise to target that has passed; a target already reached gives 1."""
    if target_at <= now:
        return Fraction(1)
    return _clamp(Fraction((now - raised_at) // _MICROSECOND, (target_at - raised_at) // _MICROSECOND))


def health_share(health: int | Decimal | None) -> Fraction:
    """The lower the health the higher the share; unknown counts 50."""
    known = HEALTH_UNKNOWN if health is None else health
    return _clamp(Fraction(HEALTH_MAX - Fraction(known), HEALTH_MAX - HEALTH_MIN))


def repeats_share(repeats: int) -> Fraction:
    """Three earlier ones or more give 1."""
    return _clamp(Fraction(repeats, REPEATS_FULL))


def percentile(amount: Decimal, book: Sequence[Decimal]) -> Fraction:
    """The share of the book (sorted, lowest first) worth no more than this; nothing at stake is always 0."""
    if amount <= 0 or not book:
        return Fraction(0)
    return Fraction(bisect_right(book, amount), len(book))


def is_noted(before: Decimal, after: Decimal) -> bool:
    """The timeline notes a change of 5 points or more, either way."""
    return abs(after - before) >= NOTED_CHANGE


_MICROSECOND = datetime.resolution


def _clamp(share: Fraction) -> Fraction:
    return min(max(share, Fraction(0)), Fraction(1))


def _points(weight: Decimal, share: Fraction) -> Decimal:
    return Decimal(round(Fraction(weight) * share * 10)).scaleb(-1)
