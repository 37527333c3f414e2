"""The chart of one account's report, and the words its page has for codes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.escalations import code_words
from app.reports import charts, telling
from app.reports.charts import Chart, Part
from app.texts import gettext as _
from app.texts import ngettext, noted

TWELVE = 12  # months: beyond them a month needs its year
CLOCKS = code_words.CLOCKS
STATUSES = code_words.STATUSES
SEGMENTS = code_words.SEGMENTS
STATES = {"open": noted("open"), "done": noted("done"), "dropped": noted("dropped")}
ROLES = {
    "owner": noted("Account owner"),
    "csm": noted("Customer success"),
    "sponsor": noted("Executive sponsor"),
}


def over_time_chart(found: Mapping[str, Any]) -> Chart:
    """What was on the table in each month: closed in it, and open at its end; its table says what was raised."""
    months = found["months"]
    years = len(months) > TWELVE
    labels = [telling.month(one["month"], year=years) for one in months]
    groups = [(label, (one["closed"], one["open"])) for label, one in zip(labels, months, strict=True)]
    parts = (Part(_("Closed in the month"), "good"), Part(_("Open at its end"), "quiet", "hatched"))
    drawn = charts.stacked(
        "over-time", title=_("Escalations over time"), text=_over_time(months), across=_("Month"), parts=parts,
        groups=groups,
    )  # fmt: skip
    rows = [
        (label, str(one["raised"]), str(one["closed"]), str(one["open"]))
        for label, one in zip(labels, months, strict=True)
    ]
    columns = (_("Month"), _("Raised"), _("Closed in the month"), _("Open at its end"))
    return replace(drawn, columns=columns, rows=rows)


def _over_time(months: list[Mapping[str, Any]]) -> str:
    if not months:
        return _("Nothing was raised up to then.")
    raised, closed = (sum(one[name] for one in months) for name in ("raised", "closed"))
    said = ngettext(
        "In %(num)s month %(raised)s raised, %(closed)s closed; %(open)s open at the end.",
        "In %(num)s months %(raised)s raised, %(closed)s closed; %(open)s open at the end.",
        len(months),
    )
    return said % {"num": len(months), "raised": raised, "closed": closed, "open": months[-1]["open"]}
