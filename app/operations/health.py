"""Ready or not: only a database that is away or not migrated stops us; all else is named and goes on degraded."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from flask import current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.db import finding
from app.operations import heartbeats, migrate
from app.operations.backlog import read_backlog
from app.queue import get_redis

READ_SECONDS = 5
LATE_SECONDS = 60  # a lag that no tick and no busy minute explains

LIMIT = text("select set_config('statement_timeout', :milliseconds, true)")
REVISION = text("select version_num from alembic_version")


@dataclass(frozen=True)
class Check:
    """One thing looked at: `ok`, `degraded` (we go on without it) or `unavailable` (we cannot)."""

    name: str
    status: str = "ok"
    detail: str | None = None
    numbers: dict[str, float] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        detail = {"detail": self.detail} if self.detail else {}
        return {"status": self.status, **detail, **self.numbers}


def check_all() -> list[Check]:
    """Every check, the database first: without it nothing else is asked."""
    database = check_database()
    if any(check.status == "unavailable" for check in database):
        return [*database, check_queue()]
    now = clock.real_now()
    rest: list[Callable[[datetime], list[Check]]] = [check_processes, check_timer_lag]
    return [*database, check_queue(), *(found for check in rest for found in check(now))]


def overall(checks: list[Check]) -> str:
    """`ready`, `degraded` or `unavailable`."""
    found = {check.status for check in checks}
    return next((word for word in ("unavailable", "degraded") if word in found), "ready")


def check_database() -> list[Check]:
    """Reachable, and its tables are those that this version of the program knows."""
    try:
        with finding() as session:
            session.execute(LIMIT, {"milliseconds": str(READ_SECONDS * 1000)})
            revision = session.scalar(REVISION)
    except SQLAlchemyError as error:
        return [Check("database", "unavailable", _first_line(error))]
    if revision != head():
        detail = f"the database is at {revision}, the program at {head()}: run `firsthand db upgrade`"
        return [Check("database"), Check("migrations", "unavailable", detail)]
    return [Check("database"), Check("migrations")]


def check_queue() -> Check:
    """Redis only wakes: without it the timer does the work."""
    if get_redis().ask(lambda client: client.ping()):
        return Check("queue")
    return Check("queue", "degraded", "Redis does not answer: due work waits for the timer's next tick")


def check_processes(now: datetime) -> list[Check]:
    """The last beat of any timer and of any worker."""
    rows = {row.kind: row for row in heartbeats.list_ages()}
    tick = timedelta(seconds=current_app.config["SWEEP_SECONDS"])
    return [
        _check_beat("timer", rows.get("timer"), now, heartbeats.LATE + 2 * tick, "reminders wait"),
        _check_beat("worker", rows.get("worker"), now, heartbeats.LATE, "the timer does the work alone"),
    ]


def check_timer_lag(now: datetime) -> list[Check]:
    backlog = read_backlog(now)
    numbers = {"lag_seconds": round(backlog.lag_seconds, 1), "due_steps": backlog.due_steps}
    if backlog.lag_seconds <= LATE_SECONDS:
        return [Check("steps", numbers=numbers)]
    detail = f"the oldest due step waits since {backlog.lag_seconds:.0f} s"
    return [Check("steps", "degraded", detail, numbers)]


@cache
def head() -> str | None:
    """The migration that this version of the program needs."""
    return migrate.head(current_app.config["SETTINGS"])


def _check_beat(kind: str, row: Any, now: datetime, late: timedelta, meanwhile: str) -> Check:
    if row is None:
        return Check(kind, "degraded", f"no {kind} has been started: {meanwhile}")
    age = max(now - row.beat_at, timedelta(0))
    numbers = {"alive": row.alive, "heartbeat_age_seconds": round(age.total_seconds(), 1)}
    if age <= late:
        return Check(kind, numbers=numbers)
    return Check(kind, "degraded", f"no {kind} has beaten for {age.total_seconds():.0f} s: {meanwhile}", numbers)


def _first_line(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
