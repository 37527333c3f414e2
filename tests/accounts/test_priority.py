from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.priority import (
    DEFAULT_WEIGHTS,
    PARTS,
    age_share,
    check_weights,
    health_share,
    is_noted,
    percentile,
    priority,
    renewal_share,
    repeats_share,
    severity_share,
    value_share,
)

RAISED = datetime(2026, 11, 1, 9, tzinfo=UTC)
TARGET = datetime(2026, 12, 1, 9, tzinfo=UTC)
TODAY = date(2026, 11, 16)
NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)


def priority_of(**given: Any) -> Any:
    facts: dict[str, Any] = {
        "value_percentile": Fraction(1, 2),
        "severity": 2,
        "renewal_on": date(2027, 2, 14),
        "raised_at": RAISED,
        "target_at": TARGET,
        "health": 40,
        "repeats": 1,
        "now": NOW,
        "today": TODAY,
    }
    return priority(**facts | given)


def test_an_ordinary_case_scores_as_computed_by_hand() -> None:
    # value 30·½; severity 25·⅔ = 16.67; renewal in 90 of 180 days: 15·½; age 15 of 30 days: 15·½;
    # health 10·60 %; one repeat of three: 5·⅓ = 1.67.
    scored = priority_of()
    assert scored.parts == {
        "value": Decimal("15.0"),
        "severity": Decimal("16.7"),
        "renewal": Decimal("7.5"),
        "age": Decimal("7.5"),
        "health": Decimal("6.0"),
        "repeats": Decimal("1.7"),
    }
    assert scored.score == Decimal("54.4")


def test_the_worst_case_scores_100_and_the_mildest_0() -> None:
    worst = priority_of(value_percentile=Fraction(1), severity=1, renewal_on=TODAY, now=TARGET, health=0, repeats=9)
    mildest = priority_of(value_percentile=Fraction(0), severity=4, renewal_on=None, now=RAISED, health=100, repeats=0)
    assert worst.score == Decimal("100.0")
    assert mildest.score == Decimal("0.0")


@pytest.mark.parametrize(("severity", "share"), [(1, "1"), (2, "2/3"), (3, "1/3"), (4, "0")])
def test_severity_falls_in_even_steps(severity: int, share: str) -> None:
    assert severity_share(severity) == Fraction(share)


def test_a_severity_there_is_none_of_is_refused() -> None:
    with pytest.raises(ValueError, match="severity is 1 to 4"):
        severity_share(0)


@pytest.mark.parametrize(("days", "share"), [(-3, "1"), (0, "1"), (45, "3/4"), (90, "1/2"), (180, "0"), (400, "0")])
def test_a_near_renewal_counts_more(days: int, share: str) -> None:
    assert renewal_share(TODAY + timedelta(days=days), today=TODAY) == Fraction(share)


def test_no_renewal_counts_nothing() -> None:
    assert renewal_share(None, today=TODAY) == 0


@pytest.mark.parametrize(
    ("now", "share"),
    [(RAISED, "0"), (RAISED + timedelta(days=6), "1/5"), (TARGET, "1"), (TARGET + timedelta(days=9), "1")],
)
def test_age_is_the_share_of_the_target_used_up(now: datetime, share: str) -> None:
    assert age_share(RAISED, TARGET, now=now) == Fraction(share)


def test_a_target_that_lies_at_the_raise_is_used_up_at_once() -> None:
    assert age_share(RAISED, RAISED, now=RAISED) == 1


def test_unknown_health_counts_50_and_unknown_value_one_half() -> None:
    assert health_share(None) == health_share(50) == Fraction(1, 2)
    assert health_share(0) == 1
    assert health_share(100) == 0
    assert value_share(None) == Fraction(1, 2)


@pytest.mark.parametrize(("repeats", "share"), [(0, "0"), (1, "1/3"), (2, "2/3"), (3, "1"), (50, "1")])
def test_three_repeats_are_the_most_that_count(repeats: int, share: str) -> None:
    assert repeats_share(repeats) == Fraction(share)


@pytest.mark.parametrize(
    ("amount", "share"), [("0", "0"), ("5", "0"), ("10", "1/4"), ("20", "3/4"), ("35", "3/4"), ("40", "1")]
)
def test_the_percentile_is_the_share_of_the_book_worth_no_more(amount: str, share: str) -> None:
    assert percentile(Decimal(amount), [Decimal(n) for n in (10, 20, 20, 40)]) == Fraction(share)


def test_the_percentile_in_an_empty_book_is_0() -> None:
    assert percentile(Decimal(10), []) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": Decimal(31)}, "add up to 100"),
        ({"value": Decimal("30.05"), "repeats": Decimal("4.95")}, "at most one decimal"),
        ({"value": Decimal(60), "severity": Decimal(-5)}, "from 0"),
        ({"beauty": Decimal(0)}, "exactly"),
    ],
)
def test_weights_that_cannot_give_0_to_100_are_refused(change: dict[str, Decimal], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_weights(dict(DEFAULT_WEIGHTS) | change)


@pytest.mark.parametrize(("after", "noted"), [("54.4", False), ("59.3", False), ("59.4", True), ("49.4", True)])
def test_a_change_of_five_points_is_noted(after: str, noted: bool) -> None:
    assert is_noted(Decimal("54.4"), Decimal(after)) is noted


@given(
    value=st.none() | st.fractions(0, 1),
    severity=st.integers(1, 4),
    renewal=st.none() | st.integers(-1000, 1000),
    age=st.integers(0, 90 * 86400),
    health=st.none() | st.integers(0, 100),
    repeats=st.integers(0, 9),
)
def test_the_parts_add_up_to_the_score_exactly(
    value: Fraction | None, severity: int, renewal: int | None, age: int, health: int | None, repeats: int
) -> None:
    scored = priority_of(
        value_percentile=value,
        severity=severity,
        renewal_on=None if renewal is None else TODAY + timedelta(days=renewal),
        now=RAISED + timedelta(seconds=age),
        health=health,
        repeats=repeats,
    )
    assert sum(scored.parts.values()) == scored.score
    assert tuple(scored.parts) == PARTS
    assert 0 <= scored.score <= 100
    assert all(0 <= scored.parts[name] <= DEFAULT_WEIGHTS[name] for name in PARTS)


@given(st.integers(0, 99), st.integers(1, 100))
def test_lower_health_never_scores_lower(health: int, more: int) -> None:
    assert priority_of(health=health).score >= priority_of(health=min(health + more, 100)).score
