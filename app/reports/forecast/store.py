"""The tenant's models: asked for, claimed by one worker, kept for ever with their measures once they held."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, func, select, text, update

from app.db import db, new_id, take_turn
from app.reports import making
from app.reports.forecast.hazard import Hazard, UnknownForm
from app.reports.foresight_models import HazardModel
from app.reports.reading import Reading

log = structlog.get_logger()

TURN = "hazard_model"
LEASE = timedelta(minutes=15)
KEPT = 10  # of those that came to nothing
HELD = text(
    """
    select number, holds_from, cases, measures, content from hazard_model
    where state = 'trained' and holds_from <= :as_of order by holds_from desc limit 1
    """
)


def want(now: datetime, *, ended: int) -> HazardModel:
    """Have a model trained in the background; one already asked for stands for both."""
    take_turn(TURN)
    waiting = db.session.scalar(select(HazardModel).where(HazardModel.state == "wanted"))
    if waiting is not None:
        return waiting
    newest = db.session.scalar(select(func.max(HazardModel.number))) or 0
    wanted = HazardModel(id=new_id(), number=newest + 1, state="wanted", asked_at=now, ended=ended)
    db.session.add(wanted)
    db.session.flush()
    return wanted


def newest() -> HazardModel | None:
    return db.session.scalar(select(HazardModel).order_by(HazardModel.number.desc()).limit(1))


def claim(real_now: datetime) -> int | None:
    """The number of the model to train, for whoever asks first; again when its lease ran out."""
    free = HazardModel.leased_until.is_(None) | (HazardModel.leased_until <= real_now)
    asked = select(HazardModel).where(HazardModel.state == "wanted", free)
    found = db.session.scalar(asked.limit(1).with_for_update(skip_locked=True))
    if found is None:
        return None
    found.leased_until = real_now + LEASE
    return found.number


def keep(number: int, model: Hazard, measures: Mapping[str, Any], *, now: datetime) -> None:
    """From a moment on for which nothing was answered yet, this version is asked."""
    cursor = making.claim(wait=True)
    known = cursor.known_until if cursor is not None else None
    holds_from = now if known is None else max(now, known + making.TICK)
    values = {"content": model.as_json(), "measures": measures, "cases": model.cases, "holds_from": holds_from}
    _end(number, state="trained", **values)


def give_up(number: int, state: str, problem: str, *, cases: int | None = None) -> None:
    """Nothing was learnt, and why; what held before goes on."""
    _end(number, state=state, problem=problem[:500], cases=cases)
    vain = HazardModel.state.in_(("skipped", "failed"))
    db.session.execute(delete(HazardModel).where(HazardModel.number <= number - KEPT, vain))


def find_held(reading: Reading) -> tuple[Mapping[str, Any], Hazard] | None:
    """The model that held at the reading's moment."""
    row = reading.ask(HELD).mappings().one_or_none()
    if row is None:
        return None
    try:
        return row, Hazard.of(row["content"])
    except UnknownForm as problem:
        log.warning("hazard_model_unreadable", number=row["number"], problem=str(problem))
        return None


def _end(number: int, **values: Any) -> None:
    waiting = HazardModel.number == number, HazardModel.state == "wanted"
    ended = update(HazardModel).where(*waiting).values(leased_until=None, **values)
    db.session.execute(ended.execution_options(synchronize_session=False))
