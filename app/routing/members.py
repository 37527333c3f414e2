"""Who is in a team, how much they take on in it and how well they must fit."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm.attributes import flag_modified

from app.auth.models import User
from app.auth.queries import find_user_by_email, get_user, users_by_email
from app.db import current_tenant, db, new_id
from app.errors import invalid
from app.routing.errors import NoSuchTeam
from app.routing.models import Membership, Team

FULL = Decimal(1)


@dataclass(frozen=True)
class Member:
    """A colleague in a team; `capacity` None stands for the tenant's default."""

    user_id: UUID
    email: str
    name: str
    active: bool
    capacity: int | None
    weight: Decimal


class Place(NamedTuple):
    """What a member takes on, and what their score is multiplied by."""

    capacity: int | None = None
    weight: Decimal = FULL


def list_members(teams: Sequence[Team]) -> dict[UUID, list[Member]]:
    """The members of each team by name, in one statement."""
    members: dict[UUID, list[Member]] = {team.id: [] for team in teams}
    statement = (
        select(Membership, User)
        .join(User, User.id == Membership.user_id)
        .where(Membership.team_id.in_(members))
        .order_by(User.name, User.id)
    )
    for m, user in db.session.execute(statement) if teams else ():
        members[m.team_id].append(Member(user.id, user.email, user.name, user.active, m.capacity, m.weight))
    return members


def is_member(team: Team, user_id: UUID) -> bool:
    question = select(Membership.id).where(Membership.team_id == team.id, Membership.user_id == user_id)
    return db.session.scalar(question) is not None


def put_member(team: Team, user_id: UUID, *, capacity: int | None, weight: Decimal = FULL) -> None:
    """Add a colleague, or change their capacity and weight."""
    user = get_user(user_id)
    if user.role == "integration":
        raise invalid("user_id", "expected a person, not an integration")
    _write(team, {user_id: Place(capacity, weight)})
    note_change(team)


def remove_member(team: Team, user_id: UUID) -> None:
    """What the member holds stays with them; nothing new comes by way of this team."""
    if not is_member(team, user_id):
        raise NoSuchTeam("There is no such member in this team")
    _delete(team, {user_id})
    note_change(team)


def change_members(team: Team, *, joining: Collection[UUID], leaving: Collection[UUID]) -> None:
    """Colleagues join with the tenant's default capacity and full weight, others leave; who stays keeps what they have.

    The caller has locked the team and knows that those who join are people of this tenant.
    """
    if not (joining or leaving):
        return
    _delete(team, leaving)
    _write(team, {user_id: Place() for user_id in joining})
    note_change(team)


def leave_teams(user_id: UUID) -> None:
    """Somebody is in no team any more; the teams' ETags change with that."""
    left = delete(Membership).where(Membership.user_id == user_id).returning(Membership.team_id)
    team_ids = list(db.session.scalars(left.execution_options(synchronize_session=False)))
    changed = update(Team).where(Team.id.in_(team_ids)).values(version=Team.version + 1)
    if team_ids:
        db.session.execute(changed.execution_options(synchronize_session=False))


def replace_members(team: Team, members: Sequence[Mapping[str, Any]]) -> bool:
    """Make these (`email`, maybe `capacity` and `weight`) the members; whether that changed anything."""
    wanted = _places(members)
    columns = (Membership.user_id, Membership.capacity, Membership.weight)
    rows = db.session.execute(select(*columns).where(Membership.team_id == team.id))
    present = {row.user_id: Place(row.capacity, row.weight) for row in rows}
    if present == wanted:
        return False
    _delete(team, set(present) - set(wanted))
    _write(team, wanted)
    note_change(team)
    return True


def _places(members: Sequence[Mapping[str, Any]]) -> dict[UUID, Place]:
    users = users_by_email(member["email"] for member in members)
    places: dict[UUID, Place] = {}
    for index, member in enumerate(members):
        field = f"members.{index}.email"
        user = _person(users.get(member["email"].strip().lower()), member["email"], field)
        if user.id in places:
            raise invalid(field, f"{user.email} stands twice")
        places[user.id] = Place(member.get("capacity"), Decimal(member.get("weight") or FULL))
    return places


def get_colleague(email: str, field: str) -> User:
    """The person with this address; Invalid names `field` when there is none or it is an integration."""
    return _person(find_user_by_email(email), email, field)


def _person(user: User | None, email: str, field: str) -> User:
    if user is None:
        raise invalid(field, f"there is no colleague with the address {email}")
    if user.role == "integration":
        raise invalid(field, f"expected a person: {email} is an integration")
    return user


def note_change(team: Team) -> None:
    """Members are part of the team, so its ETag changes with them."""
    flag_modified(team, "name")
    db.session.flush()


def _delete(team: Team, user_ids: Collection[UUID]) -> None:
    if not user_ids:
        return
    db.session.execute(
        delete(Membership)
        .where(Membership.team_id == team.id, Membership.user_id.in_(user_ids))
        .execution_options(synchronize_session=False)
    )


def _write(team: Team, places: Mapping[UUID, Place]) -> None:
    if not places:
        return
    key = {"tenant_id": current_tenant(), "team_id": team.id}
    rows = [{**key, "id": new_id(), "user_id": user_id, **place._asdict()} for user_id, place in places.items()]
    statement = insert(Membership).values(rows)
    new = {name: statement.excluded[name] for name in Place._fields}
    db.session.execute(
        statement.on_conflict_do_update(index_elements=["tenant_id", "team_id", "user_id"], set_=new).execution_options(
            synchronize_session=False
        )
    )
