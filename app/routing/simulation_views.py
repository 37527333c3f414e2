"""A simulation's cases and loads as answered, page by page."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.auth.actor import Actor
from app.auth.models import User
from app.db import db
from app.routing.simulation_models import SimulationCase, SimulationLoad


def list_cases(
    simulation_id: UUID, filters: Mapping[str, Any], *, actor: Actor, after: int | None, limit: int
) -> list[dict[str, Any]]:
    """In order of time; a case about the caller is not shown to them. Two statements."""
    case = SimulationCase
    asked = select(case).where(case.simulation_id == simulation_id, case.place > (after or 0))
    asked = asked.where(case.about_user_id.is_distinct_from(actor.user_id) | case.about_user_id.is_(None))
    if "changed" in filters:
        differs = case.owner_id.is_distinct_from(case.real_owner_id)
        asked = asked.where(differs if filters["changed"] else ~differs)
    if "unrouted" in filters:
        asked = asked.where(case.failure.is_not(None) if filters["unrouted"] else case.failure.is_(None))
    if "owner" in filters:
        asked = asked.where((case.owner_id == filters["owner"]) | (case.real_owner_id == filters["owner"]))
    rows = db.session.scalars(asked.order_by(case.place).limit(limit)).all()
    people = _people(id_ for row in rows for id_ in (row.owner_id, row.real_owner_id, row.closer_id))
    return [_case(row, people) for row in rows]


def _case(row: SimulationCase, people: Mapping[UUID | None, User]) -> dict[str, Any]:
    columns = ("place", "escalation_id", "at", "reason", "rule", "why", "failure", "real_failure", "todays")
    return {
        **{name: getattr(row, name) for name in columns},
        "number": f"ESC-{row.number}",
        "owner": people.get(row.owner_id),
        "real_owner": people.get(row.real_owner_id),
        "closer": people.get(row.closer_id),
        "changed": row.owner_id != row.real_owner_id,
    }


def list_loads(simulation_id: UUID, *, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """By owner's id; two statements."""
    asked = select(SimulationLoad).where(SimulationLoad.simulation_id == simulation_id)
    if after is not None:
        asked = asked.where(SimulationLoad.owner_id > after)
    rows = db.session.scalars(asked.order_by(SimulationLoad.owner_id).limit(limit)).all()
    people = _people(row.owner_id for row in rows)
    return [_load(row, people) for row in rows]


def _load(row: SimulationLoad, people: Mapping[UUID | None, User]) -> dict[str, Any]:
    days = [
        {
            "on": date.fromisoformat(on),
            "real": {"mean": mean, "peak": peak},
            "simulated": {"mean": would_mean, "peak": would_peak},
        }
        for on, mean, peak, would_mean, would_peak in row.days
    ]
    return {
        "owner_id": row.owner_id,
        "owner": people.get(row.owner_id),
        "capacity": row.capacity,
        "real_cases": row.real_cases,
        "cases": row.cases,
        "real_peak": _peak(days, "real"),
        "peak": _peak(days, "simulated"),
        "days": days,
    }


def _peak(days: Sequence[Mapping[str, Any]], side: str) -> float:
    return max((day[side]["peak"] for day in days), default=0.0)


def _people(ids: Iterable[UUID | None]) -> Mapping[UUID | None, User]:
    wanted = {id_ for id_ in ids if id_ is not None}
    return {user.id: user for user in db.session.scalars(select(User).where(User.id.in_(wanted)))} if wanted else {}
