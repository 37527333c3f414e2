"""Other systems are told of what happens: signed, at least once, and nobody is told what is not theirs to know."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select, text, update

from app import clock
from app.db import db, transaction
from app.escalations.jobs import sweep_tenant
from app.escalations.models import Escalation
from app.integrations.webhooks.claims import list_tenants
from app.integrations.webhooks.jobs import forget_deliveries, send_tenant
from app.integrations.webhooks.models import WebhookDelivery, WebhookSubscription
from app.notifications.models import Intent
from tests.escalations.conftest import company, raise_case
from tests.panels.conftest import launch, panel

__all__ = ["company", "launch", "panel", "raise_case"]

PATH = "/api/v1/webhook-subscriptions"
EVENTS = ["escalation.raise", "escalation.acknowledge", "promise.breach"]


@dataclass
class Receiver:
    """Another system: what it was told, and what it answers, one answer after the other, then 200."""

    url: str
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    told: list[tuple[dict[str, str], str]] = field(default_factory=list)

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.told]


@pytest.fixture
def receiver(app, monkeypatch) -> Iterator[Receiver]:
    monkeypatch.setitem(app.config, "PRIVATE_NETWORKS", (ip_network("127.0.0.0/8"),))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            found.told.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status, headers = found.answers.pop(0) if found.answers else (200, {})
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Receiver(f"http://127.0.0.1:{server.server_port}/in")
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def subscribed(client, receiver):
    made = client.post(PATH, json={"url": receiver.url, "events": EVENTS})
    assert made.status_code == 201, made.text
    return made.json


def deliveries(client, subscription, query=""):
    return client.get(f"{PATH}/{subscription['id']}/deliveries{query}").json["items"]


def let_pass(seconds):
    """As if what waits had waited so long already: waits are real time."""
    past = clock.real_now() - timedelta(seconds=seconds)
    with transaction():
        db.session.execute(update(WebhookDelivery).where(WebhookDelivery.retry_at.is_not(None)).values(retry_at=past))
        db.session.execute(update(WebhookSubscription).values(rests_until=None))


def sign(secret, headers, body):
    """By the standard: HMAC-SHA256 over id, time and body with the bytes that the secret stands for."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def test_what_was_chosen_is_told_once_signed_and_with_ids_alone(
    client, tenant, receiver, subscribed, raise_case, company, as_user
):
    case = raise_case(customer_statement="It stops every night")
    path = f"/api/v1/escalations/{case['id']}"
    owner = as_user(company.owner)
    assert owner.post(f"{path}/comments", json={"text": "Hm"}).status_code in (200, 201)
    assert owner.post(f"{path}/acknowledge", json={}).status_code == 200
    send_tenant(tenant.id)
    send_tenant(tenant.id)
    assert receiver.types == ["escalation.raise", "escalation.acknowledge"]
    headers, body = receiver.told[1]
    assert headers["webhook-signature"] == sign(subscribed["secret"], headers, body)
    assert abs(int(headers["webhook-timestamp"]) - clock.real_now().timestamp()) < 60
    data = json.loads(body)["data"]
    assert (data["escalation_id"], data["number"], data["status"]) == (case["id"], case["number"], "in_progress")
    assert data["actor_id"] == str(company.owner.id)
    assert "It stops" not in "".join(body for _, body in receiver.told)
    told = deliveries(client, subscribed)
    assert [(one["type"], one["state"], one["attempts"]) for one in told] == [
        ("escalation.acknowledge", "sent", 1),
        ("escalation.raise", "sent", 1),
    ]
    assert headers["webhook-id"] == "msg_" + told[0]["id"].replace("-", "")


def test_a_missed_promise_is_told(tenant, receiver, subscribed, raise_case):
    case = raise_case()
    sweep_tenant(tenant.id, clock.now() + timedelta(days=8))
    send_tenant(tenant.id)
    missed = [json.loads(body)["data"] for _, body in receiver.told if json.loads(body)["type"] == "promise.breach"]
    assert "acknowledge" in {one["promise"] for one in missed}
    assert {one["escalation_id"] for one in missed} == {case["id"]}


def test_what_was_recorded_before_or_is_restricted_is_not_told(client, tenant, receiver, raise_case, company, as_user):
    raise_case(title="Before")
    made = client.post(PATH, json={"url": receiver.url, "events": EVENTS})
    hidden = raise_case(title="Restricted")
    with transaction():
        db.session.execute(update(Escalation).where(Escalation.title == "Restricted").values(restricted=True))
    shown = raise_case(title="Open")
    send_tenant(tenant.id)
    assert [json.loads(body)["data"]["escalation_id"] for _, body in receiver.told] == [shown["id"]]
    assert hidden["id"] not in str(deliveries(client, made.json))


