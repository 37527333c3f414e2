"""Cohorts: what became of the cases raised in a span of days, as it was known at a moment.

Months that were over by then come from the monthly sums, days since from the daily ones, the rest of the moment's own
day from the facts, and the cases this reader may not see are taken out again. Of a month raised of which only some days
are asked for, the daily sums tell all.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from app.reports.reading import Reading
from app.reports.standing_sql import SEEN
from app.reports.standings import COUNTED, MEASURES, TIERS, amount_of
from app.reports.sums import DIFFERENCES
from app.reports.survival import Point, kaplan_meier, median_day

_SINCE = "(select coalesce(max(ended_at), '-infinity') from cohort_day where ended_at <= :as_of)"
_UNTIL = "cast(:as_of as timestamptz) + interval '1 microsecond'"
_LATELY = DIFFERENCES.replace(":since", _SINCE).replace(":until", _UNTIL)
# Of small counts a sum is a plain addition; seconds may be many.
_SUMMED = ", ".join(f"sum({name}{'::int' if name in COUNTED else ''})::bigint as {name}" for name in MEASURES)
_MONTH = "date_trunc('month', day_raised::timestamp)::date as month"
_HIDDEN = ", ".join(f"-({amount_of(name, 'f')})" for name in MEASURES)
_ALL = ", ".join(MEASURES)
_MONTHS_UNTIL = "(select coalesce(max(ended_at), '-infinity') from cohort_month where ended_at <= :as_of)"
COHORTS = text(
    f"""
    with added as (
        select month_raised as day_raised, days, {_ALL} from cohort_month
        where ended_at <= :as_of and month_raised >= :whole_from and month_raised < :whole_until
        union all
        select day_raised, days, {_ALL} from cohort_day
        where ended_at <= :as_of and ended_at > {_MONTHS_UNTIL}
        and day_raised >= :whole_from and day_raised < :whole_until
        union all
        select day_raised, days, {_ALL} from cohort_day
        where ended_at <= :as_of and day_raised >= :first and day_raised < :whole_from
        union all
        select day_raised, days, {_ALL} from cohort_day
        where ended_at <= :as_of and day_raised >= :whole_until and day_raised <= :last
        union all
        select day_raised, days, {_ALL} from ({_LATELY}) lately where day_raised between :first and :last
        union all
        select f.day_raised, coalesce(f.days, -1), {_HIDDEN} from case_fact f
        where f.escalation_id = any(cast(:hidden as uuid[])) and f.known_from <= :as_of and f.known_until > :as_of
        and f.day_raised between :first and :last
    )
    select {_MONTH}, days, {_SUMMED} from added group by month, days
    """  # noqa: S608 - the parts are ours
)
# The daily sums know no accounts: of some of them the facts themselves are added.
COHORTS_OF_SOME = text(
    f"""
    select date_trunc('month', f.day_raised)::date as month, coalesce(f.days, -1) as days,
           {", ".join(f"sum({amount_of(name, 'f')})::bigint as {name}" for name in MEASURES)}
    from case_fact f
    where f.known_from <= :as_of and f.known_until > :as_of and f.day_raised between :first and :last
      and {SEEN.format(f="f")}
    group by 1, 2
    """  # noqa: S608 - the parts are ours
)
# Of the cases `opened`. At exactly the target a case is not late yet.
STILL_OPEN = f"""
    select {_MONTH}, overdue, age, sum(cases) as cases from (
        select day_raised, close_target_at < :as_of as overdue,
               floor(date_part('epoch', cast(:as_of as timestamptz) - raised_at) / 86400)::int as age,
               count(*) as cases
        from opened where day_raised between :first and :last group by day_raised, overdue, age
    ) days group by month, overdue, age
