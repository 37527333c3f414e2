"""Clocks and their ledgers as read from the database."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text

from app.db import db
from app.sla.ledger import Entry
from app.sla.models import Clock
from app.sla.stored import StoredClock
from app.sla.versions import load_versions

ENTRIES = text(
    "select clock_id, type, at, recorded_at, seq, facts from clock_entry where clock_id = any(:ids) order by seq"
)


def load_stored(escalation_id: UUID, *, lock: bool = False) -> list[StoredClock]:
    """Every cycle of every clock of an escalation, in order of start, with its ledger: two statements.

    Rows stay outside the session, so that only `Clocks.save` writes them.
    """
    query = select(Clock.__table__).where(Clock.escalation_id == escalation_id).order_by(Clock.id)
    rows = [Clock(**row._mapping) for row in db.session.execute(query.with_for_update() if lock else query)]
    ledgers = load_ledgers([row.id for row in rows])
    load_versions([row.calendar_version_id for row in rows], {row.ladder_number for row in rows})
    return sorted((StoredClock(row, ledgers[row.id]) for row in rows), key=lambda stored: stored.row.started_at)


def load_ledgers(clock_ids: list[UUID]) -> dict[UUID, list[Entry]]:
    """The entries of these clocks in order of writing; no statement for none."""
    ledgers: dict[UUID, list[Entry]] = {clock_id: [] for clock_id in clock_ids}
    if clock_ids:
        for row in db.session.execute(ENTRIES, {"ids": clock_ids}):
            ledgers[row.clock_id].append(_entry(row))
    return ledgers


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.type, row.at, row.recorded_at, row.seq, row.facts)
