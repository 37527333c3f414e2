"""The doors to the inbox and the outbox."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from app import clock
from app.auth.models import User
from app.db import new_id
from tests.conftest import ApiClient
from tests.notifications.conftest import Outbox
from tests.notifications.receiver import Receiver


def subjects(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json
    return [item["subject"] for item in answer.json["items"]]


def test_my_inbox_shows_what_and_why_newest_first_and_only_what_is_mine(
    outbox: Outbox, colleague: User, as_user: Callable[..., ApiClient]
) -> None:
    now = clock.real_now()
    outbox.post(colleague, subject="older", at=now - timedelta(hours=2), why="You own it.")
    outbox.post(colleague, subject="newer", at=now - timedelta(hours=1), channel="inbox")
    outbox.post(subject="for somebody else")
    answer = as_user(colleague).get("/api/v1/notifications")
    assert subjects(answer) == ["newer", "older"]
    assert answer.json["items"][1]["why"] == "You own it."


def test_what_is_held_back_or_taken_back_is_not_in_the_inbox(outbox: Outbox, client: ApiClient) -> None:
    now = clock.real_now()
    outbox.post(subject="held", hold_until=now + timedelta(hours=1))
    outbox.set(outbox.post(subject="taken back"), state="suppressed", reason="merged")
    outbox.set(outbox.post(subject="its mail never arrived"), state="dead")
    assert subjects(client.get("/api/v1/notifications")) == ["its mail never arrived"]


def test_reading_is_kept_and_filters(outbox: Outbox, client: ApiClient) -> None:
    first, _ = outbox.post(subject="first"), outbox.post(subject="second")
    answer = client.post(f"/api/v1/notifications/{first.id}/read")
    assert answer.status_code == 200
    read_at = answer.json["read_at"]
    assert read_at is not None
    assert client.post(f"/api/v1/notifications/{first.id}/read").json["read_at"] == read_at
    assert subjects(client.get("/api/v1/notifications?unread=true")) == ["second"]
    assert subjects(client.get("/api/v1/notifications?unread=false")) == ["first"]


def test_somebody_elses_message_looks_like_none(
    outbox: Outbox, colleague: User, as_user: Callable[..., ApiClient]
) -> None:
    mine = outbox.post()
    stranger = as_user(colleague)
    assert stranger.post(f"/api/v1/notifications/{mine.id}/read").status_code == 404
    assert stranger.post(f"/api/v1/notifications/{new_id()}/read").status_code == 404


def test_the_inbox_is_read_page_by_page(outbox: Outbox, client: ApiClient) -> None:
    at = clock.real_now() - timedelta(hours=1)
    for number in range(5):
        outbox.post(subject=str(number), at=at)
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        answer = client.get("/api/v1/notifications?limit=2" + (f"&cursor={cursor}" if cursor else ""))
        seen += subjects(answer)
        cursor = answer.json["next_cursor"]
    assert seen == ["4", "3", "2", "1", "0"]


def test_dead_letters_are_listed_with_their_error_and_delivered_again(
    outbox: Outbox, client: ApiClient, receiver: Receiver
) -> None:
    receiver.on_rcpt = lambda address: "550 No such user"
    dead, sent = outbox.post(subject="dead"), outbox.post(subject="sent")
    outbox.set(sent, state="sent")
    outbox.deliver()
    answer = client.get("/api/v1/outbox?state=dead")
    assert subjects(answer) == ["dead"]
    assert answer.json["items"][0]["last_error"] == "550 No such user"
    assert subjects(client.get("/api/v1/outbox")) == ["dead"]
    assert subjects(client.get("/api/v1/outbox?state=sent")) == ["sent"]

    again = client.post(f"/api/v1/outbox/{dead.id}/redeliver")
    assert (again.status_code, again.json["state"], again.json["attempts"]) == (200, "pending", 0)
    refused = client.post(f"/api/v1/outbox/{sent.id}/redeliver")
    assert (refused.status_code, refused.json["code"], refused.json["state"]) == (409, "not_dead", "sent")
    assert client.post(f"/api/v1/outbox/{new_id()}/redeliver").status_code == 404


def test_only_administrators_see_the_outbox(outbox: Outbox, colleague: User, as_user: Callable[..., ApiClient]) -> None:
    dead = outbox.post()
    outbox.set(dead, state="dead")
    assert as_user(colleague).get("/api/v1/outbox").status_code == 403
    assert as_user(colleague).post(f"/api/v1/outbox/{dead.id}/redeliver").status_code == 403


def test_a_wrong_filter_is_named(client: ApiClient) -> None:
    answer = client.get("/api/v1/outbox?state=lost")
    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, "state")
    assert client.get("/api/v1/notifications?unread=perhaps").status_code == 422
