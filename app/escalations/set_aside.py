"""Clocks that the sweep could not carry on with: each stands aside with what it ran into, until somebody mends that."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.auth.actor import Actor
from app.auth.models import User
from app.db import db
from app.escalations.models import Escalation
from app.escalations.queries import visible_to
from app.escalations.words import numbered
from app.notifications import service as notifications
from app.sla import claims
from app.sla.models import Clock

SUBJECT = "Clocks stand aside and remind nobody"
BODY = """A clock could not be swept and was set aside, so nobody is reminded by it any more.

{problem}

GET /api/v1/clocks/set-aside lists each with its case, also those that follow today. Once the cause is mended,
POST /api/v1/clocks/set-aside/retry takes them up again; nothing that was done is done twice."""
WHY = "You get this because you are an admin."


def list_set_aside(*, actor: Actor, now: datetime, after: UUID | None = None, limit: int) -> list[dict[str, Any]]:
    """Those of the cases that the actor sees, by id, with the case and why, in one statement."""
    asked = (
        select(Clock.id, Clock.escalation_id, Clock.kind, Clock.cycle, Clock.due_at, Clock.problem, Escalation.number)
        .join(Escalation, (Escalation.tenant_id == Clock.tenant_id) & (Escalation.id == Clock.escalation_id))
        .where(Clock.problem.is_not(None), visible_to(actor, now))
        .order_by(Clock.id)
        .limit(limit)
    )
    if after is not None:
        asked = asked.where(Clock.id > after)
    return [{**row, "number": numbered(row["number"])} for row in db.session.execute(asked).mappings()]


def take_up_again() -> int:
    """All of them are due for the next sweep; answers how many. What still cannot be swept is set aside again."""
    return claims.take_up_again()


def raise_alarm(problems: Sequence[str], now: datetime) -> None:
    """Tell the admins, once a day, that clocks stand aside; which cases they are of, the list says to who may see."""
    if not problems:
        return
    admins = db.session.scalars(select(User).where(User.role == "admin", User.active)).all()
    if notifications.post_all([_message(admin, problems[0], now) for admin in admins]):
        notifications.wake_delivery()


def _message(admin: User, problem: str, now: datetime) -> notifications.Message:
    key = f"set_aside:{now:%Y-%m-%d}:{admin.id}"
    body = BODY.format(problem=problem)
    return (admin.id, admin.email, "set_aside", SUBJECT, body, WHY, None, None, key, now, now, "email")
