"""The decisions of a case as they are read: in full, with names for those who may see names, few statements a page."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from app.auth.actor import Actor
from app.db import db
from app.escalations.models import Escalation
from app.escalations.queries import visible_to
from app.http import decode_cursor, encode_cursor
from app.routing import service as routing
from app.routing.models import Decision, Misroute
from app.rows import array_of

NAMES = text(
    """
    select id, email, name, false as is_team from "user" where id = any(cast(:people as uuid[]))
    union all
    select id, null, name, true from team where id = any(cast(:teams as uuid[]))
    order by name, id
    """
)


def list_decisions(escalation_id: UUID, *, actor: Actor, limit: int, cursor: str | None = None) -> dict[str, Any]:
    """A page, oldest first: ids rise with time. Three statements, one of them for policies not met here before.

    Whoever sees the case sees its decisions. They hold ids; whoever may read users gets the names beside them.
    """
    position = decode_cursor(cursor)
    asked = select(Decision, Misroute.reason).outerjoin(Misroute, Misroute.decision_id == Decision.id)
    asked = asked.where(Decision.escalation_id == escalation_id)
    if position is not None:
        asked = asked.where(Decision.id > UUID(position[0]))
    rows = db.session.execute(asked.order_by(Decision.id).limit(limit + 1)).all()
    page = rows[:limit]
    described = routing.describe_all([decision for decision, _ in page])
    items = [view(decision, rules, misroute) for (decision, misroute), rules in zip(page, described, strict=True)]
    return {
        "items": items,
        **(names_of(items) if "users:read" in actor.scopes else {"people": [], "teams": []}),
        "next_cursor": encode_cursor([str(page[-1][0].id)]) if len(rows) > limit else None,
    }


def view(decision: Decision, rules: list[dict[str, Any]], misroute: str | None) -> dict[str, Any]:
    """The row, with its rules described, what it was made without, and why it was found wrong later, if it was."""
    tried = [target for rule in rules for target in rule["targets"]]
    relaxed: list[Any] = next((target.get("relaxed", []) for target in tried if target["outcome"] == "chosen"), [])
    return {
        **vars(decision),
        "rules": rules,
        "relaxed": relaxed,
        "named_by": decision.inputs.get("named_by"),
        "assignment_failed": decision.failure is not None,
        "misroute": misroute,
    }


def names_of(items: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Everybody and every team that the decisions name by id, by name; one statement."""
    people: set[UUID] = set()
    teams: set[UUID] = set()
    for item in items:
        people |= set(map(UUID, _people(item)))
        teams |= set(map(UUID, _teams(item)))
    values = {"people": array_of(sorted(people)), "teams": array_of(sorted(teams))}
    rows = [dict(row) for row in db.session.execute(NAMES, values).mappings()]
    return {
        "people": [row for row in rows if not row["is_team"]],
        "teams": [row for row in rows if row["is_team"]],
    }


def _people(item: Mapping[str, Any]) -> Iterable[str]:
    yield str(item["owner_id"])
    for candidate in item["candidates"]:
        yield from (candidate[name] for name in ("id", "for") if name in candidate)
    for ids in item["excluded"].values():
        yield from ids
    inputs = item["inputs"]
    yield from inputs.get("people", ())
    yield from (found for name in ("named_by", "about_user_id") if (found := inputs.get(name)))


def _teams(item: Mapping[str, Any]) -> Iterable[str]:
    if item["team_id"]:
        yield str(item["team_id"])
    yield from item["inputs"].get("teams", ())


def list_failures(
    *, actor: Actor, now: datetime, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Decision]:
    """Decisions that ended with a stand-in, newest first, of the cases the caller may see; from `before` on."""
    asked = select(Decision).join(Escalation, Escalation.id == Decision.escalation_id)
    asked = asked.where(Decision.failure.is_not(None), visible_to(actor, now))
    if before:
        at, id_ = before
        asked = asked.where((Decision.at < at) | ((Decision.at == at) & (Decision.id < id_)))
    return db.session.scalars(asked.order_by(Decision.at.desc(), Decision.id.desc()).limit(limit)).all()
