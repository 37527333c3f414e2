"""Reports among a million cases over three years: how long each answer takes, as of now and as of the past.

The cases are copies of a few that were played through the services and folded (`bench.stories`); their facts are copied
with them, and for a sample the timeline too, from which the product then makes the same facts anew. Daily sums are made
by the product. One client asks at a time: the summary as of now, the summary as of random moments of the three years,
the account's report as of now and of those moments; then the other reports as of now, and the panel's pages (`page_…`),
as the server sends them. `rollup_s` is the worker's turn over one day, `xlsx_…` a workbook of the cases raised in so
many days (about 10,000 and 100,000) as the worker makes it, with its process's memory before and at its peak; `floor`
one row by its key from a bare Flask application, `round_trip_ms` an empty SELECT, `count_ms` a plain count of the
facts.
"""

import random
import time
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import current_app
from sqlalchemy import select, text

from app import clock
from app.accounts.models import Account
from app.auth import service as auth
from app.auth.actor import SYSTEM
from app.auth.models import User
from app.db import db, transaction
from app.reports.jobs import fold_tenant
from bench import exporting, floors, past_facts, report_pages
from bench.book import fill
from bench.ground import actor_of, environment, in_context, new_tenant, panel_session
from bench.load import measure, percentile
from bench.loading import superuser
from bench.stories import LONGEST, Teller
from bench.web import serving

UNLIMITED = {"FIRSTHAND_TOKEN_RATE": "10000000", "FIRSTHAND_TENANT_RATE": "10000000"}
REPORTS = "/api/v1/reports"
OTHERS = ("accounts", "owners", "causes", "forecast", "early-warning")
ASKED = 200
MOMENTS = 60


def run(escalations: int = 1_000_000, accounts: int = 20_000, seconds: float = 5.0) -> dict[str, Any]:
    with environment(**UNLIMITED) as environ:
        with in_context(environ):
            began = time.perf_counter()
            tenant_id, reader, sources = _people_and_accounts(accounts)
            data = _fill(tenant_id, sources, escalations)
            data["filled_s"] = round(time.perf_counter() - began, 1)
            rollup = _roll_up(tenant_id)
            same = past_facts.check_sample(tenant_id)
            floors.install(db.engine)
            token, paths = _token(tenant_id, reader), _paths(tenant_id)
            plain = _plain(tenant_id)
        with ExitStack() as stack:
            product = stack.enter_context(serving(environ))
            floor = stack.enter_context(serving(environ, floors.FACTORY))
            bearer = {"Authorization": f"Bearer {token}"}
            found = {name: _take(product, asked, bearer, seconds) for name, asked in paths.items()}
            found |= _take_pages(environ, product, (tenant_id, reader.id), paths["account"][0], seconds)
            workbooks = {f"xlsx_{days}_days": exporting.made(environ, tenant_id, reader.id, days) for days in (11, 110)}
            found["floor"] = _take(floor, [f"/row/{key}" for key in range(floors.PARENTS)], {}, seconds)
    return {
        **found["summary"],
        **{f"{name}_{key}": value for name, taken in found.items() for key, value in taken.items()},
        "rollup_s": rollup,
        **workbooks,
        **plain,
        "ratio": round(found["floor"]["p50_ms"] / found["summary"]["p50_ms"], 4),
        "same_when_made_anew": same,
        "data": {"escalations": escalations, "accounts": accounts, **data},
    }


def _people_and_accounts(accounts: int) -> tuple[UUID, User, list[UUID]]:
    """The tenant, the executive who reads, and the cases that were played."""
    tenant_id, admin = new_tenant()
    fill(tenant_id, admin, count=accounts)
    now = clock.real_now()
    with transaction(tenant=tenant_id):
        reader = auth.create_user("boss@example.com", name="Bo Boss", role="executive", actor=SYSTEM, now=now)
        other = db.session.scalars(select(User).where(User.email == "person1@example.com")).one()
    teller = Teller(tenant_id, actor_of(admin), other)
    return tenant_id, reader, past_facts.tell(teller, now - LONGEST - timedelta(days=30), now)


def _fill(tenant_id: UUID, sources: list[UUID], count: int) -> dict[str, Any]:
    """The cases and facts; what they are in numbers."""
    with superuser(current_app.config["DATABASE_URL"]) as rows:
        return past_facts.copy(rows, tenant_id, sources, count=count, now=clock.now(), asked=ASKED)


def _roll_up(tenant_id: UUID) -> float:
    """Seconds of the worker's turn that sums one day, all days before being summed."""
    began = time.perf_counter()
    assert fold_tenant(tenant_id) is False
    return round(time.perf_counter() - began, 3)


def _token(tenant_id: UUID, reader: User) -> str:
    with transaction(tenant=tenant_id):
        return auth.create_token(auth.get_user(reader.id), name="bench", now=clock.real_now())[1]


def _paths(tenant_id: UUID) -> dict[str, list[str]]:
    """What is asked: the summary and accounts' reports as of now and of random moments, the others as of now."""
    chance, now = random.Random(7), clock.now()
    moments = [now - timedelta(seconds=chance.uniform(0, 1000 * 86400)) for _ in range(MOMENTS)]
    then = [f"?{urlencode({'as_of': moment.isoformat()})}" for moment in moments]
    with transaction(tenant=tenant_id):
        asked = select(Account.id).order_by(Account.external_id).limit(ASKED)
        accounts = [f"{REPORTS}/accounts/{id_}" for id_ in db.session.scalars(asked)]
    return {
        "summary": [f"{REPORTS}/summary"],
        "past": [f"{REPORTS}/summary{moment}" for moment in then],
        "account": accounts,
        "account_past": [f"{account}{then[n % MOMENTS]}" for n, account in enumerate(accounts)],
        **{name.replace("-", "_"): [f"{REPORTS}/{name}"] for name in OTHERS},
    }


def _plain(tenant_id: UUID) -> dict[str, float]:
    """An empty question, and the plainest one over all facts."""
    taken: dict[str, float] = {}
    with transaction(tenant=tenant_id):
        for name, question in (("round_trip_ms", "select 1"), ("count_ms", "select count(*) from case_fact")):
            began = time.perf_counter()
            db.session.execute(text(question)).all()
            taken[name] = round((time.perf_counter() - began) * 1000, 2)
    return taken


def _take_pages(
    environ: dict[str, str], port: int, who: tuple[UUID, UUID], account: str, seconds: float
) -> dict[str, dict[str, float]]:
    with in_context(environ):
        bearer = {"Authorization": f"Bearer {panel_session(*who)}"}
    asked = report_pages.paths(account)
    return {f"page_{name}": _take(port, [path], bearer, seconds) for name, path in asked.items()}


def _take(port: int, paths: list[str], headers: dict[str, str], seconds: float) -> dict[str, float]:
    job = {"port": port, "method": "GET", "paths": paths, "headers": headers, "bodies": [], "clients": 1}
    measure(**job, seconds=1.0)
    taken = measure(**job, seconds=seconds)
    assert set(taken["statuses"]) == {"200"}, taken["statuses"]
    shares = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}
    return {name: percentile(taken["latencies"], share) for name, share in shares.items()}
