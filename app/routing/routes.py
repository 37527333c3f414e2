"""Doors to teams, absences and failed assignments."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.auth.queries import get_user
from app.http import ApiBlueprint, PageArguments, answer, check_if_match, page, require_if_match, transaction
from app.routing import (
    absences,
    members,
    policy_routes,
    quality,
    rule_pages,
    rule_try_pages,
    schemas,
    simulation_routes,
    skill_routes,
    team_pages,
    teams,
    user_pages,
)
from app.routing.learning.routes import bp as suggestion_bp


def guard_team(team_id: UUID) -> None:
    with transaction():
        teams.get_team(team_id)


def guard_absences(user_id: UUID, **others: UUID) -> None:
    """404 for somebody who does not exist, 403 for a change of an absence that is not the caller's business."""
    with transaction():
        get_user(user_id)
        if request.method != "GET":
            absences.check_may(user_id, current_actor())


team_bp = ApiBlueprint("teams", __name__, url_prefix="/api/v1/teams", record_guard=guard_team)
member_bp = ApiBlueprint("members", __name__, url_prefix="/api/v1/teams/<uuid:team_id>/members")
absence_bp = ApiBlueprint(
    "absences", __name__, url_prefix="/api/v1/users/<uuid:user_id>/absences", record_guard=guard_absences
)
routing_bp = ApiBlueprint("routing", __name__, url_prefix="/api/v1/routing")
blueprints: list[Blueprint] = [
    team_bp,
    member_bp,
    absence_bp,
    skill_routes.skill_bp,
    skill_routes.mastery_bp,
    *policy_routes.blueprints,
    suggestion_bp,
    simulation_routes.bp,
    routing_bp,
    user_pages.bp,
    team_pages.bp,
    rule_pages.bp,
    rule_try_pages.bp,
]


@team_bp.get("")
@team_bp.arguments(PageArguments, location="query")
@team_bp.response(200, schemas.TeamPage)
@requires("users:read")
def list_teams(query: dict[str, Any]) -> Response:
    """Teams by name, with their members."""
    with transaction():
        return page(
            schemas.TeamPage,
            query,
            lambda after, limit: teams.list_teams(after=(after[0], UUID(after[1])) if after else None, limit=limit),
            lambda team: [team.name, str(team.id)],
        )


@team_bp.post("")
@team_bp.arguments(schemas.TeamBody)
@team_bp.response(201, schemas.TeamSchema)
@requires("teams:write")
def create_team(body: dict[str, Any]) -> Response:
    """A new team; the work of its tier goes to it."""
    with transaction():
        team = teams.create_team(**body, now=clock.now())
        return answer(schemas.TeamSchema, teams.view(team), 201, {"Location": f"/api/v1/teams/{team.id}"})


@team_bp.get("/<uuid:team_id>")
@team_bp.response(200, schemas.TeamSchema)
@requires("users:read")
def get_team(team_id: UUID) -> Response:
    """One team with its members."""
    with transaction():
        return answer(schemas.TeamSchema, teams.view(teams.get_team(team_id)))


@team_bp.patch("/<uuid:team_id>")
@team_bp.arguments(schemas.TeamPatch)
@team_bp.response(200, schemas.TeamSchema)
@requires("teams:write")
def change_team(body: dict[str, Any], team_id: UUID) -> Response:
    """Change a team's name, tier, lead or calendar."""
    with transaction():
        team = teams.get_team(team_id, lock=True)
        require_if_match()
        check_if_match(team)
        return answer(schemas.TeamSchema, teams.view(teams.change_team(team, body)))


@member_bp.put("/<uuid:user_id>")
@member_bp.arguments(schemas.MemberBody)
@member_bp.response(200, schemas.TeamSchema)
@member_bp.alt_response(201, schema=schemas.TeamSchema)
@requires("teams:write")
def put_member(body: dict[str, Any], team_id: UUID, user_id: UUID) -> Response:
    """Add a colleague (201), or change capacity and weight (200, needs the team's ETag); answers with the team."""
    with transaction():
        team = teams.get_team(team_id, lock=True)
        known = members.is_member(team, user_id)
        if known:
            require_if_match()
        check_if_match(team)
        members.put_member(team, user_id, capacity=body["capacity"], weight=body["weight"])
        return answer(schemas.TeamSchema, teams.view(team), 200 if known else 201)


@member_bp.delete("/<uuid:user_id>")
@member_bp.response(200, schemas.TeamSchema)
@requires("teams:write")
def remove_member(team_id: UUID, user_id: UUID) -> Response:
    """Take a colleague out of the team; what they hold stays with them. Answers with the team."""
    with transaction():
        team = teams.get_team(team_id, lock=True)
        check_if_match(team)
        members.remove_member(team, user_id)
        return answer(schemas.TeamSchema, teams.view(team))


@absence_bp.get("")
@absence_bp.arguments(PageArguments, location="query")
@absence_bp.response(200, schemas.AbsencePage)
@requires("users:read")
def list_absences(query: dict[str, Any], user_id: UUID) -> Response:
    """When a colleague is, was and will be away, latest first, and who stands in."""
    with transaction():
        get_user(user_id)
        return page(
            schemas.AbsencePage,
            query,
            lambda after, limit: absences.list_absences(user_id, before=_position(after), limit=limit),
            lambda absence: [absence.starts_at.isoformat(), str(absence.id)],
        )


@absence_bp.post("")
@absence_bp.arguments(schemas.AbsenceBody)
@absence_bp.response(201, schemas.AbsenceSchema)
@requires("absences:write")
def add_absence(body: dict[str, Any], user_id: UUID) -> Response:
    """A time away: your own, that of somebody below you in the line, or, for admins, anybody's."""
    with transaction():
        absence = absences.add_absence(user_id, **body, actor=current_actor(), now=clock.now())
        return answer(schemas.AbsenceSchema, absences.get_view(absence.id), 201)


@absence_bp.delete("/<uuid:absence_id>")
@absence_bp.response(204)
@requires("absences:write")
def end_absence(user_id: UUID, absence_id: UUID) -> Response:
    """Back early: an absence that has begun ends now, one to come is taken back."""
    with transaction():
        absence = absences.get_absence(user_id, absence_id, lock=True)
        absences.end_absence(absence, actor=current_actor(), now=clock.now())
        return Response(status=204)


@routing_bp.get("/quality")
@routing_bp.arguments(schemas.QualityArguments, location="query")
@routing_bp.response(200, schemas.QualitySchema)
@requires("routing:read")
def get_quality(query: dict[str, Any]) -> Response:
    """How often the first owner closed the case: over all, by rule, team and reason, and why others did."""
    with transaction():
        return answer(schemas.QualitySchema, quality.report(query.get("first"), query.get("last"), now=clock.now()))


def _position(after: list[Any] | None) -> tuple[datetime, UUID] | None:
    return (datetime.fromisoformat(after[0]), UUID(after[1])) if after else None
