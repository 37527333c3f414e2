"""The tenant's models: asked for, claimed by one worker, kept for ever with their measures once they held."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import delete, select, text

from app.db import db
from app.reports import making
from app.reports.forecast.hazard import Hazard, UnknownForm
from app.reports.foresight_models import HazardModel
from app.reports.reading import Reading
from app.routing.learning import wanted

log = structlog.get_logger()

TURN = "hazard_model"
KEPT = 10  # of those that came to nothing
HELD = text(
    """
    select number, holds_from, cases, measures, content from hazard_model
    where state = 'trained' and holds_from <= :as_of order by holds_from desc limit 1
    """
)


def want(now: datetime, *, ended: int) -> HazardModel:
    """Have a model trained in the background; one already asked for stands for both."""
    return wanted.want(HazardModel, now, turn=TURN, ended=ended)


def newest() -> HazardModel | None:
    return db.session.scalar(select(HazardModel).order_by(HazardModel.number.desc()).limit(1))


def claim(real_now: datetime) -> int | None:
    """The number of the model to train, for whoever asks first."""
    return wanted.claim(HazardModel, real_now)


def keep(number: int, model: Hazard, measures: Mapping[str, Any], *, now: datetime) -> None:
    """From a moment on for which nothing was answered yet, this version is asked."""
    cursor = making.claim(wait=True)
    known = cursor.known_until if cursor is not None else None
    holds_from = now if known is None else max(now, known + making.TICK)
    values = {"content": model.as_json(), "measures": measures, "cases": model.cases, "holds_from": holds_from}
    wanted.end(HazardModel, number, state="trained", **values)


def give_up(number: int, state: str, problem: str, *, cases: int | None = None) -> None:
    """Nothing was learnt, and why; what held before goes on."""
    wanted.end(HazardModel, number, state=state, problem=problem[:500], cases=cases)
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
