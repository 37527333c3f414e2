"""Alive, ready and the numbers: who asks needs no token and learns no tenant's name."""

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from app import clock, create_app, queue
from app.db import db, machine, transaction
from app.notifications.models import Intent
from app.operations import health, heartbeats
from app.operations.heartbeats import Process
from app.operations.models import Heartbeat
from app.rows import insert_all
from tests.conftest import ApiClient
from tests.operations.test_worker import ROOT


@pytest.fixture
def anybody(app):
    return ApiClient(app, None)


@contextmanager
def app_with(settings, **changes):
    """The application with other settings, among them a database that nobody made."""
    other = create_app(replace(settings, **changes))
    yield ApiClient(other, None)
    with other.app_context():
        db.engine.dispose()


@pytest.fixture
def beating(app):
    """`beating(timer=seconds ago, worker=…)`: only these processes have ever beaten."""

    def beat(**ages):
        with app.app_context():
            with machine() as session:
                session.query(Heartbeat).delete()
            for kind, age in ages.items():
                heartbeats.beat(Process(kind, clock.real_now(), f"host:{kind}"))
                with machine() as session:
                    moved = clock.real_now() - timedelta(seconds=age)
                    session.query(Heartbeat).filter_by(kind=kind).update({"beat_at": moved})

    with app.app_context():
        queue.get_redis().resting_until = 0.0
    return beat


def numbers(anybody):
    answer = anybody.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def not_ok(answer):
    """The checks that fail; steps that other tests left behind are theirs."""
    checks = answer.json["checks"].items()
    return [name for name, check in checks if check["status"] != "ok" and name != "steps"]


def test_alive_asks_nothing_of_anybody(settings):
    with app_with(settings, database_url="postgresql+psycopg://nobody@127.0.0.1:1/none") as anybody:
        answer = anybody.get("/healthz")
        assert (answer.status_code, answer.json) == (200, {"status": "alive"})


def test_ready_when_everything_answers(anybody, beating):
    beating(timer=1, worker=1)
    answer = anybody.get("/readyz")
    assert answer.status_code == 200
    assert set(answer.json["checks"]) == {"database", "migrations", "queue", "timer", "worker", "steps"}
    assert not_ok(answer) == []


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (["ok", "ok"], "ready"),
        (["ok", "degraded"], "degraded"),
        (["degraded", "unavailable", "ok"], "unavailable"),
    ],
)
def test_the_worst_check_says_how_we_are(found, expected):
    assert health.overall([health.Check("one", status) for status in found]) == expected


def test_without_a_database_it_is_unavailable(settings):
    with app_with(settings, database_url="postgresql+psycopg://nobody@127.0.0.1:1/none") as anybody:
        answer = anybody.get("/readyz")
        assert (answer.status_code, answer.json["status"]) == (503, "unavailable")
        assert answer.json["checks"]["database"]["status"] == "unavailable"


def test_a_database_at_another_migration_is_unavailable_and_says_what_to_do(anybody, monkeypatch):
    monkeypatch.setattr(health, "head", lambda: "9999")
    answer = anybody.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (503, "unavailable")
    assert "firsthand db upgrade" in answer.json["checks"]["migrations"]["detail"]


def test_without_redis_it_is_degraded_and_goes_on(settings, beating):
    beating(timer=1, worker=1)
    with app_with(settings, redis_url="redis://127.0.0.1:1/0") as anybody:
        answer = anybody.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert not_ok(answer) == ["queue"]


@pytest.mark.parametrize(
    ("ages", "late"),
    [
        ({}, ["timer", "worker"]),
        ({"timer": 1}, ["worker"]),
        ({"timer": 1, "worker": 61}, ["worker"]),
        ({"timer": 71, "worker": 59}, ["timer"]),  # a minute and two ticks of 5 s
        ({"timer": 69, "worker": 59}, []),
    ],
)
def test_who_no_longer_beats_is_named(anybody, beating, ages, late):
    beating(**ages)
    answer = anybody.get("/readyz")
    assert answer.status_code == 200
    assert not_ok(answer) == late


