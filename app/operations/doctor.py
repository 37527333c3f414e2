"""`firsthand doctor`: looks at settings, servers, roles and what waits, and says what is wrong and what to do."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import click
import redis
from flask import current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app import clock, create_app
from app.config import Settings
from app.db import db
from app.escalations import service as escalations
from app.notifications import service as notifications
from app.operations import health, heartbeats
from app.operations.backlog import Backlog, read_backlog
from app.operations.capacity import check_rates, check_redis_room, check_server
from app.operations.checkup import check_tenants
from app.operations.findings import FULL, Finding, ok, share, warn, wrong
from app.operations.options import data_dir_option
from app.operations.setting import settings_for
from app.routing import service as routing

OLDEST_POSTGRESQL = 160_000
OLDEST_REDIS = (6, 2)
START_WORKER = "start `python worker.py`, or `firsthand run`"

SERVER = text(
    "select current_setting('server_version') as version, current_setting('server_version_num')::int as number"
)
LOGIN = text("select session_user as name, rolsuper, rolbypassrls from pg_roles where rolname = session_user")
MEMBERSHIP = text(
    """
    select bool_or(m.inherit_option) as inherits, bool_or(m.set_option) as may_set
    from pg_auth_members m join pg_roles r on r.oid = m.roleid join pg_roles u on u.oid = m.member
    where r.rolname = :role and u.rolname = session_user
    """
)
OWNED = text("select count(*) from pg_tables where schemaname = 'public' and tableowner = session_user")


def examine(settings: Settings) -> Iterator[Finding]:
    """Everything in the order in which it is put right; without a database at our migration the rest is not asked."""
    yield from check_settings(settings)
    yield from check_redis(settings)
    yield from check_mail(settings)
    database = list(check_database())
    yield from database
    if not any(found.level == "wrong" for found in database):
        for check in CHECKS:
            yield from check()


def check_settings(settings: Settings) -> Iterator[Finding]:
    host = urlsplit(settings.base_url).hostname
    if host in ("localhost", "127.0.0.1", "::1"):
        yield warn(
            f"links in mails lead to {settings.base_url}", "set FIRSTHAND_BASE_URL to what people's browsers reach"
        )
    else:
        yield ok(f"links in mails lead to {settings.base_url}")
    if settings.data_dir.exists():
        disk = shutil.disk_usage(settings.data_dir)
        used, total = disk.used / 2**30, disk.total / 2**30
        yield share(f"disk of {settings.data_dir}, in GiB", used, total, "make room: PostgreSQL stops when it is full")


def check_redis(settings: Settings) -> Iterator[Finding]:
    """Redis may be away for a while; what it is must be known to us."""
    client = redis.Redis.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
    try:
        told = client.info()
    except redis.RedisError as error:
        yield wrong(
            f"Redis does not answer: {error}", "start it, or correct FIRSTHAND_REDIS_URL; the timer works alone"
        )
        return
    finally:
        client.close()
    version = str(told["redis_version"])
    if tuple(map(int, version.split(".")[:2])) < OLDEST_REDIS:
        yield wrong(f"Redis is {version}", "upgrade to Redis 6.2 or Valkey")
    else:
        yield ok(f"Redis answers ({version})")
    yield from check_redis_room(told)


def check_mail(settings: Settings) -> Iterator[Finding]:
    if not settings.smtp_url:
        yield warn("no mail server is set: messages stay in the inbox", "set FIRSTHAND_SMTP_URL")
        return
    if fault := notifications.fault_of_mail_server(settings.smtp_url):
        yield wrong(f"the mail server {fault}", "correct FIRSTHAND_SMTP_URL")
    else:
        yield ok("the mail server lets us in")


def check_database() -> Iterator[Finding]:
    """Reachable, recent enough, migrated."""
    try:
        with db.engine.connect() as connection:
            server = connection.execute(SERVER).one()
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).splitlines()[0]
        yield wrong(f"PostgreSQL does not answer: {said}", "start it, or correct FIRSTHAND_DATABASE_URL")
        return
    if server.number < OLDEST_POSTGRESQL:
        yield wrong(f"PostgreSQL is {server.version}", "upgrade to PostgreSQL 16 or later")
    else:
        yield ok(f"PostgreSQL answers ({server.version})")
    for check in health.check_database():
        if check.status == "ok":
            yield ok(f"{check.name}: {health.head() if check.name == 'migrations' else 'readable'}")
        else:
            yield wrong(check.detail or check.name, "run `firsthand db upgrade` as the owner (FIRSTHAND_MIGRATION_URL)")


def check_roles() -> Iterator[Finding]:
    """The login user passes no policy, and inherits none: it takes a role in each transaction."""
    config = current_app.config
    with db.engine.connect() as connection:
        login = connection.execute(LOGIN).one()
        granted = {
            role: connection.execute(MEMBERSHIP, {"role": role}).one()
            for role in (config["APP_ROLE"], config["FINDER_ROLE"])
        }
        owned = connection.scalar(OWNED)
    if login.rolsuper or login.rolbypassrls:
        yield wrong(
            f"{login.name} is a superuser or passes row-level security: every tenant reads every other's rows",
            f'ALTER ROLE "{login.name}" NOSUPERUSER NOBYPASSRLS',
        )
    else:
        yield ok(f"{login.name} is under row-level security")
    for role, row in granted.items():
        if row.inherits or not row.may_set:
            yield wrong(
                f"{login.name} holds {role} in the wrong way",
                f'GRANT "{role}" TO "{login.name}" WITH INHERIT FALSE, SET TRUE',
            )
    if owned and config["DATABASE_URL"] != config["MIGRATION_URL"]:
        yield warn(f"{login.name} owns {owned} tables", "let another user run the migrations (FIRSTHAND_MIGRATION_URL)")


def check_learning() -> Iterator[Finding]:
    """Whether this installation can learn who closes what; without it every rule decides as written."""
    if fix := routing.fault_of_learning():
        yield warn("scikit-learn is not installed: nothing is learnt from closed cases", fix)
    else:
        yield ok("closed cases can be learnt from")


def check_attachments() -> Iterator[Finding]:
    """Whether this process can keep, read and delete files."""
    url = current_app.config["ATTACHMENTS_URL"]
    if fault := escalations.fault_of_store():
        fix = "let the user that runs web and worker in, or correct FIRSTHAND_ATTACHMENTS_URL"
        yield wrong(f"attachments cannot be kept in {url}: {fault}", fix)
    else:
        yield ok(f"attachments are kept in {url}")


def check_processes() -> Iterator[Finding]:
    for check in health.check_processes(clock.real_now()):
        if check.status == "ok":
            yield ok(f"{check.name}: {check.numbers['alive']:.0f} alive")
        else:
            yield wrong(check.detail or check.name, START_WORKER)


def check_backlog() -> Iterator[Finding]:
    yield judge_backlog(read_backlog(clock.real_now()), alive=_are_alive())


def judge_backlog(backlog: Backlog, *, alive: bool) -> Finding:
    """From 80 % of the lag that counts as late it is worth knowing, beyond it wrong."""
    text = f"{backlog.due_steps} clocks have steps due, the oldest for {backlog.lag_seconds:.0f} s"
    more = "start more workers (FIRSTHAND_WORKERS)" if alive else START_WORKER
    if backlog.lag_seconds > health.LATE_SECONDS:
        return wrong(text, more)
    return warn(text, more) if backlog.lag_seconds >= FULL * health.LATE_SECONDS else ok(text)


def _are_alive() -> bool:
    return any(row.alive for row in heartbeats.list_ages())


CHECKS = (
    check_roles,
    check_server,
    check_rates,
    check_attachments,
    check_learning,
    check_processes,
    check_backlog,
    check_tenants,
)


@click.command("doctor")
@data_dir_option
def doctor_command(data_dir: Path) -> None:
    """Say what is wrong and what to do; exit 1 if anything is."""
    with settings_for(data_dir) as settings, create_app(settings, doors=False).app_context():
        found = []
        try:
            for one in examine(settings):
                found.append(one)
                click.echo(one)
        finally:
            db.engine.dispose()
    sys.exit(1 if any(one.level == "wrong" for one in found) else 0)
