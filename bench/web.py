"""Web servers as `firsthand run` starts them, of the product or of a floor."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from app.operations.run import Address, web_child
from bench.ground import free_port

PRODUCT = "app:create_app()"
START_SECONDS = 120.0  # of a busy machine


@contextmanager
def serving(environ: dict[str, str], application: str = PRODUCT, **more: str) -> Iterator[int]:
    """The port on which gunicorn serves this application, with the product's own number of processes and threads."""
    port = free_port()
    settings = {**os.environ, **environ, **more}
    child = web_child(settings, Address("127.0.0.1", port))
    command = [application if word == PRODUCT else word for word in child.command]
    process = subprocess.Popen(command, env=settings, cwd=child.folder, stdout=subprocess.DEVNULL, stderr=sys.stderr)
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse()
            return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise TimeoutError(f"nothing answers on port {port}")
