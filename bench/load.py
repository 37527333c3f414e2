"""Clients in a process of their own, each with one kept connection: reads a job as JSON, prints what it measured.

`python -m bench.load` takes `{port, method, path or paths, headers, bodies, clients, seconds}` on its standard input
and prints `{count, seconds, statuses, latencies}`, latencies in milliseconds.
"""

import http.client
import json
import subprocess
import sys
import time
from collections import Counter
from itertools import count
from threading import Thread
from typing import Any


def measure(**job: Any) -> dict[str, Any]:
    """Run a job in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"], input=json.dumps(job), stdout=subprocess.PIPE, text=True, check=True
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def percentile(latencies: list[float], share: float) -> float:
    """The latency that this share of the requests stayed within."""
    ordered = sorted(latencies)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)


class Clients:
    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.bodies = [json.dumps(body).encode() for body in job["bodies"]]
        self.paths = job.get("paths") or [job["path"]]
        self.next = count()
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()

    def run(self) -> dict[str, Any]:
        threads = [Thread(target=self._call) for _ in range(self.job["clients"])]
        began = time.perf_counter()
        self.until = began + self.job["seconds"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
        return {
            "count": len(self.latencies),
            "seconds": seconds,
            "statuses": self.statuses,
            "latencies": self.latencies,
        }

    def _call(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.job["port"], timeout=60)
        headers = {"Content-Type": "application/json", **self.job["headers"]}
        while (began := time.perf_counter()) < self.until:
            turn = next(self.next)
            body = self.bodies[turn % len(self.bodies)] if self.bodies else None
            connection.request(self.job["method"], self.paths[turn % len(self.paths)], body, headers)
            response = connection.getresponse()
            response.read()
            self.latencies.append((time.perf_counter() - began) * 1000)
            self.statuses[response.status] += 1
        connection.close()


if __name__ == "__main__":
    json.dump(Clients(json.load(sys.stdin)).run(), sys.stdout)
