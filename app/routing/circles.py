"""No circle of delegates: a chain that comes back to where it began has nobody who stands in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import UUID as PGUUID

from app.db import db, question, take_turn
from app.errors import invalid

# From the delegate on along whom each has named, through the part of the time in which all of them are away. What was
# a circle before this was refused ends too: the parts are few.
FIND_CIRCLE = question(
    """
    with recursive chain (id, named_by, starts_at, ends_at) as (
        select :delegate, :person, cast(:starts_at as timestamptz), cast(:ends_at as timestamptz)
        union
        select a.delegate_id, a.user_id, greatest(c.starts_at, a.starts_at), least(c.ends_at, a.ends_at)
        from chain c join absence a on a.user_id = c.id
        where c.id <> :person and a.delegate_id is not null and a.starts_at < c.ends_at and a.ends_at > c.starts_at
    )
    select u.email, chain.starts_at, chain.ends_at from chain join "user" u on u.id = chain.named_by
    where chain.id = :person order by chain.starts_at limit 1
    """,
    "email starts_at ends_at",
    bindparam("delegate", type_=PGUUID),
    bindparam("person", type_=PGUUID),
)


def take_turn_to_name() -> None:
    """One naming of a delegate at a time, since two at once could close a circle that neither sees.

    Before any person is locked: who waits for the turn may hold nothing that its holder still needs.
    """
    take_turn("delegates")


def refuse_circle(person: UUID, delegate: UUID, *, starts_at: datetime, ends_at: datetime) -> None:
    """Invalid when, at any moment of this time, the delegate's own chain leads back to the person."""
    asked = {"person": person, "delegate": delegate, "starts_at": starts_at, "ends_at": ends_at}
    found = db.session.execute(FIND_CIRCLE, asked).one_or_none()
    if found is not None:
        span = f"{found.starts_at.isoformat()} to {found.ends_at.isoformat()}"
        detail = f"from {span} {found.email} is away too and has named this person: name somebody else, or nobody"
        raise invalid("delegate_email", detail)
