"""What goes to whom: one row for each report, period and person, so that nothing goes out twice.

A schedule that is due makes the rows of its recipients and moves to its next time in one transaction. A row waits until
its PDF is made and its message posted, or tells why there is none. After downtime the latest period goes out alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.accounts.queries import tenant_today
from app.auth import limits
from app.auth.actor import Actor
from app.auth.errors import LinkUnknown
from app.auth.models import User
from app.db import current_tenant, db, new_id
from app.errors import NotFound
from app.notifications.models import Intent
from app.reports.exports.asking import Answered
from app.reports.sharing import schedules
from app.reports.sharing.asked import Kept, reader_of
from app.reports.sharing.errors import AlreadyWaiting
from app.reports.sharing.models import ReportDelivery, ReportRecipient, ReportSchedule, ReportView

AT_ONCE = 20  # schedules in a transaction
LATE = timedelta(hours=1)
LEASE = timedelta(minutes=10)  # longer than a PDF takes
KIND = "report"  # of messages, and of what their links open
A_MINUTE = 60  # openings of what one mail leads to
NOW = "now"  # what a period is called that somebody asked for
KEY = ["tenant_id", "schedule_id", "period", "user_id"]

# Raw: the claim is one statement, and what others hold is passed by.
CLAIM = text(
    """
    update report_delivery set leased_until = :lease, attempts = attempts + 1
    where id = (
        select id from report_delivery
        where state = 'waiting' and (retry_at is null or retry_at <= :now)
          and (leased_until is null or leased_until <= :now)
        order by due_at, id limit 1 for update skip locked
    )
    returning id
    """
)
FIND_TENANTS = text(
    """
    select t.id from tenant t
    where exists (select from report_schedule s where s.tenant_id = t.id and s.active
                  and s.next_at <= :now + t.clock_offset)
       or exists (select from report_delivery d where d.tenant_id = t.id and d.state = 'waiting'
                  and (d.retry_at is null or d.retry_at <= :now) and (d.leased_until is null or d.leased_until <= :now))
    order by random()
    """
)


@dataclass(frozen=True)
class Claimed:
    """A delivery that is ours to make until `lease`."""

    row: ReportDelivery
    schedule: ReportSchedule
    view: ReportView | None
    owner: User
    user: User
    lease: datetime


def begin_due(now: datetime, real_now: datetime) -> int:
    """The deliveries of schedules that are due by now; answers how many schedules."""
    due = select(ReportSchedule).where(ReportSchedule.active, ReportSchedule.next_at <= now)
    claimed = due.order_by(ReportSchedule.next_at, ReportSchedule.id).limit(AT_ONCE).with_for_update(skip_locked=True)
    found = db.session.scalars(claimed).all()
    for schedule in found:  # as many as are due together: seldom more than one
        _begin(schedule, now, real_now)
    db.session.flush()
    return len(found)


def _begin(schedule: ReportSchedule, now: datetime, real_now: datetime) -> None:
    rhythm = schedules.rhythm_of(schedule)
    dues = rhythm.due_between(schedule.next_at, now) or [schedule.next_at]
    view = db.session.get(ReportView, schedule.view_id) if schedule.view_id else None
    people = select(ReportRecipient.user_id).where(ReportRecipient.schedule_id == schedule.id)
    rows = [
        _row(schedule, view, user_id, rhythm.period_of(dues[-1]), dues[-1], real_now)
        | {"late": now - dues[-1] > LATE, "missed": len(dues) - 1}
        for user_id in db.session.scalars(people.order_by(ReportRecipient.user_id))
    ]
    if rows:
        db.session.execute(insert(ReportDelivery).values(rows).on_conflict_do_nothing(index_elements=KEY))
    schedule.next_at = rhythm.next_after(now)


def ask_one(schedule: ReportSchedule, *, actor: Actor, now: datetime, real_now: datetime) -> UUID:
    """One for the caller now; answers its id."""
    mine = (ReportDelivery.schedule_id == schedule.id, ReportDelivery.user_id == actor.user_id)
    if db.session.scalar(select(ReportDelivery.id).where(*mine, ReportDelivery.state == "waiting").limit(1)):
        raise AlreadyWaiting
    view = db.session.get(ReportView, schedule.view_id) if schedule.view_id else None
    row = _row(schedule, view, actor.person_id, f"{NOW} {new_id()}", now, real_now)
    db.session.execute(insert(ReportDelivery).values(row))
    return UUID(str(row["id"]))


def _row(
    schedule: ReportSchedule, view: ReportView | None, user_id: UUID, period: str, due: datetime, real_now: datetime
) -> dict[str, Any]:
    kept = schedules.kept_of(schedule, view)
    asked = {"as_of": due.isoformat(), **kept.arguments}
    return {
        "tenant_id": current_tenant(), "id": new_id(), "schedule_id": schedule.id, "user_id": user_id, "period": period,
        "due_at": due, "report": kept.report, "asked": asked, "late": False, "missed": 0, "state": "waiting",
        "attempts": 0, "recorded_at": real_now,
    }  # fmt: skip


def claim(real_now: datetime) -> Claimed | None:
    """The next delivery to make, ours until the lease ends."""
    lease = real_now + LEASE
    found = db.session.scalar(CLAIM, {"now": real_now, "lease": lease})
    if found is None:
        return None
    asked: Any = select(ReportDelivery, ReportSchedule, ReportView, User).where(ReportDelivery.id == found)
    asked = asked.join(ReportSchedule, ReportSchedule.id == ReportDelivery.schedule_id)
    asked = asked.outerjoin(ReportView, ReportView.id == ReportSchedule.view_id)
    asked = asked.join(User, User.id == ReportDelivery.user_id)
    row, schedule, view, user = db.session.execute(asked).one()
    return Claimed(row, schedule, view, db.session.get_one(User, schedule.owner_id), user, lease)


def record(claimed: Claimed, **values: Any) -> bool:
    """What became of it; False when somebody else has taken it since."""
    held = (ReportDelivery.id == claimed.row.id, ReportDelivery.leased_until == claimed.lease)
    change = update(ReportDelivery).where(*held, ReportDelivery.state == "waiting")
    change = change.values(leased_until=None, **values).returning(ReportDelivery.id)
    return db.session.scalar(change.execution_options(synchronize_session=False)) is not None


def open_sent(delivery_id: UUID, *, user_id: UUID, now: datetime) -> tuple[str, Answered]:
    """The schedule's name and the report of one delivery, as its person may read it now; `LinkUnknown` of any other."""
    asked: Any = select(ReportDelivery, ReportSchedule.name, User).where(ReportDelivery.id == delivery_id)
    asked = asked.join(ReportSchedule, ReportSchedule.id == ReportDelivery.schedule_id)
    row = db.session.execute(asked.join(User, User.id == ReportDelivery.user_id)).one_or_none()
    actor = reader_of(row[2]) if row is not None and row[2].id == user_id else None
    if row is None or actor is None:
        raise LinkUnknown
    limits.count_opening(delivery_id, most=A_MINUTE)
    return row[1], answered(row[0], actor=actor, now=now)


