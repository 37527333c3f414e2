"""Schedules: a report by mail at a local hour of a weekday or a day of the month, to people who may read reports.

A schedule is seen by its owner, by those it sends to and by admins, and changed by its owner or an admin.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, delete, exists, or_, select, tuple_

from app.auth.actor import Actor
from app.auth.models import User
from app.auth.settings import tenant_settings
from app.db import db, new_id
from app.errors import NotFound, invalid
from app.reports.sharing.arguments import checked
from app.reports.sharing.asked import Kept, reader_of
from app.reports.sharing.errors import NotYourSchedule
from app.reports.sharing.kinds import KINDS
from app.reports.sharing.models import ReportRecipient, ReportSchedule, ReportView
from app.reports.sharing.rhythm import Rhythm
from app.reports.sharing.views import get_named
from app.rows import insert_all

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WHEN = ("rhythm", "weekday", "day", "hour", "timezone")
PLAIN = ("name", "own_accounts", "paper")
COLUMNS = (*PLAIN, "id", "rhythm", "day", "hour", "timezone", "active", "created_at", "changed_at", "version")


def rhythm_of(schedule: ReportSchedule) -> Rhythm:
    zone = ZoneInfo(schedule.timezone)
    return Rhythm(schedule.rhythm, schedule.weekday, schedule.day, schedule.hour, zone)


def kept_of(schedule: ReportSchedule, view: ReportView | None) -> Kept:
    """The report that a schedule sends, as its view asks for it today."""
    report, arguments = (view.report, view.arguments) if view else (schedule.report or "", schedule.arguments)
    return Kept(report, {**arguments, "own_accounts": True} if schedule.own_accounts else arguments)


def make_schedule(fields: Mapping[str, Any], *, actor: Actor, now: datetime, real_now: datetime) -> ReportSchedule:
    """A new schedule of the caller's; its first mail goes out the next time it is due after `now` (tenant time)."""
    schedule = ReportSchedule(
        id=new_id(), owner_id=actor.person_id, active=True, created_at=real_now, view_id=None, arguments={}, next_at=now
    )
    _ask(schedule, fields, actor)
    _set(schedule, {"timezone": tenant_settings().timezone, **fields}, now=now, real_now=real_now)
    _check_own(schedule)
    db.session.add(schedule)
    db.session.flush()
    _send_to(schedule.id, fields["recipients"])
    return schedule


def change_schedule(
    schedule: ReportSchedule, changes: Mapping[str, Any], *, actor: Actor, now: datetime, real_now: datetime
) -> None:
    """Change anything of it; what fell due while it was paused is not sent afterwards."""
    if "view_id" in changes or "report" in changes:
        _ask(schedule, changes, actor)
    elif "arguments" in changes:
        if schedule.report is None:
            raise invalid("arguments", "this schedule sends a saved view: change that, or name the report")
        schedule.arguments = checked(schedule.report, changes["arguments"])
    _set(schedule, changes, now=now, real_now=real_now)
    _check_own(schedule)
    if "recipients" in changes:
        db.session.execute(delete(ReportRecipient).where(ReportRecipient.schedule_id == schedule.id))
        _send_to(schedule.id, changes["recipients"])
    db.session.flush()


def end_schedule(schedule: ReportSchedule, *, real_now: datetime) -> None:
    """It sends nothing any more; what it sent stays as it is told."""
    schedule.active, schedule.ended_at, schedule.view_id = False, real_now, None
    db.session.flush()


def leave(schedule: ReportSchedule, *, actor: Actor) -> None:
    """The caller is sent it no more; whoever was not is not either."""
    theirs = (ReportRecipient.schedule_id == schedule.id, ReportRecipient.user_id == actor.user_id)
    db.session.execute(delete(ReportRecipient).where(*theirs))


def _ask(schedule: ReportSchedule, fields: Mapping[str, Any], actor: Actor) -> None:
    """Which report: a view that the caller sees, or one with its arguments."""
    if "view_id" in fields:
        schedule.view_id, schedule.report, schedule.arguments = get_named(fields["view_id"], actor=actor).id, None, {}
    else:
        schedule.view_id, schedule.report = None, fields["report"]
        schedule.arguments = checked(fields["report"], fields.get("arguments") or {})


def _check_own(schedule: ReportSchedule) -> None:
    """Not every report can be about some accounts."""
    report = schedule.report or db.session.scalar(select(ReportView.report).where(ReportView.id == schedule.view_id))
    if schedule.own_accounts and "own_accounts" not in KINDS[str(report)].takes:
        raise invalid("own_accounts", f"the report {report} is about all accounts")


def _set(schedule: ReportSchedule, fields: Mapping[str, Any], *, now: datetime, real_now: datetime) -> None:
    for name in PLAIN:
        if name in fields:
            setattr(schedule, name, fields[name])
    moved = any(name in fields for name in WHEN) or (fields.get("active") is True and not schedule.active)
    if any(name in fields for name in WHEN):
        _set_rhythm(schedule, fields)
    if "active" in fields:
        schedule.active = fields["active"]
    if moved:
        schedule.next_at = rhythm_of(schedule).next_after(now)
    schedule.changed_at = real_now


