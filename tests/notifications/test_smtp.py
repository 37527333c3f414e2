"""Reaching mail servers: forms of the setting, TLS that is checked, sign-in, and errors without secrets."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.notifications.mail import Mail
from app.notifications.retries import SENT, Outcome
from app.notifications.smtp import MailServer, Postman
from tests.notifications.receiver import OK, OnePassword, Receiver, free_port

# Self-signed for 127.0.0.1, with its key; good for this and nothing else.
CERTIFICATE = Path(__file__).parent / "certificate.pem"
Serve = Callable[..., Receiver]


def a_mail(recipient: str = "b@example.com") -> Mail:
    return Mail(UUID(int=1), "a@example.com", recipient, b"Subject: s\r\n\r\nbody\r\n")


def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


@pytest.fixture
def serve() -> Iterator[Serve]:
    started: list[Receiver] = []

    def start(**options: Any) -> Receiver:
        receiver = Receiver(**options)
        receiver.start()
        started.append(receiver)
        return receiver

    yield start
    for receiver in started:
        receiver.stop()


@pytest.fixture
def send() -> Iterator[Callable[..., Outcome]]:
    postmen: list[Postman] = []

    def send(url: str, mail: Mail | None = None) -> Outcome:
        postmen.append(Postman(MailServer.of(url)))
        return postmen[-1].deliver(mail or a_mail())

    yield send
    for postman in postmen:
        postman.leave()


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", MailServer("mail.example", 25, "smtp")),
        ("smtps://mail.example", MailServer("mail.example", 465, "smtps")),
        ("smtp+starttls://mail.example", MailServer("mail.example", 587, "smtp+starttls")),
        ("smtps://u%40x:p%2Fw@mail.example:2465", MailServer("mail.example", 2465, "smtps", "u@x", "p/w")),
    ],
)
def test_each_form_of_the_setting_names_a_server(url: str, expected: MailServer) -> None:
    assert MailServer.of(url) == expected


def test_a_password_is_not_in_what_a_program_prints_of_a_server() -> None:
    assert "p-word" not in repr(MailServer.of("smtp://u:p-word@mail.example"))


@pytest.mark.usefixtures("trusted")
def test_smtps_delivers_to_a_server_whose_certificate_is_trusted(serve: Serve, send: Callable[..., Outcome]) -> None:
    receiver = serve(ssl_context=tls())
    assert send(receiver.url.replace("smtp:", "smtps:")) == SENT
    assert len(receiver.mails) == 1


@pytest.mark.usefixtures("trusted")
def test_starttls_signs_in_only_inside_tls(serve: Serve, send: Callable[..., Outcome]) -> None:
    receiver = serve(
        tls_context=tls(), require_starttls=True, auth_required=True, authenticator=OnePassword("ada", "s3cret-word")
    )
    host = receiver.url.removeprefix("smtp://")
    assert send(f"smtp+starttls://ada:s3cret-word@{host}") == SENT
    wrong = send(f"smtp+starttls://ada:wr0ng-word@{host}")
    assert (wrong.kind, "wr0ng-word" in (wrong.error or "")) == ("outage", False)
    assert len(receiver.mails) == 1


def test_a_certificate_nobody_vouches_for_is_not_accepted(serve: Serve, send: Callable[..., Outcome]) -> None:
    direct, upgraded = serve(ssl_context=tls()), serve(tls_context=tls())
    for outcome in (
        send(direct.url.replace("smtp:", "smtps:")),
        send(upgraded.url.replace("smtp:", "smtp+starttls:")),
    ):
        assert outcome.kind == "outage"
        assert "CERTIFICATE_VERIFY_FAILED" in (outcome.error or "")
    assert direct.mails == upgraded.mails == []


def test_a_server_without_starttls_gets_nothing_in_the_clear(serve: Serve, send: Callable[..., Outcome]) -> None:
    receiver = serve()
    assert send(receiver.url.replace("smtp:", "smtp+starttls:")).kind == "outage"
    assert receiver.mails == []


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (OK, "sent"),
        ("450 Later", "failed"),
        ("550 No such user", "refused"),
        ("530 Sign in first", "outage"),
        ("421 Going down", "outage"),
    ],
)
def test_each_reply_to_an_address_has_one_meaning(
    serve: Serve, send: Callable[..., Outcome], reply: str, kind: str
) -> None:
    receiver = serve()
    receiver.on_rcpt = lambda address: reply
    assert send(receiver.url).kind == kind


@pytest.mark.parametrize(("reply", "kind"), [("451 Later", "failed"), ("554 Not that", "refused")])
def test_each_reply_to_a_mail_has_one_meaning(
    serve: Serve, send: Callable[..., Outcome], reply: str, kind: str
) -> None:
    receiver = serve()
    receiver.on_data = lambda mail: reply
    assert send(receiver.url).kind == kind


def test_nobody_there_is_an_outage(send: Callable[..., Outcome]) -> None:
    assert send(f"smtp://127.0.0.1:{free_port()}").kind == "outage"


def test_a_connection_that_the_server_closed_meanwhile_is_made_anew(serve: Serve) -> None:
    receiver = serve()
    postman = Postman(MailServer.of(receiver.url))
    assert postman.deliver(a_mail()) == SENT
    assert postman.connection is not None
    assert postman.connection.sock is not None
    postman.connection.sock.shutdown(2)
    assert postman.deliver(a_mail()) == SENT
    postman.leave()
    assert (len(receiver.mails), receiver.connections) == (2, 2)


def test_an_address_beyond_ascii_needs_a_server_that_takes_it(serve: Serve, send: Callable[..., Outcome]) -> None:
    plain, international = serve(enable_SMTPUTF8=False), serve(enable_SMTPUTF8=True)
    mail = a_mail("jörg@example.com")
    assert send(plain.url, mail).kind == "refused"
    assert send(international.url, mail) == SENT


def test_what_an_error_says_is_short_and_on_one_line() -> None:
    server = MailServer.of("smtp://ada:s3cret-word@mail.example")
    said = server.without_secrets("no\r\nbearer s3cret-word of ada" + "x" * 1000)
    assert said.startswith("no bearer *** of ***")
    assert len(said) == 300
