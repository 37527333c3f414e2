"""A mail server, and messages in the outbox."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app import clock
from app.auth.models import User
from app.db import db, transaction
from app.notifications import service
from app.notifications.jobs import deliver_tenant
from app.notifications.models import Intent
from app.rows import insert_all
from tests.conftest import TestTenant
from tests.notifications.receiver import Receiver


@pytest.fixture
def receiver(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A real mail server that the application is set to use."""
    receiver = Receiver()
    receiver.start()
    monkeypatch.setitem(app.config, "SMTP_URL", receiver.url)
    monkeypatch.setitem(app.config, "MAIL_FROM", "Firsthand <escalations@firsthand.example>")
    yield receiver
    receiver.stop()


class Outbox:
    """The test tenant's outbox."""

    def __init__(self, tenant: TestTenant) -> None:
        self.tenant = tenant
        self.numbers = count(1)

    def post(self, user: User | None = None, **fields: Any) -> Intent:
        number = next(self.numbers)
        now = clock.real_now()
        defaults = {
            "kind": "reminder",
            "subject": f"Message {number}",
            "body": "Globex waits for an answer.",
            "dedupe_key": f"key {number}",
            "at": now,
            "now": now,
        }
        row = service.intent(user=user or self.tenant.admin, **{**defaults, **fields})
        with transaction(tenant=self.tenant.id):
            insert_all([row])
        return row

    def deliver(self) -> int:
        return deliver_tenant(self.tenant.id)

    def read(self, intent: Intent) -> Intent:
        with transaction(tenant=self.tenant.id):
            return db.session.scalars(select(Intent).where(Intent.id == intent.id)).one()

    def states(self) -> list[str]:
        with transaction(tenant=self.tenant.id):
            return list(db.session.scalars(select(Intent.state).order_by(Intent.id)))

    def set(self, intent: Intent, **values: Any) -> None:
        with transaction(tenant=self.tenant.id):
            db.session.execute(update(Intent).where(Intent.id == intent.id).values(**values))

    def pass_time(self, intent: Intent, duration: timedelta) -> None:
        """As if `duration` of machine time had passed for this message."""
        kept = self.read(intent)

        def moved(moment: datetime | None) -> datetime | None:
            return moment - duration if moment else None

        self.set(
            intent,
            retry_at=moved(kept.retry_at),
            leased_until=moved(kept.leased_until),
            failing_since=moved(kept.failing_since),
        )


@pytest.fixture
def outbox(tenant: TestTenant) -> Outbox:
    return Outbox(tenant)


@pytest.fixture
def colleague(make_user: Callable[..., User]) -> User:
    return make_user(role="csm", email="carl@example.com", name="Carl")
