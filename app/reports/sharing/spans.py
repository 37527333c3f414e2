"""Spans of days in words, as "last 12 months": which days they are is told by the day on which one reads (pure)."""

import re
from datetime import date, timedelta

SPANS = (
    "this_month",
    "last_month",
    "this_quarter",
    "last_quarter",
    "this_year",
    "last_year",
    "last_3_months",
    "last_6_months",
    "last_12_months",
    "last_30_days",
    "last_90_days",
)
MONTHS_OF = {"month": 1, "quarter": 3, "year": 12}
COUNTED = re.compile(r"last_(\d+)_(months|days)")


def days_of_span(span: str, today: date) -> tuple[date, date]:
    """First and last day, both included.

    `this_…` is a calendar month, quarter or year up to today, `last_…` the whole one before; `last_12_months` twelve
    calendar months and `last_30_days` thirty days, today's among them.
    """
    if counted := COUNTED.fullmatch(span):
        number = int(counted[1])
        if counted[2] == "days":
            return today - timedelta(days=number - 1), today
        return first_of_month(today, 1 - number), today
    which, _, unit = span.partition("_")
    months = MONTHS_OF[unit]
    into = (today.month - 1) % months
    if which == "this":
        return first_of_month(today, -into), today
    return first_of_month(today, -into - months), first_of_month(today, -into) - timedelta(days=1)


def first_of_month(day: date, months: int = 0) -> date:
    """The first day of the month so many months from this day's."""
    month = day.year * 12 + day.month - 1 + months
    return date(month // 12, month % 12 + 1, 1)
