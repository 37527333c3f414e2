"""Users and teams, by address and by name: rows of few, each in a transaction of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from marshmallow import fields, validate

from app import clock
from app.accounts.errors import RowRefused
from app.accounts.service import Outcome
from app.auth import service as auth
from app.auth.actor import Actor
from app.auth.models import User
from app.auth.schemas import UserBody
from app.http import Body
from app.operations.imports.checked import checked_by
from app.operations.imports.kinds import Kind
from app.routing import service as routing
from app.routing.schemas import MemberBody, TeamBody
from app.routing.skill_schemas import MAX_SKILLS, MasteryBody

USER_FIELDS = ("name", "role", "manager_email", "timezone", "calendar", "skills", "active")
TEAM_FIELDS = ("tier", "lead_email", "calendar", "members")
# What an empty cell clears; of the rest it leaves what there is.
CLEARABLE = frozenset({"manager_email", "timezone", "calendar", "tier", "lead_email"})
LISTS = frozenset({"skills", "members"})
MAX_MEMBERS = 1000


class UserRow(UserBody):
    """A user with what POST /users does not take."""

    active = fields.Boolean(truthy={True}, falsy={False})
    skills = fields.List(fields.Nested(MasteryBody), validate=validate.Length(max=MAX_SKILLS))


class MemberRow(MemberBody):
    email = fields.Email(required=True)


class TeamRow(TeamBody):
    members = fields.List(fields.Nested(MemberRow), validate=validate.Length(max=MAX_MEMBERS))


def check_user(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a user; `skills` are a list, or a text such as `billing:3;sso:2`."""
    return _checked(UserRow, _listed(values, "skills", _skill))


def check_team(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a team; `members` are a list, or a text such as `ann@acme.example:12:0.5;bob@acme.example`."""
    return _checked(TeamRow, _listed(values, "members", _member))


def _checked(schema: type[Body], values: Mapping[str, Any]) -> dict[str, Any]:
    """What the row says, checked; what it leaves out is not among it."""
    said = {name: [] if value is None and name in LISTS else value for name, value in values.items()}
    given = {name: value for name, value in said.items() if value is not None or name in CLEARABLE}
    checked = checked_by(schema, given)
    return {name: checked[name] for name in given}


def _listed(values: Mapping[str, Any], name: str, read: Any) -> dict[str, Any]:
    """The values, those of a text parted by semicolons as a list."""
    value = values.get(name)
    if not isinstance(value, str):
        return dict(values)
    parts = [part.strip() for part in value.split(";") if part.strip()]
    return {**values, name: [read(part, f"{name}.{index}") for index, part in enumerate(parts)]}


def _skill(part: str, field: str) -> dict[str, Any]:
    skill, _, level = part.partition(":")
    return {"skill": skill.strip(), **_number(level, f"{field}.level", "level", int)}


def _member(part: str, field: str) -> dict[str, Any]:
    email, _, rest = part.partition(":")
    capacity, _, weight = rest.partition(":")
    return {
        "email": email.strip(),
        **_number(capacity, f"{field}.capacity", "capacity", int),
        **_number(weight, f"{field}.weight", "weight", float),
    }


def _number(written: str, field: str, name: str, kind: type[int] | type[float]) -> dict[str, Any]:
    """The number under its name, nothing when none is written."""
    if not written.strip():
        return {}
    try:
        return {name: kind(written)}
    except ValueError:
        expected = "expected a whole number" if kind is int else "expected a number such as 0.5"
        raise RowRefused([(field, expected)]) from None


def write_users(rows: Sequence[Mapping[str, Any]], actor: Actor, now: datetime) -> list[Outcome]:
    return [_write_user(dict(row), actor) for row in rows]


def _write_user(row: dict[str, Any], actor: Actor) -> Outcome:
    email, skills = row.pop("email"), row.pop("skills", None)
    known = auth.find_user_by_email(email, lock=True)
    before = known.version if known else None
    user = auth.change_user(known, row) if known else _create_user(email, row, actor)
    if skills is not None:
        routing.put_skills(user, skills)
    if before is None:
        return Outcome("created", user.id)
    return Outcome("unchanged" if user.version == before else "updated", user.id)


def _create_user(email: str, row: dict[str, Any], actor: Actor) -> User:
    active = row.pop("active", True)
    user = auth.create_user(email, **{"role": "csm", **row}, actor=actor, now=clock.real_now())
    return user if active else auth.change_user(user, {"active": False})


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
    columns=frozenset({"name", *TEAM_FIELDS}),
    required=frozenset({"name"}),
    check=check_team,
    write=write_teams,
    has_source=False,
    one_by_one=True,
)
