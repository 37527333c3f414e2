"""Clocks and their ledgers as read from the database."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, or_, select, text

from app.db import db
from app.sla.ledger import Entry
from app.sla.models import Clock
from app.sla.stored import StoredClock
from app.sla.targets import ASKED_BY_LEVEL
from app.sla.versions import load_versions

ENTRIES = text(
    "select clock_id, type, at, recorded_at, seq, facts from clock_entry where clock_id = any(:ids) order by seq"
)


def load_stored(escalation_id: UUID, *, lock: bool = False, kind: str | None = None) -> list[StoredClock]:
    """Every cycle of every clock of an escalation, in order of start, with its ledger: two statements.

    Rows stay outside the session, so that only `Clocks.save` writes them.
    """
    query = select(Clock.__table__).where(Clock.escalation_id == escalation_id).order_by(Clock.id)
    query = query.where(Clock.kind == kind) if kind else query
    rows = [Clock(**row._mapping) for row in db.session.execute(query.with_for_update() if lock else query)]
    ledgers = load_ledgers([row.id for row in rows])
    load_versions([row.calendar_version_id for row in rows], {row.ladder_number for row in rows})
    return sorted((StoredClock(row, ledgers[row.id]) for row in rows), key=lambda stored: stored.row.started_at)


# Of a case's clocks, what other versions can change: those that stand, and of those kinds that a version may ask for
# anew the ended ones too, since a new cycle follows the last.
STANDING = or_(Clock.ended_at.is_(None), Clock.kind.in_(ASKED_BY_LEVEL))


def load_standing(escalation_ids: list[UUID], *, lock: bool) -> dict[UUID, list[StoredClock]]:
    """The standing clocks of each of these cases with their ledgers: two statements; lock the cases first."""
    query = select(Clock.__table__).where(Clock.escalation_id.in_(escalation_ids), STANDING).order_by(Clock.id)
    rows = [Clock(**row._mapping) for row in db.session.execute(query.with_for_update() if lock else query)]
    ledgers = load_ledgers([row.id for row in rows])
    load_versions({row.calendar_version_id for row in rows}, {row.ladder_number for row in rows})
    found: dict[UUID, list[StoredClock]] = {id_: [] for id_ in escalation_ids}
    for row in rows:
        found[row.escalation_id].append(StoredClock(row, ledgers[row.id]))
    return found


def load_ledgers(clock_ids: list[UUID]) -> dict[UUID, list[Entry]]:
    """The entries of these clocks in order of writing; no statement for none."""
    ledgers: dict[UUID, list[Entry]] = {clock_id: [] for clock_id in clock_ids}
    if clock_ids:
        for row in db.session.execute(ENTRIES, {"ids": clock_ids}):
            ledgers[row.clock_id].append(_entry(row))
    return ledgers


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.type, row.at, row.recorded_at, row.seq, row.facts)
