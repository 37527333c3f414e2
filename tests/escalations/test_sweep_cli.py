"""`firsthand sweep`: fires what is due; dry, it only says what would be and to whom."""

from collections.abc import Callable
from contextvars import Context
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.config import Settings
from app.operations.cli import cli
from tests.conftest import TestTenant
from tests.escalations.due_rows import DUE, counts, make_due

Command = Callable[..., Result]


@pytest.fixture
def command(settings: Settings, tenant: TestTenant) -> Command:
    environ: dict[str, Any] = {
        "FIRSTHAND_DATABASE_URL": settings.database_url,
        "FIRSTHAND_REDIS_URL": settings.redis_url,
        "FIRSTHAND_SECRET_KEY": settings.secret_key,
        "FIRSTHAND_LOG_LEVEL": "error",
    }
    return lambda *words: Context().run(
        CliRunner().invoke, cli, ["sweep", "--tenant", str(tenant.id), *words], env=environ
    )


def test_dry_it_lists_what_would_fire_until_then_and_stores_nothing(tenant: TestTenant, command: Command) -> None:
    make_due(tenant, 1, resolved=1)
    before = counts()
    shown = command("--dry-run", "--until", DUE.isoformat())
    assert shown.exit_code == 0, shown.output
    lines = [line.split("\t") for line in shown.stdout.splitlines()]
    half, most = DUE - timedelta(minutes=90), DUE - timedelta(minutes=36)
    assert lines[:2] == [
        [half.isoformat(), "ESC-2", "verify", "50%", "notify", tenant.admin.email],
        [most.isoformat(), "ESC-2", "verify", "80%", "notify", tenant.admin.email],
    ]
    assert sorted(lines[2:]) == [
        *[[DUE.isoformat(), "ESC-1", "task", "75%", "notify", tenant.admin.email]] * 5,
        [DUE.isoformat(), "ESC-2", "verify", "0", "close", "-"],
    ]
    assert "8 steps would fire; nothing was stored" in shown.stderr
    assert counts() == before


def test_without_dry_it_fires_what_is_due_by_the_tenants_time(tenant: TestTenant, command: Command) -> None:
    make_due(tenant, 1)
    fired = command()
    assert fired.exit_code == 0, fired.output
    assert counts()["still_due"] == 0
    assert command().stderr.strip() == "0 steps fired"


def test_a_time_without_offset_and_an_until_without_dry_run_are_refused(command: Command) -> None:
    naive = command("--dry-run", "--until", "2026-12-21T17:00:00")
    assert (naive.exit_code, "without offset" in naive.stderr) == (2, True)
    assert command("--until", DUE.isoformat()).exit_code == 2
