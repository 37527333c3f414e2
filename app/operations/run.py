"""`firsthand run`: everything the product needs, in one process tree, until Ctrl-C."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import app
from app import clock
from app.operations.datadir import hold, metrics_environment, publish
from app.operations.errors import CannotRun, PortTaken, StepFailed
from app.operations.servers import Running, settings_for, start_servers
from app.operations.supervisor import Child, on_stop_signals, tie_to_parent

ROOT = Path(app.__file__).resolve().parent.parent
CLI = (sys.executable, "-m", "app.operations.cli")
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104
WEB_PROCESSES = 2
WEB_THREADS = 8
SPARE_CONNECTIONS = 2  # kept alive beside the busy ones; with many more, one process takes every connection
GRACE_SECONDS = 10.0
WORKER_START_SECONDS = 30.0  # for its first beat; a slow one holds up nobody longer
WORKER_GRACE_SECONDS = 30.0  # more than the worker gives its own children


@dataclass(frozen=True)
class Address:
    """Where the web server listens."""

    host: str
    port: int

    @property
    def bind(self) -> str:
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def visited(self) -> str:
        """The host to call: "every address" is none that can be called."""
        return EVERYWHERE.get(self.host, self.host)

    @property
    def url(self) -> str:
        return f"http://{_bracketed(self.visited)}:{self.port}"


def run(host: str, port: int, data_dir: Path, *, sample: bool) -> int:
    """Hold the folder, start servers, migrate, fill the sample tenant, serve until asked to stop; the exit status."""
    try:
        with on_stop_signals(_interrupt), hold(data_dir) as folder:
            address = free_address(host, port)
            _say("Starting the servers" if (folder / "servers").exists() else "Making the database")
            with start_servers(folder, os.environ) as running:
                settings = {
                    **os.environ,
                    **settings_for(folder, running.urls, os.environ, base_url=address.url),
                }
                _say("Bringing the database up to date")
                _step(settings, "db", "upgrade")
                _say("Looking after the sample tenant" if sample else "Starting web and worker")
                welcome = _step(settings, "sample", "ensure") if sample else ""
                _serve(running, folder, address, settings, welcome)
    except KeyboardInterrupt:
        return 0
    except (CannotRun, PermissionError) as problem:
        print(f"firsthand: {problem}", file=sys.stderr)
        return 1
    return 0


def free_address(host: str, port: int) -> Address:
    """The address if we can listen on it, with any free port for 0; PortTaken otherwise."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return Address(host, probe.getsockname()[1])
    except OSError as problem:
        raise PortTaken(f"cannot listen on {host} port {port} ({problem.strerror}): choose another --port") from problem


def _serve(running: Running, folder: Path, address: Address, settings: Mapping[str, str], welcome: str) -> None:
    supervisor = running.supervisor
    record = _recorder(running, folder, address, settings["FIRSTHAND_BASE_URL"])

    def answers() -> bool:
        if supervisor.failures("web"):
            raise StepFailed("the web server did not start; what it said stands above")
        return record() or _is_healthy(address)

    settings = {**settings, **metrics_environment(folder)}
    for child in (web_child(settings, address), _worker(settings)):
        supervisor.start(child)
    patience = clock.monotonic() + WORKER_START_SECONDS

    def reminds() -> bool:
        return record() or supervisor.failures("worker") > 0 or clock.monotonic() > patience or _has_beaten(address)

    if supervisor.watch(answers) and supervisor.watch(reminds):
        print(f"Firsthand is at {settings['FIRSTHAND_BASE_URL']}, its data in {folder}. Ctrl-C stops it.")
        print(welcome, end="", flush=True)
        supervisor.watch(record)


def _recorder(running: Running, folder: Path, address: Address, base_url: str) -> Callable[[], bool]:
    """Writes run.json again whenever a process was started again; never a reason to stop watching."""
    published: dict[str, int] = {}

    def record() -> bool:
        nonlocal published
        if (pids := running.supervisor.pids()) != published:
            published = pids
            publish(folder, running.urls, base_url, pid=os.getpid(), pids=pids, host=address.host, port=address.port)
        return False

    return record


def _step(settings: Mapping[str, str], *arguments: str) -> str:
    """Run one command of ours to its end and give back what it printed."""
    done = subprocess.run(
        [*CLI, *arguments],
        env=settings,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,  # Ctrl-C reaches us, who end it
        preexec_fn=tie_to_parent(os.getpid(), signal.SIGKILL),
    )
    if done.returncode:
        raise StepFailed(f"'firsthand {' '.join(arguments)}' ended with {done.returncode}")
    return done.stdout


def web_child(settings: Mapping[str, str], address: Address) -> Child:
    options = {
        "--bind": address.bind,
        "--worker-class": "gthread",
        "--workers": str(WEB_PROCESSES),
        "--threads": str(WEB_THREADS),
        "--worker-connections": str(WEB_THREADS + SPARE_CONNECTIONS),
        "--graceful-timeout": f"{GRACE_SECONDS - 2:.0f}",
        "--log-level": "warning",
    }
    words = [word for option in options.items() for word in option]
    command = [sys.executable, "-m", "gunicorn", *words, "--no-control-socket", "app:create_app()"]
    return Child(name="web", command=command, environment=settings, folder=ROOT, grace_seconds=GRACE_SECONDS)


def _worker(settings: Mapping[str, str]) -> Child:
    command = [sys.executable, str(ROOT / "worker.py")]
    return Child(name="worker", command=command, environment=settings, folder=ROOT, grace_seconds=WORKER_GRACE_SECONDS)


def _is_healthy(address: Address) -> bool:
    return _ask(address, "/healthz") is not None


def _has_beaten(address: Address) -> bool:
    """Timer and worker have begun, so that what is said of us from now on, "ready", is true."""
    checks = (_ask(address, "/readyz") or {}).get("checks", {})
    return all(checks.get(name, {}).get("status") == "ok" for name in ("timer", "worker"))


def _ask(address: Address, path: str) -> dict[str, Any] | None:
    """What our own web server answers, None while it doesn't."""
    connection = http.client.HTTPConnection(address.visited, address.port, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        content: dict[str, Any] | None = json.load(answer) if answer.status == http.client.OK else None
        return content
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def _say(text: str) -> None:
    """What takes the time, for a person who waits."""
    if sys.stderr.isatty():
        print(f"{text} …", file=sys.stderr, flush=True)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
