"""Imports that end early: the error is told, the record says so, and one whose process died is closed."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from app import clock
from app.accounts.models import Account
from app.auth.actor import SYSTEM
from app.config import Settings
from app.db import db, transaction
from app.operations.imports import kinds, runner
from app.operations.imports.errors import ImportEnded
from app.operations.imports.jobs import SILENCE, end_abandoned
from app.operations.imports.runner import run_import
from app.operations.models import Import
from tests.conftest import ApiClient, TestTenant
from tests.operations.test_supervisor import wait_until

ROOT = Path(__file__).resolve().parents[2]
PART = 1 << 16  # as much as is read from a stream at once


class Parts(io.RawIOBase):
    """A stream of two parts of the file, with something that happens in between."""

    def __init__(self, between: Callable[[], object]) -> None:
        self.steps = [(self._part(0), None), (self._part(1), between)]

    @staticmethod
    def _part(number: int) -> bytes:
        rows = "".join(f"{number}-{n},{'x' * 100}\n" for n in range(PART // 107))
        return (("external_id,name\n" if number == 0 else "") + rows).encode()

    def read(self, size: int = -1, /) -> bytes:
        if not self.steps:
            return b""
        part, first = self.steps.pop(0)
        if first:
            first()
        return part


def load(between: Callable[[], object]) -> None:
    kind = kinds.kind_of("accounts")
    assert kind is not None
    run_import(kind, Parts(between), ndjson=False, actor=SYSTEM, limit=1 << 30)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "CHUNK", 100)


def record() -> Import:
    with transaction():
        return db.session.scalars(select(Import)).one()


def landed() -> int:
    with transaction():
        return db.session.scalar(select(func.count()).select_from(Account)) or 0


def test_a_fault_of_the_program_is_logged_raised_and_noted_in_the_record(tenant: TestTenant) -> None:
    def break_down() -> None:
        raise OSError("the disk is gone")

    with capture_logs() as logs, pytest.raises(OSError, match="the disk is gone"):
        load(break_down)
    found = record()
    assert (found.state, found.failure, found.created) == ("failed", "ended by OSError", landed())
    assert 0 < found.created < PART // 107
    (told,) = [entry for entry in logs if entry["event"] == "import_failed"]
    assert str(told["exc_info"]) == "the disk is gone"


def test_when_the_record_can_not_be_closed_both_errors_are_told(tenant: TestTenant) -> None:
    def lose_the_record() -> None:
        with transaction() as session:
            session.delete(session.scalars(select(Import)).one())
        raise OSError("the disk is gone")

    with capture_logs() as logs, pytest.raises(OSError, match="the disk is gone") as raised:
        load(lose_the_record)
    assert [entry["event"] for entry in logs] == ["import_failed", "import_failure_not_noted"]
    assert "could not be closed: No row was found" in raised.value.__notes__[0]


def test_an_import_that_was_silent_for_15_minutes_is_closed_and_stops_when_it_wakes(
    tenant: TestTenant, client: ApiClient
) -> None:
    before: list[int] = []

    def sleep_long() -> None:
        end_abandoned(clock.real_now() + SILENCE - timedelta(minutes=1))
        assert record().state == "running"
        end_abandoned(clock.real_now() + SILENCE)
        assert record().state == "failed"
        before.append(landed())

    with pytest.raises(ImportEnded) as refused:
        load(sleep_long)
    assert refused.value.status == 409
    assert landed() == before[0]
    seen = client.get(f"/api/v1/imports/{record().id}").json
    assert (seen["state"], seen["created"]) == ("failed", before[0])
    assert "import the same file again" in seen["failure"]


class Chunks(io.RawIOBase):
    """A body that doesn't say how long it is; `taken` is how much of it was read."""

    def __init__(self) -> None:
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        line = (b"external_id,name\n" if self.taken == 0 else b"A-1,One\n").ljust(1000, b"\n")[: len(buffer)]
        buffer[: len(line)] = line
        self.taken += len(line)
        return len(line)


def test_a_file_over_the_limit_is_answered_413_before_it_is_read_and_without_a_length_as_soon_as_it_passes(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(client.app.config, "MAX_IMPORT_BYTES", 100_000)
    for length, most_taken in (("2147483648", 0), (None, 100_000 + PART)):
        body = Chunks()
        environ = {"CONTENT_LENGTH": length} if length else {"HTTP_TRANSFER_ENCODING": "chunked"}
        answer = client.post(
            "/api/v1/imports/accounts",
            headers={"Content-Type": "text/csv"},
            environ_overrides={"wsgi.input": body, "wsgi.input_terminated": True, **environ},
        )
        assert (answer.status_code, answer.mimetype) == (413, "application/problem+json")
        assert answer.json["detail"].startswith("expected at most 100000 bytes")
        assert body.taken <= most_taken
    assert record().failure == "expected at most 100000 bytes"


KILLED = """
import os, sys
from uuid import UUID
from app import create_app
from app.auth.actor import SYSTEM
from app.db import tenant_scope
from app.operations.imports import kinds
from app.operations.imports.runner import run_import

class Endless:
    def __init__(self):
        self.n = 0
    def read(self, size=-1, /):
        lines = [f"A-{n},Company {n}" for n in range(self.n, self.n + 500)]
        self.n += 500
        return "\\n".join((["external_id,name"] if self.n == 500 else []) + lines + [""]).encode()

app = create_app(doors=False)
with app.app_context(), tenant_scope(UUID(sys.argv[1])):
    run_import(kinds.kind_of("accounts"), Endless(), ndjson=False, actor=SYSTEM, limit=1 << 40)
"""


def test_an_import_whose_process_was_killed_is_closed_and_the_same_file_goes_on_from_there(
    tenant: TestTenant, settings: Settings
) -> None:
    environment: dict[str, Any] = {
        **os.environ,
        "FIRSTHAND_DATABASE_URL": settings.database_url,
        "FIRSTHAND_REDIS_URL": settings.redis_url,
        "FIRSTHAND_SECRET_KEY": settings.secret_key,
    }
    command = [sys.executable, "-c", KILLED, str(tenant.id)]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: landed() >= 2000)
        finally:
            process.send_signal(signal.SIGKILL)
    found = record()
    assert (found.state, found.created) == ("running", landed())
    end_abandoned(clock.real_now() + SILENCE)
    assert record().state == "failed"
    rows = "".join(f"A-{n},Company {n}\n" for n in range(found.created + 10))
    kind = kinds.kind_of("accounts")
    assert kind is not None
    file = io.BytesIO(f"external_id,name\n{rows}".encode())
    report = run_import(kind, file, ndjson=False, actor=SYSTEM, limit=1 << 30)
    assert (report.counts["unchanged"], report.counts["created"]) == (found.created, 10)