def test_a_refusal_is_tried_again_under_the_same_id_until_it_is_given_up_and_can_be_sent_again(
    client, tenant, receiver, subscribed, raise_case
):
    raise_case()
    receiver.answers = [(500, {})] * 9
    for _ in range(9):  # the first try and eight more
        send_tenant(tenant.id)
        let_pass(1)
    assert len(receiver.told) == 9
    assert len({headers["webhook-id"] for headers, _ in receiver.told}) == 1
    (dead,) = deliveries(client, subscribed, "?state=dead")
    assert (dead["attempts"], dead["last_status"]) == (9, 500)
    assert client.post(f"/api/v1/webhook-deliveries/{dead['id']}/redeliver").status_code == 202
    assert client.post(f"/api/v1/webhook-deliveries/{dead['id']}/redeliver").status_code == 409
    send_tenant(tenant.id)
    assert deliveries(client, subscribed)[0]["state"] == "sent"
    assert receiver.told[-1][0]["webhook-id"] == receiver.told[0][0]["webhook-id"]


def test_an_overloaded_receiver_is_left_alone_as_long_as_it_asks_and_nothing_is_lost(
    client, tenant, receiver, subscribed, raise_case
):
    raise_case(title="One")
    raise_case(title="Two")
    receiver.answers = [(503, {"Retry-After": "120"})]
    before = clock.real_now()
    send_tenant(tenant.id)
    send_tenant(tenant.id)
    assert len(receiver.told) == 1
    rests = client.get(f"{PATH}/{subscribed['id']}").json["rests_until"]
    assert (before + timedelta(seconds=120)).isoformat()[:16] <= rests[:16]
    assert {one["attempts"] for one in deliveries(client, subscribed)} == {0}
    let_pass(1)
    send_tenant(tenant.id)
    assert {one["state"] for one in deliveries(client, subscribed)} == {"sent"}
    assert client.get(f"{PATH}/{subscribed['id']}").json["failing_since"] is None


def test_one_that_is_gone_is_switched_off_and_the_admins_are_told(client, tenant, receiver, subscribed, raise_case):
    raise_case()
    raise_case(title="Waits behind it")
    receiver.answers = [(410, {})]
    send_tenant(tenant.id)
    found = client.get(f"{PATH}/{subscribed['id']}")
    assert (found.json["active"], found.json["ended_because"]) == (False, "The receiver said 410: it is gone")
    assert {one["state"] for one in deliveries(client, subscribed)} == {"dead"}
    raise_case(title="While it is off")
    send_tenant(tenant.id)
    assert len(receiver.told) == 1
    with transaction():
        told = db.session.scalars(select(Intent).where(Intent.kind == "webhook_ended")).all()
    assert [one.user_id for one in told] == [tenant.admin.id]
    on = client.patch(f"{PATH}/{subscribed['id']}", json={"active": True}, if_match=found.json["version"])
    assert on.json["active"] is True
    send_tenant(tenant.id)
    assert len(receiver.told) == 1


def test_what_waits_for_one_that_is_switched_off_is_given_up_and_can_be_sent_again_once_it_is_on(
    client, tenant, receiver, subscribed, raise_case
):
    raise_case()
    receiver.answers = [(500, {})]
    send_tenant(tenant.id)
    off = client.patch(f"{PATH}/{subscribed['id']}", json={"active": False}, if_match="*")
    (given_up,) = deliveries(client, subscribed)
    assert (given_up["state"], given_up["retry_at"]) == ("dead", None)
    assert given_up["last_error"] == "The webhook was switched off"
    let_pass(1)
    assert tenant.id not in list_tenants()
    again = f"/api/v1/webhook-deliveries/{given_up['id']}/redeliver"
    refused = client.post(again)
    assert (refused.status_code, refused.json["code"]) == (409, "webhook_ended")
    client.patch(f"{PATH}/{subscribed['id']}", json={"active": True}, if_match=off.json["version"])
    assert client.post(again).status_code == 202
    send_tenant(tenant.id)
    assert deliveries(client, subscribed)[0]["state"] == "sent"


def test_what_took_hours_to_write_is_told_when_it_is_there(tenant, receiver, subscribed, raise_case):
    """Its id is made when it is written and seen when all of it is; nothing between the two may pass it over."""
    with transaction():
        later = clock.real_now() + timedelta(hours=5)
        db.session.execute(update(WebhookSubscription).values(seen_at=later))
    raise_case()
    send_tenant(tenant.id)
    assert receiver.types == ["escalation.raise"]


def test_an_address_that_was_away_for_five_days_is_switched_off(client, tenant, receiver, subscribed, raise_case):
    raise_case()
    away = receiver.url.rsplit(":", 1)[0] + ":1/in"
    client.patch(f"{PATH}/{subscribed['id']}", json={"url": away}, if_match="*")
    send_tenant(tenant.id)
    assert client.get(f"{PATH}/{subscribed['id']}").json["active"] is True
    with transaction():
        long_ago = clock.real_now() - timedelta(days=5)
        db.session.execute(update(WebhookSubscription).values(failing_since=long_ago))
    let_pass(1)
    send_tenant(tenant.id)
    ended = client.get(f"{PATH}/{subscribed['id']}").json
    assert (ended["active"], ended["ended_because"]) == (False, "127.0.0.1 does not answer")


