import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.operations.test_supervisor import is_alive, wait_until
from tests.servers import temporary_folder

ROOT = Path(__file__).resolve().parents[2]
CLI = [sys.executable, "-m", "app.operations.cli"]


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("FIRSTHAND_")}


def descendants(pid: int) -> set[int]:
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.stdout.splitlines())}
    found, added = {pid}, {pid}
    while added:
        added = {child for child, parent in parents.items() if parent in added} - found
        found |= added
    return found - {pid}


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with ExitStack() as stack:
        yield temporary_folder(stack, "a data folder")


@contextmanager
def running(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """`firsthand run` on a free port, once it has said that it is up."""
    command = [*CLI, "run", "--data-dir", str(data_dir), "--port", "0", "--no-sample"]
    process = subprocess.Popen(command, cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert "Ctrl-C stops it" in process.stdout.readline()
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        if process.stdout:
            process.stdout.close()


def published(data_dir: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((data_dir / "run.json").read_text())
    return content


def is_ready(data_dir: Path) -> bool:
    with urllib.request.urlopen(f"{published(data_dir)['base_url']}/readyz", timeout=10) as answer:
        return bool(json.load(answer)["status"] == "ready")


def test_run_leaves_no_orphan_when_killed_works_on_the_same_data_again_and_ctrl_c_stops_everything(
    data_dir: Path,
) -> None:
    if sys.platform == "linux":  # only Linux tells children of their parent's death
        kill_one_that_runs(data_dir)
    with running(data_dir) as process:
        with urllib.request.urlopen(f"{published(data_dir)['base_url']}/healthz", timeout=10) as answer:
            assert answer.status == 200
        wait_until(lambda: is_ready(data_dir))
        tree = descendants(process.pid)
        assert set(published(data_dir)["pids"]) == {"postgres", "valkey", "web", "worker"}  # type: ignore[call-overload]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert not any(map(is_alive, tree))
        assert not (data_dir / "run.json").exists()


def kill_one_that_runs(data_dir: Path) -> None:
    with running(data_dir) as process:
        made = subprocess.run(
            [*CLI, "tenant", "create", "Acme", "--data-dir", str(data_dir)],
            cwd=ROOT,
            env=clean_environment(),
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stderr
        tree = descendants(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_until(lambda: not any(map(is_alive, tree)))
