"""From the outbox to a real mail server: retries, dead letters, leases, held messages."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.message import EmailMessage

import pytest
from flask import Flask
from sqlalchemy import update

from app import clock
from app.auth.models import Tenant, User
from app.config import Settings
from app.db import db, new_id, tenant_scope, transaction
from app.notifications import claims, service
from app.notifications.jobs import deliver_due, deliver_tenant
from app.rows import insert_all
from tests.conftest import TestTenant
from tests.notifications.conftest import Outbox
from tests.notifications.killed import kill_while_sending
from tests.notifications.receiver import OK, Receiver, free_port


@contextmanager
def another_deliverer(app: Flask, outbox: Outbox) -> Iterator[threading.Thread]:
    """At work meanwhile, on a connection of its own."""

    def run() -> None:
        with app.app_context():
            deliver_tenant(outbox.tenant.id)
            db.session.remove()

    thread = threading.Thread(target=run)
    thread.start()
    yield thread
    thread.join(30)


def test_a_due_message_is_mailed_once_and_recorded(outbox: Outbox, receiver: Receiver, colleague: User) -> None:
    intent = outbox.post(colleague, subject="Globex: tell the customer by 16:00 · ESC-1042")
    assert outbox.deliver() == 1
    outbox.deliver()
    assert [(mail["To"], mail["Subject"]) for mail in receiver.mails] == [
        ("carl@example.com", "Globex: tell the customer by 16:00 · ESC-1042")
    ]
    kept = outbox.read(intent)
    assert (kept.state, kept.attempts, kept.channel, kept.last_error) == ("sent", 1, "email", None)
    assert kept.sent_at is not None
    assert kept.leased_until is None


def test_a_batch_goes_out_over_few_connections(outbox: Outbox, receiver: Receiver) -> None:
    with transaction():
        insert_all(
            service.intent(
                user=outbox.tenant.admin,
                kind="reminder",
                subject=f"{number}",
                body="b",
                dedupe_key=f"{number}",
                at=clock.real_now(),
                now=clock.real_now(),
            )
            for number in range(250)
        )
    assert outbox.deliver() == 250
    assert len(receiver.mails) == 250
    assert receiver.connections <= 4


def test_a_message_is_not_told_before_its_time_and_told_when_a_sandbox_reaches_it(
    new_tenant: Callable[..., TestTenant], receiver: Receiver
) -> None:
    sandbox = new_tenant(sandbox=True)
    with tenant_scope(sandbox.id):
        outbox = Outbox(sandbox)
        held = outbox.post(hold_until=clock.real_now() + timedelta(days=3))
        outbox.deliver()
        assert outbox.read(held).state == "pending"
        assert sandbox.id not in claims.list_tenants_with_intents()
        with transaction():
            db.session.execute(update(Tenant).values(clock_offset=timedelta(days=3, seconds=1)))
        assert sandbox.id in claims.list_tenants_with_intents()
        outbox.deliver()
        assert outbox.read(held).state == "sent"
    assert receiver.subjects() == ["Message 1"]


def test_a_server_that_asks_to_come_back_is_asked_again_later(outbox: Outbox, receiver: Receiver) -> None:
    receiver.on_rcpt = lambda address: "451 Greylisted, come back later"
    intent = outbox.post()
    before = clock.real_now()
    outbox.deliver()
    kept = outbox.read(intent)
    assert (kept.state, kept.attempts, kept.last_error) == ("pending", 1, "451 Greylisted, come back later")
    assert kept.retry_at is not None
    assert timedelta(seconds=24) <= kept.retry_at - before <= timedelta(seconds=60)
    receiver.on_rcpt = lambda address: OK
    outbox.deliver()
    assert receiver.mails == []
    outbox.pass_time(intent, timedelta(minutes=1))
    outbox.deliver()
    assert (outbox.read(intent).state, len(receiver.mails)) == ("sent", 1)


def test_after_the_last_try_it_is_a_dead_letter_with_its_error(outbox: Outbox, receiver: Receiver) -> None:
    receiver.on_data = lambda mail: "452 No room"
    intent = outbox.post()
    for attempt in range(1, 10):
        assert outbox.read(intent).state == "pending"
        outbox.deliver()
        assert outbox.read(intent).attempts == attempt
        outbox.pass_time(intent, timedelta(days=2))
    kept = outbox.read(intent)
    assert (kept.state, kept.last_error, receiver.mails) == ("dead", "452 No room", [])


def test_an_address_that_does_not_exist_is_dead_at_once_and_holds_up_nobody(
    outbox: Outbox, receiver: Receiver, colleague: User
) -> None:
    receiver.on_rcpt = lambda address: "550 No such user" if address.startswith("carl") else OK
    gone, others = outbox.post(colleague), [outbox.post(), outbox.post()]
    outbox.deliver()
    assert (outbox.read(gone).state, outbox.read(gone).last_error) == ("dead", "550 No such user")
    assert [outbox.read(other).state for other in others] == ["sent", "sent"]


def test_an_address_that_is_none_is_dead_and_its_line_ends_reach_no_server(outbox: Outbox, receiver: Receiver) -> None:
    bad, good = outbox.post(), outbox.post()
    outbox.set(bad, address="a@b.c>\r\nRCPT TO:<x@y.z")
    outbox.deliver()
    kept = outbox.read(bad)
    assert (kept.state, kept.last_error) == ("dead", "the address is not an e-mail address")
    assert outbox.read(good).state == "sent"
    assert [mail["X-Envelope-To"] for mail in receiver.mails] == ["admin@example.com"]


def test_a_mail_that_makes_the_server_hang_up_does_not_hold_up_the_others(outbox: Outbox, receiver: Receiver) -> None:
    poison = outbox.post(subject="poison")

    def break_on_poison(mail: EmailMessage) -> str:
        return "421 Closing" if mail["Subject"] == "poison" else OK

    receiver.on_data = break_on_poison
    others = [outbox.post() for _ in range(20)]
    for _ in range(3):
        outbox.deliver()
    assert {outbox.read(other).state for other in others} == {"sent"}
    assert outbox.read(poison).state == "pending"


def test_a_server_that_is_away_costs_one_look_and_no_message_a_try(
    app: Flask, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SMTP_URL", f"smtp://user:s3cret-word@127.0.0.1:{free_port()}")
    intents = [outbox.post() for _ in range(30)]
    began = time.monotonic()
    outbox.deliver()
    assert time.monotonic() - began < 5
    kept = [outbox.read(intent) for intent in intents]
    assert {(row.state, row.attempts) for row in kept} == {("pending", 0)}
    assert all(row.retry_at and row.failing_since and "refused" in (row.last_error or "") for row in kept)
    assert not any("s3cret-word" in (row.last_error or "") for row in kept)
    outbox.pass_time(intents[0], timedelta(days=2))
    outbox.deliver()
    assert outbox.read(intents[0]).state == "dead"


def test_a_dead_letter_goes_out_again_with_the_message_id_it_had(outbox: Outbox, receiver: Receiver) -> None:
    receiver.on_data = lambda mail: "554 Refused for ever"
    seen: list[str] = []
    intent = outbox.post()
    outbox.deliver()
    assert outbox.read(intent).state == "dead"

    def accept(mail: EmailMessage) -> str:
        seen.append(mail["Message-ID"])
        return OK

    receiver.on_data = accept
    with transaction():
        service.redeliver(intent.id)
    outbox.deliver()
    assert outbox.read(intent).state == "sent"
    assert seen == [f"<message.{intent.id}@firsthand.example>"]


def test_without_a_mail_server_the_inbox_alone_carries_it_and_the_record_says_so(
    app: Flask, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SMTP_URL", None)
    intent = outbox.post()
    held = outbox.post(hold_until=clock.real_now() + timedelta(hours=1))
    stranger = outbox.post()
    outbox.set(stranger, user_id=None)
    outbox.deliver()
    kept = outbox.read(intent)
    assert (kept.state, kept.channel, kept.reason) == ("sent", "inbox", "no_mail_server")
    assert outbox.read(held).state == "pending"
    assert outbox.read(stranger).state == "dead"


def test_a_message_for_the_inbox_only_is_never_mailed(outbox: Outbox, receiver: Receiver) -> None:
    intent = outbox.post(channel="inbox")
    nowhere = outbox.post()
    outbox.set(nowhere, address="")
    outbox.deliver()
    assert (outbox.read(intent).state, outbox.read(intent).reason) == ("sent", None)
    assert (outbox.read(nowhere).state, outbox.read(nowhere).reason) == ("sent", "no_address")
    assert receiver.mails == []


def test_what_was_taken_back_is_not_sent(outbox: Outbox, receiver: Receiver) -> None:
    case = new_id()
    outbox.post(escalation_id=case)
    with transaction():
        service.suppress(escalation_ids=[case], reason="already_acted")
    outbox.deliver()
    assert (outbox.states(), receiver.mails) == (["suppressed"], [])


def test_what_was_sent_while_it_was_taken_back_says_that_it_was_sent(
    app: Flask, outbox: Outbox, receiver: Receiver
) -> None:
    case = new_id()
    intent = outbox.post(escalation_id=case)
    at_server, taken_back = threading.Event(), threading.Event()

    def wait(mail: EmailMessage) -> str:
        at_server.set()
        taken_back.wait(10)
        return OK

    receiver.on_data = wait
    with another_deliverer(app, outbox) as deliverer:
        assert at_server.wait(10)
        with transaction():
            service.suppress(escalation_ids=[case], reason="already_acted")
        taken_back.set()
        deliverer.join(20)
    kept = outbox.read(intent)
    assert (kept.state, kept.reason, len(receiver.mails)) == ("sent", None, 1)


def test_two_deliverers_at_once_send_every_message_once(app: Flask, outbox: Outbox, receiver: Receiver) -> None:
    for _ in range(300):
        outbox.post()
    with another_deliverer(app, outbox), another_deliverer(app, outbox):
        deliver_tenant(outbox.tenant.id)
    assert len(receiver.mails) == 300
    assert len({mail["Message-ID"] for mail in receiver.mails}) == 300
    assert set(outbox.states()) == {"sent"}


def test_killed_between_send_and_record_it_is_sent_again_with_the_same_message_id(
    outbox: Outbox, receiver: Receiver, settings: Settings
) -> None:
    intent = outbox.post()
    kill_while_sending(outbox.tenant, receiver, settings)
    outbox.deliver()
    assert outbox.read(intent).state == "pending"
    assert len(receiver.mails) == 1
    outbox.pass_time(intent, claims.LEASE)
    outbox.deliver()
    assert outbox.read(intent).state == "sent"
    assert [mail["Message-ID"] for mail in receiver.mails] == [f"<message.{intent.id}@firsthand.example>"] * 2


def test_a_message_that_stops_its_sender_every_time_ends_as_a_dead_letter(outbox: Outbox, receiver: Receiver) -> None:
    intent = outbox.post()
    outbox.set(intent, attempts=9)
    outbox.deliver()
    assert (outbox.read(intent).state, receiver.mails) == ("dead", [])


def test_whoever_has_something_due_is_found_and_served(
    new_tenant: Callable[..., TestTenant], receiver: Receiver
) -> None:
    made = [new_tenant("one"), new_tenant("two")]
    for tenant in made:
        with tenant_scope(tenant.id):
            Outbox(tenant).post(subject=f"for {tenant.id}")
    while {tenant.id for tenant in made} & set(claims.list_tenants_with_intents()):
        deliver_due()
    assert {f"for {tenant.id}" for tenant in made} <= set(receiver.subjects())
