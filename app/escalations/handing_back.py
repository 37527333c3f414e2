"""Back from an absence: what was moved for it and is still open elsewhere is listed, offered and taken back."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select, true, update

from app.accounts.models import Account
from app.auth import queries as users
from app.auth import service as auth
from app.auth.actor import Actor
from app.auth.models import User
from app.db import db
from app.errors import invalid
from app.escalations import lifecycle, promises
from app.escalations.case import Act, Change
from app.escalations.errors import StillAway
from app.escalations.models import AbsenceMove, Escalation
from app.escalations.moving import list_to_move
from app.escalations.owning import hand_over, named, routing_input
from app.escalations.queries import visible_to
from app.escalations.standing import lock_record, standing_of
from app.escalations.words import numbered
from app.notifications import service as notifications
from app.routing import service as routing
from app.routing.models import Absence
from app.rows import insert_all

MOST_NAMED = 10  # in the message; the list has them all
MOST_TAKEN = 200  # in one call
WHY = "is back from the absence for which it was moved"


def _offered(absence: Absence, *columns: Any, actor: Actor, now: datetime) -> Select[Any]:
    """What was moved for the absence, was not taken back, and is open with somebody else, in the order it was moved.

    Who was away may see what was theirs, anybody else what they may see anyway; nobody what is about the person.
    """
    about = Escalation.about_user_id
    seen: ColumnElement[bool] = true() if actor.user_id == absence.user_id else visible_to(actor, now)
    return (
        select(AbsenceMove.id.label("move_id"), Escalation.id.label("escalation_id"), *columns)
        .join_from(AbsenceMove, Escalation, Escalation.id == AbsenceMove.escalation_id)
        .join(Account, Account.id == Escalation.account_id)
        .join(User, User.id == Escalation.owner_id)
        .where(
            AbsenceMove.absence_id == absence.id,
            AbsenceMove.to_id.is_not(None),
            AbsenceMove.returned_at.is_(None),
            Escalation.status.in_(sorted(lifecycle.LIVE)),
            Escalation.owner_id != absence.user_id,
            or_(about.is_(None), about != absence.user_id),
            seen,
        )
        .order_by(AbsenceMove.id)
    )


def list_offered(
    absence: Absence, *, actor: Actor, now: datetime, after: UUID | None, limit: int
) -> Sequence[dict[str, Any]]:
    """The hand-back list, in one statement."""
    record = (Escalation.number, Escalation.title, Escalation.status, Escalation.severity, Escalation.due_at)
    owner = (User.id.label("owner_id"), User.email.label("owner_email"), User.name.label("owner_name"))
    columns = (*record, *owner, Account.name.label("account"), AbsenceMove.moved_at)
    asked = _offered(absence, *columns, actor=actor, now=now).limit(limit)
    if after is not None:
        asked = asked.where(AbsenceMove.id > after)
    return [_line(dict(row)) for row in db.session.execute(asked).mappings()]


def _line(row: dict[str, Any]) -> dict[str, Any]:
    owner = {name: row.pop(f"owner_{name}") for name in ("id", "email", "name")}
    return {**row, "number": numbered(row["number"]), "owner": owner}


# -- taking back ------------------------------------------------------------------------------------------------------


def take_back(absence: Absence, *, act: Act, wanted: Sequence[UUID] | None) -> list[UUID]:
    """Make the person who is back the owner of these cases again, or of all that are offered (200 in one call).

    A new owner makes the acknowledgement void, as any. Refused while the person is away.
    """
    if absence.ends_at > act.now or routing.find_stand_ins([absence.user_id], now=act.now):
        raise StillAway
    asked = _offered(absence, actor=act.actor, now=act.now).limit(MOST_TAKEN)
    if wanted is not None:
        asked = asked.where(Escalation.id.in_(wanted))
    moves = {row.escalation_id: row.move_id for row in db.session.execute(asked)}
    _check_offered(wanted or (), moves)
    # Always in one order, so that two who take back at once cannot deadlock.
    return [id_ for id_ in sorted(moves) if _return(id_, moves[id_], absence, act)]


def _check_offered(wanted: Sequence[UUID], offered: Collection[UUID]) -> None:
    for index, id_ in enumerate(wanted):
        if id_ not in offered:
            raise invalid(f"escalation_ids.{index}", "expected a case of this absence's hand-back list")


def _return(escalation_id: UUID, move_id: UUID, absence: Absence, act: Act) -> bool:
    """Back into the hands it was in, for the team it was held for; False if it came back or ended in this moment."""
    record = lock_record(escalation_id)
    if record.id != escalation_id or record.status not in lifecycle.LIVE or record.owner_id == absence.user_id:
        return False
    change = Change(record, standing_of(record, act.actor, now=act.now), act)
    facts, had_by = routing_input(change, change.account), record.owner_id
    found = routing.appoint(facts, absence.user_id, actor=act.actor, now=act.now, cause="hand_back", why=WHY)
    hand_over(change, change.account, replace(found, team_id=_note_returned(move_id, act.now)), cause="hand_back")
    promises.owner_changed(change)
    subject = f"{named(record, change.account)}: taken back"
    change.tell(
        users.list_active(ids=[had_by] if had_by else []), "reassigned", subject, f"{found.owner.name} is back."
    )
    change.save()
    return True


def _note_returned(move_id: UUID, now: datetime) -> UUID | None:
    """It is on no hand-back list any more, of this absence or of one it was moved for later; answers its team."""
    move = db.session.scalars(select(AbsenceMove).where(AbsenceMove.id == move_id)).one()
    later = (AbsenceMove.escalation_id == move.escalation_id, AbsenceMove.id >= move.id)
    db.session.execute(
        update(AbsenceMove)
        .where(*later, AbsenceMove.returned_at.is_(None))
        .values(returned_at=now)
        .execution_options(synchronize_session=False)
    )
    return move.team_id


# -- the job's part ---------------------------------------------------------------------------------------------------


def settle(absence_id: UUID, *, now: datetime) -> None:
    """What is next for an absence: its end, once all is moved; after its end nothing, once the person is told, who is
    told when they are back though another absence may follow."""
    due = select(Absence).where(Absence.id == absence_id, Absence.next_at <= now)
    absence = db.session.scalar(due.with_for_update())
    if absence is None:
        return
    if absence.ends_at <= now:
        absence.next_at = routing.away_until(absence.user_id, now=now)
        if absence.next_at is None:
            _tell_who_is_back(absence, now)
    elif not list_to_move(absence_id, limit=1):
        absence.next_at = absence.ends_at


def _tell_who_is_back(absence: Absence, now: datetime) -> None:
    """One message, if there is something to take back and somebody to tell."""
    person = users.get_user(absence.user_id)
    actor = Actor(person.id, person.email, person.name, person.role)
    offered = list_offered(absence, actor=actor, now=now, after=None, limit=MOST_NAMED + 1)
    if not offered or not auth.can_own(person):
        return
    lines = [f"{one['number']} {one['title']} ({one['account']}), now with {one['owner']['name']}" for one in offered]
    if len(lines) > MOST_NAMED:
        lines[MOST_NAMED:] = ["and more"]
    message = notifications.intent(
        user=person,
        kind="hand_back",
        subject="You are back: what was yours can be taken back",
        body="\n".join(["Moved while you were away, and still open:", *lines]),
        dedupe_key=f"hand_back:{absence.id}",
        at=now,
        now=now,
        why="You get this because your absence has ended.",
    )
    notifications.hold([message], now=now, urgent=False)
    insert_all([message])
    notifications.wake_delivery()
