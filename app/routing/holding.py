"""Who holds which case now, and how heavy it is: the rows that load is counted from."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update

from app.auth.models import User
from app.db import Model, db
from app.routing.inputs import RoutingInput, RoutingResult
from app.routing.models import Assignment
from app.rows import fresh


def assign(
    *,
    escalation_id: UUID,
    account_id: UUID,
    reason: str,
    owner_id: UUID,
    team_id: UUID | None,
    weight: Decimal,
    value: Decimal | None,
    now: datetime,
) -> list[Model]:
    """The row by which an owner holds a case, for the caller to insert."""
    return [
        fresh(
            Assignment,
            escalation_id=escalation_id,
            account_id=account_id,
            reason=reason,
            owner_id=owner_id,
            team_id=team_id,
            weight=weight,
            value=value,
            assigned_at=now,
        )
    ]


def reassign(facts: RoutingInput, result: RoutingResult, *, now: datetime) -> list[Model]:
    """End the present holding, without counting the case as closed by them, and begin the next."""
    release(facts.escalation_id, now=now, closed=False)
    return assign(
        escalation_id=facts.escalation_id,
        account_id=facts.account_id,
        reason=facts.reason,
        owner_id=result.owner_id,
        team_id=result.team_id,
        weight=result.weight,
        value=facts.value,
        now=now,
    )


def release(escalation_id: UUID, *, now: datetime, closed: bool = True) -> None:
    """The case is out of its owner's hands; `closed` unless it was merged away or handed on."""
    _change(escalation_id, {"released_at": now, "closed": closed})


def reweigh(
    escalation_id: UUID,
    weight: Decimal | None = None,
    *,
    value: Decimal | None = None,
    reason: str | None = None,
    account_id: UUID | None = None,
) -> None:
    """The case in hand became heavier or lighter, or its value, reason or account changed; None changes nothing."""
    changes = {"weight": weight, "value": value, "reason": reason, "account_id": account_id}
    changes = {name: new for name, new in changes.items() if new is not None}
    if changes:
        _change(escalation_id, changes)


def held_since(escalation_id: UUID) -> datetime | None:
    """Since when the case has been in its present owner's hands; None when in nobody's."""
    asked = (Assignment.escalation_id == escalation_id, Assignment.released_at.is_(None))
    return db.session.scalar(select(Assignment.assigned_at).where(*asked))


WHAT_HANGS = text(
    """
    select (select count(*) from assignment where owner_id = :id and released_at is null) as held,
           (select count(*) from "user" where manager_id = :id and active) as reports,
           (select count(*) from api_token where user_id = :id and revoked_at is null
              and (expires_at is null or expires_at > :now)) as tokens,
           (select coalesce(array_agg(name order by name), '{}') from team where lead_id = :id) as leads,
           (select coalesce(jsonb_agg(jsonb_build_object('id', team.id, 'name', team.name) order by team.name), '[]')
              from membership join team on team.id = membership.team_id where membership.user_id = :id) as teams
    """
)


@dataclass(frozen=True)
class Hanging:
    """What hangs on a colleague: cases in their hands, people below them, live tokens, teams they lead and are in."""

    held: int
    reports: int
    tokens: int
    leads: list[str]
    teams: list[dict[str, Any]]


def what_hangs_on(user_id: UUID, *, now: datetime) -> Hanging:
    """To be known before somebody is deactivated. `now` is real: tokens live in real time."""
    return Hanging(**db.session.execute(WHAT_HANGS, {"id": user_id, "now": now}).mappings().one())


def list_leaving() -> list[UUID]:
    """Users who were deactivated and whose work is still to be moved."""
    return list(db.session.scalars(select(User.id).where(User.leaving).order_by(User.id)))


def _change(escalation_id: UUID, changes: dict[str, Any]) -> None:
    db.session.execute(
        update(Assignment)
        .where(Assignment.escalation_id == escalation_id, Assignment.released_at.is_(None))
        .values(**changes)
        .execution_options(synchronize_session=False)
    )
