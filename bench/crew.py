"""Real `worker.py` processes under a benchmark: started, killed one at a time, stopped."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Mapping
from itertools import count
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STOP_SECONDS = 60.0


class Crew:
    """So many workers, each a parent with its timer and its RQ workers; gone when the block is left."""

    def __init__(self, environ: Mapping[str, str], *, parents: int = 1) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTHAND_")}
        self.environ = {**kept, **environ}
        self.size = parents
        self.parents: dict[str, subprocess.Popen[bytes]] = {}
        self.numbers = count(1)

    def __enter__(self) -> "Crew":
        self.fill()
        return self

    def __exit__(self, *_: object) -> None:
        for parent in self.parents.values():
            parent.send_signal(signal.SIGTERM)
        for parent in self.parents.values():
            try:
                parent.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                parent.kill()
                parent.wait()

    def fill(self) -> None:
        """Start what is missing."""
        self.parents = {name: parent for name, parent in self.parents.items() if parent.poll() is None}
        while len(self.parents) < self.size:
            name = f"crew-{next(self.numbers)}"  # by which PostgreSQL tells whose transaction it is
            command = [sys.executable, str(ROOT / "worker.py")]
            environ = {**self.environ, "PGAPPNAME": name}
            self.parents[name] = subprocess.Popen(command, env=environ, cwd=ROOT, stdout=subprocess.DEVNULL)

    def kill_one(self, chance: random.Random, name: str | None) -> None:
        """SIGKILL to a process of this worker, or of any: the parent, whose children go too, or one of them.

        A child is started again by its parent, a parent by us.
        """
        parent = self.parents[name if name in self.parents else chance.choice(sorted(self.parents))]
        pid = chance.choice([parent.pid, *children_of(parent.pid)])
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # it was not up yet
            return
        if pid == parent.pid:
            parent.wait()
        self.fill()


def children_of(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
