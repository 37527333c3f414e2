"""Which deliveries may be tried now, and what became of them; one statement each, whatever their number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from app import clock
from app.db import db, finding
from app.notifications.retries import Step, columns_of

BATCH = 20
LEASE = timedelta(minutes=5)

# Who has subscriptions to read for, or deliveries to try.
FIND_TENANTS = text(
    """
    select distinct tenant_id from webhook_subscription where active
    union
    select distinct tenant_id from webhook_delivery
    where state = 'pending' and (retry_at is null or retry_at <= :now)
      and (leased_until is null or leased_until <= :now)
    """
)
CLAIM = text(
    """
    update webhook_delivery d set leased_until = :lease, attempts = attempts + 1
    where id = any(array(
        select d.id from webhook_delivery d join webhook_subscription s
            on s.tenant_id = d.tenant_id and s.id = d.subscription_id
        where d.state = 'pending' and s.active and (s.rests_until is null or s.rests_until <= :now)
          and (d.retry_at is null or d.retry_at <= :now) and (d.leased_until is null or d.leased_until <= :now)
        order by d.id limit :limit for update of d skip locked
    ))
    returning d.id, d.subscription_id, d.body, d.attempts, d.failing_since
    """
)
# What was sent is sent, also if it was claimed by another meanwhile; everything else must hold its lease.
RECORD = text(
    """
    update webhook_delivery d set
        state = o.state, last_error = o.error, last_status = o.status, retry_at = o.retry_at,
        sent_at = case when o.state = 'sent' then :now else d.sent_at end,
        failing_since = o.failing_since, leased_until = null,
        attempts = d.attempts - case when o.counted then 0 else 1 end
    from unnest(cast(:ids as uuid[]), cast(:states as text[]), cast(:errors as text[]), cast(:statuses as int[]),
                cast(:retries as timestamptz[]), cast(:since as timestamptz[]), cast(:counted as boolean[]))
         as o(id, state, error, status, retry_at, failing_since, counted)
    where d.id = o.id and (o.state = 'sent' or (d.state = 'pending' and d.leased_until = :lease))
    """
)
# Also what is being tried: if it gets through, it is sent all the same.
GIVE_UP_WAITING = text(
    """
    update webhook_delivery set state = 'dead', last_error = :because, retry_at = null, leased_until = null
    where subscription_id = :subscription and state = 'pending'
    """
)


@dataclass(frozen=True)
class Claimed:
    """A delivery that is ours to try until the lease ends; `attempts` counts this try."""

    id: UUID
    subscription_id: UUID
    body: str
    attempts: int
    failing_since: datetime | None


@dataclass(frozen=True)
class DeliveryStep(Step):
    """What to write down of one delivery, with the status that was answered."""

    status: int | None


def list_tenants() -> list[UUID]:
    """Tenants with something to read or to try."""
    with finding() as session:
        return list(session.scalars(FIND_TENANTS, {"now": clock.real_now()}))


def claim(*, lease: datetime, now: datetime) -> list[Claimed]:
    """The next due deliveries, oldest first, ours until `lease`; what others hold is passed by."""
    rows = db.session.execute(CLAIM, {"lease": lease, "now": now, "limit": BATCH})
    return sorted((Claimed(*row) for row in rows), key=lambda one: one.id)


def record(steps: Sequence[DeliveryStep], *, lease: datetime, now: datetime) -> None:
    """Write down what became of deliveries claimed until `lease`."""
    statuses = [step.status for step in steps]
    db.session.execute(RECORD, {**columns_of(steps), "statuses": statuses, "now": now, "lease": lease})


def give_up(subscription_id: UUID, because: str) -> None:
    """What waits for a webhook that has ended is dead, so that nobody looks for it again; it can be sent again."""
    db.session.execute(GIVE_UP_WAITING, {"subscription": subscription_id, "because": because})
