"""The web server alone: gunicorn in our place, or beside embedded servers until a signal comes."""

import os
import tempfile
from pathlib import Path

from app.config import load_settings
from app.operations.datadir import attach, metrics_environment
from app.operations.run import ROOT, Address, web_child
from app.operations.servers import use_servers
from app.operations.setting import ensure_migrated, environment_of
from app.operations.supervisor import supervise


def serve(host: str, port: int, data_dir: Path) -> None:
    """Serve until stopped; in production this process becomes gunicorn, so that signals reach it unchanged."""
    if os.environ.get("FIRSTHAND_DATABASE_URL") and not attach(data_dir):
        ensure_migrated(load_settings(), own=False)
        command = list(web_child(dict(os.environ), Address(host, port)).command)
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="firsthand-metrics-"))
        os.chdir(ROOT)
        os.execv(command[0], command)  # noqa: S606
    with use_servers(data_dir, os.environ, lasting=True) as found:
        environment = environment_of(data_dir, found, os.environ)
        environment |= metrics_environment(Path(environment["FIRSTHAND_DATA_DIR"]))
        ensure_migrated(load_settings(environment), own=not os.environ.get("FIRSTHAND_DATABASE_URL"))
        supervise([web_child(environment, Address(host, port))])