def _set_rhythm(schedule: ReportSchedule, fields: Mapping[str, Any]) -> None:
    """A weekly one has a weekday, any other a day of the month."""
    for name in ("rhythm", "hour", "timezone"):
        if name in fields:
            setattr(schedule, name, fields[name])
    needed, other = ("weekday", "day") if schedule.rhythm == "weekly" else ("day", "weekday")
    if fields.get(other) is not None:
        raise invalid(other, f"a {schedule.rhythm} report has none")
    value = fields.get(needed, getattr(schedule, needed))
    if value is None:
        raise invalid(needed, f"a {schedule.rhythm} report needs one")
    setattr(schedule, needed, DAYS.index(value) if value in DAYS else value)
    setattr(schedule, other, None)


def _send_to(schedule_id: UUID, emails: Sequence[str]) -> None:
    """Everybody named may read reports, or the place of who may not is said."""
    wanted = [email.lower() for email in emails]
    users = {user.email.lower(): user for user in db.session.scalars(select(User).where(User.email.in_(wanted)))}
    for place, email in enumerate(wanted):
        if email not in users or reader_of(users[email]) is None:
            raise invalid(f"recipients/{place}", "expected the address of somebody who may read reports")
    insert_all(ReportRecipient(schedule_id=schedule_id, user_id=users[email].id) for email in dict.fromkeys(wanted))


# -- reading ----------------------------------------------------------------------------------------------------------


def list_schedules(*, actor: Actor, after: list[Any] | None, limit: int) -> list[dict[str, Any]]:
    """Those I made or am sent, by name; every one for an admin."""
    asked = _seen(actor).order_by(ReportSchedule.name, ReportSchedule.id).limit(limit)
    if after:
        asked = asked.where(tuple_(ReportSchedule.name, ReportSchedule.id) > (after[0], UUID(after[1])))
    return shown_all(db.session.execute(asked).all(), actor=actor)


def get_schedule(schedule_id: UUID, *, actor: Actor, lock: bool = False) -> ReportSchedule:
    """One that the caller sees; any other looks like none."""
    asked = _seen(actor).where(ReportSchedule.id == schedule_id)
    row = db.session.execute(asked.with_for_update(of=ReportSchedule) if lock else asked).one_or_none()
    if row is None:
        raise NotFound
    found: ReportSchedule = row[0]
    return found


def get_own(schedule_id: UUID, *, actor: Actor, lock: bool = False) -> ReportSchedule:
    """One that the caller may change."""
    schedule = get_schedule(schedule_id, actor=actor, lock=lock)
    if not may_change(schedule, actor):
        raise NotYourSchedule
    return schedule


def get_shown(schedule_id: UUID, *, actor: Actor) -> dict[str, Any]:
    """One as it is answered."""
    rows = db.session.execute(_seen(actor).where(ReportSchedule.id == schedule_id)).all()
    if not rows:
        raise NotFound
    return shown_all(rows, actor=actor)[0]


def may_change(schedule: ReportSchedule, actor: Actor) -> bool:
    return schedule.owner_id == actor.user_id or actor.role == "admin"


def _seen(actor: Actor) -> Select[ReportSchedule, User, ReportView]:
    asked = select(ReportSchedule, User, ReportView).join(User, User.id == ReportSchedule.owner_id)
    asked = asked.outerjoin(ReportView, ReportView.id == ReportSchedule.view_id)
    asked = asked.where(ReportSchedule.ended_at.is_(None))
    if actor.role == "admin":
        return asked
    named = (ReportRecipient.schedule_id == ReportSchedule.id, ReportRecipient.user_id == actor.user_id)
    return asked.where(or_(ReportSchedule.owner_id == actor.user_id, exists().where(*named)))


def shown_all(rows: Sequence[Any], *, actor: Actor) -> list[dict[str, Any]]:
    """Schedules with whom they send to; two statements, however many."""
    ids = [row[0].id for row in rows]
    people = select(ReportRecipient.schedule_id, User).join(User, User.id == ReportRecipient.user_id)
    people = people.where(ReportRecipient.schedule_id.in_(ids)).order_by(User.email)
    found: dict[UUID, list[User]] = {}
    for schedule_id, user in db.session.execute(
        people.where(ReportRecipient.schedule_id.in_(ids)).order_by(User.email)
    ):
        found.setdefault(schedule_id, []).append(user)
    return [_shown(schedule, owner, view, found.get(schedule.id, []), actor) for schedule, owner, view in rows]


def _shown(
    schedule: ReportSchedule, owner: User, view: ReportView | None, people: Sequence[User], actor: Actor
) -> dict[str, Any]:
    kept = kept_of(schedule, view)
    return {
        **{name: getattr(schedule, name) for name in COLUMNS},
        "weekday": None if schedule.weekday is None else DAYS[schedule.weekday],
        "view": {"id": view.id, "name": view.name} if view else None,
        "report": kept.report,
        "arguments": kept.arguments,
        "next_at": schedule.next_at if schedule.active else None,
        "owner": {"id": owner.id, "name": owner.name},
        "recipients": [_person(user) for user in people],
        "to_me": any(user.id == actor.user_id for user in people),
        "may_change": may_change(schedule, actor),
    }


def _person(user: User) -> dict[str, Any]:
    """Whom it is sent to, and whether they may still read it."""
    return {"id": user.id, "name": user.name, "email": user.email, "reads": reader_of(user) is not None}
