"""Which open cases are likely to miss their target, as of a moment: from what was known then, by the model of then."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import text

from app.escalations.words import numbered
from app.reports.forecast.base import base_model, shipped
from app.reports.forecast.features import Standing, State, standing_of
from app.reports.forecast.hazard import Hazard
from app.reports.forecast.store import find_held
from app.reports.forecast.words import explain
from app.reports.reading import Reading
from app.reports.standing_sql import OPEN, OWNER_LOADS, opened

DEFINITION = "forecast"
LIKELY = 0.5
OF_CASE = ("escalation_id", "raised_at", "close_target_at")
OF_STATE = tuple(field.name for field in fields(State))
_TOLD = (*OF_CASE, *("owner_id" if name == "owner" else name for name in OF_STATE))
# What a standing is made of, and whom the case belongs to.
STANDINGS = text(
    f"""
    with {opened(*_TOLD)}, {OWNER_LOADS}
    select coalesce(l.cases, 0) as load, {", ".join(f"o.{name}" for name in _TOLD)}
    from opened o left join owner_load l on l.owner_id = o.owner_id
    """  # noqa: S608 - the parts are ours
)
NAMES = text(
    f"""
    with {OPEN}
    select f.escalation_id, e.number, e.title, f.severity, f.tier, f.status, f.reason, f.close_target_at, f.raised_at,
           f.account_id, a.name as account_name, f.owner_id, u.name as owner_name
    from opened f join escalation e on e.id = f.escalation_id join account a on a.id = f.account_id
    left join "user" u on u.id = f.owner_id where f.escalation_id = any(cast(:ids as uuid[]))
    """  # noqa: S608 - the parts are ours
)


@dataclass(frozen=True)
class Foretold:
    """One open case and its chance to miss; 1 and no standing once its target has passed."""

    id: UUID
    chance: float
    standing: Standing | None


@dataclass(frozen=True)
class Outlook:
    """Every open case with its chance, and the model that says so."""

    cases: list[Foretold]
    model: Hazard
    held: Mapping[str, Any] | None

    @property
    def missed(self) -> int:
        return sum(case.standing is None for case in self.cases)

    @property
    def expected(self) -> float:
        """How many of the open ones will have missed: those that did, and the sum of the others' chances."""
        return sum(case.chance for case in self.cases)

    @property
    def likely(self) -> int:
        return sum(case.chance >= LIKELY for case in self.cases)


def outlook_of(reading: Reading) -> Outlook:
    """Two statements, whatever is open."""
    found = find_held(reading)
    held, model = found if found else (None, base_model())
    rows = reading.ask(STANDINGS).all()
    return Outlook(list(_foretold(rows, reading, model)), model, held)


def _foretold(rows: Any, reading: Reading, model: Hazard) -> Iterator[Foretold]:
    """Cases alike in everything that counts are asked about once."""
    known: dict[tuple[Any, ...], float] = {}
    for load, id_, raised_at, target_at, *state in rows:
        if target_at < reading.as_of:
            yield Foretold(id_, 1.0, None)
            continue
        standing = standing_of(raised_at, target_at, State(*state), reading.as_of, load)
        key = (standing.age, standing.left, standing.phase, standing.resolved, *standing.traits.values())
        if key not in known:
            known[key] = model.miss(standing)
        yield Foretold(id_, known[key], standing)


def forecast_of(reading: Reading, *, after: list[Any] | None = None, limit: int = 50) -> dict[str, Any]:
    """The open cases by their chance to miss the target, those that have missed it first, with what speaks for it; how
    many will have missed; and how good the model was on cases it did not know."""
    outlook = outlook_of(reading)
    ordered = sorted(outlook.cases, key=_position)
    left = [case for case in ordered if after is None or _position(case) > (-float(after[0]), str(after[1]))]
    shown = left[:limit]
    return {
        "definition": DEFINITION,
        "rows": _rows(reading),
        **counts_of(outlook),
        "model": told_of(outlook),
        "items": _items(shown, outlook.model, reading),
        "next": [shown[-1].chance, str(shown[-1].id)] if len(left) > limit else None,
    }


def counts_of(outlook: Outlook) -> dict[str, Any]:
    """The numbers alone: of so many open cases, how many have missed, will have missed as things stand, are likely
    to."""
    return {
        "open": len(outlook.cases),
        "missed": outlook.missed,
        "expected": round(outlook.expected, 1),
        "likely": outlook.likely,
    }


def told_of(outlook: Outlook) -> dict[str, Any]:
    """Which model speaks, since when, and its measure."""
    if outlook.held is None:
        base = shipped()
        measured = {name: dict(values) for name, values in base["measured"].items()}
        return {"kind": "base", "number": None, "holds_from": None, "cases": base["cases"], "source": base["source"],
                "measures": measured}  # fmt: skip
    held = outlook.held
    return {"kind": "own", "number": held["number"], "holds_from": held["holds_from"], "cases": held["cases"],
            "source": None, "measures": held["measures"]}  # fmt: skip


def _rows(reading: Reading) -> str:
    only = reading.only.asked if reading.only is not None else {}
    asked = {"figure": DEFINITION, "as_of": reading.as_of.isoformat(), **only}
    return f"/api/v1/reports/rows?{urlencode(asked)}"


def _position(case: Foretold) -> tuple[float, str]:
    return -case.chance, str(case.id)


def _items(shown: list[Foretold], model: Hazard, reading: Reading) -> list[dict[str, Any]]:
    names = {row["escalation_id"]: row for row in reading.ask(NAMES, ids=[case.id for case in shown]).mappings()}
    return [_item(case, names[case.id], model) for case in shown]


def _item(case: Foretold, row: Mapping[str, Any], model: Hazard) -> dict[str, Any]:
    standing = case.standing
    return {
        **{name: row[name] for name in ("severity", "tier", "status", "reason", "raised_at", "close_target_at")},
        "escalation": {"id": case.id, "number": numbered(row["number"]), "title": row["title"]},
        "account": {"id": row["account_id"], "name": row["account_name"]},
        "owner": {"id": row["owner_id"], "name": row["owner_name"]} if row["owner_id"] else None,
        "chance": round(case.chance, 4),
        "missed": standing is None,
        "age_days": standing.age if standing else None,
        "days_left": standing.left if standing else None,
        "reasons": explain(model, standing, case.chance) if standing else [],
    }