def test_after_a_new_secret_both_sign_for_a_day(client, tenant, receiver, subscribed):
    new = client.post(f"{PATH}/{subscribed['id']}/rotate-secret").json["secret"]
    assert client.post(f"{PATH}/{subscribed['id']}/test").status_code == 202
    send_tenant(tenant.id)
    headers, body = receiver.told[0]
    both = [sign(new, headers, body), sign(subscribed["secret"], headers, body)]
    assert headers["webhook-signature"].split() == both
    with transaction():
        db.session.execute(update(WebhookSubscription).values(old_until=clock.real_now()))
    client.post(f"{PATH}/{subscribed['id']}/test")
    send_tenant(tenant.id)
    headers, body = receiver.told[1]
    assert headers["webhook-signature"] == sign(new, headers, body)


def test_a_killed_sender_leaves_what_it_had_to_the_next_after_its_lease(
    client, tenant, receiver, subscribed, raise_case
):
    raise_case()
    send_tenant(tenant.id)
    with transaction():  # as if it had died between the answer and its record
        lease = clock.real_now() + timedelta(minutes=5)
        db.session.execute(update(WebhookDelivery).values(state="pending", sent_at=None, leased_until=lease))
    send_tenant(tenant.id)
    assert len(receiver.told) == 1
    with transaction():
        db.session.execute(update(WebhookDelivery).values(leased_until=clock.real_now()))
    send_tenant(tenant.id)
    assert len({headers["webhook-id"] for headers, _ in receiver.told}) == 1
    assert [one["state"] for one in deliveries(client, subscribed)] == ["sent"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"url": "ftp://example.com", "events": EVENTS}, "/url"),
        ({"url": "https://me:secret@example.com", "events": EVENTS}, "/url"),
        ({"url": "https://example.com", "events": []}, "/events"),
        ({"url": "https://example.com", "events": ["escalation.dance"]}, "/events/0"),
        ({"events": EVENTS}, "/url"),
    ],
)
def test_a_bad_webhook_is_refused_by_its_field(client, body, pointer):
    refused = client.post(PATH, json=body)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, pointer)


def test_an_address_in_our_own_network_is_never_called(
    client, tenant, receiver, subscribed, app, monkeypatch, raise_case
):
    monkeypatch.setitem(app.config, "PRIVATE_NETWORKS", ())
    raise_case()
    send_tenant(tenant.id)
    assert receiver.told == []
    (waiting,) = deliveries(client, subscribed)
    assert waiting["state"] == "pending"
    assert "not on the public internet" in waiting["last_error"]


def test_only_admins_set_webhooks_up_and_no_more_than_twenty(client, as_user, company):
    body = {"url": "https://example.com/in", "events": EVENTS}
    assert as_user(company.boss).post(PATH, json=body).status_code == 403
    made = [client.post(PATH, json=body).status_code for _ in range(21)]
    assert made == [201] * 20 + [409]
    assert all("secret" not in one for one in client.get(PATH).json["items"])


def test_what_was_told_is_kept_for_thirty_days(client, tenant, receiver, subscribed, raise_case):
    raise_case()
    send_tenant(tenant.id)
    with transaction():
        forget_deliveries(clock.now())
        assert db.session.scalar(text("select count(*) from webhook_delivery")) == 1
        db.session.execute(update(WebhookDelivery).values(sent_at=clock.real_now() - timedelta(days=31)))
        forget_deliveries(clock.now())
        assert db.session.scalar(text("select count(*) from webhook_delivery")) == 0


def test_an_admin_sets_one_up_tries_it_and_sees_what_was_told(tenant, panel, receiver, client):
    admin = panel(tenant.admin)
    made = admin.post("/admin/webhooks", {"url": receiver.url, "events": ["escalation.raise", "escalation.verify"]})
    assert "whsec_" in made.text
    (one,) = client.get(PATH).json["items"]
    assert one["events"] == ["escalation.raise", "escalation.verify"]
    assert admin.post(f"/admin/webhooks/{one['id']}/test").status_code == 200
    send_tenant(tenant.id)
    shown = admin.get(f"/admin/webhooks/{one['id']}").text
    assert "firsthand.test" in shown
    assert "whsec_" not in shown
    off = {"active": "false", "version": one["version"]}
    assert admin.post(f"/admin/webhooks/{one['id']}", off).status_code == 200
    assert client.get(f"{PATH}/{one['id']}").json["active"] is False
    assert receiver.url in admin.get("/admin/webhooks").text
