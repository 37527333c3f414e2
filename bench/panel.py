"""The panel's account page and My work, and the list of cases, among very many: how long each takes at the server.

The cases lie over three years; those of the last 25 days are open, each with the clocks of a real one, and are spread
evenly over people and accounts. One client asks at a time, for another account each time. The floor reads one row by
its key in a bare Flask application. `weight_kb` is what a browser loads for the account page, everything in it, as
sent. Where Chromium is there, `paint_ms` is its first contentful paint, `whole_ms` its largest, and `layout_shift` the
sum of what moved, medians over some openings.
"""

import gzip
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import Context
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID

import psycopg
from flask import Flask, current_app
from sqlalchemy import event, select, text

from app import clock
from app.auth import panel_sessions
from app.auth import service as auth
from app.auth.actor import SYSTEM
from app.auth.models import User
from app.db import db, transaction
from app.escalations import service as escalations
from app.escalations.case import Act
from app.escalations.demand import NewEscalation
from app.escalations.models import Escalation
from app.panels import shell
from app.sla.models import Clock
from bench import floors, past
from bench.book import CRM, REASONS, fill
from bench.ground import environment, in_context, new_tenant, panel_session
from bench.load import measure, percentile
from bench.loading import loading, superuser, without_indexes
from bench.web import serving

UNLIMITED = {"FIRSTHAND_TOKEN_RATE": "10000000", "FIRSTHAND_TENANT_RATE": "10000000"}
OPEN_DAYS = 25
ASKED = 200
OPENINGS = 7

DIFFERS = {
    "id": "m.id",
    "number": "1000 + m.n",
    "account_id": "m.account_id",
    "owner_id": "m.owner_id",
    "title": "'Case ' || m.n",
    "raised_at": "m.at",
    "recorded_at": "m.at",
    "due_at": "m.at + interval '30 days'",
    "close_target_at": "m.at + interval '30 days'",
    "status": "case when m.at > %(opened)s then 'in_progress' else 'closed' end",
    "outcome": "case when m.at > %(opened)s then null else 'resolved' end",
    "closed_at": "case when m.at > %(opened)s then null else m.at + interval '20 days' end",
}
CLOCK_DIFFERS = {"id": "uuidv7()", "escalation_id": "m.id", "due_at": "c.due_at + (m.at - e.raised_at)"}
CASES = past.copying(Escalation, DIFFERS, "from spread m join escalation e on e.id = m.source", alias="e")
CLOCKS = past.copying(
    Clock,
    CLOCK_DIFFERS,
    "from spread m join escalation e on e.id = m.source join clock c on c.escalation_id = e.id where m.at > %(opened)s",
    alias="c",
)


def run(escalations: int = 1_000_000, accounts: int = 20_000, seconds: float = 5.0) -> dict[str, Any]:
    with environment(**UNLIMITED) as environ:
        with in_context(environ, doors=True) as app:
            tenant_id, ids, person = _fill(escalations, accounts)
            floors.install(db.engine)
            token, api_token = panel_session(tenant_id, person), _api_token(tenant_id, person)
            pages = {"account": [f"/panel/accounts/{id_}" for id_ in ids], "work": ["/panel/mine"]}
            statements = {name: _count(app, paths[0], token) for name, paths in pages.items()}
            weight = _weight(app, tenant_id, pages["account"][0], token)
        with ExitStack() as stack:
            product = stack.enter_context(serving(environ, FIRSTHAND_LOG_LEVEL="info"))
            floor = stack.enter_context(serving(environ, floors.FACTORY))
            bearer, api = ({"Authorization": f"Bearer {one}"} for one in (token, api_token))
            listed = ["/api/v1/escalations?status=live&owner=me&sort=due", "/api/v1/escalations?status=live"]
            found = {name: _take(product, paths, bearer, seconds) for name, paths in pages.items()}
            found["list"] = _take(product, listed, api, seconds)
            found["floor"] = _take(floor, [f"/row/{key}" for key in range(floors.PARENTS)], {}, seconds)
            seen = _look(environ, tenant_id, person, product, pages["account"][0])
    worst = max(("account", "work"), key=lambda name: found[name]["p95_ms"])
    return {
        **found[worst],
        **{f"{name}_{key}": value for name, taken in found.items() for key, value in taken.items()},
        "ratio": round(found["floor"]["p50_ms"] / found[worst]["p50_ms"], 3),
        "statements": statements,
        "weight_kb": weight,
        **seen,
        "data": {"escalations": escalations, "accounts": accounts, "people": past.PEOPLE, "days": past.DAYS},
    }


