"""Which servers a process works with: those of the environment, of the data folder's holder, or its own."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.operations import embedded
from app.operations.datadir import Urls, attach, hold, publish
from app.operations.errors import FolderHeld
from app.operations.supervisor import Supervisor


@dataclass(frozen=True)
class Running:
    urls: Urls
    supervisor: Supervisor


@contextmanager
def use_servers(data_dir: Path, environ: Mapping[str, str], *, lasting: bool = False) -> Iterator[Urls]:
    """For one command: join the holder of the folder, or start what the environment does not name.

    Other commands wait for the end of the block, unless `lasting` publishes the servers for them to join: for
    `serve` and the worker, which do not end by themselves.
    """
    if environ.get("FIRSTHAND_DATABASE_URL") and environ.get("FIRSTHAND_REDIS_URL"):
        yield _urls(environ, None, None)
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


def _join_or_start(stack: ExitStack, data_dir: Path, environ: Mapping[str, str], *, lasting: bool) -> Urls:
    told = False
    while True:
        if theirs := attach(data_dir):
            return _urls(environ, theirs.database_url, theirs.redis_url)
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
            return running.urls


def _urls(environ: Mapping[str, str], database_url: str | None, redis_url: str | None) -> Urls:
    """What the environment names goes first; migrations use the same database unless it says otherwise."""
    given = environ.get("FIRSTHAND_DATABASE_URL")
    database = given or database_url or ""
    migration = (given and environ.get("FIRSTHAND_MIGRATION_URL")) or database
    return Urls(database, migration, environ.get("FIRSTHAND_REDIS_URL") or redis_url or "")
