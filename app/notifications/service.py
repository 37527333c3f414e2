"""Telling people: what is to be told is written beside the change that causes it, and told after the commit."""

import smtplib
from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CursorResult,
    Select,
    Uuid,
    any_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)

from app import clock, queue
from app.db import current_tenant, db, new_id
from app.notifications.errors import NotDead
from app.notifications.models import DIGEST_KIND, Intent
from app.notifications.queries import find_preferences, get_intent, get_notification
from app.notifications.quiet import EMAIL, plan_delivery
from app.notifications.smtp import MailServer
from app.rows import amend, array_of, fresh

QUEUE = "deliver"


class Recipient(Protocol):
    """Whom an intent is for: `UserRef`, a `User` row, or anything that names its id and address."""

    @property
    def id(self) -> UUID: ...
    @property
    def email(self) -> str: ...


def intent(
    *,
    user: Recipient,
    kind: str,
    subject: str,
    body: str,
    dedupe_key: str,
    at: datetime,
    now: datetime,
    hold_until: datetime | None = None,
    escalation_id: UUID | None = None,
    clock_id: UUID | None = None,
    channel: str = "email",
    why: str | None = None,
    opens: tuple[str, UUID] | None = None,
) -> Intent:
    """One message to one person as a row; the caller inserts it with `insert_all` and calls `wake_delivery`.

    `subject` is the fact in one line, `body` plain text, `why` one sentence on why this person gets it. `at` and
    `hold_until` (default `now`: at once) are tenant time. The same `dedupe_key` twice in a tenant is refused. `opens`
    is the kind and id of what its button leads to where that is no escalation.
    """
    kind_opened, id_opened = opens or (None, None)
    return fresh(
        Intent,
        user_id=user.id,
        address=user.email,
        channel=channel,
        kind=kind,
        subject=subject,
        body=body,
        why=why,
        escalation_id=escalation_id,
        opens=kind_opened,
        opens_id=id_opened,
        clock_id=clock_id,
        dedupe_key=dedupe_key,
        at=at,
        hold_until=hold_until or now,
        recorded_at=clock.real_now(),
    )


def hold(intents: Collection[Intent], *, now: datetime, urgent: bool) -> None:
    """Let messages not written yet wait as each recipient asked for: at most one statement for all of them."""
    preferences = find_preferences({row.user_id for row in intents if row.user_id is not None})
    for row in intents:
        if row.user_id in preferences:
            delivery = plan_delivery(preferences[row.user_id], now, urgent=urgent)
            amend(row, hold_until=max(row.hold_until, delivery.hold_until), channel=delivery.channel)


# Raw: one array per column is what PostgreSQL takes in fastest, and ORM objects would cost more than the insert.
POST = text(
    """
    insert into intent (tenant_id, id, user_id, address, channel, kind, subject, body, why, escalation_id, clock_id,
                        dedupe_key, at, hold_until, recorded_at, state, attempts)
    select :tenant, m.id, m.user_id, m.address, m.channel, m.kind, m.subject, m.body, m.why, m.escalation_id,
           m.clock_id, m.dedupe_key, m.at, m.hold_until, :recorded_at, 'pending', 0
    from unnest(cast(:id as uuid[]), cast(:user_id as uuid[]), cast(:address as text[]), cast(:kind as text[]),
                cast(:subject as text[]), cast(:body as text[]), cast(:why as text[]),
                cast(:escalation_id as uuid[]), cast(:clock_id as uuid[]), cast(:dedupe_key as text[]),
                cast(:at as timestamptz[]), cast(:hold_until as timestamptz[]), cast(:channel as text[]))
      as m(id, user_id, address, kind, subject, body, why, escalation_id, clock_id, dedupe_key, at, hold_until, channel)
    on conflict (tenant_id, dedupe_key) do nothing
    """
)
MESSAGE = (
    "user_id",
    "address",
    "kind",
    "subject",
    "body",
    "why",
    "escalation_id",
    "clock_id",
    "dedupe_key",
    "at",
    "hold_until",
    "channel",
)
Message = tuple[
    UUID, str, str, str, str, str | None, UUID | None, UUID | None, str, datetime, datetime, str
]  # in the order of MESSAGE


