"""Webhooks as an admin sees them: set up, changed, tried, ended; and what was told to each."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, update

from app.auth.sealing import seal, unseal
from app.db import db, new_id, take_turn
from app.errors import invalid
from app.integrations.webhooks import claims, signing
from app.integrations.webhooks.errors import (
    DeliveryUnknown,
    NotActive,
    NotDead,
    SubscriptionUnknown,
    TooManySubscriptions,
)
from app.integrations.webhooks.following import LAST, body_of, note
from app.integrations.webhooks.kinds import TEST
from app.integrations.webhooks.models import WebhookDelivery, WebhookSubscription
from app.outside import OutsideFailed, check_url

MOST = 20
OLD_SECRET = timedelta(days=1)  # the receiver's time to change over
SWITCHED_OFF = "The webhook was switched off"
SENT_KEPT, DEAD_KEPT = timedelta(days=30), timedelta(days=90)
# Whatever begins after now has a higher number; what began before is not told.
BEGIN = text("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1")


def subscribe(url: str, events: Sequence[str], *, now: datetime) -> tuple[WebhookSubscription, str]:
    """A new webhook of what is recorded from now on, and its secret, which is shown once. `now` is real time."""
    take_turn("webhooks")
    if (db.session.scalar(select(func.count()).select_from(WebhookSubscription)) or 0) >= MOST:
        raise TooManySubscriptions(f"at most {MOST}; remove one that is no longer needed")
    id_, secret = new_id(), signing.new_secret()
    made = WebhookSubscription(
        id=id_,
        url=_address(url),
        events=_distinct(events),
        active=True,
        secret=seal(secret, purpose=_purpose(id_)),
        seen_transaction=db.session.scalar(BEGIN),
        seen_id=LAST,
        seen_at=now,
        created_at=now,
    )
    db.session.add(made)
    db.session.flush()
    return made, secret


def change(subscription: WebhookSubscription, changes: Mapping[str, Any], *, now: datetime) -> WebhookSubscription:
    """Change `url, events, active`. Switched off, what waits for it is given up; switched on again it is told of what
    is recorded from then on."""
    if "url" in changes:
        subscription.url = _address(changes["url"])
    if "events" in changes:
        subscription.events = _distinct(changes["events"])
    if changes.get("active") and not subscription.active:
        subscription.seen_transaction, subscription.seen_id, subscription.seen_at = db.session.scalar(BEGIN), LAST, now
    if subscription.active and changes.get("active") is False:
        claims.give_up(subscription.id, SWITCHED_OFF)
    if "active" in changes:
        subscription.active = changes["active"]
        subscription.ended_because = subscription.rests_until = subscription.failing_since = None
    db.session.flush()
    return subscription


def rotate(subscription: WebhookSubscription, *, now: datetime) -> str:
    """A new secret, shown once; for a day the old one signs as well."""
    secret = signing.new_secret()
    subscription.old_secret, subscription.old_until = subscription.secret, now + OLD_SECRET
    subscription.secret = seal(secret, purpose=_purpose(subscription.id))
    db.session.flush()
    return secret


def keys_of(subscription: WebhookSubscription, *, now: datetime) -> list[str]:
    """The secrets that sign now, the newest first."""
    sealed = [subscription.secret]
    if subscription.old_secret and subscription.old_until and now < subscription.old_until:
        sealed.append(subscription.old_secret)
    return [unseal(one, purpose=_purpose(subscription.id)) for one in sealed]


def remove(subscription: WebhookSubscription) -> None:
    """Gone with all that was told to it."""
    db.session.delete(subscription)
    db.session.flush()


def try_out(subscription: WebhookSubscription, *, now: datetime) -> WebhookDelivery:
    """A message that tells of nothing, sent as every other."""
    if not subscription.active:
        raise NotActive
    id_ = new_id()
    body = body_of(TEST, now, {"subscription_id": subscription.id})
    made = WebhookDelivery(
        id=id_, subscription_id=subscription.id, source_id=id_, type=TEST, body=body, state="pending", created_at=now
    )
    note(subscription.id, rests_until=None)
    db.session.add(made)
    db.session.flush()
    return made


def redeliver(delivery_id: UUID) -> WebhookDelivery:
    """Try one that was given up again from the beginning, under the same id; its webhook must be switched on."""
    wanted = select(WebhookDelivery).where(WebhookDelivery.id == delivery_id)
    told = wanted.with_only_columns(WebhookDelivery.subscription_id).scalar_subquery()
    of = select(WebhookSubscription).where(WebhookSubscription.id == told)
    subscription = db.session.scalars(of.with_for_update()).one_or_none()
    found = db.session.scalars(wanted.with_for_update()).one_or_none()
    if subscription is None or found is None:
        raise DeliveryUnknown
    if not subscription.active:
        raise NotActive
    if found.state != "dead":
        raise NotDead
    found.state, found.attempts, found.retry_at, found.failing_since = "pending", 0, None, None
    db.session.flush()
    return found


def get_subscription(subscription_id: UUID, *, lock: bool = False) -> WebhookSubscription:
    wanted = select(WebhookSubscription).where(WebhookSubscription.id == subscription_id)
    found = db.session.scalars(wanted.with_for_update() if lock else wanted).one_or_none()
    if found is None:
        raise SubscriptionUnknown
    return found


def list_subscriptions(*, after: list[Any] | None, limit: int) -> Sequence[WebhookSubscription]:
    """In the order in which they were set up."""
    wanted = select(WebhookSubscription).order_by(WebhookSubscription.id).limit(limit)
    if after:
        wanted = wanted.where(WebhookSubscription.id > UUID(after[0]))
    return db.session.scalars(wanted).all()


def list_deliveries(
    subscription_id: UUID, state: str | None, *, after: list[Any] | None, limit: int
) -> Sequence[WebhookDelivery]:
    """What was or is to be told, newest first."""
    wanted = select(WebhookDelivery).where(WebhookDelivery.subscription_id == subscription_id)
    if state:
        wanted = wanted.where(WebhookDelivery.state == state)
    if after:
        wanted = wanted.where(WebhookDelivery.id < UUID(after[0]))
    return db.session.scalars(wanted.order_by(WebhookDelivery.id.desc()).limit(limit)).all()


def forget_old(now: datetime) -> None:
    """What was told is kept for thirty days, what was given up for ninety. `now` is real time."""
    sent = WebhookDelivery.sent_at < now - SENT_KEPT
    dead = (WebhookDelivery.state == "dead") & (WebhookDelivery.created_at < now - DEAD_KEPT)
    db.session.execute(
        update(WebhookSubscription).where(WebhookSubscription.old_until < now).values(old_secret=None, old_until=None)
    )
    db.session.execute(delete(WebhookDelivery).where(sent | dead))


def _address(url: str) -> str:
    try:
        return check_url(url)
    except OutsideFailed as failed:
        raise invalid("url", str(failed)) from None


def _distinct(events: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(events))


def _purpose(subscription_id: UUID) -> str:
    return f"webhook_subscription:{subscription_id}"
