"""Digests: one mail for what was collected, each item a record of its own, none lost or mailed in two."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.auth.models import User
from app.config import Settings
from app.db import db, new_id, transaction
from app.notifications import digests, service
from app.notifications.claims import LEASE, claim
from app.notifications.models import Intent
from tests.conftest import ApiClient, TestTenant
from tests.notifications.conftest import Outbox
from tests.notifications.killed import kill_while_sending
from tests.notifications.receiver import OK, Receiver

MINE = "/api/v1/me/preferences"


@pytest.fixture
def me(colleague: User, as_user: Callable[..., ApiClient]) -> ApiClient:
    """Carl, who asked for a digest."""
    client = as_user(colleague)
    assert client.patch(MINE, json={"digest": {"at": "08:00"}}, if_match='"1"').status_code == 200
    return client


class Collected(Outbox):
    """Messages to Carl that wait for his digest, which is due unless another moment is named."""

    user: User

    def item(self, subject: str, **fields: Any) -> Intent:
        fields = {"hold_until": clock.real_now() - timedelta(minutes=1), "escalation_id": new_id(), **fields}
        return self.post(fields.pop("user", self.user), subject=subject, channel="digest", **fields)

    def digest(self) -> Intent:
        with transaction(tenant=self.tenant.id):
            return db.session.scalars(select(Intent).where(Intent.kind == "digest")).one()


@pytest.fixture
def collected(tenant: TestTenant, colleague: User, me: ApiClient) -> Collected:
    made = Collected(tenant)
    made.user = colleague
    return made


def text_of(receiver: Receiver, number: int = 0) -> str:
    part = receiver.mails[number].get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_everything_due_goes_out_in_one_mail_that_lists_it(collected: Collected, receiver: Receiver) -> None:
    first = collected.item("Globex: acknowledge by Mon 10:00", body="Exports fail.\n\nDue Monday.")
    second = collected.item("Initech: close by Fri 12:00")
    assert collected.deliver() == 1
    assert receiver.subjects() == ["Your digest: 2 messages"]
    text = text_of(receiver)
    assert text.index("* Globex: acknowledge by Mon 10:00") < text.index("* Initech: close by Fri 12:00")
    assert "  Exports fail.\n  Due Monday.\n" in text
    assert text.count("  http") == 2
    assert "Each link is meant for you alone" in text
    for item in (first, second):
        kept = collected.read(item)
        assert (kept.state, kept.digest_id, kept.attempts) == ("sent", collected.digest().id, 1)
        assert kept.sent_at is not None
    assert collected.digest().state == "sent"
    assert collected.deliver() == 0
    assert len(receiver.mails) == 1


def test_what_is_not_due_yet_waits_for_its_own_digest(collected: Collected, receiver: Receiver) -> None:
    collected.item("now")
    later = collected.item("tomorrow", hold_until=clock.real_now() + timedelta(days=1))
    collected.deliver()
    assert "tomorrow" not in text_of(receiver)
    assert (collected.read(later).state, collected.read(later).digest_id) == ("pending", None)


def test_each_person_gets_their_own(collected: Collected, receiver: Receiver, client: ApiClient) -> None:
    client.patch(MINE, json={"digest": {"at": "08:00"}}, if_match='"1"')
    collected.item("for Carl")
    collected.item("for Ada", user=collected.tenant.admin)
    assert collected.deliver() == 2
    told = {str(mail["To"]): text_of(receiver, number) for number, mail in enumerate(receiver.mails)}
    assert "for Carl" in told["carl@example.com"]
    assert "for Carl" not in told["admin@example.com"]


def test_each_item_stands_in_the_inbox_and_the_digest_does_not(
    collected: Collected, receiver: Receiver, me: ApiClient
) -> None:
    collected.item("first")
    collected.item("second")
    collected.item("held", hold_until=clock.real_now() + timedelta(days=1))
    collected.deliver()
    shown = me.get("/api/v1/notifications").json["items"]
    assert sorted(one["subject"] for one in shown) == ["first", "second"]
    assert me.post(f"/api/v1/notifications/{collected.digest().id}/read").status_code == 404


def test_what_is_taken_back_before_it_is_sent_is_not_in_it(collected: Collected, receiver: Receiver) -> None:
    stays, taken = collected.item("stays"), collected.item("taken back")
    with transaction():
        service.suppress(escalation_ids=[taken.escalation_id], reason="already_acted")
    collected.deliver()
    assert receiver.subjects() == ["Your digest: 1 message"]
    assert "taken back" not in text_of(receiver)
    assert (collected.read(taken).state, collected.read(taken).reason) == ("suppressed", "already_acted")
    assert collected.read(stays).state == "sent"


def test_who_left_while_it_waited_is_told_nothing(
    collected: Collected, receiver: Receiver, colleague: User, client: ApiClient
) -> None:
    """Both waited: one for the digest, one for the end of quiet hours; a third had no time to wait."""
    an_hour_ago = clock.real_now() - timedelta(hours=1)
    for_digest = collected.item("collected", at=an_hour_ago)
    quiet = collected.post(colleague, subject="quiet", at=an_hour_ago, hold_until=an_hour_ago + timedelta(minutes=5))
    at_once = collected.post(colleague, subject="at once", at=an_hour_ago, hold_until=an_hour_ago)
    path = f"/api/v1/users/{colleague.id}"
    left = client.patch(path, json={"active": False}, if_match=client.get(path).headers["ETag"])
    assert left.status_code == 200, left.text
    collected.deliver()
    assert [(one.state, one.reason) for one in map(collected.read, (for_digest, quiet))] == [
        ("suppressed", "absent")
    ] * 2
    assert collected.read(at_once).state == "sent"
    assert receiver.subjects() == ["at once"]


def put_together(collected: Collected) -> None:
    """A worker that put the digest together and was killed."""
    with transaction(tenant=collected.tenant.id):
        assert digests.collect(now=clock.real_now(), tenant_now=clock.now()) == 1


def test_what_is_taken_back_after_it_was_put_together_is_not_in_it_either(
    collected: Collected, receiver: Receiver
) -> None:
    stays, taken = collected.item("stays"), collected.item("taken back")
    put_together(collected)
    with transaction():
        service.suppress(escalation_ids=[taken.escalation_id], reason="already_acted")
    collected.deliver()
    assert "taken back" not in text_of(receiver)
    assert [collected.read(one).state for one in (stays, taken)] == ["sent", "suppressed"]


def test_a_digest_with_nothing_left_is_not_sent(collected: Collected, receiver: Receiver) -> None:
    only = collected.item("only")
    put_together(collected)
    with transaction():
        service.suppress(escalation_ids=[only.escalation_id], reason="merged")
    assert collected.deliver() == 0
    assert receiver.mails == []
    assert (collected.digest().state, collected.digest().reason) == ("suppressed", "already_acted")
    assert collected.read(only).reason == "merged"


def test_a_worker_killed_before_it_sent_loses_nothing(collected: Collected, receiver: Receiver) -> None:
    """Put together and claimed, then killed: the lease ends, and the next worker sends the same digest."""
    items = [collected.item(str(number)) for number in range(3)]
    put_together(collected)
    digest, lease = collected.digest(), clock.real_now() + LEASE
    with transaction(tenant=collected.tenant.id):
        claimed = claim(lease=lease, now=clock.real_now(), tenant_now=clock.now())
        assert len(digests.claim_items([one.id for one in claimed], lease=lease)[digest.id]) == 3
    assert collected.deliver() == 0
    for message in (collected.digest(), *items):
        collected.set(message, leased_until=clock.real_now() - timedelta(seconds=1))
    assert collected.deliver() == 1
    assert receiver.subjects() == ["Your digest: 3 messages"]
    assert collected.states() == ["sent"] * 4


def test_a_worker_killed_after_it_sent_sends_a_copy_that_can_be_told(collected: Collected, receiver: Receiver) -> None:
    items = [collected.item("first"), collected.item("second")]
    collected.deliver()
    for message in (collected.digest(), *items):
        past = clock.real_now() - timedelta(seconds=1)
        collected.set(message, state="pending", sent_at=None, leased_until=past)
    collected.item("later")
    collected.deliver()
    ids = [str(mail["Message-ID"]) for mail in receiver.mails]
    assert len(ids) == 3
    assert len(set(ids)) == 2
    copies = [text_of(receiver, number) for number, id_ in enumerate(ids) if ids.count(id_) == 2]
    assert all("first" in copy and "second" in copy and "later" not in copy for copy in copies)


def test_a_worker_killed_while_it_sends_mails_every_item_in_one_digest_whatever_comes_meanwhile(
    collected: Collected, receiver: Receiver, settings: Settings
) -> None:
    items = [collected.item("first"), collected.item("second")]
    kill_while_sending(collected.tenant, receiver, settings)
    digest = collected.digest()
    late = collected.item("late")
    collected.deliver()
    assert [collected.read(one).state for one in (*items, digest, late)] == ["pending"] * 3 + ["sent"]
    for message in (digest, *items):
        collected.pass_time(message, LEASE)
    collected.deliver()
    assert collected.states() == ["sent"] * 5
    copies = [text_of(receiver, n) for n, mail in enumerate(receiver.mails) if str(digest.id) in mail["Message-ID"]]
    assert len(receiver.mails) == 3
    assert len(copies) == 2
    assert all("first" in copy and "second" in copy and "late" not in copy for copy in copies)


def test_two_workers_at_once_put_one_digest_together(app: Flask, collected: Collected, receiver: Receiver) -> None:
    def elsewhere() -> int:
        with app.app_context(), transaction(tenant=collected.tenant.id):
            return digests.collect(now=clock.real_now(), tenant_now=clock.now())

    collected.item("first")
    collected.item("second")
    with ThreadPoolExecutor(1) as other:
        with transaction(tenant=collected.tenant.id):
            assert digests.collect(now=clock.real_now(), tenant_now=clock.now()) == 1
            assert other.submit(elsewhere).result() == 0  # passes by what this one is putting together
        assert other.submit(elsewhere).result() == 0
    collected.deliver()
    assert receiver.subjects() == ["Your digest: 2 messages"]


def test_a_mail_server_that_refuses_it_leaves_dead_letters_that_go_out_again_together(
    collected: Collected, receiver: Receiver, client: ApiClient
) -> None:
    receiver.on_rcpt = lambda address: "550 No such user"
    items = [collected.item("first"), collected.item("second")]
    collected.deliver()
    assert collected.states() == ["dead"] * 3
    assert collected.read(items[0]).last_error == collected.digest().last_error
    receiver.on_rcpt = lambda address: OK
    assert client.post(f"/api/v1/outbox/{collected.digest().id}/redeliver").status_code == 200
    collected.deliver()
    assert collected.states() == ["sent"] * 3
    assert receiver.subjects() == ["Your digest: 2 messages"]


def test_one_dead_letter_of_a_digest_goes_out_alone(
    collected: Collected, receiver: Receiver, client: ApiClient
) -> None:
    receiver.on_rcpt = lambda address: "550 No such user"
    first, second = collected.item("first"), collected.item("second")
    collected.deliver()
    receiver.on_rcpt = lambda address: OK
    assert client.post(f"/api/v1/outbox/{first.id}/redeliver").status_code == 200
    collected.deliver()
    assert receiver.subjects() == ["first"]
    assert [collected.read(one).state for one in (first, second)] == ["sent", "dead"]


def test_a_mail_server_that_is_away_delays_digest_and_items_alike(collected: Collected, receiver: Receiver) -> None:
    item = collected.item("first")
    receiver.on_rcpt = lambda address: "421 Closing down"
    collected.deliver()
    digest, kept = collected.digest(), collected.read(item)
    assert (digest.state, kept.state) == ("pending", "pending")
    assert kept.retry_at is not None
    assert kept.retry_at == digest.retry_at
    assert collected.deliver() == 0


def test_without_a_mail_server_the_inbox_alone_has_it(collected: Collected, me: ApiClient) -> None:
    item = collected.item("first")
    collected.deliver()
    kept = collected.read(item)
    assert (kept.state, kept.channel, kept.reason) == ("sent", "inbox", "no_mail_server")
    assert [one["subject"] for one in me.get("/api/v1/notifications").json["items"]] == ["first"]


def test_a_mail_server_taken_away_after_it_was_put_together_leaves_it_to_the_inbox(collected: Collected) -> None:
    item = collected.item("first")
    put_together(collected)
    collected.deliver()
    assert (collected.read(item).state, collected.digest().state) == ("sent", "sent")


def test_a_hundred_items_cost_the_same_few_statements(
    collected: Collected, receiver: Receiver, statements: Callable[[], Any]
) -> None:
    def cost(count: int) -> int:
        for number in range(count):
            collected.item(f"item {number}")
        with statements() as sent:
            collected.deliver()
        return len(sent)

    assert cost(2) == cost(100)


def test_what_others_wrote_is_text_in_a_digest_too(collected: Collected, receiver: Receiver) -> None:
    collected.item("Globex <b>& Söhne</b>", body="They said: <i>now</i>")
    collected.deliver()
    html = receiver.mails[0].get_body(("html",))
    assert html is not None
    content = str(html.get_content())
    assert "Globex &lt;b&gt;&amp; Söhne&lt;/b&gt;" in content
    assert "<i>now</i>" not in content
