"""A real SMTP server in a thread, whose answers a test chooses."""

import socket
import threading
import time
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd import smtp
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

OK = "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Receiver:
    """Keeps what it accepts. `on_rcpt` and `on_data` answer an address or a mail with a reply line."""

    def __init__(self, **options: Any) -> None:
        self.mails: list[EmailMessage] = []
        self.connections = 0
        self.on_rcpt: Callable[[str], str] = lambda address: OK
        self.on_data: Callable[[EmailMessage], str] = lambda mail: OK
        self.lock = threading.Lock()
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port(), **options)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.controller.port}"

    async def handle_EHLO(  # noqa: N802
        self, server: smtp.SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        with self.lock:
            self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: smtp.SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.on_rcpt(address)
        if reply == OK:
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: smtp.SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=default)
        assert isinstance(mail, EmailMessage)
        mail["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        reply = self.on_data(mail)
        if reply == OK:
            with self.lock:
                self.mails.append(mail)
        return reply

    def start(self) -> None:
        self.controller.start()

    def stop(self) -> None:
        self.controller.stop()

    def subjects(self) -> list[str]:
        return sorted(str(mail["Subject"]) for mail in self.mails)

    def wait_for(self, count: int, seconds: float = 20.0) -> None:
        ends_at = time.monotonic() + seconds
        while len(self.mails) < count:
            assert time.monotonic() < ends_at, f"{len(self.mails)} of {count} mails came"
            time.sleep(0.02)


class OnePassword:
    """Lets in one user."""

    def __init__(self, user: str, password: str) -> None:
        self.user, self.password = user.encode(), password.encode()

    def __call__(
        self, server: smtp.SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        right = isinstance(given, LoginPassword) and (given.login, given.password) == (self.user, self.password)
        return AuthResult(success=right, handled=right)
