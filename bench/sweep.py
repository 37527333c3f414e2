"""Clocks due per second, end to end: claimed, logged, messages written, advanced; beside bare SQL over the same rows.

`open` clocks stand on a fifth as many escalations; `due` of them have a step that is due: a fifth each of close
(7 days before, to owner and CSM), acknowledge, update and sign of work (75 %, to the owner) and plan (due now: a
breach, to owner and manager).
"""

import resource
import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import event, text

from app import clock
from app.db import db, transaction
from app.escalations.sweep import BATCH, sweep_batch
from bench.crew import Crew
from bench.ground import environment, in_context, new_tenant
from bench.loading import superuser
from bench.sweep_rows import FLOOR, build, make_due

PATIENCE_SECONDS = 60.0


def run(
    open: int = 1_000_000, due: int = 20_000, sweepers: int = 2, late: int = 1_000, over: float = 60.0
) -> dict[str, Any]:
    """`late` steps fall due over `over` seconds under a real worker at the default interval."""
    with environment() as environ, in_context(environ) as app:
        tenant_id, _ = new_tenant()
        with superuser(app.config["DATABASE_URL"]) as rows:
            began = time.perf_counter()
            build(rows, tenant_id, open)
            built = time.perf_counter() - began
            floor = measure_floor(rows, tenant_id, due)
            alone = measure(rows, tenant_id, due, sweepers=1)
            together = measure(rows, tenant_id, due, sweepers)
            lateness = measure_lateness(rows, tenant_id, late, over, environ)
        check(tenant_id, 2 * due + late)
    rate = due / last_end(alone)
    ended = statistics.quantiles([batch.ended for batch in alone for _ in range(batch.fired)], n=100)
    return {
        "rate": round(rate),
        "unit": "due steps/s, one worker",
        "floor_rate": round(floor),
        "ratio": round(rate / floor, 3),
        "two_workers_rate": round(due / last_end(together)),
        **{f"p{cut}_ms": round(ended[cut - 1] * 1000, 1) for cut in (50, 95, 99)},
        **{f"late_p{cut}_s": round(lateness[cut - 1], 2) for cut in (50, 95, 99)},
        "statements_per_step": round(sum(batch.statements for batch in alone) / due, 4),
        "cpu_us": round(sum(batch.cpu for batch in alone) / due * 1e6),
        "peak_mb": round(max(batch.peak_mb for batch in alone), 1),
        "data": {
            "open": open,
            "due": due,
            "batch": BATCH,
            "sweepers": sweepers,
            "late": late,
            "late_over_seconds": over,
            "built_seconds": round(built, 1),
        },
    }


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
    now = make_due(rows, tenant_id, due)
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
    now = make_due(rows, tenant_id, due)
    began, done, count = time.perf_counter(), 0, 1
    while count:
        with transaction(tenant=tenant_id):
            count = int(db.session.scalar(text(FLOOR), {"tenant": tenant_id, "now": now, "limit": BATCH}) or 0)
        done += count
    seconds = time.perf_counter() - began
    assert done == due, f"the floor moved {done} of {due}"
    return due / seconds


BOTH_BEAT = "select count(distinct kind) from heartbeat where beat_at > now() - interval '30 seconds'"
LATE = """
select extract(epoch from fired_at - at)::float from step_log
where tenant_id = %(tenant)s and at >= %(since)s and outcome = 'sent'
"""


def measure_lateness(
    rows: psycopg.Connection, tenant_id: UUID, due: int, over: float, environ: Mapping[str, str]
) -> list[float]:
    """How many seconds after its moment each step fired, in hundredths of all, with one `worker.py` as it comes."""
    with Crew(environ):
        wait(lambda: ask(rows, BOTH_BEAT) == 2, "the worker does not beat")
        since = make_due(rows, tenant_id, due, after_seconds=1, over_seconds=over)
        ends_at = clock.monotonic() + 1 + over
        time.sleep(max(0.0, ends_at - clock.monotonic()))
        wait(lambda: len(fired(rows, tenant_id, since)) >= due * 7 // 5, "steps are left")
    return statistics.quantiles(fired(rows, tenant_id, since), n=100)


def fired(rows: psycopg.Connection, tenant_id: UUID, since: datetime) -> list[float]:
    return [row[0] for row in rows.execute(LATE.encode(), {"tenant": tenant_id, "since": since}).fetchall()]


def ask(rows: psycopg.Connection, question: str) -> Any:
    found = rows.execute(question.encode()).fetchone()
    return found[0] if found else None


def wait(holds: Callable[[], bool], otherwise: str) -> None:
    until = clock.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert clock.monotonic() < until, otherwise
        time.sleep(0.1)


def check(tenant_id: UUID, fired: int) -> None:
    """Each step that fired has its lines, and each line its message: seven for five steps."""
    with transaction(tenant=tenant_id):
        lines = db.session.scalar(text("select count(*) from step_log where outcome = 'sent' and step <> 'floor'"))
        messages = db.session.scalar(text("select count(*) from intent where dedupe_key like 'step:%'"))
    assert lines == messages == fired * 7 // 5, f"{lines} lines, {messages} messages for {fired} steps"
