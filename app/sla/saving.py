"""The one statement that writes changed clocks, and the form in which rows travel to it."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.sla.models import Clock

# What a change may touch: everything the ledger decides, and where the sweep stands.
CHANGING = (
    "state",
    "flags",
    "due_at",
    "original_due_at",
    "breached_at",
    "ended_at",
    "target_kind",
    "target_value",
    "calendar_version_id",
    "zone",
    "ladder_number",
    "due_version",
    "not_before",
    "elapsed_seconds",
    "paused_seconds",
    "next_step_at",
    "next_step",
    "next_repeat",
    "entries",
    "problem",
)
UPDATE_CLOCKS = text(
    f"""
    update clock c set {", ".join(f"{name} = r.{name}" for name in CHANGING)}
    from jsonb_populate_recordset(null::clock, cast(:rows as jsonb)) r
    where c.tenant_id = :tenant and c.id = r.id
    """  # noqa: S608 - column names are ours
)


def changed_columns(row: Clock) -> dict[str, Any]:
    """What `UPDATE_CLOCKS` takes of a row."""
    return {"id": row.id, **{name: getattr(row, name) for name in CHANGING}}


def dump(rows: Iterable[dict[str, Any]]) -> str:
    """Rows as the JSON array that PostgreSQL casts to a table's own types."""
    return json.dumps(list(rows), default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")
