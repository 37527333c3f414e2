"""Who hears a message in the place of somebody absent."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from uuid import UUID

from app.auth import service as auth
from app.auth.actor import UserRef
from app.auth.models import User
from app.escalations import lifecycle
from app.escalations.models import Escalation
from app.routing import service as routing


def in_place(
    people: Iterable[User | UserRef], record: Escalation, *, now: datetime, previous_owner_id: UUID | None
) -> Iterator[tuple[UserRef, str]]:
    """Who stands in for the absent among these people and hears nothing in person, each once with the reason.

    Of a restricted case only for those whose place lets one see it.
    """
    named = {user.id: user.name for user in people}
    found = routing.find_stand_ins(named, now=now, about_user_id=record.about_user_id)
    stand_ins = {id_: by for id_, by in found.items() if by is not None and by.id not in named}
    seeing = seeing_by_place(record, stand_ins, previous_owner_id)
    absent: dict[UserRef, list[str]] = {}
    for user_id, stand_in in stand_ins.items():
        if user_id in seeing:
            absent.setdefault(stand_in, []).append(named[user_id])
    for stand_in, names in absent.items():
        yield stand_in, why_in_place(names)


def seeing_by_place(
    record: Escalation, user_ids: Collection[UUID], previous_owner_id: UUID | None = None
) -> Collection[UUID]:
    """Those of these people who pass on what they see: of a restricted case the owner, before and now, and the line
    above, and while it is requested whoever is asked to approve. Watchers and admins see it in person."""
    if not user_ids or not record.restricted or record.status == lifecycle.REQUESTED:
        return user_ids
    places = {id_ for id_ in (record.owner_id, previous_owner_id) if id_ is not None}
    if record.owner_id is not None and not places.issuperset(user_ids):
        places.update(auth.line_above(record.owner_id))
    return places.intersection(user_ids)


def why_in_place(names: list[str]) -> str:
    """In whose place somebody gets a message."""
    verb = "is" if len(names) == 1 else "are"
    return f"You get this in place of {' and '.join(names)}, who {verb} absent."
