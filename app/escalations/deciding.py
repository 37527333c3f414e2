"""Asking management for its decision: of whom, and until it is given."""

from datetime import datetime
from uuid import UUID

from app.auth import queries as users
from app.auth.models import User
from app.auth.settings import tenant_settings
from app.escalations import holders, tasking
from app.escalations.case import Change
from app.escalations.models import Escalation
from app.escalations.owning import named
from app.escalations.telling import seeing_by_place
from app.playbooks import service as playbooks
from app.routing import service as routing

KIND = "decision"
END_OF_PATH = "The work has come to the end of its path."
TITLE = "Decide what is done: extend, vendor, concession, close unresolved or go on"


def ask(change: Change, reason: str) -> None:
    """A task and a message for who decides, and an event; the owner knows."""
    record = change.record
    people = list_deciders(record, now=change.now)
    decider_id = people[0].id if people else None
    task = playbooks.new_task(
        KIND, TITLE, escalation_id=record.id, assignee_id=decider_id, now=change.now, role="owner_manager"
    )
    change.rows.append(task)
    change.note("decision_asked", {"task": task.id, "of": decider_id}, {"reason": reason})
    subject = f"{named(record, change.account)}: management's decision is asked for"
    owners = users.list_active(ids=[record.owner_id] if record.owner_id else [])
    change.tell([*people, *owners], "decision_asked", subject, f"{reason}\n{TITLE}.")


def list_deciders(record: Escalation, *, now: datetime) -> list[User]:
    """The owner's manager, else who is on duty, else an admin: the first who is there or has somebody standing in;
    never the owner, nor whom it is about, nor of a restricted case somebody who may not see it."""
    settings = tenant_settings()
    duty = [email.lower() for email in (settings.duty_owner_email, settings.duty_deputy_email) if email]
    on_duty = sorted(users.list_active(emails=duty), key=lambda user: duty.index(user.email))
    if record.restricted:
        on_duty = [user for user in on_duty if user.role == "admin"]
    people = [*users.list_managers(record.owner_id), *on_duty, *users.list_active(roles=["admin"])]
    people = [user for user in people if user.id not in (record.owner_id, record.about_user_id)]
    away = routing.find_stand_ins([user.id for user in people], now=now, about_user_id=record.about_user_id)
    served = seeing_by_place(record, [id_ for id_, stand_in in away.items() if stand_in is not None])
    reached = [user for user in people if user.id not in away or user.id in served]
    return (reached or people)[:1]


def ask_who_sees(change: Change) -> None:
    """Of a case that became restricted, or one about them, no decision is asked of somebody who may not see it, but of
    who may."""
    for task in playbooks.list_open(change.record.id):
        asked = users.list_active(ids=[task.assignee_id]) if task.kind == KIND and task.assignee_id else []
        if not asked or tasking.may_see(change, asked[0]):
            continue
        people = list_deciders(change.record, now=change.now)
        task.assignee_id = people[0].id if people else None
        moved = {"task": task.id, "was": asked[0].id, "assignee": task.assignee_id}
        change.note(holders.EVENT, {"because": "restricted", "tasks": [moved]})
        subject = f"{named(change.record, change.account)}: management's decision is asked for"
        change.tell(people, "decision_asked", subject, f"{TITLE}.")
        if asked[0].id != change.record.about_user_id:
            change.rows.append(holders.taken_from(asked[0], change))


def is_asked(escalation_id: UUID) -> bool:
    """Whether a decision is asked for and not given yet."""
    return any(task.kind == KIND for task in playbooks.list_open(escalation_id))


def settle(change: Change) -> None:
    """The decision is recorded: nobody waits for it any more."""
    for task in playbooks.list_open(change.record.id):
        if task.kind == KIND:
            tasking.settle(change, task, {"state": "done"})
            change.note("task", {"task": task.id, "state": "done"})
