"""Spans in words, by a calendar and by hand."""

from datetime import date

import pytest

from app.reports.sharing.spans import SPANS, days_of_span


@pytest.mark.parametrize(
    ("span", "today", "first", "last"),
    [
        ("this_month", "2026-03-20", "2026-03-01", "2026-03-20"),
        ("last_month", "2026-03-20", "2026-02-01", "2026-02-28"),
        ("last_month", "2024-03-31", "2024-02-01", "2024-02-29"),
        ("last_month", "2026-01-01", "2025-12-01", "2025-12-31"),
        ("this_quarter", "2026-05-31", "2026-04-01", "2026-05-31"),
        ("last_quarter", "2026-02-28", "2025-10-01", "2025-12-31"),
        ("last_quarter", "2026-12-31", "2026-07-01", "2026-09-30"),
        ("this_year", "2026-01-01", "2026-01-01", "2026-01-01"),
        ("last_year", "2026-07-04", "2025-01-01", "2025-12-31"),
        ("last_3_months", "2026-01-31", "2025-11-01", "2026-01-31"),
        ("last_6_months", "2026-06-30", "2026-01-01", "2026-06-30"),
        ("last_12_months", "2026-03-20", "2025-04-01", "2026-03-20"),
        ("last_30_days", "2026-03-01", "2026-01-31", "2026-03-01"),
        ("last_90_days", "2026-03-31", "2026-01-01", "2026-03-31"),
    ],
)
def test_a_span_is_these_days(span, today, first, last):
    assert days_of_span(span, date.fromisoformat(today)) == (date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize("span", SPANS)
def test_no_span_is_empty_or_in_the_future(span):
    for today in (date(2024, 2, 29), date(2026, 1, 1), date(2026, 12, 31)):
        first, last = days_of_span(span, today)
        assert first <= last <= today
