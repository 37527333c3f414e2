"""From what was recorded to deliveries: every line that a subscription asks for becomes one, none twice, none skipped.

Lines are read by the number of the transaction that wrote them, below the oldest one still under way, as the stream of
clock events is. Restricted cases and those about a colleague are told to nobody outside.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import RowMapping, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.db import current_tenant, db, new_id
from app.escalations.words import numbered
from app.integrations.webhooks.kinds import BREACH, lines_of
from app.integrations.webhooks.models import WebhookDelivery, WebhookSubscription

BATCH = 500
RARELY = timedelta(seconds=30)  # how often it is kept that there was nothing
LAST = UUID(int=2**128 - 1)
HORIZON = text("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
FOUND = text(
    """
    select found.*, e.number, e.account_id, e.status, e.severity, e.tier, e.owner_id from (
        select id, transaction_id, 'escalation.' || kind as type, escalation_id, at, seq, actor_id, null as promise
        from event
        where transaction_id >= :since and transaction_id < :horizon and kind = any(cast(:kinds as text[]))
        union all
        select b.id, b.transaction_id, 'promise.breach', b.escalation_id, b.at, null, null, c.kind
        from clock_entry b join clock c on c.tenant_id = b.tenant_id and c.id = b.clock_id
        where :breaches and b.type = 'breach' and b.transaction_id >= :since and b.transaction_id < :horizon
    ) found join escalation e on e.id = found.escalation_id
    where not e.restricted and e.about_user_id is null
      and (found.transaction_id, found.id) > (:since, cast(:after as uuid))
    order by found.transaction_id, found.id limit :limit
    """
)


def claim_next(now: datetime, seen: set[UUID]) -> WebhookSubscription | None:
    """The next active subscription that nobody else reads for; those of `seen` had their turn."""
    wanted = select(WebhookSubscription).where(WebhookSubscription.active, WebhookSubscription.id.not_in(seen))
    return db.session.scalars(
        wanted.order_by(WebhookSubscription.id).limit(1).with_for_update(skip_locked=True)
    ).one_or_none()


def follow(subscription: WebhookSubscription, *, now: datetime) -> bool:
    """Make deliveries of what is new; whether there is more. `now` is real time."""
    horizon: int = db.session.scalar(HORIZON)
    values = {
        "since": subscription.seen_transaction,
        "after": subscription.seen_id,
        "horizon": horizon,
        "kinds": lines_of(subscription.events),
        "breaches": BREACH in subscription.events,
        "limit": BATCH,
    }
    found = db.session.execute(FOUND, values).mappings().all()
    if found:
        rows = [_delivery(subscription, line, now) for line in found]
        db.session.execute(insert(WebhookDelivery).values(rows).on_conflict_do_nothing())
    if len(found) == BATCH:
        note(subscription.id, seen_transaction=found[-1]["transaction_id"], seen_id=found[-1]["id"])
        return True
    if found or now - subscription.seen_at > RARELY:
        note(subscription.id, seen_transaction=horizon - 1, seen_id=LAST, seen_at=now)
    return False


def note(subscription_id: UUID, **values: Any) -> None:
    """Keep where the machine is with a subscription; it stays the version that an admin has read."""
    wanted = update(WebhookSubscription).where(WebhookSubscription.id == subscription_id).values(**values)
    db.session.execute(wanted, execution_options={"synchronize_session": False})


def _delivery(subscription: WebhookSubscription, line: RowMapping, now: datetime) -> dict[str, Any]:
    return {
        "tenant_id": current_tenant(),
        "id": new_id(),
        "subscription_id": subscription.id,
        "source_id": line["id"],
        "type": line["type"],
        "body": body_of(line["type"], line["at"], _data(line)),
        "state": "pending",
        "attempts": 0,
        "created_at": now,
    }


def body_of(type_: str, at: datetime, data: dict[str, Any]) -> str:
    """The message: what happened, when it happened, and of what."""
    return orjson.dumps({"type": type_, "timestamp": at, "data": data}, option=orjson.OPT_UTC_Z).decode()


def _data(line: RowMapping) -> dict[str, Any]:
    """Ids and codes; the case as it stood when the message was made."""
    names = ("account_id", "status", "severity", "tier", "owner_id")
    case = {"escalation_id": line["escalation_id"], "number": numbered(line["number"])}
    case |= {name: line[name] for name in names}
    if line["type"] == BREACH:
        return {**case, "promise": line["promise"]}
    return {**case, "seq": line["seq"], "actor_id": line["actor_id"]}
