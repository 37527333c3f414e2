"""Numbers for Prometheus: what this process and its siblings counted, and what the database says now. No names."""

import os
from collections.abc import Iterator

from flask import Response, g, request
from prometheus_client import REGISTRY, CollectorRegistry, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.operations import heartbeats
from app.operations.backlog import read_backlog

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

REQUESTS = Histogram(
    "firsthand_request_seconds",
    "Requests by route, method and status",
    ["route", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
BACKLOG = {
    "lag_seconds": ("firsthand_timer_lag_seconds", "How far the oldest due step is behind its tenant's now"),
    "due_steps": ("firsthand_due_steps", "Clocks with a step that is due"),
    "clocks_set_aside": ("firsthand_clocks_set_aside", "Clocks that could not be swept and wait for somebody"),
    "messages_due": ("firsthand_messages_due", "Messages that could be sent now"),
    "dead_letters": ("firsthand_dead_letters", "Messages given up, waiting for somebody"),
}


def observe(response: Response) -> Response:
    """After each request; a path that is no route of ours is one word, however many are tried."""
    route = request.url_rule.rule if request.url_rule else "unknown"
    method = request.method if request.method in METHODS else "other"
    if "began" in g:
        REQUESTS.labels(route, method, response.status_code).observe(clock.monotonic() - g.began)
    return response


def expose() -> bytes:
    """Everything in Prometheus' text format. Processes that share a folder are added up."""
    counted: CollectorRegistry = REGISTRY
    if os.environ.get(SHARED_FOLDER):
        counted = CollectorRegistry()
        multiprocess.MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    now = CollectorRegistry()
    now.register(DatabaseNow())
    return generate_latest(counted) + generate_latest(now)


class DatabaseNow(Collector):
    """Asked at each scrape; a database that is away is a number too."""

    def collect(self) -> Iterator[Metric]:
        try:
            found = list(_ask())
        except SQLAlchemyError:
            found = []
        up = GaugeMetricFamily("firsthand_database_up", "Whether the database answers", value=float(bool(found)))
        yield from [up, *found]


def _ask() -> Iterator[Metric]:
    now = clock.real_now()
    backlog = read_backlog(now)
    for name, (metric, text) in BACKLOG.items():
        yield GaugeMetricFamily(metric, text, value=getattr(backlog, name))
    age = GaugeMetricFamily("firsthand_heartbeat_age_seconds", "Since the last beat of any", labels=["kind"])
    alive = GaugeMetricFamily("firsthand_processes_alive", "Processes that beat in the last minute", labels=["kind"])
    for row in heartbeats.list_ages():
        age.add_metric([row.kind], max((now - row.beat_at).total_seconds(), 0))
        alive.add_metric([row.kind], row.alive)
    yield from (age, alive)
