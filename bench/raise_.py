"""Escalations raised per second through HTTP, beside a bare insert and beside the same database work done barely.

The product is served as `firsthand run` serves it; the clients run in another process. Product and floors take turns
in rounds, and the medians of the rounds are told. `statements` counts every SQL statement of one request, the token's
included; `shape` is what one raise reads and writes, counted, not assumed.
"""

import re
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import Context
from statistics import median
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import event, text

from app import clock
from app.auth import service as auth
from app.db import db, transaction
from bench import floors
from bench.book import TEAMS, USERS, fill, new_body, rules
from bench.ground import environment, in_context, new_tenant
from bench.load import measure, percentile
from bench.web import serving

PATH = "/api/v1/escalations"
UNLIMITED = {"FIRSTHAND_TOKEN_RATE": "10000000", "FIRSTHAND_TENANT_RATE": "100000000"}
BODIES = 500
PROBES = 20
CREATED = 201
SELECTS = re.compile(r"^\s*(select|with recursive|with line)", re.IGNORECASE)


def run(clients: int = 16, seconds: float = 3.0, rounds: int = 3, accounts: int = 1000) -> dict[str, Any]:
    with environment(**UNLIMITED) as environ:
        with in_context(environ, doors=True) as app:
            tenant_id, headers = _new_book(accounts)
            bodies = [new_body(n, accounts) for n in range(BODIES)]
            statements, shape = probe(app, tenant_id, headers, bodies)
            floors.install(db.engine)
        plain = [{"title": body["title"], "statement": body["customer_statement"], "severity": body["severity"],
                  "parent": n % floors.PARENTS} for n, body in enumerate(bodies)]  # fmt: skip
        job = {"method": "POST", "clients": clients, "seconds": seconds}
        with ExitStack() as stack:
            product = stack.enter_context(serving(environ, FIRSTHAND_LOG_LEVEL="info"))
            floor = stack.enter_context(serving(environ, floors.FACTORY, **floors.shaped(shape)))
            measured = in_turns(
                {
                    "product": lambda: measure(**job, port=product, path=PATH, headers=headers, bodies=bodies),
                    "floor": lambda: measure(**job, port=floor, path="/row", headers={}, bodies=plain),
                    "shape": lambda: measure(**job, port=floor, path="/shape", headers={}, bodies=plain),
                },
                rounds,
            )
    data = {"accounts": accounts, "users": USERS, "teams": TEAMS, "rules": len(rules()), "clients": clients}
    return {**figures(measured), "statements": statements, "shape": shape, "data": data}


def _new_book(accounts: int) -> tuple[UUID, dict[str, str]]:
    tenant_id, admin = new_tenant()
    fill(tenant_id, admin, count=accounts)
    with transaction(tenant=tenant_id):
        token = auth.create_token(admin, name="bench", now=clock.real_now())[1]
    return tenant_id, {"Authorization": f"Bearer {token}"}


def probe(
    app: Flask, tenant_id: UUID, headers: dict[str, str], bodies: list[dict[str, Any]]
) -> tuple[int, dict[str, Any]]:
    """The most statements any of a few raises sent, and the shape of the last: selects, updates, rows per table."""
    client = app.test_client()
    sent: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda c, cursor, statement, *rest: sent.append(statement))
    most, before = 0, {}
    for n in range(PROBES):
        before = _count_rows(tenant_id)
        sent.clear()
        answer = Context().run(client.post, PATH, json=bodies[n], headers=headers)
        assert answer.status_code == CREATED, answer.text
        most = max(most, len(sent)) if n else 0  # the first one of a process reads what is then kept
        last = list(sent)
    rows = [count - before[name] for name, count in _count_rows(tenant_id).items() if count > before[name]]
    selects = sum(1 for statement in last if SELECTS.match(statement))
    updates = sum(1 for statement in last if statement.lstrip().lower().startswith("update"))
    return most, {"selects": selects, "updates": updates, "rows": sorted(rows), "tables": len(rows)}


def _count_rows(tenant_id: UUID) -> dict[str, int]:
    names = [table.name for table in db.metadata.sorted_tables if "tenant_id" in table.columns]
    with transaction(tenant=tenant_id) as session:
        return {name: session.scalar(text(f'select count(*) from "{name}"')) for name in names}


def in_turns(measures: dict[str, Callable[[], dict[str, Any]]], rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Each measured once per round, one after the other; a first round only warms up."""
    measured: dict[str, list[dict[str, Any]]] = {name: [] for name in measures}
    for number in range(rounds + 1):
        for name, take in measures.items():
            result = take()
            assert set(result["statuses"]) == {str(CREATED)}, (name, result["statuses"])
            if number:
                measured[name].append(result)
    return measured


def figures(measured: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    rates = {name: median(r["count"] / r["seconds"] for r in results) for name, results in measured.items()}
    latencies = [ms for result in measured["product"] for ms in result["latencies"]]
    return {
        "rate": round(rates["product"], 1),
        "unit": "escalations/s",
        "floor_rate": round(rates["floor"], 1),
        "ratio": round(rates["product"] / rates["floor"], 3),
        "shape_rate": round(rates["shape"], 1),
        "shape_ratio": round(rates["product"] / rates["shape"], 3),
        "p50_ms": percentile(latencies, 0.50),
        "p95_ms": percentile(latencies, 0.95),
        "p99_ms": percentile(latencies, 0.99),
    }
