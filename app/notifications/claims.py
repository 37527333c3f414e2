"""Who may send a message, and what became of it: claimed in batches under a lease, recorded in sets.

Raw SQL: one statement each, whatever the number of rows. `:now` is real time, `:tenant_now` the tenant's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from app import clock
from app.auth.settings import current_version
from app.db import db, finding
from app.notifications.queries import IN_USE
from app.notifications.retries import Step, columns_of

BATCH = 100
SETTLED_AT_ONCE = 5_000
LEASE = timedelta(minutes=5)
NO_MAIL_SERVER = "no_mail_server"

DUE = """
    state = 'pending' and hold_until <= :tenant_now
    and (retry_at is null or retry_at <= :now) and (leased_until is null or leased_until <= :now)
"""

FIND_TENANTS = text(
    """
    select t.id from tenant t
    cross join lateral (
        select from intent i
        where i.tenant_id = t.id and i.state = 'pending' and i.hold_until <= :now + t.clock_offset
          and (i.retry_at is null or i.retry_at <= :now) and (i.leased_until is null or i.leased_until <= :now)
        order by i.hold_until limit 1
    ) due
    order by random()
    """
)

SETTLE = text(
    f"""
    update intent set
        state = case when user_id is null then 'dead' else 'sent' end,
        sent_at = case when user_id is null then null else :now end,
        last_error = case when user_id is null then 'No mail server is set and there is no inbox for this address' end,
        reason = case when channel = 'inbox' then reason when coalesce(address, '') = '' then 'no_address'
                      else '{NO_MAIL_SERVER}' end,
        channel = case when user_id is null then channel else 'inbox' end,
        leased_until = null, retry_at = null
    where id = any(array(
        select id from intent
        where {DUE} and (:no_mail or channel = 'inbox' or coalesce(address, '') = '')
        order by hold_until limit :limit for update skip locked
    ))
    """  # noqa: S608
)

# Only what was held can have outlived its reader's time here.
PASS_BY = text(
    f"""
    update intent set state = 'suppressed', reason = 'absent', leased_until = null
    where id = any(array(
        select i.id from intent i
        where {DUE} and i.hold_until > i.at
          and exists (select from "user" u where u.id = i.user_id and not u.active)
        order by i.id limit :limit for update of i skip locked
    ))
    """  # noqa: S608
)

CLAIM = text(
    f"""
    update intent set leased_until = :lease, attempts = attempts + 1
    where id = any(array(
        select id from intent where {DUE} and channel <> 'digest'
        order by hold_until limit :limit for update skip locked
    ))
    returning id, user_id, address, kind, subject, body, why, escalation_id, opens, opens_id, attempts, failing_since
    """  # noqa: S608
)

# What was sent is sent, also if it was taken back or claimed by others meanwhile; everything else must hold its lease.
# Rows are locked in the order of ids, as `service.suppress` locks them.
RECORD = text(
    """
    with locked as materialized (select id from intent where id = any(:ids) order by id for update)
    update intent i set
        state = o.state,
        sent_at = case when o.state = 'sent' then :now else i.sent_at end,
        reason = case when o.state = 'sent' then null else i.reason end,
        last_error = o.error,
        retry_at = o.retry_at,
        failing_since = o.failing_since,
        attempts = i.attempts - case when o.counted then 0 else 1 end,
        leased_until = null
    from unnest(cast(:ids as uuid[]), cast(:states as text[]), cast(:errors as text[]),
                cast(:retries as timestamptz[]), cast(:since as timestamptz[]), cast(:counted as boolean[]))
         as o(id, state, error, retry_at, failing_since, counted)
    join locked using (id)
    where i.id = o.id and (o.state = 'sent' or (i.state = 'pending' and i.leased_until = :lease))
    """
)


@dataclass(frozen=True)
class Claimed:
    """A message that is ours to send until the lease ends; `attempts` counts this try."""

    id: UUID
    user_id: UUID | None
    address: str
    kind: str
    subject: str
    body: str
    why: str | None
    escalation_id: UUID | None
    opens: str | None
    opens_id: UUID | None
    attempts: int
    failing_since: datetime | None


def list_tenants_with_intents() -> list[UUID]:
    """Tenants with something due now by their own time; in no order, so that none is always last."""
    with finding() as session:
        return list(session.scalars(FIND_TENANTS, {"now": clock.real_now()}))


def pass_by_who_left(*, now: datetime, tenant_now: datetime) -> None:
    """Who was deactivated while a message waited for their hours is not told; none waits where nobody has any."""
    if current_version(IN_USE):
        db.session.execute(PASS_BY, {"now": now, "tenant_now": tenant_now, "limit": SETTLED_AT_ONCE})


def settle_inbox(*, mail: bool, now: datetime, tenant_now: datetime) -> int:
    """What only the inbox carries is told as soon as it is due.

    Without a mail server or address that is every message: its channel then says `inbox` and its reason why.
    """
    values = {"no_mail": not mail, "now": now, "tenant_now": tenant_now, "limit": SETTLED_AT_ONCE}
    result = db.session.execute(SETTLE, values)
    return int(result.rowcount)  # type: ignore[attr-defined]


def claim(*, lease: datetime, now: datetime, tenant_now: datetime, limit: int = BATCH) -> list[Claimed]:
    """The next due messages, ours until `lease`; what others hold is passed by, not waited for.

    What a digest carries goes with the digest.
    """
    rows = db.session.execute(CLAIM, {"lease": lease, "now": now, "tenant_now": tenant_now, "limit": limit})
    return [Claimed(*row) for row in rows]


def record(steps: Sequence[Step], *, lease: datetime, now: datetime) -> None:
    """Write down what became of messages claimed until `lease`."""
    db.session.execute(RECORD, {**columns_of(steps), "now": now, "lease": lease})
