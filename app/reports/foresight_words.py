"""What the page about what lies ahead says in sentences, and its pictures and tables."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.reports import charts, telling
from app.reports.charts import Bar, Chart
from app.reports.tables import Column, Table
from app.reports.warning_sql import WEIGHTS
from app.texts import gettext as _
from app.texts import ngettext, noted

PARTS = {
    "falling": noted("Health falling"),
    "repeats": noted("Repeats"),
    "health": noted("Low health"),
    "silence": noted("Silence"),
    "renewal": noted("Renewal near"),
    "value": noted("Value"),
}
QUALITIES = {
    "model": noted("This forecast"),
    "age_only": noted("By age alone"),
    "share_so_far": noted("The share missed so far"),
}


def headline(found: Mapping[str, Any]) -> str:
    """`3 of 17 open escalations will miss their target as things stand.`"""
    if not found["open"]:
        return _("Nothing is open, so no target can be missed.")
    told = ngettext(
        "%(expected)s of %(num)s open escalation will miss its target as things stand.",
        "%(expected)s of %(num)s open escalations will miss their target as things stand.",
        found["open"],
    )
    return told % {"expected": round(found["expected"]), "num": found["open"]}


def missed(found: Mapping[str, Any]) -> str:
    told = ngettext("%(num)s has missed it already", "%(num)s have missed it already", found["missed"])
    return told % {"num": found["missed"]}


def points(effect: Mapping[str, Any]) -> str:
    """`+12` or `−9`, of a hundred."""
    return f"+{effect['points']}" if effect["points"] > 0 else f"−{-effect['points']}"


def left(days: float) -> str:
    """How long until the target, in whole days."""
    whole = int(days)
    if whole < 1:
        return _("target within a day")
    return ngettext("target in a day", "target in %(num)s days", whole) % {"num": whole}


def learnt(model: Mapping[str, Any]) -> str:
    """What the model was learnt from."""
    if model["kind"] == "base":
        return _(
            "There is too little history of your own yet. The chances come from a base model, learnt from %(num)s "
            "incidents of another company: %(source)s."
        ) % {"num": model["cases"], "source": model["source"]}
    told = ngettext("Learnt from %(num)s of your own cases.", "Learnt from %(num)s of your own cases.", model["cases"])
    return told % {"num": model["cases"]}


def qualities(model: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The forecast and what needs no learning, by name; those that were measured."""
    return [(_(name), model["measures"][key]) for key, name in QUALITIES.items() if key in model["measures"]]


def reliability_chart(model: Mapping[str, Any]) -> Chart | None:
    """What was said beside what came true; None for a model that was not measured so."""
    bins = model["measures"].get("reliability")
    if not bins:
        return None
    lines = [
        Bar(_range(one["least"]), Decimal(str(one["missed"])), telling.percent(one["missed"]),
            Decimal(str(one["said"])), telling.percent(one["said"]))
        for one in bins
    ]  # fmt: skip
    text = _("Each bar: of the cases that were given such a chance, the share that did miss; the mark: what was said.")
    return charts.bars(
        "reliability", title=_("What was said, and what came true"), text=text,
        columns=(_("Chance said"), _("Missed"), _("Said on average")), lines=lines, mark=_("said"),
    )  # fmt: skip


def _range(least: float) -> str:
    low = round(100 * least)
    return f"{low}–{low + 10} %"


def hindsight(found: Mapping[str, Any]) -> str:
    """How the list of 90 days before did."""
    listed = ngettext(
        "Of %(num)s account listed 90 days before, %(raised)s raised an escalation since",
        "Of %(num)s accounts listed 90 days before, %(raised)s raised an escalation since",
        found["listed"],
    ) % {"num": found["listed"], "raised": found["listed_raised"]}
    others = ngettext(
        "of the %(num)s other account, %(raised)s", "of the %(num)s other accounts, %(raised)s", found["others"]
    ) % {"num": found["others"], "raised": found["others_raised"]}
    return f"{listed}; {others}."


def parts_of(item: Mapping[str, Any]) -> list[tuple[str, float, int]]:
    """Each part by name, its points and the most it can give."""
    return [(_(name), item["parts"][key], WEIGHTS[key]) for key, name in PARTS.items()]


def tables_of_forecast(found: Mapping[str, Any]) -> list[Table]:
    """The open cases by chance, what the forecast is worth, and what was said beside what came true."""
    columns = [
        Column("escalation", _("Case"), path="escalation.number"),
        Column("title", _("Title"), path="escalation.title"),
        Column("account", _("Account"), path="account.name"),
        Column("owner", _("Owner"), path="owner.name"),
        Column("chance", _("Chance to miss the target"), "share"),
        Column("close_target_at", _("Target"), "moment"),
        Column("days_left", _("Days left"), "days"),
        Column("severity", _("Severity"), "number"),
        Column("why", _("Why")),
        Column("escalation_id", _("Case id"), path="escalation.id", paper=False),
    ]
    rows = [{**one, "why": _joined(f"{e['text']} ({points(e)})" for e in one["reasons"])} for one in found["items"]]
    return [Table("forecast", _("Open cases by their chance to miss the target"), columns, rows), *_measured(found)]


def _measured(found: Mapping[str, Any]) -> list[Table]:
    columns = [Column("name", _("Forecast")), Column("brier", _("Brier score"), "number"),
               Column("auc", _("In the right order"), "share")]  # fmt: skip
    rows = [{"name": name, "brier": one["brier"], "auc": one["auc"]} for name, one in qualities(found["model"])]
    tables = [Table("measures", _("How good the forecast was"), columns, rows)]
    if bins := found["model"]["measures"].get("reliability"):
        columns = [Column("least", _("Chance from"), "share"), Column("forecasts", _("Forecasts"), "number"),
                   Column("said", _("Said on average"), "share"), Column("missed", _("Missed"), "share")]  # fmt: skip
        tables.append(Table("reliability", _("What was said, and what came true"), columns, bins))
    return tables


def tables_of_warnings(found: Mapping[str, Any]) -> list[Table]:
    """The accounts of the list with each part of their score."""
    columns = [
        Column("account", _("Account"), path="account.name"),
        Column("score", _("Points of 100"), "number"),
        *(Column(key, _(name), "number", f"parts.{key}") for key, name in PARTS.items()),
        Column("health", _("Health"), "number"),
        Column("renewal_on", _("Renews on"), "date"),
        Column("amount", _("Value"), "money", "value.amount"),
        Column("currency", _("Currency"), path="value.currency"),
        Column("why", _("Why")),
        Column("account_id", _("Account id"), path="account.id", paper=False),
    ]
    rows = [{**one, "why": _joined(one["reasons"])} for one in found["items"]]
    return [Table("early_warning", _("Accounts likely to escalate next"), columns, rows)]


def _joined(words: Any) -> str:
    return "; ".join(words)
