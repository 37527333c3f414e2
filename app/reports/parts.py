"""A part of a figure's rows: those of one owner, of one team as it is today, of one reason, of one account."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.auth.reasons import list_reasons
from app.auth.settings import tenant_settings
from app.db import db
from app.errors import invalid_parameter
from app.reports.of_account import of_account
from app.reports.reading import Reading

OWNER = text("""select id from "user" where id = :id""")
ACCOUNT = text("select id from account where id = :id")
TEAM = text(
    """
    select coalesce(array_agg(m.user_id) filter (where m.user_id is not null), '{}')
    from team left join membership m on m.team_id = team.id where team.id = :id group by team.id
    """
)
NAMES = text(
    """
    select name from "user" where id = cast(:owner as uuid)
    union all select name from team where id = cast(:team as uuid)
    union all select name from account where id = cast(:account as uuid)
    """
)


def part_of(reading: Reading, query: Mapping[str, Any]) -> Reading:
    """The same question about what `owner`, `team`, `reason` and `account` ask for, all of it unless said."""
    people: set[UUID] | None = None
    if "owner" in query:
        people = {_found(reading.session.scalar(OWNER, {"id": query["owner"]}), "owner", "colleague")}
    if "team" in query:
        members = set(_found(reading.session.scalar(TEAM, {"id": query["team"]}), "team", "team"))
        people = members if people is None else people & members
    found = replace(
        reading,
        people=None if people is None else tuple(sorted(people)),
        cause=query.get("reason"),
        root_cause=query.get("root_cause"),
    )
    if "account" not in query:
        return found
    account_id = _found(reading.session.scalar(ACCOUNT, {"id": query["account"]}), "account", "account")
    return of_account(found, account_id, own=bool(query.get("own")))


def words_of(query: Mapping[str, Any]) -> list[str]:
    """Whose rows and of which reason they are, for people; names are those of today."""
    labels = {reason.name: reason.label for reason in list_reasons(tenant_settings())} if "reason" in query else {}
    asked = {name: str(query[name]) for name in ("owner", "team", "account") if name in query}
    names: list[str] = (
        list(db.session.scalars(NAMES, {"owner": None, "team": None, "account": None, **asked})) if asked else []
    )
    return [*names, *([labels.get(query["reason"], query["reason"])] if "reason" in query else [])]


def _found(found: Any, name: str, word: str) -> Any:
    if found is None:
        raise invalid_parameter(name, f"there is no such {word}")
    return found
