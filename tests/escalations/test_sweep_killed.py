"""Nothing lost, nothing twice: sweepers killed at random moments, and several at once. Real processes."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from app.config import Settings
from app.db import db, transaction
from app.escalations import seals
from app.escalations.models import Escalation
from app.escalations.sweep import sweep_tenant
from tests.conftest import TestTenant
from tests.escalations.due_rows import DUE, counts, expected, make_due

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0
KILLS = 20


class Sweepers:
    """Starts sweeping processes and kills them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def start(self) -> int:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    @staticmethod
    def kill(pid: int) -> bool:
        """SIGKILL; False if it had ended by itself."""
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    @staticmethod
    def wait(pid: int) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while Path(f"/proc/{pid}").exists():
            assert time.monotonic() < until, "a sweeper does not end"
            time.sleep(0.01)


@pytest.fixture
def sweepers(settings: Settings) -> Callable[..., object]:
    environ = {
        **os.environ,
        "FIRSTHAND_DATABASE_URL": settings.database_url,
        "FIRSTHAND_REDIS_URL": settings.redis_url,
        "FIRSTHAND_SECRET_KEY": settings.secret_key,
        "FIRSTHAND_LOG_LEVEL": "error",
    }

    @contextmanager
    def running(tenant: TestTenant, *, limit: int, program: str = "sweeper", at: datetime = DUE) -> Iterator[Sweepers]:
        module = f"tests.escalations.{program}"
        command = [sys.executable, "-m", module, str(tenant.id), at.isoformat(), str(limit)]
        with subprocess.Popen(
            command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield Sweepers(process)
            assert process.stdin
            process.stdin.close()

    return running


def test_killed_twenty_times_in_five_thousand_due_steps_nothing_is_lost_and_nothing_twice(
    tenant: TestTenant, sweepers: Callable[..., object]
) -> None:
    make_due(tenant, 1_000, resolved=40)
    chance = random.Random(20)
    killed_at = []
    with sweepers(tenant, limit=50) as started:  # type: ignore[attr-defined]
        for _ in range(KILLS):
            pid = started.start()
            time.sleep(chance.uniform(0.02, 0.12))
            if started.kill(pid):
                started.wait(pid)
                killed_at.append(counts()["still_due"])
    assert len(killed_at) >= KILLS // 2, "too few were still sweeping when they were killed"
    assert sorted(killed_at, reverse=True) == killed_at  # what was done stayed done
    sweep_tenant(tenant.id, now=DUE)
    assert counts() == expected(1_000, resolved=40)
    with transaction():
        closed = db.session.scalars(select(Escalation).where(Escalation.status == "closed")).all()
        assert all(seals.verify(record)["intact"] for record in closed)


def test_three_sweepers_at_once_share_the_work_and_do_nothing_twice(
    tenant: TestTenant, sweepers: Callable[..., object]
) -> None:
    make_due(tenant, 200, resolved=20)
    with sweepers(tenant, limit=20) as started:  # type: ignore[attr-defined]
        pids = [started.start() for _ in range(3)]
        for pid in pids:
            started.wait(pid)
    sweep_tenant(tenant.id, now=DUE)
    assert counts() == expected(200, resolved=20)
