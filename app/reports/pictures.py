"""The charts of the executive's page, made from its figures."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.reports import charts, telling
from app.reports.charts import Chart, Part, Point
from app.texts import gettext as _
from app.texts import money

LIMIT = 30  # days: the promise, unless a contract says otherwise
TWELVE = 12  # months: beyond them a month needs its year
GIVEN_UP = ("unresolved", "customer_silent")


def on_time_chart(found: Mapping[str, Any], first: date, last: date) -> Chart:
    """Cases by month raised and what became of them; open ones hatched."""
    parts = (
        Part(_("On time"), "good"),
        Part(_("Late"), "missed", "striped"),
        Part(_("Unresolved or silent"), "paused", "edged"),
        Part(_("Open, past the target"), "missed", "hatched"),
        Part(_("Open, not due yet"), "quiet", "hatched"),
    )
    years = len(found["months"]) > TWELVE
    groups = [(telling.month(one["month"], year=years), _stack(one)) for one in found["months"]]
    title, text = telling.on_time_title(found), telling.on_time_text(found, first, last)
    return charts.stacked("on-time", title=title, text=text, across=_("Month raised"), parts=parts, groups=groups)


def _stack(month: Mapping[str, Any]) -> tuple[int, ...]:
    given_up = sum(month[name] for name in GIVEN_UP)
    return month["on_time"], month["late"], given_up, month["open_overdue"], month["open_not_due"]


def survival_chart(found: Mapping[str, Any]) -> Chart:
    """The share still open by days since the raise."""
    points = found["points"]
    columns = (_("Days"), _("Still open"), _("Looked at"), _("Closed on that day"))
    rows = [(str(one.day), telling.percent(one.share), str(one.at_risk), str(one.closed)) for one in points]
    text = telling.survival_text(points, found["seen_days"], LIMIT)
    return charts.steps(
        "survival", title=telling.survival_title(found["median_days"]), text=text,
        columns=columns, points=[(one.day, one.share) for one in points], rows=rows, until=found["seen_days"],
        limit=(LIMIT, _("30 days")), axis=_("days since the raise"), percent=telling.percent,
    )  # fmt: skip


def value_chart(found: Sequence[Mapping[str, Any]], currency: str, as_of: datetime, zone: ZoneInfo) -> Chart:
    """Value at stake over time, each point as it was known then."""
    points = [
        Point(one["at"], one["amount"], telling.day(one["at"].astimezone(zone)), _worth(one, currency)) for one in found
    ]
    return charts.area(
        "value", title=_value_title(found, currency, zone), text=_value_text(found, currency, zone),
        columns=(_("As of"), _("Value at stake")), points=points, said=lambda value: money(value, currency),
        as_of=(as_of, _("as of %(day)s") % {"day": telling.day(as_of.astimezone(zone), year=True)}),
    )  # fmt: skip


def _worth(one: Mapping[str, Any], currency: str) -> str:
    said = money(one["amount"], currency)
    return _("at least %(amount)s") % {"amount": said} if one["incomplete"] and one["amount"] is not None else said


def _value_title(found: Sequence[Mapping[str, Any]], currency: str, zone: ZoneInfo) -> str:
    known = [one for one in found if one["amount"] is not None]
    if not known:
        return _("Value at stake: not known")
    first, last = known[0], known[-1]
    return _("Value at stake: %(now)s, after %(then)s on %(day)s") % {
        "now": _worth(last, currency), "then": _worth(first, currency),
        "day": telling.day(first["at"].astimezone(zone), year=True),
    }  # fmt: skip


def _value_text(found: Sequence[Mapping[str, Any]], currency: str, zone: ZoneInfo) -> str:
    known = [one for one in found if one["amount"] is not None]
    if not known:
        return _("Nothing is known of it before this moment.")
    most, last = max(known, key=lambda one: one["amount"]), known[-1]
    return _("%(now)s now; the most was %(most)s on %(day)s. Each point is as it was known then.") % {
        "now": _worth(last, currency), "most": _worth(most, currency),
        "day": telling.day(most["at"].astimezone(zone), year=True),
    }  # fmt: skip
