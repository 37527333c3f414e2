"""The worker as a process: it beats, works with and without Redis, stops cleanly and leaves nobody behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy import select

from app import clock, queue
from app.db import finding, machine, tenant_scope, transaction
from app.notifications.models import Intent
from app.notifications.service import intent
from app.operations import heartbeats
from app.operations.datadir import hold
from app.operations.embedded import servers
from app.operations.models import Heartbeat
from app.operations.rq_worker import ANSWER_SECONDS
from app.operations.timer import Job, Timer
from app.rows import insert_all
from tests.operations.test_supervisor import is_alive, wait_until
from tests.servers import temporary_folder

ROOT = Path(__file__).resolve().parents[2]
AWAY = "redis://127.0.0.1:1/0"


@pytest.fixture
def environment(settings):
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("FIRSTHAND_")},
        "FIRSTHAND_DATABASE_URL": settings.database_url,
        "FIRSTHAND_REDIS_URL": settings.redis_url,
        "FIRSTHAND_SECRET_KEY": settings.secret_key,
        "FIRSTHAND_SWEEP_SECONDS": "0.2",
        "FIRSTHAND_LOG_LEVEL": "info",
    }


@pytest.fixture
def start(app, environment, tmp_path):
    """Starts a worker; what it says goes to a file, and it is gone at the end."""
    running = []

    def start(*words, **changes):
        command = [sys.executable, str(ROOT / "worker.py"), *words]
        with open(tmp_path / "log", "ab") as said:
            process = subprocess.Popen(command, env=environment | changes, stdout=said, stderr=said, cwd="/")
        running.append(process)
        return process

    with app.app_context(), machine() as session:
        session.query(Heartbeat).delete()
    yield start
    for process in running:
        process.kill()
        process.wait()


def beats(app):
    with app.app_context(), finding() as session:
        rows = session.execute(select(Heartbeat.kind, Heartbeat.name, Heartbeat.facts)).all()
    return {row.kind: (int(row.name.rpartition(":")[2]), row.facts) for row in rows}


def are_both_beating(app):
    return set(beats(app)) == {"timer", "worker"}


def post_one(tenant, key):
    """A message for the inbox alone; delivery marks it `sent`."""
    with transaction():
        now = clock.now()
        values = {"kind": "test", "subject": "s", "body": "b", "channel": "inbox"}
        insert_all([intent(user=tenant.admin, dedupe_key=key, at=now, now=now, **values)])


def is_sent(tenant, key):
    with transaction() as session:
        return session.scalars(select(Intent.state).where(Intent.dedupe_key == key)).one() == "sent"


def said(tmp_path):
    return (tmp_path / "log").read_text()


def flush_while_posting(tenant, settings):
    """A wake-up lost with Redis' memory is found again by the next tick."""
    client = redis.Redis.from_url(settings.redis_url)
    for number in range(20):
        post_one(tenant, f"n{number}")
        client.flushall()
        time.sleep(0.02)
    wait_until(lambda: all(is_sent(tenant, f"n{number}") for number in range(20)))


def test_timer_and_worker_beat_deliver_also_when_redis_is_flushed_and_end_with_0_on_sigterm(
    app, tenant, start, settings, tmp_path
):
    process = start()
    wait_until(lambda: are_both_beating(app))
    post_one(tenant, "one")
    wait_until(lambda: is_sent(tenant, "one"))
    wait_until(lambda: beats(app)["timer"][1]["alone"] is False)
    flush_while_posting(tenant, settings)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert beats(app) == {}
    assert "Traceback" not in said(tmp_path)


def test_without_redis_the_timer_delivers_alone_and_the_stop_is_as_clean(app, tenant, start, tmp_path):
    process = start(FIRSTHAND_REDIS_URL=AWAY)
    wait_until(lambda: are_both_beating(app))
    post_one(tenant, "one")
    wait_until(lambda: is_sent(tenant, "one"))
    assert beats(app)["timer"][1]["alone"] is True
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert beats(app) == {}
    assert "Traceback" not in said(tmp_path)


def test_a_redis_that_goes_and_comes_back_is_used_again(app, tenant, start, tmp_path):
    with ExitStack() as stack:
        folder = stack.enter_context(hold(temporary_folder(stack)))
        with servers(folder, postgres=False, durable=False) as own:
            process = start(FIRSTHAND_REDIS_URL=own.redis_url)
            wait_until(lambda: are_both_beating(app))
            wait_until(lambda: beats(app)["timer"][1]["alone"] is False)
        post_one(tenant, "while it is away")
        wait_until(lambda: is_sent(tenant, "while it is away"))
        wait_until(lambda: beats(app)["timer"][1]["alone"] is True)
        with servers(folder, postgres=False, durable=False) as own:
            client = redis.Redis.from_url(own.redis_url)
            wait_until(lambda: client.keys("rq:worker:*"), seconds=30)
            wait_until(lambda: beats(app)["timer"][1]["alone"] is False)
            post_one(tenant, "after it")
            wait_until(lambda: is_sent(tenant, "after it"))
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
    assert "Traceback" not in said(tmp_path)


