"""Making what is due: each recipient's report with their own rights, its PDF, and the mail it goes in.

The report is read in one transaction, its PDF made in none, its mail posted in another: a kill in between leaves a row
that is made again after its lease, and the outbox takes a message once.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.exc import OperationalError

from app import clock, queue
from app.db import new_id, transaction
from app.notifications import enclosures
from app.notifications import service as notifications
from app.notifications.models import Intent
from app.notifications.queries import find_preferences
from app.notifications.quiet import EMAIL, INBOX, end_of_quiet
from app.reports.errors import FactsBeingMade
from app.reports.exports.asking import Answered
from app.reports.exports.pdf_files import MEDIA_TYPE, pdf_of
from app.reports.sharing import deliveries, letters
from app.reports.sharing.asked import reader_of
from app.reports.sharing.deliveries import Claimed
from app.reports.sharing.letters import Sent
from app.reports.sharing.schedules import kept_of, rhythm_of
from app.rows import amend, insert_all

log = structlog.get_logger()

MOST_BYTES = 5 << 20  # of a PDF in a mail
MOST_TRIES = 3
RETRY = timedelta(minutes=2)
SOON = timedelta(seconds=15)  # when facts are not up to the moment yet
PATIENCE = timedelta(minutes=10)  # with facts: then the report says how far they are
ENDED, LEFT, NO_RIGHT = "schedule_ended", "left", "no_right"


class NotReady(Exception):
    """The facts do not reach the moment yet that the report is due for."""


def send_tenant(tenant_id: UUID, now: datetime | None = None, *, ends_at: float | None = None) -> bool:
    """Everything due of one tenant; whether some is left at the end of the time. `now` is the tenant's unless given."""
    with transaction(tenant=tenant_id):
        deliveries.begin_due(now or clock.now(), clock.real_now())
    while make_next(tenant_id, now):
        if queue.is_stopping() or (ends_at is not None and clock.monotonic() > ends_at):
            return True
    return False


def make_next(tenant_id: UUID, now: datetime | None = None) -> bool:
    """Make one delivery, if there is one to make."""
    with transaction(tenant=tenant_id):
        claimed = deliveries.claim(clock.real_now())
        reason = _hindrance(claimed) if claimed else None
        if claimed and reason:
            _suppress(claimed, reason, now or clock.now())
    if claimed is None or reason:
        return claimed is not None
    try:
        _make(tenant_id, claimed, now)
    except (FactsBeingMade, NotReady):
        with transaction(tenant=tenant_id):
            again = {"retry_at": clock.real_now() + SOON, "attempts": claimed.row.attempts - 1}
            deliveries.record(claimed, **again)
    except OperationalError:
        raise
    except Exception as error:
        log.exception("report_not_made", tenant_id=str(tenant_id), delivery_id=str(claimed.row.id))
        with transaction(tenant=tenant_id):
            _fail(claimed, f"{type(error).__name__}: {error}"[:500], now or clock.now())
    return True


def _hindrance(claimed: Claimed) -> str | None:
    """Why this person is sent nothing: they left, may not read reports any more, or the schedule was ended."""
    if claimed.schedule.ended_at is not None:
        return ENDED
    if not claimed.user.active:
        return LEFT
    return None if reader_of(claimed.user) else NO_RIGHT


def _make(tenant_id: UUID, claimed: Claimed, now: datetime | None) -> None:
    with transaction(tenant=tenant_id):
        answered = _answered(claimed, now or clock.now())
    pdf = pdf_of(answered, paper=claimed.schedule.paper)
    with transaction(tenant=tenant_id):
        _post(claimed, answered, pdf, now or clock.now())


def _answered(claimed: Claimed, now: datetime) -> Answered:
    """The report as its recipient may read it, as of when it was due."""
    row, actor = claimed.row, reader_of(claimed.user)
    if actor is None:
        raise LookupError("the recipient may not read reports")
    answered = deliveries.answered(row, actor=actor, now=now)
    is_due = row.asked["as_of"] == row.due_at.isoformat()
    if is_due and answered.frame.as_of < row.due_at and clock.real_now() - row.recorded_at < PATIENCE:
        raise NotReady
    return answered


def _post(claimed: Claimed, answered: Answered, pdf: bytes, now: datetime) -> None:
    """The mail with its file, and that it is posted: all or nothing."""
    sent = _sent(claimed)
    subject = letters.subject_of(answered, sent)
    body = letters.body_of(answered, sent, len(pdf), MOST_BYTES)
    intent = _intent(claimed, sent, subject, body, now)
    if not deliveries.record(claimed, state="posted", intent_id=intent.id):
        return
    insert_all([intent])
    if len(pdf) <= MOST_BYTES:
        day = answered.frame.as_of.astimezone(answered.frame.zone).date()
        named = {"name": f"{sent.name} {day}.pdf", "media_type": MEDIA_TYPE}
        insert_all([enclosures.enclose(intent.id, place=claimed.row.id, content=pdf, **named)])
    notifications.wake_delivery()


def _sent(claimed: Claimed) -> Sent:
    row, schedule = claimed.row, claimed.schedule
    return Sent(
        name=schedule.name,
        by=claimed.owner.name,
        to_owner=claimed.owner.id == claimed.user.id,
        rhythm=rhythm_of(schedule),
        own_accounts=bool(kept_of(schedule, claimed.view).arguments.get("own_accounts")),
        asked_for=row.period.startswith(deliveries.NOW),
        due_at=row.due_at,
        late=row.late,
        missed=row.missed,
    )


def _intent(claimed: Claimed, sent: Sent, subject: str, body: str, now: datetime) -> Intent:
    """A message of its own, never in a digest, that waits out its reader's quiet hours."""
    user = claimed.user
    wishes = find_preferences([user.id]).get(user.id)
    hold_until = end_of_quiet(wishes.quiet_hours, wishes.zone, now) if wishes else now
    intent = notifications.intent(
        user=user,
        kind=deliveries.KIND,
        subject=subject,
        body=body,
        why=letters.why_of(sent),
        dedupe_key=f"report:{claimed.schedule.id}:{claimed.row.period}:{user.id}",
        at=now,
        now=now,
        hold_until=hold_until,
        channel=EMAIL if wishes is None or wishes.email else INBOX,
        opens=(deliveries.KIND, claimed.row.id),
    )
    amend(intent, id=new_id())
    return intent


def _suppress(claimed: Claimed, reason: str, now: datetime) -> None:
    """Nobody is told; that they were not, and why, stands in the outbox."""
    sent = _sent(claimed)
    intent = _intent(claimed, sent, sent.name, "", now)
    amend(intent, state="suppressed", reason=reason)
    if deliveries.record(claimed, state="suppressed", reason=reason, intent_id=intent.id):
        insert_all([intent])


def _fail(claimed: Claimed, error: str, now: datetime) -> None:
    """Try again, and in the end leave a dead letter: sent again, it tells that there is no PDF and opens the report."""
    if claimed.row.attempts < MOST_TRIES:
        again = clock.real_now() + RETRY * claimed.row.attempts
        deliveries.record(claimed, retry_at=again, last_error=error)
        return
    sent = _sent(claimed)
    intent = _intent(claimed, sent, f"{sent.name}: the report could not be made", letters.NO_PDF, now)
    amend(intent, state="dead", last_error=f"The report could not be made: {error}", attempts=claimed.row.attempts)
    if deliveries.record(claimed, state="failed", intent_id=intent.id, last_error=error):
        insert_all([intent])
