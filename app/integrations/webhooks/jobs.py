"""Telling other systems: the rows, not the job, remember what was tried; any number of workers may run it at once."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import requests
import structlog
from prometheus_client import Counter
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app import clock, outside, queue
from app.auth import queries as users
from app.db import db, transaction
from app.integrations.webhooks import claims, following
from app.integrations.webhooks.claims import BATCH, LEASE, Claimed, DeliveryStep
from app.integrations.webhooks.models import WebhookSubscription
from app.integrations.webhooks.posting import Answer, next_rest, post
from app.integrations.webhooks.signing import headers_of
from app.integrations.webhooks.subscriptions import forget_old, keys_of
from app.notifications import service as notifications
from app.notifications.retries import UNTRIED, follow
from app.rows import insert_all

log = structlog.get_logger()

QUEUE = "webhooks"
SECONDS = 5.0  # then other work has its turn
GIVE_UP = timedelta(days=5)  # an address that never answered for so long is told no more
AGENT = "Firsthand-Webhooks/1"
TOLD = Counter("firsthand_webhooks_total", "Webhook deliveries by what became of a try", ["outcome"])


@dataclass(frozen=True)
class Address:
    """Where a batch's messages of one subscription go, with the secrets that sign now."""

    url: str
    keys: list[str]


def send_webhooks() -> None:
    """Every tenant's new lines become deliveries and what is due is tried; one that fails holds up no other."""
    ends_at = clock.monotonic() + SECONDS
    for tenant_id in claims.list_tenants():
        if queue.is_stopping():
            return
        try:
            if send_tenant(tenant_id, ends_at=ends_at):
                queue.enqueue(QUEUE)
        except OperationalError:
            raise
        except Exception:
            log.exception("webhooks_not_sent", tenant_id=str(tenant_id))


def forget_deliveries(now: datetime) -> None:
    """What was told long ago; part of the daily work of a tenant."""
    forget_old(clock.real_now())


def send_tenant(tenant_id: UUID, *, ends_at: float | None = None) -> bool:
    """One tenant's; whether some is left at the end of the time."""
    _follow_all(tenant_id)
    while True:
        tried = _send_batch(tenant_id)
        if tried < BATCH:
            return False
        if queue.is_stopping() or (ends_at is not None and clock.monotonic() > ends_at):
            return True


def _follow_all(tenant_id: UUID) -> None:
    """Each subscription's lines up to now, a transaction a slice."""
    seen: set[UUID] = set()
    while True:
        now = clock.real_now()
        with transaction(tenant=tenant_id):
            subscription = following.claim_next(now, seen)
            if subscription is None:
                return
            if not following.follow(subscription, now=now):
                seen.add(subscription.id)


def _send_batch(tenant_id: UUID) -> int:
    """Try the next due deliveries outside any transaction; how many there were."""
    now = clock.real_now()
    lease = now + LEASE
    with transaction(tenant=tenant_id):
        batch = claims.claim(lease=lease, now=now)
        addresses = _addresses({one.subscription_id for one in batch}, now)
    if not batch:
        return 0
    answers: dict[UUID, Answer] = {}
    with _session() as session:
        away: set[UUID] = set()
        for one in batch:
            answers[one.id] = _try(session, one, addresses, away)
    steps = [_step(one, answers[one.id]) for one in batch]
    with transaction(tenant=tenant_id):
        _note(batch, steps, answers, lease=lease)
    return len(batch)


@contextmanager
def _session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        outside.guard(session)
        session.headers["User-Agent"] = AGENT
        yield session


def _addresses(ids: set[UUID], now: datetime) -> dict[UUID, Address]:
    if not ids:
        return {}
    found = db.session.scalars(select(WebhookSubscription).where(WebhookSubscription.id.in_(ids)))
    return {one.id: Address(one.url, keys_of(one, now=now)) for one in found}


def _try(session: requests.Session, delivery: Claimed, addresses: Mapping[UUID, Address], away: set[UUID]) -> Answer:
    """An address that did not answer is not asked again in this batch, so that it costs one time-out."""
    address = addresses.get(delivery.subscription_id)
    if address is None or delivery.subscription_id in away or queue.is_stopping():
        return Answer(UNTRIED)
    headers = headers_of(f"msg_{delivery.id.hex}", delivery.body, address.keys, at=clock.real_now())
    answer = post(session, address.url, delivery.body, headers)
    if answer.outcome.kind == "outage" or answer.gone:
        away.add(delivery.subscription_id)
    return answer


def _step(delivery: Claimed, answer: Answer) -> DeliveryStep:
    spread = random.uniform(-1, 1)  # noqa: S311 (it spreads load and guards nothing)
    since = delivery.failing_since
    following_ = follow(
        answer.outcome, attempts=delivery.attempts, failing_since=since, now=clock.real_now(), spread=spread
    )
    TOLD.labels(answer.outcome.kind).inc()
    return DeliveryStep(delivery.id, following_, answer.outcome.error, answer.status)


def _note(batch: list[Claimed], steps: list[DeliveryStep], answers: Mapping[UUID, Answer], *, lease: datetime) -> None:
    """What the tries say of the messages and of the addresses: one that answers is well again, one that is away rests,
    one that is gone or was away for days ends, and the admins are told."""
    now = clock.real_now()
    pairs = zip(batch, steps, strict=True)
    last = {one.subscription_id: step for one, step in pairs if answers[one.id].outcome.kind != "untried"}
    wanted = select(WebhookSubscription).where(WebhookSubscription.id.in_(last)).order_by(WebhookSubscription.id)
    # Everybody locks webhooks before their deliveries.
    subscriptions = db.session.scalars(wanted.with_for_update()).all()
    claims.record(steps, lease=lease, now=now)
    for subscription in subscriptions:
        step = last[subscription.id]
        answer = answers[step.id]
        since = None if answer.outcome.kind == "sent" else subscription.failing_since or now
        rests = next_rest(now, step.next.retry_at, answer.rest) if answer.outcome.kind == "outage" else None
        following.note(subscription.id, failing_since=since, rests_until=rests)
        if answer.gone or now - (since or now) >= GIVE_UP:
            _end(subscription, answer.outcome.error or "")


def _end(subscription: WebhookSubscription, because: str) -> None:
    """It is told no more until an admin switches it on again; what waits for it is given up."""
    if not subscription.active:
        return
    subscription.active, subscription.ended_because = False, because
    claims.give_up(subscription.id, because)
    log.warning("webhook_ended", subscription_id=str(subscription.id), error=because)
    now = clock.now()
    insert_all(
        notifications.intent(
            user=admin,
            kind="webhook_ended",
            subject=f"A webhook has ended: {subscription.url}",
            body=f"{because}. Nothing is sent there until you switch it on again, under Admin, Webhooks.",
            why="You are an admin.",
            dedupe_key=f"webhook-ended:{subscription.id}:{subscription.version}:{admin.id}",
            at=now,
            now=now,
        )
        for admin in users.list_active(roles=["admin"])
    )
    notifications.wake_delivery()
