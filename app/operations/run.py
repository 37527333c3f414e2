"""`firsthand run`: everything the product needs, in one process tree, until Ctrl-C."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

import app
from app.operations.datadir import Urls, hold, publish, secret_key
from app.operations.errors import CannotRun, PortTaken, StepFailed
from app.operations.servers import start_servers
from app.operations.supervisor import Child, Supervisor, on_stop_signals, tie_to_parent

ROOT = Path(app.__file__).resolve().parent.parent
CLI = (sys.executable, "-m", "app.operations.cli")
WEB_PROCESSES = 2
WEB_THREADS = 8
SPARE_CONNECTIONS = 2  # kept alive beside the busy ones; with more, one process takes every connection
GRACE_SECONDS = 10.0


def run(host: str, port: int, data_dir: Path, *, sample: bool) -> int:
    """Hold the folder, start servers, migrate, fill the sample tenant, serve; the exit status."""
    try:
        with on_stop_signals(_interrupt), hold(data_dir) as folder:
            port = free_port(host, port)
            with start_servers(folder, os.environ) as running:
                settings = _settings(folder, running.urls, host, port)
                _step(settings, "db", "upgrade")
                welcome = _step(settings, "sample", "ensure") if sample else ""
                _serve(running.supervisor, running.urls, folder, settings, host, port, welcome)
    except KeyboardInterrupt:
        return 0
    except CannotRun as problem:
        print(f"firsthand: {problem}", file=sys.stderr)
        return 1
    return 0


def free_port(host: str, port: int) -> int:
    """The port if we can listen on it, any free one for 0; PortTaken otherwise."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            chosen: int = probe.getsockname()[1]
    except OSError as problem:
        raise PortTaken(f"cannot listen on {host} port {port}: {problem}; choose another --port") from problem
    return chosen


def _serve(
    supervisor: Supervisor,
    urls: Urls,
    folder: Path,
    settings: Mapping[str, str],
    host: str,
    port: int,
    welcome: str,
) -> None:
    published: dict[str, int] = {}

    def record() -> bool:
        nonlocal published
        if supervisor.pids() != published:
            published = supervisor.pids()
            publish(folder, urls, pid=os.getpid(), pids=published, host=host, port=port)
        return False

    def answers() -> bool:
        if supervisor.failures("web"):
            raise StepFailed("the web server did not start; what it said stands above")
        return record() or _is_healthy(host, port)

    for child in (_web(settings, host, port), _worker(settings)):
        supervisor.start(child)
    if supervisor.watch(answers):
        print(f"Firsthand is at {settings['FIRSTHAND_BASE_URL']}, its data in {folder}. Ctrl-C stops it.")
        print(welcome, end="", flush=True)
        supervisor.watch(record)


def _settings(folder: Path, urls: Urls, host: str, port: int) -> dict[str, str]:
    """The environment of our children: what the user set, the servers' addresses, a secret that stays."""
    defaults = {
        "FIRSTHAND_SECRET_KEY": secret_key(folder),
        "FIRSTHAND_BASE_URL": f"http://{_visitable(host)}:{port}",
    }
    given = {name: value for name, value in os.environ.items() if value or name not in defaults}
    return defaults | given | urls.environment() | {"FIRSTHAND_DATA_DIR": str(folder)}


def _step(settings: Mapping[str, str], *arguments: str) -> str:
    """Run one command of ours to its end and give back what it printed."""
    done = subprocess.run(
        [*CLI, *arguments],
        env=settings,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=tie_to_parent(os.getpid(), signal.SIGKILL),
    )
    if done.returncode:
        raise StepFailed(f"'firsthand {' '.join(arguments)}' ended with {done.returncode}")
    return done.stdout


def _web(settings: Mapping[str, str], host: str, port: int) -> Child:
    options = {
        "--bind": f"{_bracketed(host)}:{port}",
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
    return Child(
        name="worker", command=command, environment=settings, folder=ROOT, grace_seconds=GRACE_SECONDS
    )


def _is_healthy(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(_visitable(host).strip("[]"), port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _visitable(host: str) -> str:
    """What to put into a URL: "every address" is no address to visit."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, _bracketed(host))  # noqa: S104


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
