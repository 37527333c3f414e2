"""The doctor: each line says what is wrong and what to do, and the exit status whether anything is."""

import sys
from contextvars import Context
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from app import clock, create_app
from app.accounts import service as accounts
from app.db import db, machine, transaction
from app.notifications.models import Intent
from app.operations import capacity, doctor, heartbeats
from app.operations.backlog import Backlog
from app.operations.checkup import check_tenant
from app.operations.cli import cli
from app.operations.findings import ok, share, warn, wrong
from app.operations.heartbeats import Process
from app.operations.migrate import upgrade
from app.operations.models import DailyJob, Heartbeat
from app.rows import insert_all

AWAY = "redis://127.0.0.1:1/0"


@pytest.fixture
def command(settings):
    environ = {
        "FIRSTHAND_DATABASE_URL": settings.database_url,
        "FIRSTHAND_REDIS_URL": settings.redis_url,
        "FIRSTHAND_SECRET_KEY": settings.secret_key,
        "FIRSTHAND_LOG_LEVEL": "error",
    }
    return lambda **changes: Context().run(CliRunner().invoke, cli, ["doctor"], env=environ | changes)


def texts(findings, level="wrong"):
    return [found.text for found in findings if found.level == level]


def test_the_command_reports_line_by_line_what_it_looked_at(command, app):
    with app.app_context():
        heartbeats.beat(Process("timer", clock.real_now(), "host:1"))
        heartbeats.beat(Process("worker", clock.real_now(), "host:2"))
    report = command()
    assert "ok     PostgreSQL answers (" in report.stdout
    assert "ok     Redis answers (" in report.stdout
    assert "ok     timer: 1 alive" in report.stdout
    assert "warn   no mail server is set" in report.stdout
    assert "is under row-level security" in report.stdout
    assert report.exit_code == (1 if "WRONG" in report.stdout else 0)


