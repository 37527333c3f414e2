"""A workbook of a figure's rows, made as the worker makes it, in a process of its own: seconds, those of them in which
the process was at work, and memory."""

import resource
import time
from datetime import date, timedelta
from multiprocessing import get_context
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from app import clock
from app.auth import service as auth
from app.db import tenant_scope, transaction
from app.reports.exports import making, service
from bench.ground import actor_of, in_context

FIGURE = "raised"


def made(environ: dict[str, str], tenant_id: UUID, user_id: UUID, days: int) -> dict[str, Any]:
    """The rows raised in the last `days` days as XLSX: how many, in how many seconds, at which peak of memory."""
    with TemporaryDirectory() as store, get_context("spawn").Pool(1) as pool:
        kept = {**environ, "FIRSTHAND_ATTACHMENTS_URL": f"file://{store}"}
        result: dict[str, Any] = pool.apply(_make, (kept, tenant_id, user_id, days))
    return result


def _make(environ: dict[str, str], tenant_id: UUID, user_id: UUID, days: int) -> dict[str, Any]:
    with in_context(environ), tenant_scope(tenant_id):
        now = clock.now()
        first: date = (now - timedelta(days=days)).date()
        with transaction():
            reader = actor_of(auth.get_user(user_id))
            asked = {"figure": FIGURE, "from": first.isoformat(), "to": now.date().isoformat()}
            export_id = service.start("rows", "xlsx", asked, actor=reader, now=now).id
        before = _peak_mb()
        began, worked = time.perf_counter(), time.process_time()
        assert making.make_next()
        seconds, worked = time.perf_counter() - began, time.process_time() - worked
        with transaction():
            export = service.get_own(export_id, actor=reader)
            assert export.state == "done", export.failure
            rows = export.rows_done
    taken = {"seconds": round(seconds, 1), "cpu_s": round(worked, 1)}
    return {"rows": rows, **taken, "peak_mb": _peak_mb(), "before_mb": before}


def _peak_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
