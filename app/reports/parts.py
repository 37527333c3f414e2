"""A part of a figure's rows: those of one owner, of one team as it is today, of one reason."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.errors import invalid_parameter
from app.reports.reading import Reading

OWNER = text("""select id from "user" where id = :id""")
TEAM = text(
    """
    select coalesce(array_agg(m.user_id) filter (where m.user_id is not null), '{}')
    from team left join membership m on m.team_id = team.id where team.id = :id group by team.id
    """
)


def part_of(reading: Reading, query: Mapping[str, Any]) -> Reading:
    """The same question about what `owner`, `team` and `reason` ask for, all of it unless said."""
    people: set[UUID] | None = None
    if "owner" in query:
        people = {_found(reading.session.scalar(OWNER, {"id": query["owner"]}), "owner", "colleague")}
    if "team" in query:
        members = set(_found(reading.session.scalar(TEAM, {"id": query["team"]}), "team", "team"))
        people = members if people is None else people & members
    return replace(
        reading,
        people=None if people is None else tuple(sorted(people)),
        cause=query.get("reason"),
        root_cause=query.get("root_cause"),
    )


def _found(found: Any, name: str, word: str) -> Any:
    if found is None:
        raise invalid_parameter(name, f"there is no such {word}")
    return found
