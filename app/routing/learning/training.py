"""Training for one tenant: claimed, read, learnt outside any transaction, kept. Each call opens its own."""

from collections.abc import Callable
from dataclasses import asdict
from uuid import UUID

import structlog

from app import clock
from app.db import transaction
from app.routing.learning import course, history, store
from app.routing.learning.features import Row

log = structlog.get_logger()


def train_tenant(tenant_id: UUID) -> bool:
    """Train the model that is asked for; False when there is none or another worker has it."""
    with transaction(tenant=tenant_id):
        number = store.claim(clock.real_now())
        rows = history.read_rows() if number is not None else []
    if number is None:
        return False
    end = _learn(number, rows)
    with transaction(tenant=tenant_id):
        end()
    return True


def _learn(number: int, rows: list[Row]) -> Callable[[], None]:
    """What is to be stored of this training, good or not; nothing of the database is held meanwhile."""
    if not course.is_installed():
        return lambda: store.give_up(number, "skipped", course.INSTALL)
    try:
        model, measures = course.train(rows, history.SHAPE)
    except course.TooFew as few:
        problem = str(few)
        return lambda: store.give_up(number, "skipped", problem, cases=len(rows))
    except Exception as error:  # kept for the admin to see; the version before goes on being asked
        log.exception("training_failed", number=number)
        problem = f"{type(error).__name__}: {error}"
        return lambda: store.give_up(number, "failed", problem, cases=len(rows))
    return lambda: store.keep(number, model, asdict(measures), cases=len(rows), now=clock.now())
