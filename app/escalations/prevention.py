"""Prevention actions: what somebody does by a day so that a case does not happen again, followed until it is done.

One outlives its case: its owner is told, and reminded on its day and every week after, also when the case is closed.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from app.accounts.queries import tenant_today
from app.auth import queries as users
from app.auth.models import User
from app.db import db, new_id
from app.errors import NotFound, invalid
from app.escalations import permissions, tasking
from app.escalations.case import Act, Change
from app.escalations.errors import NotYours, ReasonNeeded
from app.escalations.models import Escalation, PreventionAction
from app.escalations.owning import named
from app.escalations.standing import check_seen, lock_record, standing_of
from app.notifications import service as notifications
from app.notifications.models import Intent

TOLD, REMINDED = "prevention", "prevention_due"
JOIN = text("update prevention_action set escalation_id = :survivor where escalation_id = :loser")


def promise(change: Change, wanted: Mapping[str, Any]) -> PreventionAction:
    """Who keeps it from happening again, by when; promised anew in the same words, it is the same action."""
    owner = find_owner(change, wanted["owner_email"], "prevention.owner_email")
    due_on = check_day(change, wanted["due_on"], "prevention.due_on")
    asked = (PreventionAction.escalation_id == change.record.id, PreventionAction.action == wanted["action"])
    row = db.session.scalar(select(PreventionAction).where(*asked, PreventionAction.state == "open"))
    if row is None:
        row = PreventionAction(
            id=new_id(), escalation_id=change.record.id, action=wanted["action"], state="open", created_at=change.now
        )
        row.owner_id, row.due_on, row.remind_on = owner.id, due_on, due_on
        db.session.add(row)
    elif (row.owner_id, row.due_on) != (owner.id, due_on):
        take_back(row)
        row.owner_id, row.due_on, row.remind_on = owner.id, due_on, due_on
    tell_owner(change, row, owner)
    return row


def find_owner(change: Change, email: str, field: str) -> User:
    """An active colleague; never whom the case is about, nor who may not see a restricted one."""
    user = users.find_user_by_email(email)
    if user is None or not user.active or user.id == change.record.about_user_id:
        raise invalid(field, "expected an active colleague")
    if change.record.restricted and not tasking.may_see(change, user):
        raise invalid(field, "expected somebody who may see this restricted case")
    return user


def check_day(change: Change, due_on: date, field: str) -> date:
    if due_on < tenant_today(change.now):
        raise invalid(field, "expected today or a later day")
    return due_on


def tell_owner(change: Change, row: PreventionAction, owner: User) -> None:
    subject = f"{named(change.record, change.account)}: keep it from happening again by {row.due_on:%a %d %b %Y}"
    change.tell([owner], TOLD, subject, row.action)


def take(action_id: UUID, act: Act) -> tuple[Change, PreventionAction]:
    """The action and its case, locked, for whoever may change it: its owner, who stands in for them, and whoever may
    work on the case."""
    escalation_id = db.session.scalar(select(PreventionAction.escalation_id).where(PreventionAction.id == action_id))
    if escalation_id is None:
        raise NotFound
    record = lock_record(escalation_id)
    row = db.session.scalars(select(PreventionAction).where(PreventionAction.id == action_id).with_for_update()).one()
    standing = standing_of(record, act.actor, now=act.now)
    if standing.is_about:
        raise NotFound
    if row.owner_id not in (act.actor.user_id, *standing.absent):
        check_seen(record, standing, act.actor)
        if not permissions.who_may(TOLD, standing):
            raise NotYours("this is for the action's owner, and for who may work on the case")
    return Change(record, standing, act), row


def may_change(action_id: UUID, act: Act) -> bool:
    """Whether `change_action` would take anything of this caller."""
    try:
        take(action_id, act)
    except (NotFound, NotYours):
        return False
    return True


def change_action(
    action_id: UUID, *, act: Act, changes: Mapping[str, Any], check: Callable[[PreventionAction], None]
) -> None:
    """Done, dropped with a reason, open again; another day or another owner. The case's timeline keeps it, also when
    the case is closed."""
    change, row = take(action_id, act)
    check(row)
    state = changes.get("state", row.state)
    if state == "dropped" and not (changes.get("reason") or "").strip():
        raise ReasonNeeded(errors=[{"pointer": "/reason", "detail": "expected why the action is dropped"}])
    if state != "open" and ("due_on" in changes or "owner_email" in changes):
        raise invalid("state", "expected open where the day or the owner changes")
    was_owner, was_day, was_state = row.owner_id, row.due_on, row.state
    if "owner_email" in changes:
        row.owner_id = find_owner(change, changes["owner_email"], "owner_email").id
    if "due_on" in changes:
        row.due_on = check_day(change, changes["due_on"], "due_on")
    # What it was dropped for says nothing of it once it is open or done.
    row.state, row.reason = state, changes.get("reason", row.reason if state == was_state else None)
    _end_or_go_on(change, row, was_state, moved=(row.owner_id, row.due_on) != (was_owner, was_day))
    if row.owner_id != was_owner:
        tell_owner(change, row, users.get_user(row.owner_id))
    facts = {"prevention": row.id, "state": state, "owner": row.owner_id, "due_on": row.due_on}
    change.note("prevention", facts, {"reason": changes.get("reason")})
    change.save()


def _end_or_go_on(change: Change, row: PreventionAction, was_state: str, *, moved: bool) -> None:
    """What has ended reminds nobody any more; what goes on does so from its day."""
    if row.state == "open":
        row.ended_at = row.ended_by_id = None
        if moved or was_state != "open":
            row.remind_on = max(row.due_on, tenant_today(change.now))
            take_back(row)
    elif was_state == "open":
        row.ended_at, row.ended_by_id, row.remind_on = change.now, change.act.actor.user_id, None
        take_back(row)


def take_back(row: PreventionAction) -> None:
    """Its reminders that nobody has had yet."""
    keys = select(Intent.dedupe_key).where(
        Intent.escalation_id == row.escalation_id, Intent.dedupe_key.like(f"{REMINDED}:{row.id}:%")
    )
    notifications.suppress(escalation_ids=[row.escalation_id], keys=keys, reason="already_acted")


def join(loser: Escalation, kept: Escalation) -> None:
    """In a merge, what was promised for the merged case goes on under the survivor, with what is not told of it yet."""
    db.session.execute(JOIN, {"loser": loser.id, "survivor": kept.id})
    notifications.move(loser.id, kept.id, kinds=(TOLD, REMINDED))
