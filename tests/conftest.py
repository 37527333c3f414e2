"""Real servers, one migrated database per pytest process, and a fresh tenant for every test.

Tests commit for real and are kept apart by row-level security, as tenants are.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import Context
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url
from werkzeug.test import TestResponse

from app import clock, create_app
from app.auth import service as auth
from app.auth.actor import SYSTEM, Actor
from app.auth.models import User
from app.auth.roles import SCOPES_OF
from app.config import Settings, load_settings
from app.db import db, tenant_scope, transaction
from app.operations import tenants
from app.operations.migrate import upgrade
from tests import NOW
from tests.servers import start_test_servers

__all__ = ["NOW"]
# How long an example takes says what else the machine does, not whether the rule holds.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
SECRET = "a secret that only tests know, long enough"


class ApiClient:
    """Calls the API with a token, each request in a context of its own, as a server would."""

    def __init__(self, app: Flask, token: str | None) -> None:
        self.app = app
        self.token = token

    def open(
        self, method: str, path: str, *, if_match: object = None, key: str | None = None, **options: Any
    ) -> TestResponse:
        headers = dict(options.pop("headers", None) or {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if if_match is not None:
            headers["If-Match"] = if_match if str(if_match).startswith(('"', "W/", "*")) else f'"{if_match}"'
        if key is not None:
            headers["Idempotency-Key"] = key
        options.setdefault("buffered", True)
        return Context().run(self.app.test_client().open, path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.open("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.open("POST", path, **options)

    def put(self, path: str, **options: Any) -> TestResponse:
        return self.open("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> TestResponse:
        return self.open("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.open("DELETE", path, **options)


@dataclass(frozen=True)
class TestTenant:
    """A fresh tenant and its first user: an admin, and so its duty owner."""

    __test__ = False

    id: UUID
    admin: User
    actor: Actor


def actor_of(user: User) -> Actor:
    """The user as a service receives them."""
    return Actor(user.id, user.email, user.name, user.role, SCOPES_OF[user.role])


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Servers of our own, or the PostgreSQL that FIRSTHAND_TEST_DATABASE_URL names (then without Redis)."""
    environ = {"FIRSTHAND_SECRET_KEY": SECRET, "FIRSTHAND_LOG_LEVEL": "warning"}
    environ["FIRSTHAND_ATTACHMENTS_URL"] = tmp_path_factory.mktemp("attachments").as_uri()
    if given := os.environ.get("FIRSTHAND_TEST_DATABASE_URL"):
        environ |= {"FIRSTHAND_DATABASE_URL": given, "FIRSTHAND_REDIS_URL": "redis://127.0.0.1:1/0"}
    else:
        environ |= start_test_servers().environment()
    settings = load_settings(environ)
    upgrade(settings)
    return settings


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    app.testing = True
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def new_tenant(app: Flask) -> Iterator[Callable[..., TestTenant]]:
    """Makes tenants; services and `transaction(tenant=…)` work in the test."""
    with app.app_context():
        yield _make_tenant
        db.session.remove()


def _make_tenant(name: str = "Acme", *, sandbox: bool = False) -> TestTenant:
    tenant_id = tenants.set_up(name, sandbox=sandbox)
    with transaction(tenant=tenant_id):
        admin = auth.create_user(
            "admin@example.com", name="Ada Admin", role="admin", actor=SYSTEM, now=clock.real_now()
        )
    return TestTenant(tenant_id, admin, actor_of(admin))


@pytest.fixture
def tenant(new_tenant: Callable[..., TestTenant]) -> Iterator[TestTenant]:
    """A tenant of this test's own, in scope: `with transaction():` is its."""
    made = new_tenant()
    with tenant_scope(made.id):
        yield made


@pytest.fixture
def make_user(tenant: TestTenant) -> Callable[..., User]:
    """`make_user(role="manager", email=…, manager=another)`: a colleague in the test's tenant."""
    numbers = count(1)

    def make(role: str = "csm", email: str | None = None, *, manager: User | None = None, **fields: Any) -> User:
        email = email or f"{role}{next(numbers)}@example.com"
        fields.setdefault("name", email.partition("@")[0].title())
        if manager is not None:
            fields["manager_email"] = manager.email
        with transaction(tenant=tenant.id):
            return auth.create_user(email, role=role, actor=SYSTEM, now=clock.real_now(), **fields)

    return make


@pytest.fixture
def token_for(tenant: TestTenant) -> Callable[..., str]:
    """A plain token of a user; `scopes` and `expires_at` as in the service."""

    def token(user: User, **options: Any) -> str:
        options.setdefault("name", "test")
        with transaction(tenant=tenant.id):
            return auth.create_token(user, now=clock.real_now(), **options)[1]

    return token


@pytest.fixture
def as_user(app: Flask, token_for: Callable[..., str]) -> Callable[..., ApiClient]:
    """A client that calls as this user."""
    return lambda user, **options: ApiClient(app, token_for(user, **options))


@pytest.fixture
def client(tenant: TestTenant, as_user: Callable[..., ApiClient]) -> ApiClient:
    """A client that calls as the tenant's admin."""
    return as_user(tenant.admin)


@pytest.fixture
def statements(app: Flask) -> Callable[[], AbstractContextManager[list[str]]]:
    """`with statements() as sent:` lists every SQL statement sent meanwhile."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        sent: list[str] = []

        def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
            sent.append(statement)

        with app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return counting


@pytest.fixture
def as_superuser(settings: Settings) -> Callable[[str], None]:
    """Runs a statement as the cluster's own user, whom no policy holds back."""

    def run(statement: str) -> None:
        engine = create_engine(settings.migration_url)
        with engine.connect() as connection:
            superuser = connection.scalar(text("select rolname from pg_roles where rolsuper limit 1"))
        engine.dispose()
        engine = create_engine(make_url(settings.database_url).set(username=superuser))
        with engine.begin() as connection:
            connection.execute(text(statement))
        engine.dispose()

    return run
