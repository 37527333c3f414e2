"""Real `worker.py` processes under a benchmark: started, killed one at a time, stopped."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STOP_SECONDS = 60.0


class Crew:
    """So many workers, each a parent with its timer and its RQ workers; gone when the block is left."""

    def __init__(self, environ: Mapping[str, str], *, parents: int = 1) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTHAND_")}
        self.environ = {**kept, **environ}
        self.size = parents
        self.parents: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Crew":
        self.fill()
        return self

    def __exit__(self, *_: object) -> None:
        for parent in self.parents:
            parent.send_signal(signal.SIGTERM)
        for parent in self.parents:
            try:
                parent.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                parent.kill()
                parent.wait()

    def fill(self) -> None:
        """Start what is missing."""
        self.parents = [parent for parent in self.parents if parent.poll() is None]
        while len(self.parents) < self.size:
            command = [sys.executable, str(ROOT / "worker.py")]
            self.parents.append(subprocess.Popen(command, env=self.environ, cwd=ROOT, stdout=subprocess.DEVNULL))

    def pids(self) -> list[int]:
        """Every process of ours: parents, timers, RQ workers."""
        return [pid for parent in self.parents for pid in (parent.pid, *children_of(parent.pid))]

    def kill_one(self, chance: random.Random) -> None:
        """SIGKILL to any of them. A child is started again by its parent, a parent, whose children go too, by us."""
        pid = chance.choice(self.pids())
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # it had just ended with a parent
            return
        for parent in self.parents:
            if parent.pid == pid:
                parent.wait()
        self.fill()


def children_of(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