def pids(app, kind):
    with app.app_context(), finding() as session:
        names = session.scalars(select(Heartbeat.name).where(Heartbeat.kind == kind)).all()
    return [int(name.rpartition(":")[2]) for name in names]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_a_killed_child_is_started_again_and_kill_9_of_the_parent_leaves_no_orphan(app, start):
    process = start()
    wait_until(lambda: are_both_beating(app))
    first = beats(app)["timer"][0]
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: len(pids(app, "timer")) == 2)  # the dead one's row stays until it is late
    children = [*pids(app, "timer"), *pids(app, "worker")]
    process.kill()
    process.wait()
    wait_until(lambda: not any(map(is_alive, children)))


def test_a_worker_tries_redis_again_within_5_seconds_again_and_again(start):
    with socket.create_server(("127.0.0.1", 0)) as hangs_up:
        hangs_up.settimeout(60)  # an interpreter starts first
        start("worker-1", FIRSTHAND_REDIS_URL=f"redis://127.0.0.1:{hangs_up.getsockname()[1]}/0")
        for _ in range(5):
            hangs_up.accept()[0].close()
            hangs_up.settimeout(5)


def test_a_worker_notices_a_redis_that_no_longer_answers_and_tries_again(start):
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as held:
        silent.settimeout(60)
        start("worker-1", FIRSTHAND_REDIS_URL=f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        for _ in range(2):
            held.enter_context(silent.accept()[0])
            silent.settimeout(ANSWER_SECONDS + 5)


def test_wrong_settings_are_said_all_at_once_and_end_with_2(start, tmp_path):
    assert start(FIRSTHAND_REDIS_URL="nonsense", FIRSTHAND_WORKERS="0").wait(60) == 2
    assert "FIRSTHAND_REDIS_URL is wrong" in said(tmp_path)
    assert "FIRSTHAND_WORKERS is wrong" in said(tmp_path)


@contextmanager
def timer_of(app, *jobs):
    with app.app_context():
        get = queue.get_redis()
        get.resting_until = 0.0
        yield Timer(app, jobs)


def test_a_job_that_fails_holds_up_no_other(app, monkeypatch):
    ran = []
    failing = Job("failing", 0, lambda: 1 / 0)
    with timer_of(app, failing, Job("other", 0, lambda: ran.append(1))) as timer:
        monkeypatch.setattr(queue.get_redis(), "resting_until", clock.monotonic() + 60)  # as after a failed call
        timer.tick()
    assert ran == [1]


def test_the_timer_rests_until_its_next_tick_or_until_something_is_due_before_that(app):
    """The default tick is five seconds; whatever falls due at once is taken twice a second at most."""

    def rest(due_in, spent=0.0):
        return Timer(app, [], next_due=lambda: clock.real_now() + timedelta(seconds=due_in)).rest_seconds(spent)

    assert rest(60) == 5
    assert rest(60, spent=2) == 3
    assert rest(2) == pytest.approx(2, abs=0.2)
    assert rest(0.01) == 0.5
    assert rest(2, spent=6) < 0
    assert Timer(app, []).rest_seconds(1) == 4


def test_a_job_is_run_again_only_when_its_seconds_have_passed(app, monkeypatch):
    ran = []
    with timer_of(app, Job("hourly", 3600, lambda: ran.append("h")), Job("each", 0, lambda: ran.append("e"))) as timer:
        monkeypatch.setattr(queue.get_redis(), "resting_until", clock.monotonic() + 60)
        timer.tick()
        timer.tick()
    assert ran == ["h", "e", "e"]


def test_without_any_living_worker_the_timer_does_the_work_although_redis_answers(app):
    ran = []
    with app.app_context(), machine() as session:
        session.query(Heartbeat).delete()
    with timer_of(app, Job("lonely", 0, lambda: ran.append(1))) as timer:
        timer.tick()
    assert ran == [1]


def test_the_machines_transaction_reads_no_tenants_row(app, tenant):
    with pytest.raises(Exception, match="No tenant is in scope"), machine() as session:
        session.execute(select(Intent.id)).all()


def test_rows_of_processes_that_died_are_forgotten_after_a_day(app):
    with app.app_context():
        heartbeats.beat(heartbeats.Process("worker", clock.real_now(), "gone:1"))
        with machine() as session:
            session.query(Heartbeat).update({"beat_at": clock.real_now() - heartbeats.FORGOTTEN})
        heartbeats.forget_old()
        with finding() as session:
            assert "gone:1" not in session.scalars(select(Heartbeat.name)).all()


def test_a_process_beats_and_ends_inside_a_tenants_scope_too(app, tenant):
    here = heartbeats.Process("timer", clock.real_now(), "here:1")
    with tenant_scope(tenant.id):
        heartbeats.beat(here)
        assert is_listed(here)
        heartbeats.end_safely(here)
        assert not is_listed(here)


def is_listed(process: heartbeats.Process) -> bool:
    with finding() as session:
        return process.name in session.scalars(select(Heartbeat.name)).all()
