"""Uploads through a real web server: large ones need little memory, too large ones are cut off, broken ones leave
nothing."""

import http.client
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app import clock
from app.auth import service as auth
from app.db import transaction
from app.operations.run import ROOT, free_address
from tests.escalations.test_attachments import LOG, path_of, stored

MIB = 1 << 20
LIMIT = 24 * MIB


class Server:
    """gunicorn with one process of four threads on the tests' database."""

    def __init__(self, settings):
        self.address = free_address("127.0.0.1", 0)
        self.connections = []
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTHAND_")}
        said = {
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "SECRET_KEY": settings.secret_key,
            "ATTACHMENTS_URL": settings.attachments_url,
            "MAX_ATTACHMENT_BYTES": str(LIMIT),
            "LOG_LEVEL": "error",
        }
        environment = {**inherited, **{f"FIRSTHAND_{name}": value for name, value in said.items()}}
        options = ["--bind", self.address.bind, "--worker-class", "gthread", "--workers", "1", "--threads", "4"]
        command = [sys.executable, "-m", "gunicorn", *options, "--no-control-socket", "app:create_app()"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def connect(self):
        self.connections.append(http.client.HTTPConnection("127.0.0.1", self.address.port, timeout=60))
        return self.connections[-1]

    def hang_up(self):
        while self.connections:
            self.connections.pop().close()

    def wait(self):
        ends_at = clock.monotonic() + 90
        while clock.monotonic() < ends_at:
            try:
                connection = self.connect()
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.1)
            finally:
                self.hang_up()
        pytest.fail("the server did not start")

    def peak_bytes(self):
        """The most memory that the serving process ever had resident."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        status = Path(f"/proc/{children[0]}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@pytest.fixture(scope="module")
def server(app, settings):
    running = Server(settings)
    try:
        running.wait()
        yield running
    finally:
        running.process.terminate()
        running.process.wait(30)


@pytest.fixture(autouse=True)
def hang_up(server):
    yield
    server.hang_up()


@pytest.fixture
def headers(tenant):
    with transaction():
        token = auth.create_token(auth.get_user(tenant.admin.id), name="", now=clock.real_now())[1]
    return {"Authorization": f"Bearer {token}", "Content-Type": "text/plain"}


def begin(server, case, headers, **more):
    """A connection with the request's head sent."""
    connection = server.connect()
    connection.putrequest("POST", f"{path_of(case)}?filename=a.log")
    for name, value in {**headers, **more}.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    return connection


def upload(server, case, headers, size):
    connection = begin(server, case, headers, Content_Length=str(size))
    piece = b"a line of a log\n" * (MIB // 16)
    for start in range(0, size, MIB):
        connection.send(piece[: min(MIB, size - start)])
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def test_a_large_upload_needs_no_more_memory_than_a_small_one(server, raise_case, headers):
    case = raise_case()
    assert upload(server, case, headers, MIB)[0] == 201
    before = server.peak_bytes()
    status, made = upload(server, case, headers, LIMIT)
    assert (status, made["size"]) == (201, LIMIT)
    assert server.peak_bytes() - before < 6 * MIB

    connection = server.connect()
    connection.request("GET", f"{path_of(case, made)}/link", headers=headers)
    url = json.loads(connection.getresponse().read())["url"]
    connection.request("GET", "/" + url.split("/", 3)[3])
    answer = connection.getresponse()
    received = 0
    while piece := answer.read(MIB):
        received += len(piece)
    assert received == LIMIT
    assert server.peak_bytes() - before < 8 * MIB


def test_500_mb_are_refused_before_a_byte_is_sent(server, raise_case, headers, tenant):
    began = time.monotonic()
    connection = begin(server, raise_case(), headers, Content_Length=str(500 * MIB))
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (413, "too_large")
    assert time.monotonic() - began < 5
    assert stored(tenant) == []


def test_a_body_that_does_not_say_its_length_is_cut_off_at_the_limit(server, raise_case, headers, tenant):
    connection = begin(server, raise_case(), headers, Transfer_Encoding="chunked")
    piece, sent = b"%x\r\n" % MIB + b"a line of a log\n" * (MIB // 16) + b"\r\n", 0
    try:
        while sent < 500:  # it never ends by itself
            connection.send(piece)
            sent += 1
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert sent < 100  # the limit, and what lies in the buffers of both ends
    assert stored(tenant) == []


def test_an_upload_that_ends_early_leaves_nothing(server, raise_case, headers, tenant, client):
    case = raise_case()
    connection = begin(server, case, headers, Content_Length=str(len(LOG) * 10))
    connection.send(LOG)
    connection.close()
    ends_at = clock.monotonic() + 2
    while not client.get(path_of(case)).json["items"] and clock.monotonic() < ends_at:
        time.sleep(0.1)
    assert client.get(path_of(case)).json["items"] == []
    assert stored(tenant) == []
