"""Users and teams, by address and by name: rows of few, each in a transaction of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app import clock
from app.accounts.errors import RowRefused
from app.accounts.service import Outcome
from app.auth import service as auth
from app.auth.actor import Actor
from app.auth.schemas import UserBody
from app.operations.imports.checked import checked_by
from app.operations.imports.kinds import Kind
from app.routing import service as routing

USER_FIELDS = ("name", "role", "manager_email", "timezone")


def check_user(values: Mapping[str, Any]) -> dict[str, Any]:
    """`email`, `name`, `role`, `manager_email`, `timezone` as POST /users takes them; None is left out."""
    given = {name: value for name, value in values.items() if value is not None}
    checked = checked_by(UserBody, given)
    return {name: checked[name] for name in ("email", *USER_FIELDS) if name in given}


def write_users(rows: Sequence[Mapping[str, Any]], actor: Actor, now: datetime) -> list[Outcome]:
    return [_write_user(dict(row), actor) for row in rows]


def _write_user(row: dict[str, Any], actor: Actor) -> Outcome:
    email = row.pop("email")
    user = auth.find_user_by_email(email)
    if user is None:
        made = auth.create_user(email, **{"role": "csm", **row}, actor=actor, now=clock.real_now())
        return Outcome("created", made.id)
    version = user.version
    auth.change_user(user, row)
    return Outcome("unchanged" if user.version == version else "updated", user.id)


def check_team(values: Mapping[str, Any]) -> dict[str, Any]:
    """`name`, `tier`, `lead_email`, and `members`: addresses parted by semicolons, each may carry its `:capacity`."""
    given = {name: value for name, value in values.items() if value is not None}
    if isinstance(given.get("members"), str):
        given["members"] = [_member(part) for part in given["members"].split(";") if part.strip()]
    if not isinstance(given.get("name"), str):
        raise RowRefused([("name", "expected a name")])
    return given


def _member(part: str) -> dict[str, Any]:
    email, _, capacity = part.strip().partition(":")
    if capacity and not capacity.isdecimal():
        raise RowRefused([("members", "expected a whole number as capacity")])
    return {"email": email, "capacity": int(capacity) if capacity else None}


def write_teams(rows: Sequence[Mapping[str, Any]], actor: Actor, now: datetime) -> list[Outcome]:
    outcomes = []
    for row in rows:
        team, outcome = routing.upsert_team(**row, now=now)
        outcomes.append(Outcome(outcome, team.id))
    return outcomes


USERS = Kind(
    name="users",
    columns=frozenset({"email", *USER_FIELDS}),
    required=frozenset({"email", "name"}),
    check=check_user,
    write=write_users,
    has_source=False,
    one_by_one=True,
    waits_for=frozenset({"manager_email"}),
)
TEAMS = Kind(
    name="teams",
    columns=frozenset({"name", "tier", "lead_email", "members"}),
    required=frozenset({"name"}),
    check=check_team,
    write=write_teams,
    has_source=False,
    one_by_one=True,
)
