"""Questions about imports."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_

from app.db import db
from app.operations.imports.errors import ImportNotFound
from app.operations.models import Import, RejectedRow


def get_import(import_id: UUID) -> Import:
    found = db.session.get(Import, import_id)
    if found is None:
        raise ImportNotFound
    return found


def list_faults(import_id: UUID, *, after: list[Any] | None, limit: int) -> Sequence[RejectedRow]:
    """Refused rows by line."""
    statement = (
        select(RejectedRow)
        .where(RejectedRow.import_id == import_id)
        .order_by(RejectedRow.line, RejectedRow.id)
        .limit(limit)
    )
    if after:
        statement = statement.where(tuple_(RejectedRow.line, RejectedRow.id) > (after[0], UUID(after[1])))
    return db.session.scalars(statement).all()


def list_imports(*, before: UUID | None, limit: int) -> Sequence[Import]:
    """Newest first."""
    asked = select(Import).order_by(Import.id.desc()).limit(limit)
    return db.session.scalars(asked.where(Import.id < before) if before else asked).all()