"""  # noqa: S608 - the parts are ours
OPEN_COLUMNS = ("day_raised", "close_target_at", "raised_at")
ENDS = ("on_time", "late", "unresolved", "customer_silent")
APART = ("extended", "long_pause", "logged_late", "unanswered", "unresolved", "customer_silent")
OUTSIDE = ("withdrawn", "mistaken", "merged")
SHOWN = ("raised", *ENDS, "open_overdue", "open_not_due", *OUTSIDE)


@dataclass(frozen=True)
class Cohorts:
    """Sums by month raised and by days to close, and the open ones by month and age."""

    sums: Sequence[Mapping[str, Any]]
    still_open: Sequence[Mapping[str, Any]]

    def total(self, measure: str) -> int:
        return sum(row[measure] for row in self.sums)

    def months(self) -> list[dict[str, Any]]:
        """Each month raised: on time, not, and neither yet; the share leaves out those not due yet."""
        counts: dict[date, Counter[str]] = defaultdict(Counter)
        for row in self.sums:
            counts[row["month"]].update({name: row[name] for name in ("raised", *ENDS, *OUTSIDE)})
        for row in self.still_open:
            counts[row["month"]]["open_overdue" if row["overdue"] else "open_not_due"] += row["cases"]
        return [_month(month, counts[month]) for month in sorted(counts) if any(counts[month].values())]

    def survival(self) -> list[Point]:
        """The share still open by days since the raise. Who was given up stays at risk: nothing was resolved."""
        closed: Counter[int] = Counter()
        for row in self.sums:
            if row["days"] >= 0:
                closed[row["days"]] += row["on_time"] + row["late"]
        ages: Counter[int] = Counter()
        for row in self.still_open:
            ages[row["age"]] += row["cases"]
        never = self.total("unresolved") + self.total("customer_silent")
        return kaplan_meier(+closed, ages, never=never)

    def seen_days(self) -> int:
        """The last day after a raise on which a case was closed or seen open."""
        return max([row["days"] for row in self.sums] + [row["age"] for row in self.still_open], default=0)


def read(reading: Reading, still_open: Iterable[Mapping[str, Any]], *, first: date, last: date) -> Cohorts:
    """The cases raised from `first` to `last`, both included, as known at the reading's moment; `still_open` is what
    STILL_OPEN counts of them. One statement."""
    days = {"first": first, "last": last}
    if reading.only is None:
        sums = reading.ask(COHORTS, **days, **_whole_months(first, last)).mappings().all()
    else:
        sums = reading.ask(COHORTS_OF_SOME, **days).mappings().all()
    return Cohorts(sums, [{**row, "month": date.fromisoformat(row["month"])} for row in still_open])


def _whole_months(first: date, last: date) -> dict[str, date]:
    """The months of which every day is asked for: from the first of one until before the first of another."""
    after = None if last == date.max else last + timedelta(days=1)
    end = after if after and after.day == 1 else last.replace(day=1)
    begin = first if first.day == 1 or first.replace(day=1) == end else _next_month(first)
    return {"whole_from": begin, "whole_until": end} if begin < end else {"whole_from": first, "whole_until": first}


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _month(month: date, counts: Mapping[str, int]) -> dict[str, Any]:
    found = {name: counts.get(name, 0) for name in SHOWN}
    return {"month": month, **found, "share": share(found["on_time"], found["raised"] - found["open_not_due"])}


def share(part: int, whole: int) -> float | None:
    """To four places; of nothing there is none."""
    return round(part / whole, 4) if whole else None


def on_time_of(cohorts: Cohorts) -> dict[str, Any]:
    """All months together, and each."""
    months = cohorts.months()
    found = {name: sum(month[name] for month in months) for name in SHOWN}
    due = found["raised"] - found["open_not_due"]
    return {**found, "share": share(found["on_time"], due), "months": months}


def survival_of(cohorts: Cohorts) -> dict[str, Any]:
    points = cohorts.survival()
    return {"points": points, "median_days": median_day(points), "seen_days": cohorts.seen_days()}


def apart_of(cohorts: Cohorts) -> dict[str, int]:
    """Given as numbers wherever their cases fall."""
    return {name: cohorts.total(name) for name in APART}


def first_owner_of(cohorts: Cohorts) -> dict[str, Any]:
    """Of the closed ones, whatever their outcome, those closed by the first of their owners."""
    ended, right = cohorts.total("ended"), cohorts.total("by_first_owner")
    return {"ended": ended, "by_first_owner": right, "share": share(right, ended)}


def tiers_of(cohorts: Cohorts) -> list[dict[str, Any]]:
    """How long closed cases were in each tier they entered."""
    rows: Iterable[dict[str, Any]] = (
        {"tier": tier, "cases": cohorts.total(f"left_{tier}"), "seconds": cohorts.total(f"{tier}_seconds")}
        for tier in TIERS
    )
    return [{**row, "mean_seconds": round(row["seconds"] / row["cases"])} for row in rows if row["cases"]]
