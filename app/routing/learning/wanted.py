"""A model that is asked for, claimed by one worker, and trained or given up: what every table of such models shares."""

from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantModel, db, new_id, take_turn

STATES = ("wanted", "trained", "skipped", "failed")
LEASE = timedelta(minutes=15)


class Wanted(TenantModel):
    """One version of a tenant's model, by number.

    `content` is plain JSON, NULL until it is trained; `cases` counts those it was learnt from, `problem` says why
    nothing was. `leased_until` is real time: whoever trains it died if it passed.
    """

    __abstract__ = True

    number: Mapped[int]
    state: Mapped[str] = mapped_column(default="wanted")
    problem: Mapped[str | None]
    asked_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    cases: Mapped[int | None]
    measures: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), deferred=True)


W = TypeVar("W", bound=Wanted)


def want(model: type[W], now: datetime, *, turn: str, **values: Any) -> W:
    """Have one trained in the background; one already asked for stands for both."""
    take_turn(turn)
    waiting = db.session.scalar(select(model).where(model.state == "wanted"))
    if waiting is not None:
        return waiting
    newest = db.session.scalar(select(func.max(model.number))) or 0
    wanted = model(id=new_id(), number=newest + 1, state="wanted", asked_at=now, **values)
    db.session.add(wanted)
    db.session.flush()
    return wanted


def claim(model: type[Wanted], real_now: datetime) -> int | None:
    """The number of the one to train, for whoever asks first; again when its lease ran out."""
    free = model.leased_until.is_(None) | (model.leased_until <= real_now)
    found = db.session.scalar(
        select(model).where(model.state == "wanted", free).limit(1).with_for_update(skip_locked=True)
    )
    if found is None:
        return None
    found.leased_until = real_now + LEASE
    return found.number


def end(model: type[Wanted], number: int, **values: Any) -> bool:
    """What became of it; False when nobody waits for it any more."""
    waiting = model.number == number, model.state == "wanted"
    ended = update(model).where(*waiting).values(leased_until=None, **values).returning(model.number)
    return db.session.execute(ended.execution_options(synchronize_session=False)).first() is not None
