"""Clocks due per second, end to end: claimed, logged, messages written, advanced; beside bare SQL over the same rows.

`open` clocks stand on a fifth as many escalations; `due` of them have a step that is due: a fifth each of close
(7 days before, to owner and CSM), acknowledge, update and sign of work (75 %, to the owner) and plan (due now: a
breach, to owner and manager).
"""

import resource
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import event, text
from sqlalchemy.engine import make_url

from app import clock
from app.db import db, transaction
from app.escalations.sweep import BATCH, sweep_batch
from bench.ground import application, new_tenant
from bench.sweep_rows import FLOOR, build, make_due


def run(open: int = 1_000_000, due: int = 20_000, sweepers: int = 2) -> dict[str, Any]:
    with application() as app:
        tenant_id, _ = new_tenant()
        with superuser(app.config["DATABASE_URL"]) as rows:
            began = time.perf_counter()
            build(rows, tenant_id, open)
            built = time.perf_counter() - began
            floor = measure_floor(rows, tenant_id, due)
            alone = measure(rows, tenant_id, due, sweepers=1)
            batches = measure(rows, tenant_id, due, sweepers)
        check(tenant_id, 2 * due)
    rate = due / last_end(batches)
    late = statistics.quantiles([batch.ended for batch in batches for _ in range(batch.fired)], n=100)
    return {
        "rate": round(rate),
        "rate_of_one": round(due / last_end(alone)),
        "unit": "due steps/s",
        "floor_rate": round(floor),
        "ratio": round(rate / floor, 3),
        **{f"p{cut}_ms": round(late[cut - 1] * 1000, 1) for cut in (50, 95, 99)},
        "statements": round(statistics.mean(batch.statements for batch in batches), 1),
        "cpu_us": round(sum(batch.cpu for batch in batches) / due * 1e6),
        "peak_mb": round(max(batch.peak_mb for batch in batches), 1),
        "data": {"open": open, "due": due, "batch": BATCH, "sweepers": sweepers, "built_seconds": round(built, 1)},
    }


@contextmanager
def superuser(url: str) -> Iterator[psycopg.Connection]:
    """The embedded cluster's own user, who can put a million rows in without checking each."""
    given = make_url(url)
    connection = psycopg.connect(host=str(given.query["host"]), user="cluster", dbname=given.database, autocommit=True)
    with connection:
        yield connection


@dataclass(frozen=True)
class Batch:
    """One batch: when it had committed since all its steps fell due, and what it took."""

    fired: int
    ended: float
    statements: int
    cpu: float
    peak_mb: float


def last_end(batches: list[Batch]) -> float:
    return max(batch.ended for batch in batches)


def measure(rows: psycopg.Connection, tenant_id: UUID, due: int, sweepers: int) -> list[Batch]:
    """As many processes as a worker has, started together; every step fell due when they start."""
    now = clock.real_now()
    make_due(rows, tenant_id, due, now)
    with ProcessPoolExecutor(sweepers, get_context("fork")) as pool:
        began = time.perf_counter()
        shares = [pool.submit(sweep_share, tenant_id, now, began) for _ in range(sweepers)]
        batches = [batch for share in shares for batch in share.result()]
    assert sum(batch.fired for batch in batches) == due, f"{sum(batch.fired for batch in batches)} of {due} fired"
    return batches


def sweep_share(tenant_id: UUID, now: datetime, began: float) -> list[Batch]:
    db.session.remove()
    db.engine.dispose(close=False)  # the parent's connections are not ours
    sent = [0]

    def note(*_rest: Any) -> None:
        sent[0] += 1

    event.listen(db.engine, "before_cursor_execute", note)
    batches, more = [], True
    while more:
        sent[0], cpu = 0, time.process_time()
        swept = sweep_batch(tenant_id, now)
        more, peak = swept.more, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        if swept.fired:
            ended = time.perf_counter() - began
            batches.append(Batch(swept.fired, ended, sent[0], time.process_time() - cpu, peak))
    db.engine.dispose()
    return batches


def measure_floor(rows: psycopg.Connection, tenant_id: UUID, due: int) -> float:
    """The same rows by one hand-written statement a batch, as the application's role, in its batch size."""
    now = clock.real_now()
    make_due(rows, tenant_id, due, now)
    began, done, count = time.perf_counter(), 0, 1
    while count:
        with transaction(tenant=tenant_id):
            count = int(db.session.scalar(text(FLOOR), {"tenant": tenant_id, "now": now, "limit": BATCH}) or 0)
        done += count
    seconds = time.perf_counter() - began
    assert done == due, f"the floor moved {done} of {due}"
    return due / seconds


def check(tenant_id: UUID, fired: int) -> None:
    """Each step that fired has its lines, and each line its message: seven for five steps."""
    with transaction(tenant=tenant_id):
        lines = db.session.scalar(text("select count(*) from step_log where outcome = 'sent' and step <> 'floor'"))
        messages = db.session.scalar(text("select count(*) from intent where dedupe_key like 'step:%'"))
    assert lines == messages == fired * 7 // 5, f"{lines} lines, {messages} messages for {fired} steps"
