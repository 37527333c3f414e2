"""Causes as of a moment: why the cases of a span of days were raised, what they cost, and which prevention would save
most."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from app import texts
from app.auth.reasons import list_reasons
from app.auth.settings import tenant_settings
from app.reports.addresses import Addresses
from app.reports.causes_sql import CAUSES, STATES
from app.reports.cohorts import share
from app.reports.definitions import READER
from app.reports.money import Money, money_of
from app.reports.reading import Reading
from app.reports.summary import frame

MOST = 5
NOTHING: Mapping[str, Any] = {
    **dict.fromkeys(("cases", "open", "said", "preventable", "again", "days", "spared_cases", "spared_days"), 0),
    "touched": [],
    "spared": [],
    "states": None,
}


def causes_of(
    reading: Reading, *, first: date, last: date, after: list[Any] | None = None, limit: int | None = None
) -> dict[str, Any]:
    """Every reason of the cases raised from `first` to `last`, the costliest first, those that follow `after`; all
    together; and the five whose prevention would save most."""
    days, money = {"first": first, "last": last}, money_of(reading)
    at = Addresses(reading, days)
    found = {row["reason"]: row for row in reading.ask(CAUSES, **days).mappings()}
    labels = {reason.name: reason.label for reason in list_reasons(tenant_settings())}
    items = [
        {"reason": reason, "label": labels.get(reason, reason), **_figures(row, at.of(reason=reason), money),
         "root_causes": _roots(row, at)}
        for reason, row in found.items()
        if reason is not None
    ]  # fmt: skip
    items.sort(key=position)
    left = [item for item in items if after is None or position(item) > after]
    shown = left[:limit]
    return {
        **frame(reading, money),
        **days,
        "reader": READER,
        "total": _figures(found.get(None, NOTHING), at, money),
        "items": shown,
        "next": position(shown[-1]) if len(left) > len(shown) else None,
        "savings": _savings(items),
    }


def position(item: Mapping[str, Any]) -> list[Any]:
    """Where a cause stands in its list."""
    return [-item["cost"]["days"], item["reason"]]


def _roots(row: Mapping[str, Any], at: Addresses) -> list[dict[str, Any]]:
    """Root causes in people's words, those that cost most days; what was erased is told of no more."""
    return [
        {
            **{name: root[name] for name in ("text", "cases", "preventable", "days")},
            "definition": "days_open",
            "rows": at.rows("days_open", reason=row["reason"], root_cause=root["root_cause"]),
        }
        for root in row["root_causes"]
    ]


def _figures(row: Mapping[str, Any], at: Addresses, money: Money) -> dict[str, Any]:
    cases, days = row["cases"], int(row["days"])
    states = row["states"] or dict.fromkeys(STATES, 0)
    return {
        "cases": {"count": cases, "open": row["open"], **at.figure("raised")},
        "preventable": {
            "count": row["preventable"],
            "said": row["said"],
            "share": share(row["preventable"], row["said"]),
            **at.figure("preventable"),
        },
        "cost": {"days": days, "mean_days": round(days / cases, 1) if cases else None, **at.figure("days_open")},
        "value_touched": {**money.total(row["touched"]), **at.figure("value_touched")},
        "recurring": {"count": row["again"], "share": share(row["again"], cases), **at.figure("recurring")},
        "prevention": [
            {"state": state, "count": states[state], **at.figure(f"prevention_{state}")} for state in STATES
        ],
        "spared": {
            "count": row["spared_cases"],
            "days": int(row["spared_days"]),
            "value": money.total(row["spared"]),
            **at.figure("spared"),
        },
    }


def _savings(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The five by days that prevention would have spared, then by the value it would have left alone; with why."""
    worth = [item for item in items if item["spared"]["count"]]
    worth.sort(key=lambda item: (-item["spared"]["days"], -(item["spared"]["value"]["amount"] or 0), item["reason"]))
    return [
        {"reason": item["reason"], "label": item["label"], **item["spared"], "because": because(item)}
        for item in worth[:MOST]
    ]


def because(item: Mapping[str, Any]) -> str:
    """Why it would save so much, and what is done about it."""
    states = {one["state"]: one["count"] for one in item["prevention"]}
    numbers = {
        "cases": item["cases"]["count"],
        "preventable": item["preventable"]["count"],
        "again": item["recurring"]["count"],
        "days": item["spared"]["days"],
        "promised": states["promised"],
        "done": states["done"],
    }
    said = texts.gettext(
        "Of %(cases)s cases %(preventable)s were preventable and %(again)s came again: %(days)s days open."
    )
    if not states["promised"]:
        return f"{said % numbers} {texts.gettext('Nothing was promised against it yet.')}"
    done = texts.gettext("%(done)s of %(promised)s prevention actions are done.")
    return f"{said % numbers} {done % numbers}"