def _fill(count: int, accounts: int) -> tuple[UUID, list[UUID], UUID]:
    """The tenant, accounts to ask for, and somebody with as much open as anybody."""
    tenant_id, admin = new_tenant()
    fill(tenant_id, admin, count=accounts)
    for n, reason in enumerate(REASONS):
        with transaction(tenant=tenant_id):
            new = NewEscalation(
                account=(CRM, f"A{n}"), title="First", severity=3, reason=reason, raised_by_kind="system"
            )
            escalations.raise_escalation(new, act=Act(actor=SYSTEM, now=clock.now()))
    with superuser(current_app.config["DATABASE_URL"]) as rows:
        _copy(rows, tenant_id, count - len(REASONS), clock.now())
    with transaction(tenant=tenant_id):
        ids = db.session.scalars(text(f"select id from account order by external_id limit {ASKED}")).all()
        person = db.session.scalars(select(User.id).where(User.role == "csm").order_by(User.email)).first()
        assert person
    return tenant_id, list(ids), person


def _copy(rows: psycopg.Connection, tenant_id: UUID, count: int, now: datetime) -> None:
    sources = [row[0] for row in rows.execute("select id from escalation order by id").fetchall()]
    with loading(rows), without_indexes(rows, ("escalation", "clock")):
        past.spread(rows, tenant_id, sources, count=count, now=now)
        for statement in (CASES, CLOCKS):
            rows.execute(statement, {"opened": now - timedelta(days=OPEN_DAYS)})
    past.maintain(rows, "escalation", "clock", '"user"')


def _api_token(tenant_id: UUID, user_id: UUID) -> str:
    with transaction(tenant=tenant_id):
        return auth.create_token(auth.get_user(user_id), name="bench", now=clock.real_now())[1]


def _count(app: Flask, path: str, token: str) -> int:
    """SQL statements of one page, once what a process keeps is read."""
    sent: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda c, cursor, statement, *rest: sent.append(statement))
    for _ in range(2):
        sent.clear()
        answer = Context().run(app.test_client().get, path, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
    return len(sent)


def _weight(app: Flask, tenant_id: UUID, path: str, token: str) -> float:
    """Kilobytes that travel for the page: the shell, what it names, and the page itself."""
    browser = app.test_client()
    packed = {"Accept-Encoding": "gzip"}
    shell_page = Context().run(browser.get, f"/panel/t/{tenant_id}")
    named = re.findall(r'"(/panel/static/[^"]+)"', shell_page.text)
    assert len(named) >= 3
    assert all(name.rpartition("/")[2] in shell.hashed_files() for name in named)
    files = [Context().run(browser.get, name, headers=packed) for name in named]
    page = Context().run(browser.get, path, headers={**packed, "Authorization": f"Bearer {token}"})
    sizes = [len(answer.data) for answer in (*files, page)]
    return round((sum(sizes) + len(gzip.compress(shell_page.data))) / 1000, 1)


def _take(port: int, paths: list[str], headers: dict[str, str], seconds: float) -> dict[str, float]:
    job = {"port": port, "method": "GET", "paths": paths, "headers": headers, "bodies": [], "clients": 1}
    measure(**job, seconds=1.0)
    taken = measure(**job, seconds=seconds)
    assert set(taken["statuses"]) == {"200"}, taken["statuses"]
    shares = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}
    return {name: percentile(taken["latencies"], share) for name, share in shares.items()}


def _look(environ: dict[str, str], tenant_id: UUID, user_id: UUID, port: int, path: str) -> dict[str, float]:
    """What a browser sees of the page's coming; nothing where there is none."""
    chromium = os.environ.get("FIRSTHAND_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        return {}
    with in_context(environ), _browser(chromium) as browser:
        seen = [_open(browser, tenant_id, user_id, port, path) for _ in range(OPENINGS)]
    names = ("paint_ms", "whole_ms", "layout_shift")
    return {name: round(median(one[name] for one in seen), 3) for name in names}


@contextmanager
def _browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        browser.close()


WATCH = """
window.seen = {paint_ms: 0, whole_ms: 0, layout_shift: 0};
const watch = (type, note) => new PerformanceObserver((list) => list.getEntries().forEach(note)).observe(
  {type, buffered: true});
watch('paint', (one) => { if (one.name === 'first-contentful-paint') seen.paint_ms = one.startTime; });
watch('largest-contentful-paint', (one) => { seen.whole_ms = one.startTime; });
watch('layout-shift', (one) => { if (!one.hadRecentInput) seen.layout_shift += one.value; });
"""


def _open(browser: Any, tenant_id: UUID, user_id: UUID, port: int, path: str) -> dict[str, float]:
    """Open the page once with nothing kept, and see when something and when the largest part was painted."""
    with transaction(tenant=tenant_id):
        launch = panel_sessions.launch(user_id, path=path.removeprefix("/panel"), now=clock.real_now())
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(f"http://127.0.0.1:{port}/panel/t/{tenant_id}#t={launch}")
    page.wait_for_selector("main h1")
    page.wait_for_timeout(500)
    seen: dict[str, float] = page.evaluate("window.seen")
    context.close()
    return seen
