"""Servers for a test session: fast, private, gone at the end."""

import atexit
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
    parent = Path(tempfile.mkdtemp(prefix="firsthand-test-"))
    stack.callback(shutil.rmtree, parent, ignore_errors=True)
    parent.chmod(0o711)
    return parent / name
