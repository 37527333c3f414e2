"""A real Chromium before a real server, and a page of another site that embeds the panel as a CRM does."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Browser, Frame, Page, sync_playwright
from werkzeug.serving import make_server

from app import clock
from app.auth import panel_sessions
from app.auth.models import Tenant, User
from app.db import db, transaction
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PLACES = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str:
    """The system's own; where FIRSTHAND_BROWSER_TESTS is `required` its absence is a failure, elsewhere a reason to
    skip."""
    found = os.environ.get("FIRSTHAND_CHROMIUM") or next(filter(None, map(shutil.which, PLACES)), None)
    if found is None:
        told = "needs Chromium (Debian and Ubuntu: apt install chromium), or FIRSTHAND_CHROMIUM naming one"
        if os.environ.get("FIRSTHAND_BROWSER_TESTS") == "required":
            pytest.fail(told)
        pytest.skip(told)
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(app: Flask) -> Iterator[str]:
    """The application on a free port; its address."""
    listening = make_server("127.0.0.1", 0, app, threaded=True)
    Thread(target=listening.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    listening.server_close()


class Crm:
    """Another site, whose pages hold what a test gives them."""

    def __init__(self) -> None:
        pages = self.pages = {}  # type: dict[str, str]

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(pages.get(self.path, "").encode())

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://localhost:{self.server.server_port}"
        Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture(scope="session")
def crm() -> Iterator[Crm]:
    crm = Crm()
    yield crm
    crm.server.shutdown()
    crm.server.server_close()


@dataclass
class Opened:
    """The panel as somebody sees it: `page` the browser's, `frame` the panel's own, `faults` what it complained of."""

    page: Page
    frame: Frame
    faults: list[str]

    def go(self, path: str) -> None:
        """Open one of the panel's pages by its address and wait until it stands."""
        with self.page.expect_response(lambda answer: answer.url.endswith(f"/panel{path}")):
            self.frame.evaluate("path => { location.hash = path }", path)
        self.settle()

    def settle(self) -> None:
        """Until nothing is under way."""
        self.frame.wait_for_selector("#page:not([aria-busy]) main")
        self.frame.locator(".htmx-request, .htmx-swapping, .htmx-settling").first.wait_for(state="detached")


Open = Callable[..., Opened]


@pytest.fixture
def open_panel(browser: Browser, server: str, crm: Crm, tenant: TestTenant) -> Iterator[Open]:
    """`open_panel(user, path=…)` in a tab; `framed=True` in another site's page, with `sandbox` as that page says.

    A test that ends with complaints in the console has failed.
    """
    opened: list[Opened] = []

    def open_for(
        user: User,
        path: str = "/mine",
        *,
        width: int = 1280,
        scheme: str = "light",
        framed: bool = False,
        sandbox: str | None = None,
        language: str = "en-GB",
        script: str = "",
    ) -> Opened:
        origin = crm.address if framed else None
        allow_origin(tenant.id, crm.address)
        with transaction(tenant=tenant.id):
            launch = panel_sessions.launch(user.id, path=path, origin=origin, now=clock.real_now())
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, locale=language, timezone_id="Europe/Berlin"
        )
        page = context.new_page()
        faults: list[str] = []
        page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        address = f"{server}/panel/t/{tenant.id}#t={launch}"
        if framed:
            limits = "" if sandbox is None else f' sandbox="{sandbox}"'
            style = "border:0;width:100%;height:860px"
            embedded = f'<iframe style="{style}" src="{address}"{limits}></iframe>'
            crm.pages["/record"] = f"<title>CRM</title><style>body{{margin:0}}</style>{embedded}{script}"
            page.goto(f"{crm.address}/record")
            frame = page.frames[1]
        else:
            page.goto(address)
            frame = page.main_frame
        opened.append(Opened(page, frame, faults))
        opened[-1].settle()
        return opened[-1]

    yield open_for
    complaints = [fault for one in opened for fault in one.faults]
    for one in opened:
        one.page.context.close()
    assert complaints == [], "\n".join(complaints)


def allow_origin(tenant_id: UUID, origin: str) -> None:
    with transaction(tenant=tenant_id):
        row = db.session.get(Tenant, tenant_id)
        assert row is not None
        row.settings = {**row.settings, "embed_origins": [origin]}


@pytest.fixture
def account(client: ApiClient, company: Company) -> str:
    """Under the built-in playbook: with questions, required tasks, exit criteria and drafts."""
    adopted = client.post("/api/v1/built-in-playbooks/customer_success/adopt", json={"publish": True})
    assert adopted.status_code == 201, adopted.text
    return company.account_id
