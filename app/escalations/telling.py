"""Who hears a message in the place of somebody absent."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from app.auth.actor import UserRef
from app.auth.models import User
from app.routing import service as routing


def in_place(
    people: Iterable[User | UserRef], *, now: datetime, about_user_id: UUID | None
) -> Iterator[tuple[UserRef, str]]:
    """Who stands in for the absent among these people and hears nothing in person, each once with the reason."""
    named = {user.id: user.name for user in people}
    absent: dict[UserRef, list[str]] = {}
    for user_id, stand_in in routing.find_stand_ins(named, now=now, about_user_id=about_user_id).items():
        if stand_in is not None and stand_in.id not in named:
            absent.setdefault(stand_in, []).append(named[user_id])
    for stand_in, names in absent.items():
        yield stand_in, why_in_place(names)


def why_in_place(names: list[str]) -> str:
    """In whose place somebody gets a message."""
    verb = "is" if len(names) == 1 else "are"
    return f"You get this in place of {' and '.join(names)}, who {verb} absent."
