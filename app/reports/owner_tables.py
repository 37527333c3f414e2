"""Owners, teams and causes as tables: for CSV, workbooks and paper."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.reports.courses import AGES, PARTS
from app.reports.tables import Column, Drawn, Table
from app.texts import gettext as _
from app.texts import noted

_OPEN_FOR = {
    "under_7": noted("Open under 7 days"),
    "from_7_to_14": noted("Open 7 to 14 days"),
    "from_15_to_30": noted("Open 15 to 30 days"),
    "over_30": noted("Open over 30 days"),
}
_CLOSING = {
    "raised": noted("Raised"),
    "on_time": noted("Closed on time"),
    "late": noted("Closed late"),
    "unresolved": noted("Closed unresolved"),
    "customer_silent": noted("Closed, customer silent"),
    "open_overdue": noted("Open, past the target"),
    "open_not_due": noted("Open, not due yet"),
}


def tables_of_owners(report: Mapping[str, Any]) -> list[Table]:
    """What each owner or team carries and what became of their cases, by name; then where the time of missed ones
    went."""
    items: Sequence[Mapping[str, Any]] = report["items"]
    return [
        Table("owners", _("Load and closing, by name"), _owner_columns(report["currency"]),
              [_owner(item) for item in items], Drawn("bars", "name", ("load", "capacity"))),
        Table("missed", _("Where the time of missed cases went"), _missed_columns(), list(_missed(items))),
    ]  # fmt: skip


def _owner_columns(currency: str) -> list[Column]:
    return [
        Column("name", _("Who")),
        Column("open", _("Open"), "number"),
        Column("load", _("Load"), "number"),
        Column("capacity", _("Capacity"), "number"),
        *(Column(age, _(_OPEN_FOR[age]), "number", paper=False) for age in AGES),
        Column("in_hand", f"{_('Value in hand')} ({currency})", "money"),
        *(Column(name, _(label), "number", paper=name in ("raised", "on_time")) for name, label in _CLOSING.items()),
        Column("share", _("On-time closing"), "share"),
        Column("missed", _("Not closed on time"), "number"),
        Column("rerouted_away", _("Given on"), "number"),
        Column("rerouted_to", _("Taken over"), "number"),
        Column("first_owner_right", _("First owner right"), "share"),
        Column("id", _("Id"), paper=False),
    ]


def _owner(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": item["id"],
        "name": item["name"],
        "open": item["open"]["count"],
        "load": item["load"]["load"],
        "capacity": item["load"]["capacity"],
        **{age["age"]: age["cases"] for age in item["ageing"]},
        "in_hand": item["value_in_hand"]["amount"],
        **{name: item["closing"][name] for name in (*_CLOSING, "share")},
        **{name: item[name]["count"] for name in ("missed", "rerouted_away", "rerouted_to")},
        "first_owner_right": item["first_owner_right"]["share"],
    }


def _missed_columns() -> list[Column]:
    return [
        Column("name", _("Who")),
        Column("by", _("By")),
        Column("what", _("What is on record")),
        Column("cases", _("Cases"), "number"),
    ]


def _missed(items: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    names = {part.key: _(part.name) for part in PARTS}
    for item in items:
        missed = item["missed"]
        found = [(_("Where the time went"), names[part["part"]], part["cases"]) for part in missed["parts"]]
        found += [(_("Reason"), reason["label"], reason["cases"]) for reason in missed["reasons"]]
        for by, what, cases in found:
            yield {"name": item["name"], "by": by, "what": what, "cases": cases}


def tables_of_causes(report: Mapping[str, Any]) -> list[Table]:
    """Each cause with what it cost, the costliest first; what would save most; root causes in people's words."""
    items, currency = report["items"], report["currency"]
    savings = [
        Column("label", _("Cause")),
        Column("days", _("Days open"), "days"),
        Column("count", _("Cases"), "number"),
        Column("value", f"{_('Value touched')} ({currency})", "money", "value.amount"),
        Column("because", _("Why")),
    ]
    roots = [
        Column("label", _("Cause")),
        Column("text", _("Root cause")),
        Column("cases", _("Cases"), "number"),
        Column("preventable", _("Preventable"), "number"),
        Column("days", _("Days open"), "days"),
    ]
    told = [{"label": item["label"], **root} for item in items for root in item["root_causes"]]
    return [
        Table("causes", _("Causes by cost in days open"), _cause_columns(currency), [_cause(item) for item in items],
              Drawn("bars", "label", ("days",))),
        Table("savings", _("What would save most if it were prevented"), savings, report["savings"]),
        Table("root_causes", _("Root causes in people's words"), roots, told),
    ]  # fmt: skip


def _cause_columns(currency: str) -> list[Column]:
    return [
        Column("label", _("Cause")),
        Column("reason", _("Key"), paper=False),
        Column("cases", _("Cases"), "number"),
        Column("open", _("Open"), "number"),
        Column("days", _("Days open"), "days"),
        Column("mean_days", _("On average"), "days", paper=False),
        Column("value", f"{_('Value touched')} ({currency})", "money"),
        Column("preventable", _("Preventable"), "number"),
        Column("said", _("Of which it was said"), "number", paper=False),
        Column("share", _("Preventable share"), "share"),
        Column("again", _("Came again"), "number"),
        Column("promised", _("Prevention actions"), "number"),
        Column("done", _("Done"), "number"),
        Column("overdue", _("Overdue"), "number"),
        Column("spared", _("Days that would be spared"), "days"),
    ]


def _cause(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "label": item["label"],
        "reason": item["reason"],
        "cases": item["cases"]["count"],
        "open": item["cases"]["open"],
        "days": item["cost"]["days"],
        "mean_days": item["cost"]["mean_days"],
        "value": item["value_touched"]["amount"],
        "preventable": item["preventable"]["count"],
        "said": item["preventable"]["said"],
        "share": item["preventable"]["share"],
        "again": item["recurring"]["count"],
        **{one["state"]: one["count"] for one in item["prevention"] if one["state"] in ("promised", "done", "overdue")},
        "spared": item["spared"]["days"],
    }