def test_the_lag_is_measured_in_each_tenants_own_time(anybody, tenant, new_tenant, client, make_user, beating):
    beating(timer=1, worker=1)
    owner = make_user("csm", "owner@example.com")
    account = client.put("/api/v1/accounts/crm/A-1", json={"name": "Globex", "owner_email": owner.email})
    assert account.status_code in (200, 201), account.text
    body = {"account_id": account.json["id"], "title": "Exports fail", "severity": 2}
    assert client.post("/api/v1/escalations", json=body).status_code == 201
    with transaction() as session:
        session.execute(text("update clock set next_step_at = null where kind <> 'close'"))
        due = clock.now() + timedelta(days=2)
        session.execute(text("update clock set next_step_at = :due where kind = 'close'"), {"due": due})
    before = numbers(anybody)
    with transaction() as session:  # this tenant's time moves to two minutes after the step
        session.execute(text("update tenant set clock_offset = :o"), {"o": timedelta(days=2, minutes=2)})
    after = numbers(anybody)
    assert after["firsthand_due_steps",] == before["firsthand_due_steps",] + 1
    assert after["firsthand_timer_lag_seconds",] >= 120
    steps = anybody.get("/readyz").json["checks"]["steps"]
    assert steps["status"] == "degraded"
    assert steps["lag_seconds"] >= 120
    with transaction() as session:
        session.execute(text("update clock set next_step_at = null, problem = 'ValueError()'"))
    assert numbers(anybody)["firsthand_clocks_set_aside",] >= 1
    with transaction() as session:
        session.execute(text("update clock set problem = null"))


def test_messages_that_wait_or_were_given_up_are_counted(anybody, tenant):
    def post(key, **fields):
        now = clock.now()
        always = {"kind": "t", "subject": "s", "body": "b", "channel": "email", "address": "a@example.com", "at": now}
        with transaction():
            insert_all([Intent(**always, dedupe_key=key, recorded_at=now, **{"hold_until": now, **fields})])

    before = numbers(anybody)
    post("due")
    post("held", hold_until=clock.now() + timedelta(days=1))
    post("dead", state="dead")
    after = numbers(anybody)
    assert after["firsthand_messages_due",] == before["firsthand_messages_due",] + 1
    assert after["firsthand_dead_letters",] == before["firsthand_dead_letters",] + 1
    with transaction() as session:
        session.execute(text("update intent set state = 'suppressed'"))


def test_requests_are_counted_by_route_and_what_is_no_route_is_one_word(anybody):
    count = "firsthand_request_seconds_count"
    before = numbers(anybody)
    for path in ("/healthz", "/nowhere/1", "/nowhere/2"):
        anybody.get(path)
    after = numbers(anybody)
    alive = (count, *sorted(("/healthz", "200", "GET")))
    assert after[alive] - before.get(alive, 0) == 1
    assert not any("nowhere" in label for key in after for label in map(str, key))


def test_the_metrics_name_no_tenant(anybody, new_tenant):
    made = new_tenant("Secretive Limited")
    page = anybody.get("/metrics").text
    assert "Secretive" not in page
    assert str(made.id) not in page


def test_without_a_database_the_metrics_say_so(settings):
    with app_with(settings, database_url="postgresql+psycopg://nobody@127.0.0.1:1/none") as anybody:
        assert numbers(anybody)["firsthand_database_up",] == 0


def test_processes_that_share_a_folder_add_up(settings, tmp_path):
    """One process answers a request, another one too and shows both."""
    code = """
from app import create_app
client = create_app().test_client()
import sys
client.get("/healthz")
if sys.argv[1:]: print(client.get("/metrics").text)
"""
    environment = {
        **os.environ,
        "FIRSTHAND_DATABASE_URL": settings.database_url,
        "FIRSTHAND_REDIS_URL": settings.redis_url,
        "FIRSTHAND_SECRET_KEY": settings.secret_key,
        "FIRSTHAND_LOG_LEVEL": "error",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
    }
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, check=True)
    page = subprocess.run(
        [sys.executable, "-c", code, "show"], env=environment, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    assert 'firsthand_request_seconds_count{method="GET",route="/healthz",status="200"} 2.0' in page
    assert "firsthand_database_up 1.0" in page
