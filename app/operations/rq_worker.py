"""An RQ worker that outlives Redis: it reconnects within 5 s, goes on after a flush, and stops without a traceback."""

import logging
import signal
from collections.abc import Sequence
from types import FrameType
from typing import Any

import redis
import structlog
from flask import Flask
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.timeouts import UnixSignalDeathPenalty
from rq.worker import SimpleWorker, WorkerStatus
from sqlalchemy.exc import SQLAlchemyError

from app import clock, queue
from app.operations import heartbeats
from app.operations.heartbeats import Process
from app.operations.timer import stop_on_signals

log = structlog.get_logger()

LISTEN_SECONDS = 2
ANSWER_SECONDS = 4  # how long Redis may take to answer a wait of LISTEN_SECONDS
LONGEST_PAUSE_SECONDS = 2.5  # with a connection attempt that hangs, less than the 5 s we promise
SHORT_PAUSE_SECONDS = 0.5
BEAT_SECONDS = 5.0


class TimeLimit(UnixSignalDeathPenalty):
    """Ends a job that takes too long in a way that passes what guards one row against another's faults."""

    def handle_death_penalty(self, signum: int, frame: FrameType | None) -> None:
        raise queue.OutOfTime(f"after {self._timeout} seconds")


class Worker(SimpleWorker):
    """Runs jobs in its own process, beats in PostgreSQL, takes no commands over Redis."""

    death_penalty_class = TimeLimit

    dequeue_timeout = LISTEN_SECONDS
    connection_timeout = ANSWER_SECONDS
    max_connection_wait_time = LONGEST_PAUSE_SECONDS

    def __init__(self, queues: Sequence[str], connection: redis.Redis, pulse: "Pulse") -> None:
        self.pulse = pulse
        super().__init__(
            [Queue(name, connection=connection) for name in queues], name=pulse.rq_name, connection=connection
        )

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        self.pulse.beat()
        super().heartbeat(timeout, pipeline)

    def register_birth(self) -> None:
        self.connection.delete(self.key)  # of ourselves before the connection was lost
        super().register_birth()  # type: ignore[no-untyped-call]

    def register_death(self) -> None:
        """Redis may be away; its own record of us ends by itself."""
        try:
            super().register_death()  # type: ignore[no-untyped-call]
        except redis.RedisError as error:
            log.info("redis_away_at_stop", error=str(error))

    def subscribe(self) -> None:
        """Whoever can write to Redis must not be able to stop or kill a worker."""

    def _install_signal_handlers(self) -> None:
        signal.signal(signal.SIGTERM, self.request_stop)
        signal.signal(signal.SIGINT, self.request_stop)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """A job under way ends after its batch; a wait for work ends now."""
        queue.ask_to_stop()
        self._stop_requested = True
        if self.get_state() != WorkerStatus.BUSY:
            raise SystemExit(0)


class Pulse:
    """The worker's row, at most every `BEAT_SECONDS`; a database that is away is the jobs' problem, not ours."""

    def __init__(self) -> None:
        self.process = Process.this("worker")
        self.rq_name = self.process.name.replace(":", "-")
        self.next_at = 0.0

    def beat(self) -> None:
        if clock.monotonic() < self.next_at:
            return
        self.next_at = clock.monotonic() + BEAT_SECONDS
        try:
            heartbeats.beat(self.process)
        except SQLAlchemyError as error:
            log.warning("heartbeat_failed", error=str(error).splitlines()[0])


def work(app: Flask, queues: Sequence[str]) -> None:
    """Work until asked to stop, with a new connection whenever Redis came back."""
    stop_on_signals()
    send_rq_logs_to_ours()
    pulse = Pulse()
    with app.app_context():
        while not queue.is_stopping():
            pulse.beat()  # alive also while Redis is not
            try:
                _work_once(app, queues, pulse)
            except redis.RedisError as error:
                log.warning("redis_away", error=str(error), pause_seconds=LONGEST_PAUSE_SECONDS)
                queue.pause(LONGEST_PAUSE_SECONDS)
            except SystemExit:
                break
            stop_on_signals()  # RQ's own handlers belong to a worker that has ended
            queue.pause(SHORT_PAUSE_SECONDS)
        heartbeats.end_safely(pulse.process)


def _work_once(app: Flask, queues: Sequence[str], pulse: Pulse) -> None:
    connection = redis.Redis.from_url(
        app.config["REDIS_URL"],
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=LISTEN_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        Worker(queues, connection, pulse).work(logging_level="WARNING")
    finally:
        connection.close()


class _OurLogs(logging.Handler):
    """What went wrong inside a job is logged by the job; here it is only RQ's own book-keeping that Redis lost."""

    def emit(self, record: logging.LogRecord) -> None:
        first, *rest = record.getMessage().strip().splitlines() or [""]
        log.warning("rq", message=first, because=rest[-1] if rest else None)


def send_rq_logs_to_ours() -> None:
    """RQ's warnings as structured lines."""
    logger = logging.getLogger("rq")
    logger.addHandler(_OurLogs())
    logger.propagate = False
    logger.setLevel(logging.WARNING)
