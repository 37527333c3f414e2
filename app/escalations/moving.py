"""Work that time or a departure moves: what an absent colleague holds goes to who stands in, what one who left held to
whoever routing finds. Each case is moved in one transaction of its own, and once for each absence.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select, text

from app.auth import queries as users
from app.auth import service as auth
from app.auth.models import User
from app.db import db
from app.escalations import deciding, lifecycle, promises
from app.escalations.case import Change, begin, by_engine
from app.escalations.models import LIVE_SQL, AbsenceMove
from app.escalations.outages import keeping as outages
from app.escalations.owning import hand_over, named, own, routing_input
from app.playbooks import service as playbooks
from app.playbooks.models import Task
from app.routing import service as routing
from app.routing.errors import OwnerNotAllowed
from app.routing.models import Absence
from app.rows import fresh

PAGE = 200  # cases are read in pages of so many, and moved one by one
IN_A_NAME = ("assignee", "tier")  # given to one person, not to whoever holds a role of the account

# What was given to somebody after they could be known to be away was given knowingly, and stays.
TO_MOVE = text(
    f"""
    select e.id from absence a
    join escalation e on e.owner_id = a.user_id and e.{LIVE_SQL}
    join assignment h on h.escalation_id = e.id and h.released_at is null
    where a.id = :absence and h.assigned_at <= greatest(a.starts_at, a.created_at)
    and not exists (select from absence_move m where m.absence_id = a.id and m.escalation_id = e.id)
    and (cast(:after as uuid) is null
         or (e.due_at, e.id) > (select due_at, id from escalation where id = cast(:after as uuid)))
    order by e.due_at, e.id limit :limit
    """  # noqa: S608 - the part is ours
)
HELD = text(
    f"""
    select id from escalation where owner_id = :user and {LIVE_SQL}
    and (cast(:after as uuid) is null
         or (due_at, id) > (select due_at, id from escalation where id = cast(:after as uuid)))
    order by due_at, id limit :limit
    """  # noqa: S608 - the part is ours
)
# Of a case that ended only what its customer has said since is still to be done.
STILL_TO_DO = f"""
    task t join escalation e on e.id = t.escalation_id and (e.{LIVE_SQL} or t.kind = 'customer_message')
    where t.state = 'open' and t.assignee_id =
"""
TASKS = text(
    f"""
    select t.escalation_id, t.id from {STILL_TO_DO} :user and (cast(:after as uuid) is null or t.id > :after)
    order by t.id limit :limit
    """  # noqa: S608 - the part is ours
)
HOLD_STILL = text(
    f"""
    update "user" set leaving = true
    where not leaving and (not active or role = 'integration')
    and (exists (select from assignment h where h.owner_id = "user".id and h.released_at is null)
         or exists (select from {STILL_TO_DO} "user".id)
         or exists (select from outage o where o.owner_id = "user".id and o.state = 'open'))
    """  # noqa: S608 - the part is ours
)


# -- absences ---------------------------------------------------------------------------------------------------------


def list_to_move(absence_id: UUID, *, after: UUID | None = None, limit: int) -> list[UUID]:
    """The cases that leave the absent person's hands, the earliest due first, from after one on."""
    return list(db.session.scalars(TO_MOVE, {"absence": absence_id, "after": after, "limit": limit}))


def move_for_absence(escalation_id: UUID, absence_id: UUID, *, now: datetime) -> bool:
    """The case goes to who stands in for its owner, else it is routed afresh without them; False if its cause has gone.

    With nobody else there it stays where it is, and the admins know.
    """
    absence = _in_force(absence_id, escalation_id, now)
    if absence is None:
        return False
    change = begin(escalation_id, "assign", by_engine(now))
    record, absent_id = change.record, absence.user_id
    if record.id != escalation_id or record.owner_id != absent_id or record.status not in lifecycle.LIVE:
        return False
    team_id = record.team_id
    absent = users.get_user(absent_id)
    reason = f"{absent.name} is absent until {absence.ends_at.astimezone(change.zone):%d %b %Y}."
    _give_to_stand_in(change, absent_id, reason)
    if record.owner_id != absent_id:
        promises.owner_changed(change)
    change.rows.append(
        fresh(
            AbsenceMove,
            absence_id=absence.id,
            escalation_id=record.id,
            team_id=team_id,
            to_id=record.owner_id if record.owner_id != absent_id else None,
            moved_at=now,
        )
    )
    change.save()
    return True


def _in_force(absence_id: UUID, escalation_id: UUID, now: datetime) -> Absence | None:
    """The absence, not to be ended meanwhile, if it runs now and did not move this case already."""
    moved = exists().where(AbsenceMove.absence_id == absence_id, AbsenceMove.escalation_id == escalation_id)
    asked = (Absence.id == absence_id, Absence.starts_at <= now, Absence.ends_at > now, Absence.next_at <= now, ~moved)
    return db.session.scalar(select(Absence).where(*asked).with_for_update(read=True))


