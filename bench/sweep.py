"""Clocks due per second, end to end: claimed, logged, messages written, advanced; beside bare SQL over the same rows.

`open` clocks stand on a fifth as many escalations; `due` of them have a step that is due: a fifth each of close
(7 days before, to owner and CSM), acknowledge, update and sign of work (75 %, to the owner) and plan (due now: a
breach, to owner and manager).
"""

import resource
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
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


def run(open: int = 1_000_000, due: int = 20_000) -> dict[str, Any]:
    with application() as app:
        tenant_id, _ = new_tenant()
        with superuser(app.config["DATABASE_URL"]) as rows:
            began = time.perf_counter()
            build(rows, tenant_id, open)
            built = time.perf_counter() - began
            floor = measure_floor(rows, tenant_id, due)
            now = clock.real_now()
            make_due(rows, tenant_id, due, now)
        with counted() as statements:
            found = measure(tenant_id, now)
        check(tenant_id, found["fired"], due)
    rate = found["fired"] / found["seconds"]
    return {
        "rate": round(rate),
        "unit": "due steps/s",
        "floor_rate": round(floor),
        "ratio": round(rate / floor, 3),
        "p50_ms": found["p50_ms"],
        "p95_ms": found["p95_ms"],
        "p99_ms": found["p99_ms"],
        "statements": round(len(statements) / found["batches"], 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "data": {"open": open, "due": due, "batch": BATCH, "built_seconds": round(built, 1)},
    }


@contextmanager
def superuser(url: str) -> Iterator[psycopg.Connection]:
    """The embedded cluster's own user, who can put a million rows in without checking each."""
    given = make_url(url)
    connection = psycopg.connect(host=str(given.query["host"]), user="cluster", dbname=given.database, autocommit=True)
    with connection:
        yield connection


@contextmanager
def counted() -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    event.remove(db.engine, "before_cursor_execute", note)


def measure(tenant_id: UUID, now: datetime) -> dict[str, Any]:
    """Every step fell due at `now`: how late each was is when its batch had committed."""
    began, fired, late, batches = time.perf_counter(), 0, [], 0
    more = True
    while more:
        swept = sweep_batch(tenant_id, now)
        late += [time.perf_counter() - began] * swept.fired
        fired, more, batches = fired + swept.fired, swept.more, batches + 1
    seconds = time.perf_counter() - began
    cuts = [round(cut * 1000, 1) for cut in statistics.quantiles(late, n=100)]
    return {
        "fired": fired,
        "seconds": seconds,
        "batches": batches,
        "p50_ms": cuts[49],
        "p95_ms": cuts[94],
        "p99_ms": cuts[98],
    }


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


def check(tenant_id: UUID, fired: int, due: int) -> None:
    """Everything due was fired once, and every message is there."""
    with transaction(tenant=tenant_id):
        lines = db.session.scalar(text("select count(*) from step_log where outcome = 'sent' and step <> 'floor'"))
        messages = db.session.scalar(text("select count(*) from intent where dedupe_key like 'step:%'"))
    assert fired == due, f"{fired} of {due} fired"
    assert lines == messages == due * 7 // 5, f"{lines} lines, {messages} messages"