def post_all(messages: Collection[Message]) -> int:
    """Write any number of messages in one statement; those already posted are left alone. Answers how many are new.

    A message is a plain tuple in the order of `MESSAGE`: the sweep posts thousands at a time.
    """
    if not messages:
        return 0
    columns: dict[str, Any] = {
        name: array_of(column) for name, column in zip(MESSAGE, zip(*messages, strict=True), strict=True)
    }
    columns["id"] = array_of([new_id() for _ in messages])
    columns |= {"tenant": current_tenant(), "recorded_at": clock.real_now()}
    return _count(db.session.execute(POST, columns))


def wake_delivery() -> None:
    """After the open transaction has committed, have its messages delivered."""
    queue.wake(QUEUE)


def move(from_id: UUID, to_id: UUID, *, kinds: Collection[str]) -> None:
    """What of these kinds is not told yet of one escalation is of another from now on; one statement."""
    waiting = (Intent.escalation_id == from_id, Intent.state == literal_column("'pending'"), Intent.kind.in_(kinds))
    chosen = select(Intent.id).where(*waiting).order_by(Intent.id).with_for_update()
    change = update(Intent).where(Intent.id.in_(chosen)).values(escalation_id=to_id)
    db.session.execute(change, execution_options={"synchronize_session": False})


def suppress(
    *,
    escalation_ids: Collection[UUID],
    clock_ids: Collection[UUID] | None = None,
    keys: Select[str] | None = None,
    reason: str,
    kinds: Collection[str] | None = None,
) -> int:
    """Take back what is not told yet, keeping the reason; answers how many. One statement.

    Of these escalations everything, or that of some of their clocks and what `keys` selects; of some kinds.
    """
    chosen = select(Intent.id).where(Intent.state == literal_column("'pending'"))  # as the index has it
    chosen = chosen.where(Intent.escalation_id == any_(bindparam("cases", list(escalation_ids), ARRAY(Uuid))))
    some = []
    if clock_ids is not None:
        some.append(Intent.clock_id == any_(bindparam("clocks", list(clock_ids), ARRAY(Uuid))))
    if keys is not None:
        some.append(Intent.dedupe_key.in_(keys))
    if some:
        chosen = chosen.where(or_(*some))
    if kinds is not None:
        chosen = chosen.where(Intent.kind.in_(kinds))
    # Locked in the order of ids, as delivery locks them, so that the two never wait for each other in a circle.
    chosen = chosen.order_by(Intent.id).with_for_update()
    found = func.array(chosen.scalar_subquery())  # an array leads to the rows by their key, whatever the table's size
    change = update(Intent).where(Intent.id == any_(found)).values(state="suppressed", reason=reason)
    return _count(db.session.execute(change, execution_options={"synchronize_session": False}))


def mark_read(notification_id: UUID, *, user_id: UUID, now: datetime, recorded_at: datetime) -> Intent:
    """The recipient has seen it; the first time counts."""
    notification = get_notification(notification_id, user_id=user_id, now=now)
    notification.read_at = notification.read_at or recorded_at
    return notification


def redeliver(intent_id: UUID) -> Intent:
    """Try a dead letter again from the beginning, under the Message-ID it had.

    A digest takes its messages along; one of them alone becomes a mail of its own.
    """
    dead = get_intent(intent_id, lock=True)
    if dead.state != "dead":
        raise NotDead(f"This message is {dead.state}; only a dead one can be delivered again", state=dead.state)
    _revive(dead)
    if dead.kind == DIGEST_KIND:
        for item in db.session.scalars(select(Intent).where(Intent.digest_id == dead.id, Intent.state == "dead")):
            _revive(item)
    elif dead.digest_id is not None:
        dead.digest_id, dead.channel = None, EMAIL
    wake_delivery()
    return dead


def _revive(dead: Intent) -> None:
    dead.state, dead.attempts = "pending", 0
    dead.retry_at = dead.failing_since = dead.leased_until = None


def fault_of_mail_server(url: str) -> str | None:
    """What speaks against sending through this server, never with its password in it; None when it lets us in."""
    server = MailServer.of(url)
    try:
        server.connect("localhost").quit()
    except (OSError, smtplib.SMTPException) as error:
        return f"{server.host}:{server.port} refuses us: {server.without_secrets(str(error))}"
    return None


def _count(result: Any) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0
