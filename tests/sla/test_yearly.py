"""Days that come back every year: by hand, and against another implementation of RFC 5545."""

from datetime import date, datetime
from typing import Any

import pytest
from dateutil import rrule
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.sla.yearly import Yearly, occurrences

LAST = date(2030, 12, 31)


def days(start: str, **rule: Any) -> list[str]:
    return [day.isoformat() for day in occurrences(date.fromisoformat(start), Yearly(**rule), last=LAST)]


@pytest.mark.parametrize(
    ("start", "rule", "expected"),
    [
        ("2028-12-25", {}, ["2028-12-25", "2029-12-25", "2030-12-25"]),
        ("2024-02-29", {}, ["2024-02-29", "2028-02-29"]),
        ("2026-12-25", {"interval": 3}, ["2026-12-25", "2029-12-25"]),
        ("2026-12-25", {"count": 2}, ["2026-12-25", "2027-12-25"]),
        ("2026-12-25", {"until": date(2027, 12, 25)}, ["2026-12-25", "2027-12-25"]),
        # Thanksgiving, the fourth Thursday of November
        ("2028-11-23", {"months": (11,), "weekdays": ((4, 3),)}, ["2028-11-23", "2029-11-22", "2030-11-28"]),
        # Memorial Day, the last Monday of May
        ("2028-05-29", {"months": (5,), "weekdays": ((-1, 0),)}, ["2028-05-29", "2029-05-28", "2030-05-27"]),
        # Sweden's Midsummer Eve, the Friday from 19 to 25 June
        (
            "2029-06-22",
            {"months": (6,), "month_days": (19, 20, 21, 22, 23, 24, 25), "weekdays": ((0, 4),)},
            ["2029-06-22", "2030-06-21"],
        ),
        ("2029-12-31", {"months": (12,), "month_days": (-1,)}, ["2029-12-31", "2030-12-31"]),
        ("2029-01-02", {"months": (1,), "month_days": (1,)}, ["2029-01-02", "2030-01-01"]),  # the first is always one
        ("2029-02-01", {"months": (2,), "month_days": (30,)}, ["2029-02-01"]),
        (
            "2030-09-02",  # each Friday and the first Monday
            {"months": (9,), "weekdays": ((0, 4), (1, 0))},
            ["2030-09-02", "2030-09-06", "2030-09-13", "2030-09-20", "2030-09-27"],
        ),
        ("2031-01-01", {}, []),
    ],
)
def test_a_day_comes_back_where_its_rule_picks_it(start: str, rule: dict[str, Any], expected: list[str]) -> None:
    assert days(start, **rule) == expected


# The other implementation wants both of "each Monday, the first Monday"; RFC 5545 lists what is picked: either.
plain = st.lists(st.tuples(st.just(0), st.integers(0, 6)), max_size=3)
numbered = st.lists(st.tuples(st.sampled_from((1, 2, 3, 4, 5, -1, -2, -5)), st.integers(0, 6)), max_size=3)
rules = st.builds(
    Yearly,
    interval=st.integers(1, 4),
    months=st.lists(st.integers(1, 12), min_size=1, max_size=3).map(tuple),
    month_days=st.lists(st.integers(-31, 31).filter(bool), max_size=3).map(tuple),
    weekdays=(plain | numbered).map(tuple),
    count=st.none() | st.integers(1, 12),
    until=st.none(),
)


def by_another(start: date, rule: Yearly) -> list[date]:
    found = rrule.rrule(
        rrule.YEARLY,
        dtstart=datetime(start.year, start.month, start.day),  # noqa: DTZ001 - days have no zone
        interval=rule.interval,
        bymonth=rule.months,
        bymonthday=rule.month_days or (None if rule.weekdays else start.day),
        byweekday=[rrule.weekdays[day](nth) if nth else rrule.weekdays[day] for nth, day in rule.weekdays] or None,
        count=rule.count,
        until=None if rule.count else datetime(2030, 12, 31),  # noqa: DTZ001
    )
    return [at.date() for at in found if at.date() <= LAST]


@settings(max_examples=300, deadline=None)
@given(st.dates(date(2016, 1, 1), date(2029, 12, 31)), rules)
def test_every_rule_picks_the_same_days_as_another_implementation(start: date, rule: Yearly) -> None:
    expected = by_another(start, rule)
    assume(not rule.count or expected[:1] == [start])  # where the first day is no match the standard leaves it open
    assert list(occurrences(start, rule, last=LAST)) == sorted({start, *expected})
