"""The versions of what a tenant publishes, as they are shown: the latest few beside it, all of them by page."""

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.db import db
from app.errors import NotFound
from app.sla.models import CalendarVersion, LadderVersion, ServiceLevelVersion

MOST_SHOWN = 20

Version = TypeVar("Version", CalendarVersion, LadderVersion, ServiceLevelVersion)


def latest(model: type[Version], of: InstrumentedAttribute[Any], wanted: ColumnElement[bool]) -> Select[Version]:
    """The last `MOST_SHOWN` versions of each `of` that is wanted, oldest first."""
    rank = func.row_number().over(partition_by=of, order_by=model.number.desc()).label("rank")
    ranked = select(model.id, rank).where(wanted).subquery()
    return select(model).join(ranked, ranked.c.id == model.id).where(ranked.c.rank <= MOST_SHOWN).order_by(model.number)


def list_history(
    model: type[Version], wanted: ColumnElement[bool], *, after: list[Any] | None, limit: int
) -> list[Version]:
    """All versions of one thing, newest first, from the number `after` down; NotFound when there are none."""
    asked = select(model).where(wanted).order_by(model.number.desc()).limit(limit)
    found = list(db.session.scalars(asked.where(model.number < after[0]) if after else asked))
    if not found and not after:
        raise NotFound
    return found
