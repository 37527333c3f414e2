"""Who is alive: one row per timer and per RQ worker, in real time, so that a flushed Redis loses none of them."""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row, bindparam, delete, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.db import finding, machine
from app.operations.models import Heartbeat

log = structlog.get_logger()

LATE = timedelta(seconds=60)  # longer than any job lets a worker wait between two beats
FORGOTTEN = timedelta(days=1)

BEAT = text(
    """
    insert into heartbeat (name, kind, started_at, beat_at, facts) values (:name, :kind, :started_at, :now, :facts)
    on conflict (name) do update
        set kind = excluded.kind, started_at = excluded.started_at, beat_at = excluded.beat_at, facts = excluded.facts
    """
).bindparams(bindparam("facts", type_=JSONB))


@dataclass(frozen=True)
class Process:
    """This process as others see it: `host:pid`, and whether it is a `timer` or a `worker`."""

    kind: str
    started_at: datetime
    name: str

    @classmethod
    def this(cls, kind: str) -> "Process":
        return cls(kind, clock.real_now(), f"{socket.gethostname()}:{os.getpid()}")


def beat(process: Process, **facts: Any) -> None:
    """We are alive."""
    values = {"name": process.name, "kind": process.kind, "started_at": process.started_at}
    with machine() as session:
        session.execute(BEAT, {**values, "now": clock.real_now(), "facts": facts})


def end_safely(process: Process) -> None:
    """We stop because we were asked to; a database that is away does not hold us up."""
    try:
        with machine() as session:
            session.execute(delete(Heartbeat).where(Heartbeat.name == process.name))
    except SQLAlchemyError as error:
        log.info("database_away_at_stop", error=str(error).splitlines()[0])


def forget_old() -> None:
    """Rows of processes that died without a word, after a day in which they were shown as late."""
    with machine() as session:
        session.execute(delete(Heartbeat).where(Heartbeat.beat_at < clock.real_now() - FORGOTTEN))


def has_workers() -> bool:
    """Whether an RQ worker anywhere is alive."""
    alive = (Heartbeat.kind == "worker") & (Heartbeat.beat_at > clock.real_now() - LATE)
    with machine() as session:
        return bool(session.scalar(select(func.count()).where(alive)))


def list_ages() -> Sequence[Row[str, int, datetime]]:
    """Of each kind: how many are alive, and the last beat of any."""
    alive = func.count().filter(Heartbeat.beat_at > clock.real_now() - LATE)
    question = select(Heartbeat.kind, alive.label("alive"), func.max(Heartbeat.beat_at).label("beat_at"))
    with finding() as session:
        return session.execute(question.group_by(Heartbeat.kind)).all()
