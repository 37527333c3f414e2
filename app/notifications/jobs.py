"""Delivery: the outbox rows, not the job, remember what was tried; any number of workers may run it at once."""

import random
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog
from flask import current_app
from prometheus_client import Counter

from app import clock, queue
from app.auth import links
from app.db import transaction
from app.notifications import claims, digests, enclosures
from app.notifications.claims import BATCH, LEASE, Claimed
from app.notifications.digests import Item
from app.notifications.mail import BadAddress, Enclosed, Letter, Listed, Mail, write
from app.notifications.models import DIGEST_KIND
from app.notifications.postoffice import PostOffice, Report
from app.notifications.retries import MOST_TRIES, Outcome, Step, follow
from app.notifications.service import QUEUE
from app.notifications.smtp import MailServer

log = structlog.get_logger()

ESCALATION = "escalation"
PATHS = {ESCALATION: links.PATH, "report": "/reports/sent/"}  # where the link to a record of each kind leads
RUN_SECONDS = 20.0
TURN_SECONDS = 2.0  # a worker that has much to send looks so often whether something more urgent waits for it
DELIVERED = Counter("firsthand_messages_total", "Messages by what became of a try", ["outcome"])


def deliver_due(seconds: float = TURN_SECONDS) -> int:
    """Send what is due until nothing is, tenant by tenant in turns; after `seconds` the rest is left to the next run.

    At least once: a kill between a send and its record leads to a second copy with the same Message-ID, after the
    lease. A mail server that is away ends the run, and everything waits.
    """
    return _deliver(claims.list_tenants_with_intents(), seconds)


def deliver_tenant(tenant_id: UUID, seconds: float = RUN_SECONDS) -> int:
    """As `deliver_due`, for one tenant: a sandbox whose clock is being moved."""
    return _deliver([tenant_id], seconds)


def _deliver(tenants: list[UUID], seconds: float) -> int:
    ends_at, waiting, count = clock.monotonic() + seconds, deque(tenants), 0
    with ExitStack() as stack:
        url = current_app.config["SMTP_URL"]
        office = stack.enter_context(PostOffice(MailServer.of(url))) if waiting and url else None
        while waiting and clock.monotonic() < ends_at and not queue.is_stopping():
            tenant_id = waiting.popleft()
            handled, more = _deliver_batch(tenant_id, office)
            count += handled
            if office and office.server_away:
                log.warning("mail_server_away", error=office.server_away)
                return count
            if more:
                waiting.append(tenant_id)
    if waiting:
        queue.enqueue(QUEUE)
    return count


def _deliver_batch(tenant_id: UUID, office: PostOffice | None) -> tuple[int, bool]:
    """One batch of one tenant: (how many were told, whether there may be more)."""
    now = clock.real_now()
    lease = now + LEASE
    with transaction(tenant=tenant_id):
        tenant_now = clock.now()
        claims.pass_by_who_left(now=now, tenant_now=tenant_now)
        settled = claims.settle_inbox(mail=office is not None, now=now, tenant_now=tenant_now)
        collected = digests.collect(now=now, tenant_now=tenant_now) if office else 0
        batch = claims.claim(lease=lease, now=now, tenant_now=tenant_now) if office else []
        carried = digests.claim_items([message.id for message in batch if message.kind == DIGEST_KIND], lease=lease)
        files = enclosures.find([message.id for message in batch])
        mails, unwritable = _write_all(tenant_id, batch, carried, files)
    claimed, told = {message.id: message for message in batch}, settled
    for report in _send_all(office, mails, unwritable):
        steps = [_step(claimed[intent_id], outcome) for intent_id, outcome in report]
        told += sum(step.next.state == "sent" for step in steps)
        steps += [replace(step, id=item.id) for step in steps for item in carried.get(step.id, ())]
        with transaction(tenant=tenant_id):
            claims.record(steps, lease=lease, now=clock.real_now())
    full = len(batch) == BATCH or collected == digests.PEOPLE_AT_ONCE or settled == claims.SETTLED_AT_ONCE
    return told, full


def _send_all(office: PostOffice | None, mails: list[Mail], unwritable: Report) -> Iterator[Report]:
    if unwritable:
        yield unwritable
    if office and mails:
        yield from office.send_all(mails)


def _step(message: Claimed, outcome: Outcome) -> Step:
    spread = random.uniform(-1, 1)  # noqa: S311 (it spreads load and guards nothing)
    following = follow(
        outcome,
        attempts=message.attempts,
        failing_since=message.failing_since,
        now=clock.real_now(),
        spread=spread,
    )
    DELIVERED.labels(outcome.kind).inc()
    if following.state == "dead":
        log.warning("message_dead", intent_id=str(message.id), error=outcome.error)
    return Step(message.id, following, outcome.error)


Carried = Mapping[UUID, Sequence[Item]]


def _write_all(
    tenant_id: UUID, batch: list[Claimed], carried: Carried, files: Mapping[UUID, Enclosed]
) -> tuple[list[Mail], Report]:
    """The mails of a batch, and what cannot be written: one broken message never holds up the others."""
    mails: list[Mail] = []
    unwritable: Report = []
    for message in batch:
        if message.kind == DIGEST_KIND and message.id not in carried:
            continue
        if message.attempts > MOST_TRIES:
            unwritable.append((message.id, Outcome("refused", "Whoever tried to send it stopped each time")))
            continue
        try:
            letter = replace(_letter(tenant_id, message, carried.get(message.id, ())), file=files.get(message.id))
            mails.append(write(letter, mail_from=current_app.config["MAIL_FROM"], at=clock.real_now()))
        except BadAddress as error:
            unwritable.append((message.id, Outcome("refused", str(error))))
        except Exception:  # whatever a message contains, the batch goes on; this one ends as a dead letter
            log.exception("message_unwritable", intent_id=str(message.id))
            unwritable.append((message.id, Outcome("failed", "The message could not be written as a mail")))
    return mails, unwritable


def _letter(tenant_id: UUID, message: Claimed, carried: Sequence[Item]) -> Letter:
    """The message with a fresh link to its escalation, or to each that it lists, for the colleague it is meant for."""
    now = clock.real_now()
    record, record_id = message.opens or ESCALATION, message.opens_id or message.escalation_id
    link = _link(message.user_id, record_id, now, record)
    listed = tuple(Listed(item.subject, item.body, _link(message.user_id, item.escalation_id, now)) for item in carried)
    linked = link or any(item.link for item in listed)
    return Letter(
        intent_id=message.id,
        tenant_id=tenant_id,
        escalation_id=message.escalation_id,
        recipient=message.address,
        subject=digests.subject_of(len(listed)) if listed else message.subject,
        body=message.body,
        why=digests.WHY if listed else message.why,
        link=link,
        link_ends_at=now + links.LIFETIME if linked else None,
        listed=listed,
        record=record,
    )


def _link(user_id: UUID | None, record_id: UUID | None, now: datetime, record: str = ESCALATION) -> str | None:
    if user_id is None or record_id is None:
        return None
    return links.make_link(user_id, record, record_id, now=now, path=PATHS[record])
