"""Calls to addresses that somebody typed in: never to our own network, never for long."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address, ip_network
from pathlib import Path
from threading import Thread

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask

from app import clock, outside
from app.outside import OutsideFailed, check_url, find_addresses, guard, is_public

LOOPBACK = (ip_network("127.0.0.0/8"),)
Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(answer: Answer, certificate: Path | None = None) -> Iterator[int]:
    """A server on a free port of this machine that answers every GET so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def say(body: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.fixture
def at_home(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine may be reached, as in development."""
    monkeypatch.setitem(app.config, "PRIVATE_NETWORKS", LOOPBACK)
    with app.app_context():
        yield


def call(url: str) -> requests.Response:
    with guard(requests.Session()) as session:
        return session.get(url)


def refusal(url: str) -> str:
    with pytest.raises(OutsideFailed) as refused:
        call(url)
    return str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.31.255.255", "192.0.0.8",
        "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
        "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b:1::1", "100::1", "2001::1", "2001:2::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1",
        "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1",
    ],
)  # fmt: skip
def test_what_is_not_on_the_public_internet_is_known(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"]
)
def test_public_addresses_are_known(address: str) -> None:
    assert is_public(ip_address(address))
    assert is_public(ip_address("::ffff:8.8.8.8"))


def test_a_private_address_is_refused_and_nothing_is_connected(app: Flask) -> None:
    reached = []
    with app.app_context(), serving(lambda handler: reached.append(handler.path)) as port:
        assert refusal(f"https://127.0.0.1:{port}/") == "127.0.0.1 is 127.0.0.1, which is not on the public internet"
        assert "localhost is" in refusal(f"http://localhost:{port}/")
    assert reached == []


def test_one_private_address_among_a_hosts_addresses_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(OutsideFailed, match=r"rebinding\.example is 10\.0\.0\.1"):
        find_addresses("rebinding.example", 443, secure=True, allowed=())


def test_a_network_the_operator_named_may_be_reached_over_https_only() -> None:
    named = (ip_network("10.0.0.0/8"),)
    assert find_addresses("10.1.2.3", 9443, secure=True, allowed=named) == ["10.1.2.3"]
    with pytest.raises(OutsideFailed, match="without encryption"):
        find_addresses("10.1.2.3", 80, secure=False, allowed=named)


def test_on_the_internet_only_https_at_its_ports_is_called() -> None:
    assert find_addresses("8.8.8.8", 443, secure=True, allowed=()) == ["8.8.8.8"]
    with pytest.raises(OutsideFailed, match="without encryption"):
        find_addresses("8.8.8.8", 443, secure=False, allowed=())
    with pytest.raises(OutsideFailed, match="at port 22"):
        find_addresses("8.8.8.8", 22, secure=True, allowed=())


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/",
        "file:///etc/passwd",
        "//host/",
        "https://",
        "https://me:word@host/",
        "https://[::1/",
        "https://host:x/",
        "https://host:99999/",
        "https://*.example.com/",
        "https://%00/",
    ],
)
def test_what_is_no_address_to_call_is_refused(url: str) -> None:
    with pytest.raises(OutsideFailed):
        check_url(url)


def test_this_machine_answers_where_it_may(at_home: None) -> None:
    with serving(say(b"hello")) as port:
        answer = call(f"http://127.0.0.1:{port}/path")
    assert (answer.status_code, answer.text) == (200, "hello")


def test_a_redirect_is_not_followed(at_home: None) -> None:
    reached = []
    with (
        serving(lambda handler: reached.append(handler.path)) as inner,
        serving(say(b"", 302, Location=f"http://127.0.0.1:{inner}/")) as port,
    ):
        assert "redirects are not followed" in refusal(f"http://127.0.0.1:{port}/")
    assert reached == []


def test_an_answer_without_end_is_not_read(at_home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "LARGEST", 1000)
    with serving(say(b"x" * 1000)) as port:
        assert len(call(f"http://127.0.0.1:{port}/").content) == 1000
    with serving(say(b"x" * 1001)) as port:
        assert "more than we read" in refusal(f"http://127.0.0.1:{port}/")


def test_who_talks_slowly_is_cut_off_at_the_deadline(at_home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, and all of them together would take ten seconds."""
    monkeypatch.setattr(outside, "WHOLE_SECONDS", 0.5)

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        for _ in range(100):
            time.sleep(0.1)
            with suppress(BrokenPipeError, ConnectionResetError):
                handler.wfile.write(b"x")

    with serving(drip) as port:
        begun = time.monotonic()
        assert "did not answer in time" in refusal(f"http://127.0.0.1:{port}/")
        assert time.monotonic() - begun < 5


def test_nobody_there_is_said(at_home: None) -> None:
    with serving(say(b"")) as port:
        pass
    assert refusal(f"http://127.0.0.1:{port}/") == "127.0.0.1 does not answer"


def test_a_proxy_of_the_environment_is_not_asked(at_home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with serving(say(b"straight")) as port:
        assert call(f"http://127.0.0.1:{port}/").text == "straight"


@pytest.fixture
def certificate(tmp_path: Path) -> Iterator[Path]:
    """Of this machine's address, signed by nobody but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "provider")])
    start = clock.real_now() - timedelta(days=1)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    yield path
    outside.trusted.cache_clear()


def test_a_certificate_nobody_signed_is_not_trusted(at_home: None, certificate: Path) -> None:
    with serving(say(b"hello"), certificate) as port:
        said = refusal(f"https://127.0.0.1:{port}/")
    assert said.startswith("The certificate of 127.0.0.1 is not to be trusted: ")
    assert "self-signed" in said


def test_a_certificate_of_the_machines_own_authorities_is_trusted(
    at_home: None, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    outside.trusted.cache_clear()
    with serving(say(b"hello"), certificate) as port:
        assert call(f"https://127.0.0.1:{port}/").text == "hello"
