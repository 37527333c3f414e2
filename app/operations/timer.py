"""The timer: beats, enqueues the periodic jobs that are due, and runs them itself when nobody else would.

It ticks every SWEEP_SECONDS, and before that when something falls due, so that a lone deadline is met to the second.
"""

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import FrameType

import structlog
from flask import Flask
from prometheus_client import Counter
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app import clock, queue
from app.operations import heartbeats
from app.operations.heartbeats import Process

log = structlog.get_logger()

JOB_FAILURES = Counter(
    "firsthand_job_failures_total", "Runs of periodic jobs that failed; the next tick tries again", ["job"]
)
EACH_TICK = 0.0
SHORTEST_REST_SECONDS = 0.5  # however much falls due, what comes meanwhile is one batch


@dataclass(frozen=True)
class Job:
    """`run` finds its own work, does it in batches, and may run anywhere any number of times at once."""

    name: str
    every_seconds: float
    run: Callable[[], object]


class Timer:
    """Ticks until asked to stop; what one tick misses the next one finds."""

    def __init__(
        self, app: Flask, jobs: Sequence[Job], *, next_due: Callable[[], datetime | None] = lambda: None
    ) -> None:
        self.app = app
        self.jobs = jobs
        self.next_due = next_due
        self.process = Process.this("timer")
        self.due_at = {job.name: 0.0 for job in jobs}

    def run(self) -> None:
        """Tick until asked to stop, first at once; a tick that took longer than its time is followed by the next."""
        stop_on_signals()
        while not queue.is_stopping():
            began = clock.monotonic()
            self.tick_safely()
            queue.pause(self.rest_seconds(clock.monotonic() - began))
        with self.app.app_context():
            heartbeats.end_safely(self.process)

    def tick_safely(self) -> None:
        """A database that is away ends the tick, not the timer."""
        try:
            with self.app.app_context():
                self.tick()
        except SQLAlchemyError as error:
            log.error("timer_tick_failed", error=str(error).splitlines()[0])

    def rest_seconds(self, spent: float) -> float:
        """Until the next tick, or until the next moment at which something is due if that comes first."""
        left: float = self.app.config["SWEEP_SECONDS"] - spent
        if left <= SHORTEST_REST_SECONDS:
            return left
        try:
            with self.app.app_context():
                due_at = self.next_due()
        except SQLAlchemyError as error:
            log.error("next_due_unknown", error=str(error).splitlines()[0])
            return left
        until = (due_at - clock.real_now()).total_seconds() if due_at else left
        return min(left, max(until, SHORTEST_REST_SECONDS))

    def tick(self) -> None:
        """Hand the due jobs to the RQ workers, or run them here when Redis or every worker is away."""
        now = clock.monotonic()
        due = [job for job in self.jobs if self.due_at[job.name] <= now]
        self.beat(alone=False)
        alone = not heartbeats.has_workers()
        for job in due:
            self.due_at[job.name] = now + job.every_seconds
            alone = queue.enqueue(job.name) is None or alone
            if alone and not queue.is_stopping():
                self.beat(alone=True)
                run_logged(job)

    def beat(self, *, alone: bool) -> None:
        heartbeats.beat(self.process, alone=alone, sweep_seconds=self.app.config["SWEEP_SECONDS"])


def run_logged(job: Job) -> None:
    """One run; a failure is logged and counted, and the next tick tries again."""
    try:
        job.run()
    except OperationalError as error:
        log.error("database_away", job=job.name, error=str(error.orig))
    except queue.OutOfTime as over:  # what is whole is kept, the rest is found again
        JOB_FAILURES.labels(job.name).inc()
        log.error("job_out_of_time", job=job.name, problem=str(over))
    except Exception:
        JOB_FAILURES.labels(job.name).inc()
        log.exception("job_failed", job=job.name)


def repeat(app: Flask, job: Job) -> None:
    """One job by itself, again and again until asked to stop: what takes minutes and must hold up no other."""
    stop_on_signals()
    while not queue.is_stopping():
        with app.app_context():
            run_logged(job)
        queue.pause(job.every_seconds)


def stop_on_signals() -> None:
    """SIGTERM and SIGINT ask this process to end after the batch it is in."""

    def ask(_signum: int, _frame: FrameType | None) -> None:
        queue.ask_to_stop()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
