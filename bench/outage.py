"""Redis taken away under load: raises by HTTP and reminders that fall due go on; nothing waits, is lost or is twice.

Real web processes, a real worker, a real mail server. Phases of load before, while Redis is away, and after it came
back; each case raised before has one reminder, and these fall due one after the other all through what follows.
`rate` is raises per second while it is away, the floor those before it. Lateness is from the moment a reminder was
due to the moment its step fired; a worker without Redis looks every FIRSTHAND_SWEEP_SECONDS (5).
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app import clock
from app.auth import service as auth
from app.db import transaction
from app.operations import heartbeats
from app.operations.datadir import hold
from app.operations.embedded import servers
from app.operations.run import ROOT
from bench.book import fill, new_body
from bench.deliver import receiver
from bench.ground import environment, free_port, in_context, new_tenant
from bench.load import measure, percentile
from bench.web import serving

PATH = "/api/v1/escalations"
UNLIMITED = {"FIRSTHAND_TOKEN_RATE": "10000000", "FIRSTHAND_TENANT_RATE": "100000000"}
ACCOUNTS = 200
CREATED = "201"
AFTER_SECONDS = 15.0
PATIENCE_SECONDS = 120.0

# The reminder at three quarters of each acknowledgement's time, one after the other over the seconds to come.
LET_FALL_DUE = text(
    """
    with chosen as (
        select id, :now + :seconds * interval '1 second' * row_number() over (order by id) / count(*) over () as at
        from clock where kind = 'acknowledge' and state = 'running'
    )
    update clock c set next_step = 0, next_repeat = 0, next_step_at = d.at, not_before = :now - interval '1 day',
        due_at = d.at + interval '1 hour', original_due_at = d.at + interval '1 hour'
    from chosen d where c.id = d.id returning c.id
    """
)
LEFT = text(
    """
    select (select count(*) from clock where kind = 'acknowledge' and next_step_at <= :now)
         + (select count(*) from intent where state = 'pending' and hold_until <= :now)
    """
)
REMINDERS = text(
    """
    select l.clock_id, extract(epoch from l.recorded_at - l.at)::float as late, i.state
    from step_log l left join intent i on i.dedupe_key = 'step:' || l.id
    where l.kind = 'acknowledge' and l.outcome = 'sent' and l.clock_id = any(:clocks)
    """
)
COUNTS = text(
    """
    select (select count(*) from escalation) as escalations,
           (select count(distinct escalation_id) from clock where kind = 'close') as with_clocks,
           (select count(*) from intent where state = 'sent' and channel = 'email') as mails_sent,
           (select count(*) from intent where state <> 'sent' and state <> 'suppressed') as messages_left
    """
)


def run(seconds: float = 60.0, clients: int = 2, before: float = 10.0) -> dict[str, Any]:
    port = free_port()
    with ExitStack() as stack:
        mails = stack.enter_context(receiver(port))
        environ = stack.enter_context(environment(**UNLIMITED, FIRSTHAND_SMTP_URL=f"smtp://127.0.0.1:{port}"))
        folder = stack.enter_context(_folder())
        stack.enter_context(in_context(environ))
        tenant_id, token = _new_book()
        load = {"method": "POST", "path": PATH, "clients": clients, "headers": {"Authorization": f"Bearer {token}"}}
        load["bodies"] = [new_body(n, ACCOUNTS) for n in range(500)]
        with ExitStack() as running:
            with servers(folder, postgres=False) as queue:
                environ = {**environ, "FIRSTHAND_REDIS_URL": queue.redis_url or ""}
                load["port"] = running.enter_context(serving(environ))
                running.enter_context(_working(environ))
                phases = {"before": measure(**load, seconds=before)}
                due = _let_fall_due(tenant_id, seconds + AFTER_SECONDS)
            began = time.perf_counter()  # Redis has ended
            phases["away"] = measure(**load, seconds=seconds)
            away_seconds = time.perf_counter() - began
            with servers(folder, postgres=False):
                phases["after"] = measure(**load, seconds=AFTER_SECONDS)
                _wait_until(lambda: _is_done(tenant_id), "every reminder and message")
        found = {**_check(tenant_id, phases, due), "away_seconds": round(away_seconds, 1)}
        sent = found.pop("mails_sent")
    assert mails[0] == sent, f"{mails[0]} mails arrived, {sent} were sent"
    return {**_figures(phases), **found, "mails": sent, "data": {"clients": clients, "accounts": ACCOUNTS}}


@contextmanager
def _folder() -> Iterator[Path]:
    """A data folder for Redis alone, so that it can go and come back at the same address."""
    parent = Path(tempfile.mkdtemp(prefix="firsthand-outage-"))
    parent.chmod(0o711)
    try:
        with hold(parent / "data") as folder:
            yield folder
    finally:
        shutil.rmtree(parent, ignore_errors=True)


def _new_book() -> tuple[UUID, str]:
    tenant_id, admin = new_tenant()
    fill(tenant_id, admin, count=ACCOUNTS)
    with transaction(tenant=tenant_id):
        return tenant_id, auth.create_token(admin, name="bench", now=clock.real_now())[1]


@contextmanager
def _working(environ: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "worker.py")], env={**os.environ, **environ, "FIRSTHAND_LOG_LEVEL": "error"}
    )
    try:
        _wait_until(lambda: {row.kind for row in heartbeats.list_ages()} == {"timer", "worker"}, "the worker to beat")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, "the worker did not stop cleanly"


def _let_fall_due(tenant_id: UUID, seconds: float) -> list[UUID]:
    with transaction(tenant=tenant_id) as session:
        return list(session.scalars(LET_FALL_DUE, {"now": clock.real_now(), "seconds": seconds}))


def _is_done(tenant_id: UUID) -> bool:
    with transaction(tenant=tenant_id) as session:
        return not session.scalar(LEFT, {"now": clock.real_now()})


def _wait_until(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, f"waited too long for {what}"
        time.sleep(0.5)


def _check(tenant_id: UUID, phases: dict[str, Any], due: list[UUID]) -> dict[str, Any]:
    """Every raise answered with 201 and stored once; every reminder fired once, each with its message sent."""
    for name, phase in phases.items():
        assert set(phase["statuses"]) == {CREATED}, (name, phase["statuses"])
    with transaction(tenant=tenant_id) as session:
        fired = session.execute(REMINDERS, {"clocks": due}).all()
        counts = dict(session.execute(COUNTS).one()._mapping)
    raised = sum(phase["count"] for phase in phases.values())
    clocks = [row.clock_id for row in fired]
    assert counts["escalations"] == counts["with_clocks"] == raised, (counts, raised)
    assert sorted(clocks) == sorted(due), f"{len(due)} were due, {len(clocks)} fired, {len(set(clocks))} of them apart"
    assert {row.state for row in fired} == {"sent"}
    assert counts["messages_left"] == 0, counts
    late = [row.late for row in fired]
    reminders = {"due": len(due), "fired": len(clocks), "late_p50_s": percentile(late, 0.5)}
    reminders |= {"late_p99_s": percentile(late, 0.99), "late_max_s": round(max(late), 2)}
    return {"raised": raised, "reminders": reminders, "mails_sent": counts["mails_sent"]}


def _figures(phases: dict[str, Any]) -> dict[str, Any]:
    rates = {name: phase["count"] / phase["seconds"] for name, phase in phases.items()}
    waits = {
        name: {f"p{share}_ms": percentile(phase["latencies"], share / 100) for share in (50, 95, 99)}
        | {"max_ms": round(max(phase["latencies"]), 1), "count": phase["count"]}
        for name, phase in phases.items()
    }
    return {
        "rate": round(rates["away"], 1),
        "unit": "escalations/s",
        "floor_rate": round(rates["before"], 1),
        "ratio": round(rates["away"] / rates["before"], 3),
        **{name: waits["away"][name] for name in ("p50_ms", "p95_ms", "p99_ms")},
        "phases": waits,
    }
