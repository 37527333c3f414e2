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
from app.auth import panel_sessions
from app.auth import service as auth
from app.auth.actor import SYSTEM, Actor
from app.auth.models import User
from app.auth.roles import SCOPES_OF
from app.config import load_settings
from app.db import db, transaction
from app.operations import tenants
from app.operations.datadir import hold
from app.operations.embedded import Servers, servers
from app.operations.migrate import upgrade

SECRET = "a secret of benchmarks only, long enough"


@contextmanager
def environment(**settings: str) -> Iterator[dict[str, str]]:
    """Settings of a migrated database: FIRSTHAND_BENCH_DATABASE_URL if that is set, else embedded servers."""
    with ExitStack() as stack:
        environ = {"FIRSTHAND_SECRET_KEY": SECRET, "FIRSTHAND_LOG_LEVEL": "warning", **settings}
        if given := os.environ.get("FIRSTHAND_BENCH_DATABASE_URL"):
            environ |= {"FIRSTHAND_DATABASE_URL": given, "FIRSTHAND_REDIS_URL": "redis://127.0.0.1:1/0"}
        else:
            environ |= urls(own_servers(stack))
        upgrade(load_settings(environ))
        yield environ


@contextmanager
def in_context(environ: dict[str, str], *, doors: bool = False) -> Iterator[Flask]:
    """The application of these settings, in context; with `doors` its routes can be asked."""
    app = create_app(load_settings(environ), doors=doors)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@contextmanager
def application(**settings: str) -> Iterator[Flask]:
    """The application in context, on a database of its own."""
    with environment(**settings) as environ, in_context(environ) as app:
        yield app


def own_servers(stack: ExitStack) -> Servers:
    """Durable servers on a new data folder, both gone when the stack is left."""
    parent = Path(tempfile.mkdtemp(prefix="firsthand-bench-"))
    stack.callback(shutil.rmtree, parent, ignore_errors=True)
    parent.chmod(0o711)
    return stack.enter_context(servers(stack.enter_context(hold(parent / "data"))))


def urls(running: Servers) -> dict[str, str]:
    """The settings that lead to these servers."""
    return {
        "FIRSTHAND_DATABASE_URL": running.database_url or "",
        "FIRSTHAND_REDIS_URL": running.redis_url or "",
    }


@contextmanager
def own_environment(**settings: str) -> Iterator[tuple[Servers, dict[str, str]]]:
    """As `environment`, always on servers of our own, which are given as well."""
    with ExitStack() as stack:
        running = own_servers(stack)
        environ = {"FIRSTHAND_SECRET_KEY": SECRET, "FIRSTHAND_LOG_LEVEL": "warning", **settings, **urls(running)}
        upgrade(load_settings(environ))
        yield running, environ


def new_tenant(name: str = "Bench", *, sandbox: bool = False) -> tuple[UUID, User]:
    """A tenant and its first user, an admin."""
    tenant_id = tenants.set_up(name, sandbox=sandbox)
    with transaction(tenant=tenant_id):
        admin = auth.create_user(
            "admin@example.com", name="Ada Admin", role="admin", actor=SYSTEM, now=clock.real_now()
        )
    return tenant_id, admin


def panel_session(tenant_id: UUID, user_id: UUID) -> str:
    """The bearer of a panel's session that has just begun: one that nobody uses ends within minutes."""
    now = clock.real_now()
    with transaction(tenant=tenant_id):
        launch = panel_sessions.launch(user_id, now=now)
    with transaction(tenant=tenant_id):
        return panel_sessions.redeem(launch, now=now).token


def actor_of(user: User) -> Actor:
    """The user as a service receives them."""
    return Actor(user.id, user.email, user.name, user.role, SCOPES_OF[user.role])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