def test_without_a_database_it_says_so_and_exits_1(command):
    report = command(FIRSTHAND_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert report.exit_code == 1
    assert "WRONG  PostgreSQL does not answer" in report.stdout
    assert "→ start it, or correct FIRSTHAND_DATABASE_URL" in report.stdout


def test_wrong_settings_are_all_named_and_exit_2(command):
    report = command(FIRSTHAND_REDIS_URL="nonsense", FIRSTHAND_SECRET_KEY="short")
    assert report.exit_code == 2
    assert "FIRSTHAND_REDIS_URL is wrong" in report.stderr
    assert "FIRSTHAND_SECRET_KEY is wrong" in report.stderr


def test_a_redis_that_is_away_is_wrong(settings):
    (found,) = doctor.check_redis(replace(settings, redis_url="redis://127.0.0.1:1/0"))
    assert found.level == "wrong"


def test_a_mail_server_that_is_away_is_wrong_and_its_password_is_not_shown(settings):
    (found,) = doctor.check_mail(replace(settings, smtp_url="smtp://me:hunter2@127.0.0.1:1"))
    assert found.level == "wrong"
    assert "hunter2" not in str(found)


def test_a_superuser_is_wrong(settings, app):
    """Somebody who passes row-level security reads every tenant's rows."""
    engine = create_engine(settings.migration_url)
    with engine.connect() as connection:
        superuser = connection.scalar(text("select rolname from pg_roles where rolsuper limit 1"))
    engine.dispose()
    other = create_app(replace(settings, database_url=settings.database_url.replace("firsthand@", f"{superuser}@")))
    with other.app_context():
        try:
            found = list(doctor.check_roles())
        finally:
            db.engine.dispose()
    assert any("is a superuser" in line for line in texts(found))


def test_the_tests_own_login_has_its_roles_in_the_right_way(app):
    with app.app_context():
        assert texts(doctor.check_roles()) == []


def test_an_installation_without_the_extra_says_how_to_learn_from_history(app, monkeypatch):
    assert texts(doctor.check_learning(), "ok") == ["closed cases can be learnt from"]
    monkeypatch.setitem(sys.modules, "sklearn", None)
    (found,) = doctor.check_learning()
    assert (found.level, found.do) == ("warn", "install the extra learn: pip install 'firsthand[learn]'")


def test_a_store_of_attachments_that_can_be_written_is_fine_and_one_that_cannot_is_wrong(app, tmp_path, monkeypatch):
    def look():
        with app.app_context():
            (found,) = doctor.check_attachments()
        return found

    assert look().level == "ok"
    monkeypatch.setitem(app.config, "ATTACHMENTS_URL", (tmp_path / "there").as_uri())
    assert look().level == "ok"
    assert list(tmp_path.iterdir()) == []  # whoever only looks makes no folder
    (tmp_path / "there").mkdir()
    assert look().level == "ok"
    assert list((tmp_path / "there").iterdir()) == []

    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setitem(app.config, "ATTACHMENTS_URL", (tmp_path / "file" / "below").as_uri())
    assert (look().level, look().text.rpartition(": ")[2]) == ("wrong", "Permission denied")


def test_an_inherited_role_is_wrong(app, settings):
    """Inherited, the finder's policies would hold for a session that forgot its tenant."""
    role = settings.finder_role
    grant = 'grant "{}" to current_user with inherit {}'
    with app.app_context():
        with db.engine.connect() as connection:
            connection.execute(text(grant.format(role, "true")))
            connection.get_transaction().commit()
        try:
            found = list(doctor.check_roles())
        finally:
            with db.engine.connect() as connection:
                connection.execute(text(grant.format(role, "false")))
                connection.get_transaction().commit()
    assert texts(found) == [f"firsthand holds {role} in the wrong way"]


def test_nobody_who_beats_is_wrong(app):
    with app.app_context():
        with machine() as session:
            session.query(Heartbeat).delete()
        assert len(texts(doctor.check_processes())) == 2


@pytest.mark.parametrize(("used", "expected"), [(79, "ok"), (80, "warn"), (100, "warn")])
def test_a_limit_is_warned_of_from_80_percent_on(used, expected):
    assert share("connections", used, 100, "do").level == expected


@pytest.mark.parametrize(("lag", "level"), [(47, "ok"), (49, "warn"), (60, "warn"), (61, "wrong")])
def test_a_lag_is_warned_of_from_80_percent_of_what_counts_as_late(lag, level):
    backlog = Backlog(float(lag), due_steps=3, clocks_set_aside=0, messages_due=0, dead_letters=0)
    found = doctor.judge_backlog(backlog, alive=True)
    assert (found.level, found.text) == (level, f"3 clocks have steps due, the oldest for {lag} s")


def test_connections_and_the_ages_at_which_postgresql_stops_are_looked_at(app):
    with app.app_context():
        found = list(capacity.check_server())
    assert [one.text.partition(":")[0] for one in found] == [
        "connections",
        "age of transactions",
        "age of shared row locks",
    ]
    assert {one.level for one in found} == {"ok"}


def test_a_connection_limit_of_our_own_user_is_looked_at(app, settings, as_superuser):
    user = make_url(settings.database_url).username
    as_superuser(f'alter role "{user}" connection limit 60')
    try:
        with app.app_context():
            found = [one.text for one in capacity.check_server()]
    finally:
        as_superuser(f'alter role "{user}" connection limit -1')
    assert any(line.startswith("connections of our user: ") and " of 60 (" in line for line in found)


def test_memory_and_connections_of_redis_are_warned_of():
    told = {"maxmemory": 1000, "used_memory": 800, "maxclients": 100, "connected_clients": 79}
    assert [one.level for one in capacity.check_redis_room(told)] == ["warn", "ok"]
    assert list(capacity.check_redis_room({"maxmemory": 0})) == []


def test_the_busiest_token_and_tenant_are_held_against_their_rates(app, settings, client):
    if settings.redis_url == AWAY:
        pytest.skip("no Valkey beside FIRSTHAND_TEST_DATABASE_URL")
    busy = create_app(replace(settings, token_rate=10, tenant_rate=1_000_000))
    for _ in range(20):  # at least ten of them in one minute
        client.get("/api/v1/users")
    with busy.app_context():
        try:
            token, tenant = capacity.check_rates()
        finally:
            db.engine.dispose()
    assert token.level == "warn"
    assert tenant.level == "ok"


@pytest.mark.parametrize(("number", "found"), [(1_717_986_917, 0), (1_717_986_918, 1)])  # 80 % of 2³¹ − 1
def test_numbers_of_escalations_that_run_out_are_named(tenant, client, number, found):
    account = client.put("/api/v1/accounts/crm/A-1", json={"name": "Globex"}).json
    body = {"account_id": account["id"], "title": "Exports fail", "severity": 2}
    assert client.post("/api/v1/escalations", json=body).status_code == 201
    with transaction() as session:
        session.execute(text("update escalation set number = :number, assignment_failed = false"), {"number": number})
    assert len([line for line in texts(check_tenant(tenant.id), "warn") if "numbers of escalations" in line]) == found


def test_a_finding_shows_what_to_do_under_what_is_wrong():
    assert str(wrong("a", "b")) == "WRONG  a\n       → b"
    assert str(warn("a", "b")) == "warn   a\n       → b"
    assert str(ok("a")) == "ok     a"


def test_a_healthy_tenant_has_nothing_to_say(tenant):
    assert check_tenant(tenant.id) == []


def test_dead_letters_and_failing_daily_jobs_of_a_tenant_are_named(tenant):
    now = clock.real_now()
    times = {"at": now, "hold_until": now, "recorded_at": now}
    words = {"kind": "t", "subject": "s", "body": "b", "channel": "email", "address": "a@example.com"}
    with transaction():
        insert_all(
            [
                Intent(**times, **words, dedupe_key="dead", state="dead"),
                DailyJob(name="book", next_at=now, problem="ZeroDivisionError: by zero"),
            ]
        )
    found = texts(check_tenant(tenant.id))
    assert found == [
        f"Acme ({tenant.id}): 1 messages were given up",
        f"Acme ({tenant.id}): the daily job book: ZeroDivisionError: by zero",
    ]


def test_currencies_of_active_contracts_without_a_recent_rate_are_named(tenant):
    now = clock.real_now()
    today = now.date()
    with transaction():
        accounts.upsert_account("crm", "A-1", {"name": "Globex"}, now=now)
        for currency in ("USD", "EUR", "GBP", "JPY"):
            contract = {"arr": "10.00", "currency": currency, "starts_on": (today - timedelta(days=9)).isoformat()}
            if currency == "JPY":
                contract["ends_on"] = (today - timedelta(days=2)).isoformat()
            accounts.upsert_contract("crm", "A-1", currency, contract, now=now)
        accounts.upsert_rate("EUR", today - timedelta(days=7), "1.1", now=clock.now())
        accounts.upsert_rate("GBP", today - timedelta(days=8), "1.3", now=clock.now())
    assert texts(check_tenant(tenant.id)) == [
        f"Acme ({tenant.id}): no rate of the last days for GBP: values are incomplete"
    ]


def test_clocks_set_aside_and_failed_assignments_are_named(tenant, client, make_user):
    owner = make_user("csm", "owner@example.com")
    account = client.put("/api/v1/accounts/crm/A-1", json={"name": "Globex", "owner_email": owner.email}).json
    body = {"account_id": account["id"], "title": "Exports fail", "severity": 2}
    assert client.post("/api/v1/escalations", json=body).status_code == 201
    with transaction() as session:
        session.execute(text("update clock set problem = 'KeyError()', next_step_at = null where kind = 'close'"))
        session.execute(text("update escalation set assignment_failed = true"))
    findings = check_tenant(tenant.id)
    found = " ".join(texts(findings))
    assert "1 clocks were set aside" in found
    assert "ESC-1 close: KeyError()" in found
    assert "firsthand sweep --retry-set-aside" in str(findings[0])
    assert "1 open escalations found no owner" in " ".join(texts(findings, "warn"))
    with transaction() as session:
        session.execute(text("update clock set problem = null"))


def test_in_production_the_web_logs_in_as_a_user_that_owns_nothing(app, settings, tenant):
    """Migrations run as the owner, and let the other user take the two roles."""
    with app.app_context(), db.engine.connect() as connection:
        connection.execute(text("create role web login"))
        connection.get_transaction().commit()
    split = replace(settings, database_url=settings.database_url.replace("firsthand@", "web@"))
    upgrade(split)
    other = create_app(split)
    with other.app_context():
        try:
            assert {found.level for found in [*doctor.check_database(), *doctor.check_roles()]} == {"ok"}
            heartbeats.beat(Process("timer", clock.real_now(), "web:1"))
            assert check_tenant(tenant.id) == []
        finally:
            db.engine.dispose()
    with app.app_context(), db.engine.connect() as connection:
        connection.execute(text("drop role web"))
        connection.get_transaction().commit()


def test_a_calendar_whose_holidays_run_out_is_warned_of(tenant, client):
    week = {"mon": [["09:00", "17:00"]]}
    client.post("/api/v1/calendars", json={"name": "plain", "weekly": week})
    client.post("/api/v1/calendars", json={"name": "norway", "weekly": week, "holidays_of": [{"country": "NO"}]})
    for days in (["2999-01-01"], ["1999-01-01", "2001-01-01"]):  # only the current version counts
        client.post("/api/v1/calendars", json={"name": "old", "weekly": week, "holidays": days})
    [found] = check_tenant(tenant.id)
    assert found.level == "warn"
    assert "the last holiday that the calendar old knows is 2001-01-01" in found.text