def _give_to_stand_in(change: Change, absent_id: UUID, reason: str) -> None:
    """The delegate has it for the same team; one who may not own it is passed over."""
    record = change.record
    found = routing.find_stand_ins([absent_id], now=change.now, about_user_id=record.about_user_id)
    stand_in = found.get(absent_id)
    if stand_in is not None:
        facts = routing_input(change, change.account)
        why = "stands in for its owner, who is absent"
        try:
            given = routing.appoint(
                facts, stand_in.id, actor=change.act.actor, now=change.now, cause="absence", why=why
            )
        except OwnerNotAllowed:
            pass  # gone since they were found, or the case is about them: it is routed afresh below
        else:
            given = replace(given, team_id=record.team_id)
            hand_over(change, change.account, given, cause="absence", reason=reason)
            return
    own(change, change.account, cause="absence", exclude=frozenset({absent_id}), reason=reason)


# -- those who left ---------------------------------------------------------------------------------------------------


def note_left_work(now: datetime) -> None:
    """Whoever can own nothing and holds something all the same, given to them in the moment they left, is looked at."""
    db.session.execute(HOLD_STILL)


def list_held(user_id: UUID, *, after: UUID | None = None, limit: int) -> list[UUID]:
    """The open cases of a user, the earliest due first, from after one on."""
    return list(db.session.scalars(HELD, {"user": user_id, "after": after, "limit": limit}))


def list_tasks(user_id: UUID, *, after: UUID | None = None, limit: int) -> list[tuple[UUID, UUID]]:
    """(case, task) of each open task in a user's name, from after a task on."""
    rows = db.session.execute(TASKS, {"user": user_id, "after": after, "limit": limit})
    return [(row[0], row[1]) for row in rows]


def move_for_leaver(escalation_id: UUID, user_id: UUID, *, now: datetime) -> bool:
    """Routed afresh without who left, whose tasks in it follow; False if it is not theirs any more."""
    change = begin(escalation_id, "assign", by_engine(now))
    record, leaver = change.record, _leaver(user_id)
    if leaver is None or record.id != escalation_id or record.owner_id != user_id:
        return False
    if record.status not in lifecycle.LIVE:
        return False
    reason = f"{leaver.name} was deactivated."
    own(change, change.account, cause="deactivation", exclude=frozenset({user_id}), reason=reason)
    if record.owner_id != user_id:
        promises.owner_changed(change)
    change.save()
    return True


def move_task(escalation_id: UUID, task_id: UUID, user_id: UUID, *, now: datetime) -> bool:
    """A task of who left goes to the case's owner; where there is none, and management's decision, to who would be
    asked to decide; to nobody by name if there is nobody, which is the owner's to see."""
    change = begin(escalation_id, "task", by_engine(now))
    task, leaver = playbooks.get_task(escalation_id, task_id), _leaver(user_id)
    if leaver is None or task.state != "open" or task.assignee_id != user_id:
        return False
    if change.record.status in lifecycle.LIVE and change.record.owner_id == user_id:
        return False  # it goes with the case
    heirs = _heirs(change, task, user_id)
    task.assignee_id = heirs[0].id if heirs else None
    if task.role in IN_A_NAME and task.assignee_id == change.record.owner_id:
        task.role = "owner"
    facts = {"task": task.id, "state": task.state, "was": user_id, "assignee": task.assignee_id}
    reason = f"{leaver.name} was deactivated."
    change.note("task", {**facts, "cause": "deactivation"}, {"reason": reason})
    change.tell(heirs, "task", f"{named(change.record, change.account)}: a task for you", f"{task.title}. {reason}")
    change.save()
    return True


def _heirs(change: Change, task: Task, leaver_id: UUID) -> list[User]:
    """Who does the task instead, one or none."""
    record = change.record
    if task.kind != deciding.KIND and record.status in lifecycle.LIVE:
        return users.list_active(ids=[record.owner_id] if record.owner_id else [])
    return [user for user in deciding.list_deciders(record, now=change.now) if user.id != leaver_id]


def _leaver(user_id: UUID) -> User | None:
    """The user, not to be taken back meanwhile, if they are gone."""
    user = users.get_user(user_id, lock=True)
    return None if auth.can_own(user) else user


def settle_leaver(user_id: UUID, *, now: datetime) -> bool:
    """Nothing is left in the hands of who left, and so nothing to look for; whether that is so. Outages go last."""
    user = users.get_user(user_id, lock=True)
    if not auth.can_own(user) and (list_held(user_id, limit=1) or list_tasks(user_id, limit=1)):
        return False
    if not auth.can_own(user):
        outages.hand_on(user_id, now)
    db.session.execute(text('update "user" set leaving = false where id = :id'), {"id": user_id})
    return True
