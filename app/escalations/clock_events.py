"""The ledgers of all clocks as one stream, for who follows it by polling: in order of recording, and nothing skipped.

Transactions commit in another order than they begin. So entries are read by the number of the transaction that wrote
them, and only below the oldest one still under way in the database: whatever is committed later has a higher number
than all that has been shown. A long transaction delays the stream; it never tears a hole into it. Promises without a
clock, since nobody gave them a time, stand among them, told from the timeline.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Executable, RowMapping, Select, and_, func, literal, select, text, tuple_

from app.auth.actor import Actor
from app.db import db
from app.escalations import untimed
from app.escalations.models import Escalation
from app.escalations.queries import visible_to
from app.escalations.task_events import TASKS
from app.escalations.tier_events import TIERS
from app.escalations.update_events import UPDATES
from app.escalations.words import numbered
from app.http import decode_cursor, encode_cursor
from app.sla.models import Clock, ClockEntry

HORIZON = text("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
LAST_CLOCK, LAST_SEQ = UUID(int=2**128 - 1), 2**31 - 1
FACTS = ("target", "due_at", "because")
SOURCES = (TIERS, UPDATES, TASKS)

Placed = tuple[tuple[int, UUID, int], dict[str, Any]]  # an entry with its place in the stream


def list_clock_events(arguments: Mapping[str, Any], *, actor: Actor, now: datetime) -> dict[str, Any]:
    """A page of entries and always a cursor: the next call with it goes on where this one ended, now or next week."""
    horizon: int = db.session.scalar(HORIZON)
    limit, position = arguments["limit"], decode_cursor(arguments.get("cursor"))
    visible = visible_to(actor, now=now)
    kept = _after(_filtered(_stream(horizon, visible), arguments), position, arguments.get("since"))
    found = _read(kept.limit(limit + 1), _of_clock)
    derived = untimed.first_of(SOURCES, horizon, visible, arguments, position, limit + 1)
    if derived is not None:  # both lie below the horizon, so that nothing is committed between the two
        found = sorted([*found, *_read(derived, _untimed)], key=lambda one: one[0])
    shown, more = found[:limit], len(found) > limit
    place = shown[-1][0] if more else (horizon - 1, LAST_CLOCK, LAST_SEQ)  # all below the horizon has been read
    ahead = [place[0], str(place[1]), place[2]]
    return {"items": [item for _, item in shown], "next_cursor": encode_cursor(ahead), "more": more}


def _read(query: Executable, form: Callable[[RowMapping], Placed]) -> list[Placed]:
    return [form(row) for row in db.session.execute(query).mappings()]


def _of_clock(row: RowMapping) -> Placed:
    return (row["transaction_id"], row["clock_id"], row["seq"]), _event(row)


def _untimed(row: RowMapping) -> Placed:
    return untimed.place_of(row), untimed.shown(row)


def _after(query: Select[Any], position: list[Any] | None, since: datetime | None) -> Select[Any]:
    if position is not None:
        return query.where(tuple_(literal(position[0]), literal(UUID(position[1])), literal(position[2])) < _KEY)
    return query if since is None else query.where(ClockEntry.transaction_id >= _first_since(since))


_KEY = tuple_(ClockEntry.transaction_id, ClockEntry.clock_id, ClockEntry.seq)


def _stream(horizon: int, visible: ColumnElement[bool]) -> Select[Any]:
    columns = [column for column in ClockEntry.__table__.columns if column.name != "tenant_id"]
    of_clock = and_(Clock.tenant_id == ClockEntry.tenant_id, Clock.id == ClockEntry.clock_id)
    of_case = and_(Escalation.tenant_id == ClockEntry.tenant_id, Escalation.id == ClockEntry.escalation_id)
    return (
        select(*columns, Clock.kind, Clock.subject, Clock.cycle, Escalation.number)
        .join(Clock, of_clock)
        .join(Escalation, of_case)
        .where(ClockEntry.transaction_id < horizon, visible)
        .order_by(ClockEntry.transaction_id, ClockEntry.clock_id, ClockEntry.seq)
    )


def _filtered(query: Select[Any], arguments: Mapping[str, Any]) -> Select[Any]:
    wanted = {"kind": Clock.kind, "type": ClockEntry.type, "escalation": ClockEntry.escalation_id}
    for name, column in wanted.items():
        if name in arguments:
            query = query.where(column == arguments[name])
    if "since" in arguments:
        query = query.where(ClockEntry.recorded_at >= arguments["since"])
    return query


def _first_since(since: datetime) -> Any:
    """Where to begin reading: found by when entries were recorded, which is nearly their order on disk."""
    found = select(func.min(ClockEntry.transaction_id)).where(ClockEntry.recorded_at >= since)
    return found.scalar_subquery()


def _event(row: RowMapping) -> dict[str, Any]:
    facts = row["facts"]
    return {
        **row,
        **{name: facts[name] for name in FACTS if name in facts},
        "number": numbered(row["number"]),
    }
