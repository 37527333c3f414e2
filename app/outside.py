"""Calls to addresses that somebody typed in (an identity provider's): never to our own network, never for long.

The name is resolved once, every address it has must be a public one, and the connection goes to that address, so a
second answer of the name server changes nothing. https only, no redirects, no proxy or password from the environment,
a limited answer and one deadline for all of it. `PRIVATE_NETWORKS` lists what may be reached although it is private;
only a loopback address in it is spoken to over http.
"""

import io
import socket
import ssl
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from threading import Event, Thread
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from flask import current_app
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
S = TypeVar("S", bound=requests.Session)

RESOLVE_SECONDS = 3.0
CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
WHOLE_SECONDS = 8.0
MOST_TRIED = 3
LARGEST = 1 << 20
PORTS = (443, 8443)

# Special-purpose addresses (the registries of IANA); `ipaddress` counts some of them as global.
NOT_PUBLIC_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
# Of IPv6 only what is given out to networks, without protocols', documentation's and IPv4's addresses in it.
PUBLIC_6 = IPv6Network("2000::/3")
NOT_PUBLIC_6 = tuple(
    IPv6Network(n) for n in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)

_resolvers = ThreadPoolExecutor(8, thread_name_prefix="resolve")
_connections: ContextVar[list[HTTPConnection] | None] = ContextVar("connections", default=None)


class OutsideFailed(Exception):
    """The call came to nothing; the message says why, in a sentence for whoever typed the address in."""


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet; one of IPv4 inside IPv6 counts as itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        return address in PUBLIC_6 and not any(address in network for network in NOT_PUBLIC_6)
    return not any(address in network for network in NOT_PUBLIC_4)


def check_url(url: str) -> str:
    """An address we would call: https (or http, if it turns out to be this machine), a host, no name or password."""
    try:
        parts = urlsplit(requests.Request("GET", url).prepare().url or "")
    except ValueError:
        raise OutsideFailed(f"{url} is no address that can be called") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise OutsideFailed(f"{url} does not begin with https://")
    if parts.username is not None or parts.password is not None:
        raise OutsideFailed("An address with a user name or password in it is not called")
    return url


def find_addresses(host: str, port: int, *, secure: bool, allowed: Sequence[Network]) -> list[str]:
    """The addresses of a host, all of them checked; `OutsideFailed` names the first that may not be reached."""
    try:
        answers = _resolvers.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM).result(RESOLVE_SECONDS)
    except TimeoutError:
        raise OutsideFailed(f"The name server did not say in time where {host} is") from None
    except (OSError, UnicodeError):
        raise OutsideFailed(f"There is no host named {host}") from None
    found = list(dict.fromkeys(str(answer[4][0]).partition("%")[0] for answer in answers))
    for text in found:
        _check_address(host, port, _plain(ip_address(text)), secure=secure, allowed=allowed)
    return found


def _plain(address: Address) -> Address:
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _check_address(host: str, port: int, address: Address, *, secure: bool, allowed: Sequence[Network]) -> None:
    trusted = any(address in network for network in allowed)
    if not trusted and not is_public(address):
        raise OutsideFailed(f"{host} is {address}, which is not on the public internet")
    if not trusted and port not in PORTS:
        raise OutsideFailed(f"{host} is asked at port {port}; outside, only {' and '.join(map(str, PORTS))} are")
    if not secure and not (trusted and address.is_loopback):
        raise OutsideFailed(f"{host} is asked without encryption: its address has to begin with https://")


def _connect(connection: HTTPConnection, *, secure: bool) -> socket.socket:
    """A socket to the first of the host's addresses that answers, none of them looked up again."""
    port = connection.port or (443 if secure else 80)
    allowed = current_app.config["PRIVATE_NETWORKS"]
    if (watched := _connections.get()) is not None:
        watched.append(connection)
    for address in find_addresses(connection.host, port, secure=secure, allowed=allowed)[:MOST_TRIED]:
        with suppress(OSError):
            return socket.create_connection((address, port), CONNECT_SECONDS)
    raise OutsideFailed(f"{connection.host} does not answer")


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self, secure=False)


class _SecureConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self, secure=True)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


@cache
def trusted() -> ssl.SSLContext:
    """Whom this machine trusts; read once, since it takes a tenth of a second."""
    return ssl.create_default_context()


class OutsideAdapter(HTTPAdapter):
    """Carries a session's requests as this module promises."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """The system's certificate authorities count beside the packaged ones: a company's own stand there."""
        super().init_poolmanager(*args, ssl_context=trusted(), **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        check_url(request.url or "")
        host = urlsplit(request.url or "").hostname
        with _deadline() as over:
            try:
                options |= {"stream": True, "timeout": (CONNECT_SECONDS, READ_SECONDS), "proxies": {}}
                response = super().send(request, **options)
                body = response.raw.read(LARGEST + 1, decode_content=True)
            except requests.exceptions.SSLError as error:
                raise OutsideFailed(f"The certificate of {host} is not to be trusted: {_reason(error)}") from error
            except (requests.RequestException, HTTPError, OSError) as error:
                raise OutsideFailed(f"{host} did not answer in time, or broke off") from error
        response.raw.close()
        if over.is_set():  # what was cut off may look like a short answer
            raise OutsideFailed(f"{host} did not answer in time")
        if response.is_redirect:
            raise OutsideFailed(f"{host} sent us elsewhere; redirects are not followed")
        if len(body) > LARGEST:
            raise OutsideFailed(f"{host} answered with more than we read")
        response.raw = io.BytesIO(body)
        return response


def _reason(error: BaseException) -> str:
    """What OpenSSL said, without the library's wrapping."""
    _, _, said = str(error).partition("certificate verify failed: ")
    return said.partition(" (_ssl")[0] or "no secure connection came about"


@contextmanager
def _deadline() -> Iterator[Event]:
    """Whatever is connected inside is cut off when the time is over, however slowly it goes on talking."""
    opened: list[HTTPConnection] = []
    over, done = Event(), Event()
    token = _connections.set(opened)
    Thread(target=_cut_off, args=(opened, over, done), daemon=True).start()
    try:
        yield over
    finally:
        done.set()
        _connections.reset(token)


def _cut_off(opened: list[HTTPConnection], over: Event, done: Event) -> None:
    """Again and again until the caller has noticed: a socket is another one once it is encrypted."""
    wait = WHOLE_SECONDS
    while not done.wait(wait):
        over.set()
        wait = 0.2
        for connection in opened:
            with suppress(OSError):
                if connection.sock is not None:
                    connection.sock.shutdown(socket.SHUT_RDWR)


def guard(session: S) -> S:
    """Make a session call outside only as this module promises."""
    session.trust_env = False
    session.headers["Accept-Encoding"] = "identity"
    adapter = OutsideAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return session
