"""Servers for a test session: fast, private, gone at the end."""

import atexit
import os
import shutil
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from app.operations.datadir import Urls, hold
from app.operations.embedded import servers


@cache
def start_test_servers() -> Urls:
    """One pair of servers for this process, on data that need not survive; stopped when the process ends."""
    stack = ExitStack()
    atexit.register(stack.close)
    folder = stack.enter_context(hold(temporary_folder(stack)))
    running = stack.enter_context(servers(folder, durable=False))
    assert running.database_url
    assert running.redis_url
    return Urls(running.database_url, running.database_url, running.redis_url)


def temporary_folder(stack: ExitStack, name: str = "data") -> Path:
    """A folder that the servers' user can reach, which pytest's own for root are not."""
    parent = Path(tempfile.mkdtemp(prefix="firsthand-test-", dir=_memory()))
    stack.callback(shutil.rmtree, parent, ignore_errors=True)
    parent.chmod(0o711)
    return parent / name


def _memory() -> Path | None:
    """A file system in memory with room for a few clusters, if the machine has one that runs programs."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        return None
    status = os.statvfs(memory)
    roomy = status.f_bavail * status.f_frsize > 2 << 30
    return memory if roomy and not status.f_flag & os.ST_NOEXEC else None
