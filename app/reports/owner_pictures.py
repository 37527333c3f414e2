"""The charts of owners, teams and causes, made from their figures."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.reports import charts
from app.reports.charts import Bar, Chart
from app.reports.courses import PARTS
from app.texts import gettext as _
from app.texts import money, ngettext

MOST = 12  # causes in a picture


def load_chart(items: Sequence[Mapping[str, Any]]) -> Chart:
    """What each carries against what they take on; by name."""
    over = sum(_over(one) for one in items)
    if not over:
        return _drawn(items, _("Nobody carries more than fits."))
    text = ngettext(
        "%(over)s of %(num)s carries more than fits.", "%(over)s of %(num)s carry more than fits.", len(items)
    )
    return _drawn(items, text % {"over": over, "num": len(items)})


def _drawn(items: Sequence[Mapping[str, Any]], text: str) -> Chart:
    return charts.bars(
        "load", title=_("Load against capacity"), text=text,
        columns=(_("Who"), _("Load"), _("Capacity")), lines=[_load(one) for one in items], mark=_("capacity today"),
    )  # fmt: skip


def _over(item: Mapping[str, Any]) -> bool:
    load = item["load"]
    return load["capacity"] is not None and load["load"] > load["capacity"]


def _load(item: Mapping[str, Any]) -> Bar:
    load = item["load"]
    held = points(load["load"])
    if load["capacity"] is None:
        return Bar(item["name"], load["load"], held, None, "–")
    said = _("%(load)s of %(capacity)s") % {"load": held, "capacity": load["capacity"]}
    return Bar(item["name"], load["load"], said, load["capacity"], str(load["capacity"]))


def points(load: float) -> str:
    """Work weight without needless places: `7` or `7.5`."""
    return f"{load:g}"


def missed_chart(missed: Mapping[str, Any]) -> Chart:
    """Where the time of cases that were not closed on time went."""
    names = {part.key: _(part.name) for part in PARTS}
    found = sorted(missed["parts"], key=lambda one: -one["cases"])
    lines = [Bar(names[one["part"]], one["cases"], str(one["cases"])) for one in found]
    text = ngettext(
        "Of %(num)s case that was not closed on time; one can count under several.",
        "Of %(num)s cases that were not closed on time; one can count under several.",
        missed["count"],
    )
    return charts.bars(
        "missed", title=_("Where the time went"), text=text % {"num": missed["count"]},
        columns=(_("What is on record"), _("Cases")), lines=lines, tone="soon",
    )  # fmt: skip


def causes_chart(report: Mapping[str, Any]) -> Chart:
    """Causes by days open, the costliest first."""
    shown = [one for one in report["items"] if one["cases"]["count"]][:MOST]
    total = report["total"]["cost"]["days"]
    text = ngettext(
        "%(days)s days open in %(num)s case. Days of cases open side by side add up.",
        "%(days)s days open in %(num)s cases. Days of cases open side by side add up.",
        report["total"]["cases"]["count"],
    )
    return charts.bars(
        "causes", title=_("Causes by cost in days open"),
        text=text % {"days": total, "num": report["total"]["cases"]["count"]},
        columns=(_("Cause"), _("Days open, cases and value touched")),
        lines=[Bar(one["label"], one["cost"]["days"], _cost(one)) for one in shown],
    )  # fmt: skip


def _cost(item: Mapping[str, Any]) -> str:
    """`39 days · 3 cases · €310k`."""
    worth, days, cases = item["value_touched"], item["cost"]["days"], item["cases"]["count"]
    said = [
        ngettext("%(num)s day", "%(num)s days", days) % {"num": days},
        ngettext("%(num)s case", "%(num)s cases", cases) % {"num": cases},
    ]
    if worth["amount"] is not None:
        said.append(worth_of(worth))
    return " · ".join(said)


def worth_of(total: Mapping[str, Any]) -> str:
    """An amount in words; what lacks a rate is said."""
    if total["amount"] is None:
        return _("no exchange rate")
    said = money(total["amount"], total["currency"])
    return _("at least %(amount)s") % {"amount": said} if total["incomplete"] else said
