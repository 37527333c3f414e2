"""Wake-ups over Redis: nothing waits for them, nothing is lost with them.

The client has quarter-second time-outs, no retries, and is not asked again for five seconds after a failure.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import redis
import structlog
from flask import Flask, current_app
from prometheus_client import Counter
from redis.backoff import NoBackoff
from redis.retry import Retry

from app import clock
from app.db import after_commit

log = structlog.get_logger()
T = TypeVar("T")


class OutOfTime(BaseException):
    """A job's time is up. No `Exception`, so that nothing takes it for the fault of the one row it was at."""


TIMEOUT_SECONDS = 0.25
REST_SECONDS = 5.0
PENDING_SECONDS = 5
JOB_SECONDS = 300
PEEK_SECONDS = 0.1

FAILURES = Counter("firsthand_redis_failures_total", "Calls to Redis that failed; the work goes on without it")


class Redis:
    """The web's client: `ask` answers None instead of waiting when Redis is away."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self.resting_until = 0.0

    def ask(self, question: Callable[[redis.Redis], T]) -> T | None:
        """The answer, or None while Redis is away."""
        if clock.monotonic() < self.resting_until:
            return None
        try:
            return question(self.client)
        except redis.RedisError as error:
            self.resting_until = clock.monotonic() + REST_SECONDS
            FAILURES.inc()
            log.warning("redis_away", error=str(error), resting_seconds=REST_SECONDS)
            return None


class _Stop:
    asked = False


def ask_to_stop() -> None:
    """Called by signal handlers: a job that works in batches ends after the one it is in."""
    _Stop.asked = True  # a plain flag: an Event's lock may be held by the very code a signal interrupts


def is_stopping() -> bool:
    return _Stop.asked


def in_time(waiting: list[T], *, ends_at: float) -> Iterator[T]:
    """What waits, each taken off the list, until the time (monotonic) is up or we are asked to stop."""
    while waiting and clock.monotonic() < ends_at and not _Stop.asked:
        yield waiting.pop()


def pause(seconds: float) -> None:
    """Sleep, unless we are asked to stop."""
    until = clock.monotonic() + seconds
    while not _Stop.asked and (left := until - clock.monotonic()) > 0:
        time.sleep(min(left, PEEK_SECONDS))


def init_app(app: Flask) -> None:
    app.extensions["firsthand-redis"] = Redis(app.config["REDIS_URL"])


def get_redis() -> Redis:
    redis_: Redis = current_app.extensions["firsthand-redis"]
    return redis_


def enqueue(queue: str) -> bool | None:
    """Ask for one run of the job that a queue is named after; one pending wake-up per queue is enough.

    True when one was added, False when one is pending, None while Redis is away.
    """
    return get_redis().ask(lambda client: _push(client, queue))


def _push(client: redis.Redis, queue: str) -> bool:
    if not client.set(_pending(queue), "1", nx=True, ex=PENDING_SECONDS):
        return False
    from rq import Queue  # RQ takes 60 ms to import, and only a wake-up needs it

    Queue(queue, connection=client).enqueue(
        "worker.run_job", queue, job_timeout=JOB_SECONDS, result_ttl=0, failure_ttl=3600, ttl=60
    )
    return True


def taken(queue: str) -> None:
    """The run begins: what becomes ready from now on needs another wake-up."""
    get_redis().ask(lambda client: client.delete(_pending(queue)))


def _pending(queue: str) -> str:
    return f"firsthand:wake:{queue}"


def wake(queue: str) -> None:
    """After the open transaction has committed, wake the workers of `queue`."""
    after_commit(partial(enqueue, queue))