def answered(delivery: ReportDelivery, *, actor: Actor, now: datetime) -> Answered:
    """The report as of when it was due, its days told by that day."""
    kept = Kept(delivery.report, delivery.asked)
    return kept.answered(actor=actor, now=now, today=tenant_today(delivery.due_at))


# -- reading ----------------------------------------------------------------------------------------------------------

SHOWN = ("id", "period", "due_at", "late", "missed", "state", "reason", "last_error")


def list_deliveries(schedule_id: UUID, *, actor: Actor, after: list[Any] | None, limit: int) -> list[dict[str, Any]]:
    """What a schedule sent, newest first, with what became of each message; to others than its owner their own."""
    asked = _asked().where(ReportDelivery.schedule_id == schedule_id).order_by(ReportDelivery.id.desc()).limit(limit)
    asked = asked.join(ReportSchedule, ReportSchedule.id == ReportDelivery.schedule_id)
    if actor.role != "admin":
        asked = asked.where((ReportSchedule.owner_id == actor.user_id) | (ReportDelivery.user_id == actor.user_id))
    if after:
        asked = asked.where(ReportDelivery.id < UUID(after[0]))
    return [_shown(row) for row in db.session.execute(asked)]


def get_delivery(delivery_id: UUID) -> dict[str, Any]:
    row = db.session.execute(_asked().where(ReportDelivery.id == delivery_id)).one_or_none()
    if row is None:
        raise NotFound
    return _shown(row)


def _asked() -> Any:
    asked = select(ReportDelivery, User, Intent).join(User, User.id == ReportDelivery.user_id)
    return asked.outerjoin(Intent, Intent.id == ReportDelivery.intent_id)


def _shown(row: Any) -> dict[str, Any]:
    """Where it stands: as long as it is made that is its own state, then its message's."""
    delivery, user, intent = row
    shown = {name: getattr(delivery, name) for name in SHOWN}
    outcome: Mapping[str, Any] = {"sent_at": None, "message_id": None}
    if intent is not None:
        outcome = {"sent_at": intent.sent_at, "message_id": intent.id}
        if delivery.state == "posted":
            outcome = {**outcome, "state": intent.state, "reason": intent.reason, "last_error": intent.last_error}
    people: Sequence[tuple[str, Any]] = (("id", user.id), ("name", user.name))
    return {**shown, **outcome, "recipient": dict(people), "asked_for": delivery.period.startswith(NOW)}
