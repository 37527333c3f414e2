"""A kept report answered: as somebody may read it, as of a moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.auth.actor import Actor
from app.auth.models import User
from app.auth.roles import SCOPES_OF
from app.http.schemas import the_one
from app.reports.exports.asking import Answered, ask
from app.reports.sharing.arguments import query_of
from app.reports.sharing.kinds import KINDS

SCOPE = "reports:read"


@dataclass(frozen=True)
class Kept:
    """A report and what it is asked, as a view, a schedule or a link keeps it."""

    report: str
    arguments: Mapping[str, Any]

    def answered(self, *, actor: Actor, now: datetime, today: date) -> Answered:
        """What this reader reads, in the caller's transaction; `today` tells a span in words."""
        kind = KINDS[self.report]
        query: dict[str, Any] = the_one(kind.source.arguments).load(query_of(self.arguments, today))
        if "account_id" in self.arguments:
            query["account_id"] = UUID(self.arguments["account_id"])
        return ask(kind.source, query, actor=actor, now=now)

    def fixed(self, as_of: datetime, today: date) -> dict[str, Any]:
        """The arguments as of a moment for good: its days are told, its reader's accounts stay theirs."""
        days = {name: value for name, value in query_of(self.arguments, today).items() if name in ("from", "to")}
        rest = {name: value for name, value in self.arguments.items() if name != "span"}
        return {**rest, **days, "as_of": as_of.isoformat()}


def reader_of(user: User) -> Actor | None:
    """Somebody as they read reports now; None when they left or may not."""
    if not user.active or SCOPE not in SCOPES_OF[user.role]:
        return None
    return Actor(user.id, user.email, user.name, user.role, SCOPES_OF[user.role])
