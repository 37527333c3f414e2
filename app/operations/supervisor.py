"""Child processes: started again when they die, stopped in reverse order, never outliving their parent."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Self

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
STEADY_SECONDS = 10.0  # who lived this long starts again without its former delay
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None  # loaded before any fork


@dataclass(frozen=True, kw_only=True)
class Child:
    """One process to keep alive: `stop_signal` asks it to end, `orphan_signal` reaches it when we die."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None
    folder: Path | None = None
    log: Path | None = None
    user: tuple[int, int] | None = None  # uid and gid, when it shall not be ours
    keep_open: tuple[int, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    grace_seconds: float = 10.0


@dataclass
class _Running:
    child: Child
    process: subprocess.Popen[bytes]
    started: float
    failures: int = 0
    start_again: float | None = None


@dataclass
class Supervisor:
    """Starts children, starts the dead again with growing delays, stops all in reverse order on leaving."""

    _running: dict[str, _Running] = field(default_factory=dict)
    _stopping: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, child: Child) -> subprocess.Popen[bytes]:
        process = spawn(child)
        self._running[child.name] = _Running(child, process, time.monotonic())
        return process

    def pids(self) -> dict[str, int]:
        return {name: entry.process.pid for name, entry in self._running.items()}

    def failures(self, name: str) -> int:
        """How often the child died in a row, each time before it had lived `STEADY_SECONDS`."""
        return self._running[name].failures

    def watch(self, until: Callable[[], bool] = lambda: False, *, pause_seconds: float = 0.1) -> bool:
        """Keep the children alive; True once `until()` holds, False when a signal asked us to stop."""
        with on_stop_signals(self._ask_to_stop):
            while not self._stopping:
                self._revive()
                if until():
                    return True
                time.sleep(pause_seconds)
        return False

    def stop(self) -> None:
        """The last started goes first; a second Ctrl-C changes nothing, the graces bound the time."""
        with on_stop_signals(self._ask_to_stop):
            while self._running:
                _, entry = self._running.popitem()
                stop_process(entry.process, entry.child)

    def _ask_to_stop(self, _signum: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _revive(self) -> None:
        now = time.monotonic()
        for entry in self._running.values():
            if entry.start_again is None and entry.process.poll() is not None:
                _schedule(entry, now)
            elif entry.start_again is not None and now >= entry.start_again:
                entry.process, entry.started, entry.start_again = spawn(entry.child), now, None


def supervise(children: Sequence[Child]) -> None:
    """Keep the children alive until SIGTERM, SIGINT or SIGHUP, then stop them in reverse order."""
    supervisor = Supervisor()
    with on_stop_signals(supervisor._ask_to_stop), supervisor:
        for child in children:
            supervisor.start(child)
        supervisor.watch()


def _schedule(entry: _Running, now: float) -> None:
    steady = now - entry.started >= STEADY_SECONDS
    entry.failures = 1 if steady else entry.failures + 1
    delay = min(FIRST_DELAY_SECONDS * 2 ** (entry.failures - 1), LONGEST_DELAY_SECONDS)
    entry.start_again = now + delay
    name, code = entry.child.name, entry.process.returncode
    print(f"{name} ended with {code}; starting it again in {delay:g} s", file=sys.stderr, flush=True)


def spawn(child: Child) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own: Ctrl-C then reaches us alone, and we stop it in order."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("start children from the main thread: the kernel ties them to the thread")
    uid, gid = child.user or (None, None)
    with _log(child) as log, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: preexec_fn beside a thread
        return subprocess.Popen(
            list(child.command),
            env=child.environment,
            cwd=child.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=uid,
            group=gid,
            extra_groups=None if uid is None else [],
            pass_fds=child.keep_open,
            process_group=0,
            preexec_fn=tie_to_parent(os.getpid(), child.orphan_signal),  # runs after the change of user
        )


@contextmanager
def _log(child: Child) -> Iterator[IO[bytes] | None]:
    if child.log is None:
        yield None
    else:
        opened = os.open(child.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with os.fdopen(opened, "ab") as log:
            yield log


def tie_to_parent(parent: int, orphan_signal: signal.Signals) -> Callable[[], None]:
    """What a child runs before its program: on Linux it gets the signal when its parent is gone."""

    def tie() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(orphan_signal))
        if os.getppid() != parent:  # it died before we were tied to it
            os._exit(1)

    return tie


def stop_process(process: subprocess.Popen[bytes], child: Child) -> None:
    """Ask, wait for the grace, then kill the child and whatever is left in its group."""
    if process.poll() is not None:
        return
    process.send_signal(child.stop_signal)
    try:
        process.wait(child.grace_seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def on_stop_signals(action: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Within the block SIGTERM, SIGINT and SIGHUP do this; afterwards what they did before.

    A SIGHUP that is ignored stays so: nohup means it.
    """
    ignored = {signal.SIGHUP} if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else set()
    before = {signum: signal.signal(signum, action) for signum in STOP_SIGNALS if signum not in ignored}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
