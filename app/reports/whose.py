"""Which accounts a report looks at: all, some that were named, or the reader's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.auth.actor import Actor
from app.db import db
from app.errors import invalid_parameter

# What was merged into an account is its past.
OWN = text(
    """
    with recursive own(id) as (
        select id from account
        where lower(:email) in (lower(owner_email), lower(csm_email), lower(sponsor_email))
        union
        select a.id from account a join own on a.merged_into_id = own.id
    )
    select id from own
    """
)
KNOWN = text("select id from account where id = any(cast(:ids as uuid[]))")


@dataclass(frozen=True)
class Only:
    """A report looks at these accounts alone; `asked` is how an address says so."""

    ids: tuple[UUID, ...]
    asked: Mapping[str, str]


def only_of(query: Mapping[str, Any], actor: Actor) -> Only | None:
    """What `accounts` and `own_accounts` of a question ask for, both together as well; None is every account.

    An account is one's own as its owner, customer-success manager or executive sponsor: as it stands today.
    """
    named: Sequence[UUID] = query.get("accounts") or ()
    own = bool(query.get("own_accounts"))
    if not named and not own:
        return None
    asked = {"accounts": ",".join(map(str, named))} if named else {}
    ids = _known(named) if named else None
    if own:
        mine = set(db.session.scalars(OWN, {"email": actor.email}))
        ids = mine if ids is None else ids & mine
        asked["own_accounts"] = "true"
    return Only(tuple(sorted(ids or ())), asked)


def _known(named: Sequence[UUID]) -> set[UUID]:
    found = set(db.session.scalars(KNOWN, {"ids": list(named)}))
    missing = [str(one) for one in named if one not in found]
    if missing:
        raise invalid_parameter("accounts", f"there is no account {missing[0]}")
    return found
