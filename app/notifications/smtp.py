"""Handing mails to the mail server over connections that are kept; every answer of the server has one meaning.

Replies as in RFC 5321 §4.2: 4xx come back later, 5xx never; what concerns the server and not the mail is an outage.
"""

import smtplib
import ssl
import unicodedata
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from app.notifications.mail import Mail
from app.notifications.retries import SENT, Outcome
from app.store import STORE_ERRORS

TIMEOUT_SECONDS = 10
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
ERROR_LENGTH = 300
AUTHENTICATION = (530, 534, 535, 538)
CLOSING = 421
TOO_LARGE = 552


@dataclass(frozen=True)
class MailServer:
    """`smtp://`, `smtps://` or `smtp+starttls://`, user and password before the host if it asks for them."""

    host: str
    port: int
    scheme: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> "MailServer":
        parts = urlsplit(url)
        user, password = (unquote(text) if text else None for text in (parts.username, parts.password))
        return cls(parts.hostname or "", parts.port or PORTS[parts.scheme], parts.scheme, user, password)

    def connect(self, greeting: str) -> smtplib.SMTP:
        """A signed-in connection; certificates are checked against the system's authorities."""
        if self.scheme == "smtps":
            trust = ssl.create_default_context()
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, greeting, timeout=TIMEOUT_SECONDS, context=trust
            )
        else:
            connection = smtplib.SMTP(self.host, self.port, greeting, timeout=TIMEOUT_SECONDS)
        try:
            self._sign_in(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _sign_in(self, connection: smtplib.SMTP) -> None:
        if self.scheme == "smtp+starttls":
            connection.starttls(context=ssl.create_default_context())
        if self.user:
            connection.login(self.user, self.password or "")

    def without_secrets(self, message: str) -> str:
        """An error's words, short, on one line, never with the password in them."""
        for secret in filter(None, (self.password, self.user)):
            message = message.replace(secret, "***")
        visible = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in message)
        return " ".join(visible.split())[:ERROR_LENGTH]


class Postman:
    """One kept connection; hands over one mail at a time and never raises for what a server or a mail does."""

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self.connection: smtplib.SMTP | None = None

    def deliver(self, mail: Mail) -> Outcome:
        """Hand over one mail; on a connection that turns out to be gone, once more on a new one."""
        kept = self.connection is not None
        outcome = self._try(mail)
        if self.connection is None and kept and outcome.kind in ("failed", "outage"):
            return self._try(mail)
        return outcome

    def _try(self, mail: Mail) -> Outcome:
        try:
            connection = self.connection or self.server.connect(mail.sender.rpartition("@")[2] or "localhost")
        except (OSError, smtplib.SMTPException) as error:
            return self._outcome("outage", error)
        self.connection = connection
        try:
            content = mail.whole()
        except FileNotFoundError:
            return Outcome("refused", "The file that goes with it is no longer kept")
        except STORE_ERRORS as error:
            return self._outcome("failed", error)
        try:
            international = [] if mail.recipient.isascii() else ["SMTPUTF8"]
            connection.sendmail(mail.sender, [mail.recipient], content, international)
        except smtplib.SMTPException as error:
            return self._judge(error)
        except OSError as error:
            self.hang_up()
            return self._outcome("failed", error)
        except ValueError as error:
            self.hang_up()
            return self._outcome("refused", error)
        return SENT

    def _judge(self, error: smtplib.SMTPException) -> Outcome:
        """Whose fault is it: this mail's, for now or for ever, or the server's?"""
        code, words = _reply(error)
        if code == CLOSING or code in AUTHENTICATION or isinstance(error, smtplib.SMTPHeloError):
            self.hang_up()
            return self._outcome("outage", words)
        if isinstance(error, smtplib.SMTPSenderRefused) and code != TOO_LARGE:
            return self._outcome("outage", words)
        if code is None and not isinstance(error, smtplib.SMTPNotSupportedError):
            self.hang_up()
            return self._outcome("failed", words)
        return self._outcome("failed" if code is not None and code < 500 else "refused", words)

    def _outcome(self, kind: str, error: Exception | str) -> Outcome:
        words = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        return Outcome(kind, self.server.without_secrets(words))

    def hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def leave(self) -> None:
        """Say goodbye; a server that is gone is not missed."""
        try:
            if self.connection is not None:
                self.connection.quit()
        except (OSError, smtplib.SMTPException):
            self.hang_up()
        self.connection = None


def _reply(error: smtplib.SMTPException) -> tuple[int | None, str]:
    """The server's code and words, if it said any."""
    said: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, said = error.smtp_code, error.smtp_error
    else:
        return None, f"{type(error).__name__}: {error}"
    return code, f"{code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"
