"""Somebody before a panel: a client that carries a panel session, as the panel's own script does."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app import clock
from app.auth import panel_sessions
from app.auth.models import User
from app.db import transaction
from tests.conftest import ApiClient, TestTenant

OpenPanel = Callable[..., "Panel"]


class Panel:
    """A panel of one person. `get` and `post` take the panel's paths, such as `/accounts/…`; forms are dicts."""

    def __init__(self, app: Flask, token: str) -> None:
        self.token = token
        self.client = ApiClient(app, token)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(f"/panel{path}", **options)

    def post(self, path: str, form: Any = None, **options: Any) -> TestResponse:
        return self.client.post(f"/panel{path}", data=form or {}, **options)


@pytest.fixture
def launch(app: Flask, tenant: TestTenant) -> Callable[..., str]:
    """A launch token of the tenant's user."""

    def make(user: User, **options: Any) -> str:
        with transaction(tenant=tenant.id):
            return panel_sessions.launch(user.id, now=options.pop("now", clock.real_now()), **options)

    return make


@pytest.fixture
def panel(app: Flask, launch: Callable[..., str]) -> OpenPanel:
    """`panel(user)` opens a panel for this user."""

    def open_for(user: User, **options: Any) -> Panel:
        begun = ApiClient(app, None).post("/panel/session", data={"launch": launch(user, **options)})
        assert begun.status_code == 200, begun.text
        return Panel(app, begun.json["token"])

    return open_for
