"""Early warning: accounts without an open case that are likely to raise one, as of a moment, with the reasons."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson

from app.reports.cohorts import share
from app.reports.money import Money
from app.reports.reading import Reading
from app.reports.warning_sql import DAYS, HINDSIGHT, LEAST, LOW, WARNINGS, WEIGHTS
from app.texts import gettext as _
from app.texts import ngettext

DEFINITION = "early_warning"
NOTHING = UUID(int=0)
SHOWN = ("health", "health_before", "renewal_on", "raised", "again", "unanswered_at", "unheard_on")


def warnings_of(reading: Reading, money: Money, *, after: list[Any] | None = None, limit: int = 50) -> dict[str, Any]:
    """The accounts from `LEAST` points on, the most first: each part of the score and what it stands for in words.

    Accounts with an open case are left out and counted: they have escalated. `hindsight` says how the list of 90 days
    before did.
    """
    score, id_ = after or ["-Infinity", str(NOTHING)]
    values = {"score": -float(score) if after else float("-inf"), "id": id_, "limit": limit + 1, "rates": _rates(money)}
    found = reading.ask(WARNINGS, **values).mappings().all()
    counts, rows = found[0], [row for row in found if row["account_id"] is not None]
    shown = rows[:limit]
    return {
        "definition": DEFINITION,
        "rows": _address(reading),
        **{name: counts[name] for name in ("listed", "looked_at", "busy", "noted_at")},
        "least": LEAST,
        "weights": WEIGHTS,
        "hindsight": hindsight_of(reading, money),
        "items": [_item(row, reading, money) for row in shown],
        "next": [str(shown[-1]["score"]), str(shown[-1]["account_id"])] if len(rows) > limit else None,
    }


def hindsight_of(reading: Reading, money: Money) -> dict[str, Any] | None:
    """Of the accounts listed 90 days before, how many raised a case since, beside those that were not listed; None
    without notes of then."""
    then = reading.as_of - timedelta(days=DAYS)
    values = {"then": then, "then_day": then.astimezone(reading.zone).date(), "rates": _rates(money)}
    row = reading.ask(HINDSIGHT, **values).mappings().one()
    if not row["listed"] + row["others"]:
        return None
    return {
        "since": then,
        **row,
        "listed_share": share(row["listed_raised"], row["listed"]),
        "others_share": share(row["others_raised"], row["others"]),
    }


def _rates(money: Money) -> str:
    return orjson.dumps({currency: str(rate) for currency, rate in money.rates.items()}).decode()


def _address(reading: Reading) -> str:
    only = reading.only.asked if reading.only is not None else {}
    return f"/api/v1/reports/early-warning?{urlencode({'as_of': reading.as_of.isoformat(), **only})}"


def _item(row: Mapping[str, Any], reading: Reading, money: Money) -> dict[str, Any]:
    parts = {name: round(float(row[f"{name}_part"]) * weight, 1) for name, weight in WEIGHTS.items()}
    amount = None if row["amount"] is None else round(row["amount"], 2)
    return {
        "account": {"id": row["account_id"], "name": row["name"]},
        "score": float(row["score"]),
        "parts": parts,
        "reasons": reasons_of(row, parts),
        "value": {"amount": amount, "currency": money.currency, "incomplete": row["incomplete"]},
        **{name: row[name] for name in SHOWN},
    }


def reasons_of(row: Mapping[str, Any], parts: Mapping[str, float]) -> list[str]:
    """What each part that counts stands for in words, the weightiest first."""
    told = {
        "falling": lambda: (
            _("health fell from %(before)s to %(now)s within 90 days")
            % {"before": row["health_before"], "now": row["health"]}
        ),
        "health": lambda: _("health is %(now)s of 100, under %(low)s") % {"now": row["health"], "low": LOW},
        "repeats": lambda: _repeats(row),
        "silence": lambda: _silence(row),
        "renewal": lambda: _renewal(row["renewal_days"]),
        "value": lambda: (
            _("worth more than or as much as %(share)s of all accounts") % {"share": f"{round(100 * row['rank'])} %"}
        ),
    }
    return [told[name]() for name in sorted(parts, key=lambda name: (-parts[name], name)) if parts[name] > 0]


def _repeats(row: Mapping[str, Any]) -> str:
    raised = ngettext("%(n)s escalation in the last 90 days", "%(n)s escalations in the last 90 days", row["raised"])
    again = ngettext("%(n)s of them came back", "%(n)s of them came back", row["again"]) if row["again"] else ""
    return ", ".join(one % {"n": n} for one, n in ((raised, row["raised"]), (again, row["again"])) if one)


def _silence(row: Mapping[str, Any]) -> str:
    days = row["unanswered_days"]
    if days:
        wrote = ngettext("wrote a day ago and got no answer", "wrote %(n)s days ago and got no answer", days)
        return wrote % {"n": days}
    return _("their last case was closed without a word from them")


def _renewal(days: int) -> str:
    return ngettext("renews in a day", "renews in %(n)s days", days) % {"n": days} if days else _("renews today")
