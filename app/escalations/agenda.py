"""What somebody has to do now: their open cases and those they cover, by the promise of each that presses most."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, lateral, literal_column, select, text, true

from app.auth.actor import Actor
from app.db import db
from app.escalations import lifecycle
from app.escalations.covering import COVERED
from app.escalations.models import Escalation
from app.escalations.queries import base, visible_to
from app.escalations.record_shapes import item_of
from app.sla.models import Clock

LIVE = Escalation.status.in_([literal_column(f"'{status}'") for status in sorted(lifecycle.LIVE)])


def list_agenda(actor: Actor, *, now: datetime, limit: int) -> list[dict[str, Any]]:
    """Lines as in the list of cases, each with `pressing {clock, at, state}`: the promise missed longest and still
    owed, else the next to come; and `covered`, whether it is somebody's who is absent. In one statement, in the order
    of what presses, those without anything due last."""
    pressing = _pressing()
    mine = Escalation.owner_id == actor.user_id
    covered = text(COVERED).bindparams(me=actor.user_id, now=now)
    query = (
        base()
        .add_columns(pressing.c.pressing_kind, pressing.c.pressing_at, pressing.c.pressing_state)
        .add_columns((~mine).label("covered"))
        .outerjoin(pressing, true())
        .where(LIVE, mine | covered, visible_to(actor, now))
        .order_by(pressing.c.pressing_at.nulls_last(), Escalation.due_at, Escalation.id)
        .limit(limit)
    )
    return [_line(row, now) for row in db.session.execute(query).mappings()]


def _line(row: Mapping[Any, Any], now: datetime) -> dict[str, Any]:
    pressing = None
    if row["pressing_kind"]:
        pressing = {"clock": row["pressing_kind"], "at": row["pressing_at"], "state": row["pressing_state"]}
    return {**item_of(row, now), "pressing": pressing, "covered": row["covered"]}


def _pressing() -> Any:
    """The clock still owed whose due time comes first; one that was missed came before all that is to come."""
    owed = Clock.state.in_([literal_column("'running'"), literal_column("'breached'")])
    return lateral(
        select(
            Clock.kind.label("pressing_kind"), Clock.due_at.label("pressing_at"), Clock.state.label("pressing_state")
        )
        .where(and_(Clock.tenant_id == Escalation.tenant_id, Clock.escalation_id == Escalation.id, owed))
        .where(Clock.due_at.is_not(None))
        .order_by(Clock.due_at)
        .limit(1)
    )
