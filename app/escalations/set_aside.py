"""Clocks that the sweep could not carry on with: each stands aside with what it ran into, until somebody mends that."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.db import db
from app.escalations.models import Escalation
from app.escalations.words import numbered
from app.sla import claims
from app.sla.models import Clock


def list_set_aside(*, after: UUID | None = None, limit: int) -> list[dict[str, Any]]:
    """Those of the tenant in scope by id, with the case they belong to and why, in one statement."""
    asked = (
        select(Clock.id, Clock.escalation_id, Clock.kind, Clock.cycle, Clock.due_at, Clock.problem, Escalation.number)
        .join(Escalation, (Escalation.tenant_id == Clock.tenant_id) & (Escalation.id == Clock.escalation_id))
        .where(Clock.problem.is_not(None))
        .order_by(Clock.id)
        .limit(limit)
    )
    if after is not None:
        asked = asked.where(Clock.id > after)
    return [{**row, "number": numbered(row["number"])} for row in db.session.execute(asked).mappings()]


def take_up_again() -> int:
    """All of them are due for the next sweep; answers how many. What still cannot be swept is set aside again."""
    return claims.take_up_again()
