"""Training for one tenant: claimed, read, learnt outside any transaction, kept. Each call opens its own."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select, text

from app import clock, queue
from app.db import db, finding, transaction
from app.reports.forecast import history, learning, store
from app.reports.forecast.base import base_model
from app.reports.forecast.course import Loads
from app.reports.forecast.features import Case
from app.reports.models import ReportCursor

log = structlog.get_logger()

JOB = "learn_forecast"
RUN_SECONDS = 20.0
WITH_WANTED = text(
    """
    select tenant_id from hazard_model
    where state = 'wanted' and (leased_until is null or leased_until <= :now)
    group by tenant_id order by random()
    """
)


def learn_forecast() -> int:
    """Models that a day asked for, one tenant after the other; answers how many were done with.

    Each takes up to a minute: after `RUN_SECONDS` the rest is left to the next run, so that other jobs have their turn.
    """
    with finding() as session:
        waiting = list(session.scalars(WITH_WANTED, {"now": clock.real_now()}))
    ends_at = clock.monotonic() + RUN_SECONDS
    count = sum(train_tenant(tenant_id) for tenant_id in queue.in_time(waiting, ends_at=ends_at))
    if waiting:
        queue.enqueue(JOB)
    return count


def want_forecast(now: datetime) -> bool:
    """Ask for a new model, inside the caller's transaction, when cases were closed since the newest."""
    if not learning.is_installed():
        return False
    ended, newest = history.count_ended(), store.newest()
    if ended < learning.LEAST_CLOSED or (newest is not None and newest.state != "failed" and newest.ended == ended):
        return False
    store.want(now, ended=ended)
    return True


def train_tenant(tenant_id: UUID, now: datetime | None = None) -> bool:
    """Train the model that is asked for; False when there is none, another worker has it, or facts are being made."""
    with transaction(tenant=tenant_id):
        known_until = _known_until()
        number = store.claim(clock.real_now()) if known_until is not None else None
        cases, everyone = history.read_cases() if number is not None else ([], [])
    if number is None or known_until is None:
        return False
    end = _learn(number, cases, everyone, known_until)
    with transaction(tenant=tenant_id):
        end(now or clock.now())
    return True


def _known_until() -> datetime | None:
    found = db.session.execute(select(ReportCursor.known_until).where(ReportCursor.after_id.is_(None)))
    return found.scalar_one_or_none()


def _learn(number: int, cases: list[Case], everyone: list[Case], known_until: datetime) -> Callable[[datetime], None]:
    """What is to be stored of this training, good or not; nothing of the database is held meanwhile."""
    if not learning.is_installed():
        return lambda now: store.give_up(number, "skipped", learning.INSTALL)
    try:
        model, measures = learning.train(cases, Loads(everyone), base_model(), known_until)
    except learning.TooLittle as few:
        problem = str(few)
        return lambda now: store.give_up(number, "skipped", problem, cases=len(cases))
    except Exception as error:  # kept for the operator to see; what held before goes on being asked
        log.exception("forecast_training_failed", number=number)
        problem = f"{type(error).__name__}: {error}"
        return lambda now: store.give_up(number, "failed", problem, cases=len(cases))
    return lambda now: store.keep(number, model, asdict(measures), now=now)
