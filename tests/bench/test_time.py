"""What time does to real workers, at a size for every run; `python -m bench chaos` and `outage` do the full one."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 300


def bench(*words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def test_with_workers_killed_the_database_restarted_and_redis_flushed_every_step_is_done_once() -> None:
    size = ("--due", "400", "--kills", "3", "--restarts", "1", "--flushes", "1", "--seconds", "4", "--workers", "1")
    done = bench("chaos", *size)
    found = done["data"]
    assert (found["reminders"], found["closings"]) == (390, 8)
    # of five reminders two are for two people; a fifth of the clocks breach
    assert found["messages"] == found["people_told"] == found["lines"] == 390 * 7 // 5
    assert (found["actions"], found["closed"], found["breaches"], found["set_aside"]) == (8, 8, 78, 0)


def test_after_three_days_without_a_worker_each_person_hears_once_of_each_clock_and_how_many_it_stands_for() -> None:
    """500 close clocks missed three steps each, 500 acknowledge clocks two."""
    found = bench("outage", "--missed", "2500")["data"]
    assert found["steps"] == 2_500
    assert found["messages"] == found["people_and_clocks"]
    # owner and manager of a close clock: two folded into the third; the owner of the other: one into the second
    assert (found["for_three"], found["for_two"]) == (2 * 500, 500)
    assert found["folded"] == found["said"] == 500 * (2 + 2 + 1)
