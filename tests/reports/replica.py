"""A streaming replica of the test's own database server, as an operator would set one up."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from sqlalchemy.engine import make_url

from app.operations.embedded import ENVIRONMENT, NOT_DURABLE
from app.operations.programs import choose_user, find_programs
from tests.servers import temporary_folder

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Replica:
    """Its address as the application is given it, and the sockets of both servers."""

    url: str
    primary: str
    socket: str

    def ask(self, question: str, *, of_primary: bool = False) -> Any:
        """One value, asked as the cluster's own user."""
        host = self.primary if of_primary else self.socket
        with psycopg.connect(host=host, user="cluster", dbname="firsthand", autocommit=True) as connection:
            found = connection.execute(question.encode()).fetchone()
        return found[0] if found else None

    def stop_replaying(self) -> None:
        self.ask("select pg_wal_replay_pause()")

    def catch_up(self) -> None:
        """Replay everything the primary has written by now."""
        self.ask("select pg_wal_replay_resume()")
        written = self.ask("select pg_current_wal_insert_lsn()", of_primary=True)
        _wait(lambda: self.ask(f"select pg_last_wal_replay_lsn() >= '{written}'") is True)


@contextmanager
def replica_of(database_url: str) -> Iterator[Replica]:
    """Copy the cluster while it runs, and start a server that follows it."""
    given = make_url(database_url)
    primary = str(given.query["host"])
    with ExitStack() as stack:
        folder = temporary_folder(stack, "replica")
        replica = Replica(
            f"{given.drivername}://{given.username}@/{given.database}?host={quote(str(folder))}&port=5432",
            primary,
            str(folder),
        )
        place = Path(replica.ask("show data_directory", of_primary=True)).parent
        user = choose_user(place / "postgres")
        programs = find_programs(user, beside=place)
        folder.mkdir(mode=0o700)
        uid, gid = user.change or (None, None)
        as_user: dict[str, Any] = {"user": uid, "group": gid, "extra_groups": None if uid is None else []}
        if uid is not None:
            subprocess.run(["chown", f"{uid}:{gid}", str(folder)], check=True)
        copy = [str(programs.postgres.with_name("pg_basebackup")), "--host", primary, "--username", "cluster"]
        copy += ["--pgdata", str(folder / "data"), "--write-recovery-conf", "--checkpoint", "fast", "--no-sync"]
        subprocess.run(copy, check=True, env=ENVIRONMENT, cwd=folder, **as_user)
        options = NOT_DURABLE | {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "max_connections": "200",
        }
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        server = subprocess.Popen(
            [str(programs.postgres), "-D", str(folder / "data"), *words],
            env=ENVIRONMENT, cwd=folder, stderr=subprocess.DEVNULL, **as_user,
        )  # fmt: skip
        stack.callback(server.wait)
        stack.callback(server.send_signal, signal.SIGINT)  # whoever is still connected
        _wait(lambda: _answers(replica))
        yield replica


def _answers(replica: Replica) -> bool:
    try:
        return replica.ask("select pg_is_in_recovery()") is True
    except psycopg.OperationalError:
        return False


def _wait(holds: Any) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)
