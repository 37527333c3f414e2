"""Which servers a process works with: those of the environment, of the data folder's holder, or its own."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.operations import embedded
from app.operations.datadir import Urls, attach, hold, publish, secret_key
from app.operations.errors import FolderHeld
from app.operations.supervisor import Supervisor


@dataclass(frozen=True)
class Running:
    urls: Urls
    supervisor: Supervisor


@contextmanager
def use_servers(data_dir: Path, environ: Mapping[str, str], *, lasting: bool = False) -> Iterator[dict[str, str]]:
    """The settings to add to the environment of one command, with servers behind them while the block lasts.

    Nothing is started when the environment names both servers, or when another process has published its own.
    Other commands wait for the end of the block, unless `lasting` publishes the servers for them to join: for
    `serve` and the worker, which do not end by themselves.
    """
    if environ.get("FIRSTHAND_DATABASE_URL") and environ.get("FIRSTHAND_REDIS_URL"):
        yield _urls(environ, None, None).environment()
        return
    with ExitStack() as stack:
        yield _join_or_start(stack, data_dir, environ, lasting=lasting)


@contextmanager
def start_servers(folder: Path, environ: Mapping[str, str]) -> Iterator[Running]:
    """Start what the environment does not name, on a folder that the caller holds."""
    with embedded.servers(
        folder,
        postgres=not environ.get("FIRSTHAND_DATABASE_URL"),
        valkey=not environ.get("FIRSTHAND_REDIS_URL"),
    ) as own:
        yield Running(_urls(environ, own.database_url, own.redis_url), own.supervisor)


def settings_for(
    folder: Path, urls: Urls, environ: Mapping[str, str], *, base_url: str | None = None
) -> dict[str, str]:
    """Where the servers and the folder are; the folder's secret and base URL unless the environment has them."""
    defaults = {"FIRSTHAND_SECRET_KEY": secret_key(folder), "FIRSTHAND_BASE_URL": base_url}
    chosen = {name: environ.get(name) or value for name, value in defaults.items()}
    known = {name: value for name, value in chosen.items() if value}
    return urls.environment() | {"FIRSTHAND_DATA_DIR": str(folder)} | known


def _join_or_start(stack: ExitStack, data_dir: Path, environ: Mapping[str, str], *, lasting: bool) -> dict[str, str]:
    told = False
    while True:
        if theirs := attach(data_dir):
            urls = _urls(environ, theirs.urls.database_url, theirs.urls.redis_url)
            return settings_for(data_dir.resolve(), urls, environ, base_url=theirs.base_url)
        try:
            folder = stack.enter_context(hold(data_dir))
        except FolderHeld as held:
            if not told:
                print(f"waiting for process {held.pid}, which works on {data_dir}", file=sys.stderr)
            told = True
        else:
            running = stack.enter_context(start_servers(folder, environ))
            if lasting:
                publish(folder, running.urls, pid=os.getpid(), pids=running.supervisor.pids())
            return settings_for(folder, running.urls, environ)


def _urls(environ: Mapping[str, str], database_url: str | None, redis_url: str | None) -> Urls:
    """What the environment names goes first; migrations use the same database unless it says otherwise."""
    given = environ.get("FIRSTHAND_DATABASE_URL")
    database = given or database_url or ""
    migration = (given and environ.get("FIRSTHAND_MIGRATION_URL")) or database
    return Urls(database, migration, environ.get("FIRSTHAND_REDIS_URL") or redis_url or "")
