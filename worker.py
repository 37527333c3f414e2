"""The worker: reminders, deliveries and daily work. `python worker.py`, any number of times, on any number of hosts.

One parent that only supervises, a timer, RQ workers, and a maker of files, so that a long one delays no reminder.
PostgreSQL alone says what is due; Redis only wakes, and while it is away the timer does the work itself.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from flask import Flask
from sqlalchemy.exc import OperationalError

from app import create_app, queue
from app.config import BadSettings, Settings, load_settings
from app.escalations.jobs import (
    apply_open,
    move_work,
    next_due,
    offer_outages,
    reprioritise,
    scan_attachments,
    sweep,
    tidy_attachments,
    wake_waiting,
)
from app.integrations.webhooks.jobs import send_webhooks
from app.notifications.jobs import deliver_due
from app.operations import daily, heartbeats
from app.operations.errors import CannotRun
from app.operations.imports.jobs import end_abandoned
from app.operations.rq_worker import work
from app.operations.servers import use_servers
from app.operations.setting import ensure_migrated, environment_of
from app.operations.supervisor import Child, supervise
from app.operations.timer import EACH_TICK, Job, Timer, repeat, run_logged
from app.reports.jobs import learn_forecast, make_exports, report_facts, send_reports, tidy_exports
from app.routing.jobs import learn, simulate

ROOT = Path(__file__).resolve().parent
GRACE_SECONDS = 20.0  # for the batch under way; what is cut off is found again

# The periodic list: what there is to do lies in rows, so that a run too many does nothing and a missed one loses
# nothing. Workers take the first of these that waits.
JOBS = (
    Job("move_work", EACH_TICK, move_work),  # work of colleagues whose absence begins, or who left
    Job("sweep", EACH_TICK, sweep),  # steps of clocks that are due: reminders, breaches, hops
    Job("wake_waiting", EACH_TICK, wake_waiting),  # waits whose end has come
    Job("deliver", EACH_TICK, deliver_due),  # messages whose time has come
    Job("webhooks", EACH_TICK, send_webhooks),  # what other systems are told of
    Job("apply_open", EACH_TICK, apply_open),  # newer versions on their way to open cases
    Job("offer_outages", EACH_TICK, offer_outages),  # what outages say, on its way to their cases
    Job("simulate", EACH_TICK, simulate),  # routing policies tried on the past
    Job("reprioritise", 30, reprioritise),  # cases whose account changed, and all once a day
    Job("daily", 30, daily.run_due),  # what each tenant needs once per day of its own time
    Job("learn", 30, learn),  # models of who closes what that somebody or the day asked for
    Job("learn_forecast", 60, learn_forecast),  # models of how cases close that a day asked for
    Job("report_facts", 15, report_facts),  # what reports are read from follows the timeline
    Job("send_reports", 30, send_reports),  # reports by mail whose hour has come
    Job("scan_attachments", 30, scan_attachments),  # files that wait for the scanner, bytes that nobody wants any more
    Job("end_imports", 60, end_abandoned),  # those whose process died
    Job("tidy_attachments", 600, tidy_attachments),  # what aborted uploads left in stores, each looked at once a day
    Job("tidy_exports", 600, tidy_exports),  # files of reports that have expired
    Job("tidy", 3600, heartbeats.forget_old),
)
MAKER = Job("make_exports", 2, make_exports)  # files of reports that somebody waits for, by a process of its own


def run_job(name: str) -> None:
    """What RQ runs: one job of the list, by name."""
    job = next(job for job in JOBS if job.name == name)
    with application().app_context():
        queue.taken(name)
        run_logged(job)


@cache
def application() -> Flask:
    """This process's application."""
    return create_app(doors=False)


def main(words: Sequence[str]) -> int:
    """Without a word the parent, else one of its children; the exit status."""
    try:
        if words:
            run_child(words[0])
        elif os.environ.get("FIRSTHAND_DATABASE_URL"):
            supervise(children(load_settings(), os.environ))
        else:
            run_beside_own_servers(Path(os.environ.get("FIRSTHAND_DATA_DIR") or ".firsthand"))
    except (BadSettings, CannotRun, OperationalError) as problem:
        print(f"worker: {problem}", file=sys.stderr)
        return 2 if isinstance(problem, BadSettings) else 1
    return 0


def children(settings: Settings, environment: Mapping[str, str]) -> list[Child]:
    names = ["timer", "maker", *(f"worker-{number}" for number in range(1, settings.workers + 1))]
    return [
        Child(
            name=name,
            command=[sys.executable, str(ROOT / "worker.py"), name],
            environment=environment,
            folder=ROOT,
            grace_seconds=GRACE_SECONDS,
        )
        for name in names
    ]


def run_child(name: str) -> None:
    ensure_migrated(application().config["SETTINGS"], own=False)
    if name == "timer":
        Timer(application(), JOBS, next_due=next_due).run()
    elif name == "maker":
        repeat(application(), MAKER)
    else:
        work(application(), [job.name for job in JOBS])


def run_beside_own_servers(data_dir: Path) -> None:
    """Join the servers of the data folder, or start them, as `firsthand run` does."""
    with use_servers(data_dir, os.environ, lasting=True) as found:
        environment = environment_of(data_dir, found, os.environ)
        settings = load_settings(environment)
        ensure_migrated(settings, own=True)
        supervise(children(settings, environment))


if __name__ == "__main__":
    sys.modules["worker"] = sys.modules["__main__"]  # RQ finds `worker.run_job` here, not in a second copy
    sys.exit(main(sys.argv[1:]))
