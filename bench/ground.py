"""What benchmarks stand on: the application on servers of its own, durable as in production, and fresh tenants."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID

from flask import Flask

from app import clock, create_app
from app.auth import service as auth
from app.auth.actor import SYSTEM
from app.auth.models import User
from app.config import load_settings
from app.db import db, transaction
from app.operations import tenants
from app.operations.datadir import hold
from app.operations.embedded import servers
from app.operations.migrate import upgrade

SECRET = "a secret of benchmarks only, long enough"


@contextmanager
def application(**settings: str) -> Iterator[Flask]:
    """The application in context, on FIRSTHAND_BENCH_DATABASE_URL if that is set, else on embedded servers."""
    with ExitStack() as stack:
        environ = {"FIRSTHAND_SECRET_KEY": SECRET, "FIRSTHAND_LOG_LEVEL": "warning", **settings}
        if given := os.environ.get("FIRSTHAND_BENCH_DATABASE_URL"):
            environ |= {"FIRSTHAND_DATABASE_URL": given, "FIRSTHAND_REDIS_URL": "redis://127.0.0.1:1/0"}
        else:
            environ |= _embedded(stack)
        loaded = load_settings(environ)
        upgrade(loaded)
        app = create_app(loaded)
        stack.enter_context(app.app_context())
        yield app
        db.session.remove()
        db.engine.dispose()


def _embedded(stack: ExitStack) -> dict[str, str]:
    parent = Path(tempfile.mkdtemp(prefix="firsthand-bench-"))
    stack.callback(shutil.rmtree, parent, ignore_errors=True)
    parent.chmod(0o711)
    running = stack.enter_context(servers(stack.enter_context(hold(parent / "data"))))
    return {
        "FIRSTHAND_DATABASE_URL": running.database_url or "",
        "FIRSTHAND_REDIS_URL": running.redis_url or "",
    }


def new_tenant(name: str = "Bench", *, sandbox: bool = False) -> tuple[UUID, User]:
    """A tenant and its first user, an admin."""
    tenant_id = tenants.set_up(name, sandbox=sandbox)
    with transaction(tenant=tenant_id):
        admin = auth.create_user(
            "admin@example.com", name="Ada Admin", role="admin", actor=SYSTEM, now=clock.real_now()
        )
    return tenant_id, admin


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
