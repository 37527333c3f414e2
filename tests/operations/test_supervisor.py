import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.operations.supervisor import Child, Supervisor, spawn, stop_process

SLEEP = "import time; time.sleep(60)"


def python(name: str, code: str, **more: object) -> Child:
    return Child(name=name, command=[sys.executable, "-c", code], **more)  # type: ignore[arg-type]


def is_alive(pid: int) -> bool:
    """A zombie that nobody has reaped yet is dead."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return bool(state.strip()) and not state.startswith("Z")


def wait_until(holds: Callable[[], bool], *, seconds: float = 120) -> None:
    """With patience: the machine may be busy with other tests."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.02)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def supervising(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that supervises two children, each noting its start, its pid and its asked-for end."""
    code = f"""
import signal, sys
for signum in (signal.SIGHUP, signal.SIGINT): signal.signal(signum, signal.SIG_DFL)  # whoever runs the tests
from app.operations.supervisor import Child, supervise
note = '''
import os, signal, sys, time
def say(word): open({str(tmp_path / "log")!r}, "a").write(f"{{word}} {{sys.argv[1]}} {{os.getpid()}}\\\\n")
def end(*_): say("ended"); sys.exit()
signal.signal(signal.SIGTERM, end); say("started"); time.sleep(60)
'''
supervise([Child(name=n, command=[sys.executable, "-c", note, n]) for n in ("first", "second")])
"""
    process = subprocess.Popen([sys.executable, "-c", code])
    wait_until(lambda: len(lines(tmp_path / "log")) == 2)
    yield process
    process.kill()
    process.wait()


def pids(log: Path) -> dict[str, int]:
    return {name: int(pid) for word, name, pid in map(str.split, lines(log)) if word == "started"}


def test_a_dead_child_is_started_again() -> None:
    with Supervisor() as supervisor:
        first = supervisor.start(python("one", SLEEP)).pid
        os.kill(first, signal.SIGKILL)
        assert supervisor.watch(lambda: supervisor.pids()["one"] != first)
        assert is_alive(supervisor.pids()["one"])
        assert supervisor.failures("one") == 1


def test_a_child_that_keeps_dying_is_started_less_and_less_often() -> None:
    with Supervisor() as supervisor:
        supervisor.start(python("one", "raise SystemExit(3)"))
        begin = time.monotonic()
        assert supervisor.watch(lambda: supervisor.failures("one") == 3)
        assert time.monotonic() - begin >= 0.5 + 1.0  # the first two delays


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_children_are_stopped_in_reverse_order(
    supervising: subprocess.Popen[bytes], tmp_path: Path, asked: signal.Signals
) -> None:
    supervising.send_signal(asked)
    assert supervising.wait(10) == 0
    assert [line.split()[:2] for line in lines(tmp_path / "log")[2:]] == [
        ["ended", "second"],
        ["ended", "first"],
    ]


def test_under_nohup_a_hangup_changes_nothing() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Supervisor() as supervisor:
            supervisor.start(python("one", SLEEP))
            rounds = iter(range(3))

            def hang_up_twice() -> bool:
                os.kill(os.getpid(), signal.SIGHUP)
                return next(rounds) == 2

            assert supervisor.watch(hang_up_twice)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_a_killed_parent_leaves_no_child(supervising: subprocess.Popen[bytes], tmp_path: Path) -> None:
    supervising.kill()
    wait_until(lambda: not any(map(is_alive, pids(tmp_path / "log").values())))


def test_a_child_that_ignores_the_request_is_killed_after_the_grace(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)"
    child = python("deaf", f"{deaf}; time.sleep(60)", log=tmp_path / "log", grace_seconds=0.3)
    process = spawn(child)
    wait_until(lambda: lines(tmp_path / "log") == ["deaf"])
    stop_process(process, child)
    assert process.returncode == -signal.SIGKILL
