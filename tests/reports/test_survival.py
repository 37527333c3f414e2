"""Kaplan–Meier by hand."""

import pytest

from app.reports.survival import kaplan_meier, median_day


def test_six_cases_by_hand():
    """Closed on days 3, 3, 5 and 9; one seen open at age 5, one at age 7.

    Day 3: 6 at risk, 2 close: 4/6. Day 5: 4 at risk, 1 closes: 4/6 · 3/4 = 1/2; the one of age 5 leaves after it.
    Day 9: 2 − 1 (age 7) = 1 at risk, 1 closes: 0.
    """
    points = kaplan_meier({3: 2, 5: 1, 9: 1}, {5: 1, 7: 1})
    assert [(p.day, p.at_risk, p.closed) for p in points] == [(0, 6, 0), (3, 6, 2), (5, 4, 1), (9, 1, 1)]
    assert [p.share for p in points] == pytest.approx([1, 2 / 3, 1 / 2, 0])
    assert median_day(points) == 5


def test_who_was_given_up_stays_at_risk():
    """Two close on day 1 and two never: half are open for ever."""
    points = kaplan_meier({1: 2}, {}, never=2)
    assert [(p.day, p.share) for p in points] == [(0, 1.0), (1, 0.5)]


def test_only_open_ones_stay_whole_and_have_no_median():
    points = kaplan_meier({}, {4: 3})
    assert [(p.day, p.share, p.at_risk) for p in points] == [(0, 1.0, 3)]
    assert median_day(points) is None


def test_of_nothing_there_is_no_curve():
    assert kaplan_meier({}, {}) == []
