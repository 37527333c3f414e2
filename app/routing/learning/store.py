"""The tenant's models: asked for, claimed by one worker, kept with their measures, a few versions back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import delete, select, update

from app.auth import service as auth
from app.auth.settings import current_version
from app.db import current_tenant, db
from app.routing.kept import Kept
from app.routing.learning import wanted
from app.routing.learning.model import Learnt, UnknownForm
from app.routing.models import SuggestionModel

log = structlog.get_logger()

CURRENT = "suggestion_model"
KEPT = 10
FORGOTTEN = "forgotten when a person was erased"
MAX_CACHED = 50
# By tenant and number; a tuple, since what can't be read is not read again either.
_cache: Kept[tuple[UUID, int], tuple[Learnt | None]] = Kept(MAX_CACHED)


def want(now: datetime, *, closed: int, asked_by: UUID | None = None) -> SuggestionModel:
    """Have a model trained in the background; one already asked for stands for both."""
    return wanted.want(SuggestionModel, now, turn=CURRENT, asked_by=asked_by, closed=closed)


def claim(real_now: datetime) -> int | None:
    """The number of the model to train, for whoever asks first."""
    return wanted.claim(SuggestionModel, real_now)


def keep(number: int, model: Learnt, measures: Mapping[str, Any], *, cases: int, now: datetime) -> None:
    """From here on this version is asked, unless what it was learnt from was erased meanwhile; the oldest beyond `KEPT`
    go."""
    learnt = {"content": model.as_json(), "measures": measures, "trained_at": now}
    if not wanted.end(SuggestionModel, number, state="trained", cases=cases, **learnt):
        return
    auth.set_current(**{CURRENT: number})
    db.session.execute(delete(SuggestionModel).where(SuggestionModel.number <= number - KEPT))


def give_up(number: int, state: str, problem: str, *, cases: int | None = None) -> None:
    """Nothing was learnt, and why; the version before goes on being asked and is kept however old it is."""
    wanted.end(SuggestionModel, number, state=state, problem=problem[:500], cases=cases)
    others = SuggestionModel.number != (current_version(CURRENT) or 0)
    db.session.execute(delete(SuggestionModel).where(SuggestionModel.number <= number - KEPT, others))


def forget() -> None:
    """What was learnt may hold words of who is erased: every version is emptied, also one that is being trained, and
    the next day learns from what is left. Their numbers are not given again: other processes remember what they meant.
    """
    nothing = {"content": None, "measures": None, "leased_until": None, "closed": 0}
    emptied = update(SuggestionModel).values(state="skipped", problem=FORGOTTEN, **nothing)
    db.session.execute(emptied.execution_options(synchronize_session=False))
    auth.set_current(**{CURRENT: None})


def find_current() -> tuple[int, Learnt] | None:
    """The tenant's model and its number, kept in memory by number: at most one statement, none when it is known."""
    number = current_version(CURRENT)
    if number is None:
        return None
    key = (current_tenant(), number)
    found = _cache.find(key)
    if found is None:
        found = (_read(number),)
        _cache.keep(key, found)
    return (number, found[0]) if found[0] else None


def list_models(*, before: int | None, limit: int) -> Sequence[SuggestionModel]:
    """The newest first, without what they hold."""
    asked = select(SuggestionModel).order_by(SuggestionModel.number.desc()).limit(limit)
    return db.session.scalars(asked.where(SuggestionModel.number < before) if before else asked).all()


def newest() -> SuggestionModel | None:
    return next(iter(list_models(before=None, limit=1)), None)


def _read(number: int) -> Learnt | None:
    stored = db.session.scalar(select(SuggestionModel.content).where(SuggestionModel.number == number))
    if stored is None:
        return None
    try:
        return Learnt.of(stored)
    except UnknownForm as problem:
        log.warning("suggestion_model_unreadable", number=number, problem=str(problem))
        return None
