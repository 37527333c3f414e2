"""The doors of SCIM, below `/scim/v2`: for a token that names the scope `scim`, each for its own tenant."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response, request

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction
from app.errors import Forbidden, NotFound
from app.integrations.scim import discovery, groups, keeping_groups, keeping_users, users
from app.integrations.scim.answers import (
    ScimBlueprint,
    answer,
    answer_nothing,
    answer_resource,
    check_if_match,
    read_body,
)
from app.integrations.scim.attributes import GROUP, USER
from app.integrations.scim.bodies import check_schemas
from app.integrations.scim.errors import NotOffered
from app.integrations.scim.groups import GroupRow
from app.integrations.scim.lists import SEARCH_SCHEMA, list_response, read_projection, read_query
from app.integrations.scim.users import UserRow
from app.integrations.scim.words import BASE

scim = ScimBlueprint("scim", __name__, url_prefix=BASE)
# Users are dated in real time and teams in the tenant's, here as at their own doors.
EVERY_METHOD = ("GET", "POST", "PUT", "PATCH", "DELETE")


@scim.get("/ServiceProviderConfig")
@requires("scim")
def get_configuration() -> Response:
    """What we offer."""
    return answer(discovery.configuration())


@scim.get("/ResourceTypes")
@requires("scim")
def list_resource_types() -> Response:
    """Users and groups."""
    return _told(discovery.resource_types())


@scim.get("/ResourceTypes/<name>")
@requires("scim")
def get_resource_type(name: str) -> Response:
    return _told_one(discovery.resource_types(), name)


@scim.get("/Schemas")
@requires("scim")
def list_schemas() -> Response:
    """The attributes that are kept here."""
    return _told(discovery.definitions())


@scim.get("/Schemas/<name>")
@requires("scim")
def get_schema(name: str) -> Response:
    return _told_one(discovery.definitions(), name)


def _told(resources: Sequence[dict[str, Any]]) -> Response:
    if "filter" in request.args:
        raise Forbidden("This list takes no filter")
    return answer(discovery.listed(resources))


def _told_one(resources: Sequence[dict[str, Any]], name: str) -> Response:
    found = next((resource for resource in resources if resource["id"].lower() == name.lower()), None)
    if found is None:
        raise NotFound
    return answer(found)


@scim.get("/Users")
@requires("scim")
def list_users() -> Response:
    """The users that the filter finds."""
    return _list_users(request.args)


@scim.post("/Users/.search")
@requires("scim")
def search_users() -> Response:
    """The same, asked in a body: filters name addresses, which stand in logs otherwise."""
    return _list_users(_search())


def _list_users(given: Any) -> Response:
    query = read_query(USER, given)
    with transaction():
        found, resources = users.list_users(query)
        return answer(list_response(found, query, resources))


@scim.post("/Users")
@requires("scim")
def create_user() -> Response:
    """A new user, or one who was taken away and comes back."""
    body = read_body()
    with transaction():
        return _user(keeping_users.create(body, actor=current_actor(), now=clock.real_now()), 201)


@scim.get("/Users/<uuid:user_id>")
@requires("scim")
def get_user(user_id: UUID) -> Response:
    with transaction():
        return _user(users.get_row(user_id))


@scim.put("/Users/<uuid:user_id>")
@requires("scim")
def replace_user(user_id: UUID) -> Response:
    """What is given holds, null clears, what is left out keeps its value."""
    with transaction():
        return _user(keeping_users.replace(_locked_user(user_id), read_body()))


@scim.patch("/Users/<uuid:user_id>")
@requires("scim")
def change_user(user_id: UUID) -> Response:
    with transaction():
        return _user(keeping_users.change(_locked_user(user_id), read_body()))


@scim.delete("/Users/<uuid:user_id>")
@requires("scim")
def remove_user(user_id: UUID) -> Response:
    """The user is deactivated and no longer seen here; what they did stays."""
    with transaction():
        keeping_users.remove(_locked_user(user_id), now=clock.real_now())
        return answer_nothing()


def _locked_user(user_id: UUID) -> UserRow:
    row = users.get_row(user_id, lock=True)
    check_if_match(row.user.version)
    return row


def _user(row: UserRow, status: int = 200) -> Response:
    projection = read_projection(USER, request.args)
    their = users.groups_of([row.user.id]) if projection.shows("groups") else {}
    return answer_resource(users.show(row, their.get(row.user.id, ())), projection, status)


@scim.get("/Groups")
@requires("scim")
def list_groups() -> Response:
    """The groups that the filter finds."""
    return _list_groups(request.args)


@scim.post("/Groups/.search")
@requires("scim")
def search_groups() -> Response:
    return _list_groups(_search())


def _list_groups(given: Any) -> Response:
    query = read_query(GROUP, given, most=groups.MOST)
    with transaction():
        found, resources = groups.list_groups(query)
        return answer(list_response(found, query, resources))


@scim.post("/Groups")
@requires("scim")
def create_group() -> Response:
    """A new group, or one that was taken away and comes back."""
    body = read_body()
    with transaction():
        return _group(keeping_groups.create(body, now=clock.now()), 201)


@scim.get("/Groups/<uuid:team_id>")
@requires("scim")
def get_group(team_id: UUID) -> Response:
    with transaction():
        return _group(groups.get_row(team_id))


@scim.put("/Groups/<uuid:team_id>")
@requires("scim")
def replace_group(team_id: UUID) -> Response:
    """What is given holds; the places of members who stay are as they were."""
    with transaction():
        return _group(keeping_groups.replace(_locked_group(team_id), read_body()))


@scim.patch("/Groups/<uuid:team_id>")
@requires("scim")
def change_group(team_id: UUID) -> Response:
    """204, for groups are large; the group where `attributes` ask for it."""
    with transaction():
        row = keeping_groups.change(_locked_group(team_id), read_body())
        if "attributes" in request.args or "excludedAttributes" in request.args:
            return _group(row)
        return answer_nothing(row.team.version)


@scim.delete("/Groups/<uuid:team_id>")
@requires("scim")
def remove_group(team_id: UUID) -> Response:
    """Everybody leaves the team and it is no longer seen here; rules that name it stay as they are."""
    with transaction():
        keeping_groups.remove(_locked_group(team_id), now=clock.now())
        return answer_nothing()


def _locked_group(team_id: UUID) -> GroupRow:
    row = groups.get_row(team_id, lock=True)
    check_if_match(row.team.version)
    return row


def _group(row: GroupRow, status: int = 200) -> Response:
    projection = read_projection(GROUP, request.args)
    members = groups.members_of([row.team.id]) if projection.shows("members") else {}
    return answer_resource(groups.show(row, members.get(row.team.id, ())), projection, status)


def _search() -> dict[str, Any]:
    body = read_body()
    check_schemas(body, SEARCH_SCHEMA)
    return body


@scim.route("/Me", methods=EVERY_METHOD)
@scim.route("/Bulk", methods=EVERY_METHOD)
@requires("scim")
def not_offered() -> Response:
    """What SCIM knows and the configuration says we have not."""
    raise NotOffered


@scim.route("/<path:rest>", methods=EVERY_METHOD)
@requires("scim")
def unknown(rest: str) -> Response:
    """An endpoint, an id or a method that does not exist."""
    raise NotFound
