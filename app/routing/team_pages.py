"""Pages for admins about teams, their members, and the skills that rules ask for."""

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields

from app import clock
from app.auth import queries
from app.auth.guards import requires
from app.auth.settings import current_version, tenant_settings
from app.db import transaction as reading
from app.errors import NotFound, invalid
from app.http import Body, transaction
from app.http.forms import check_version, load_form
from app.http.paging import part
from app.http.panels import PanelBlueprint, go, page
from app.http.schemas import words
from app.routing import members, policies, schemas, skill_schemas, skills, teams
from app.routing.models import Team
from app.texts import noted

bp = PanelBlueprint("admin_teams", __name__)

SHOWN = 50
LABELS = {
    "name": noted("Name"),
    "tier": noted("Tier"),
    "lead_email": noted("Lead"),
    "calendar": noted("Working hours"),
    "capacity": noted("Capacity"),
    "weight": noted("Weight"),
    "members": noted("Members"),
}


class TeamForm(schemas.TeamPatch):
    version = fields.Integer(required=True)


class NewMemberForm(schemas.MemberBody):
    user_email = fields.Email(required=True, validate=words(3, 254))


class MemberForm(schemas.MemberBody):
    version = fields.Integer(required=True)


class VersionForm(Body):
    version = fields.Integer(required=True)


class SkillForm(skill_schemas.SkillPatch):
    version = fields.Integer(required=True)


@bp.get("/admin/teams")
@requires("teams:write")
def list_teams() -> Response:
    """Teams by name, with their members."""
    with reading():
        found, cursor = part(
            lambda after, limit: teams.list_teams(after=(after[0], UUID(after[1])) if after else None, limit=limit),
            lambda team: [team.name, str(team.id)],
            limit=SHOWN,
        )
        return page("routing/teams.html", teams=found, cursor=cursor, **choices())


@bp.post("/admin/teams")
@requires("teams:write")
def add_team() -> Response:
    """A new team; its page, where its members come in, is next."""
    with transaction():
        team = teams.create_team(**load_form(schemas.TeamBody), now=clock.now())
        return go(f"/admin/teams/{team.id}")


@bp.get("/admin/teams/<uuid:team_id>")
@requires("teams:write")
def show_team(team_id: UUID) -> Response:
    """One team: what it is for, and who is in it."""
    with reading():
        team = teams.view(teams.get_team(team_id))
        return page("routing/team.html", team=team, default=tenant_settings().capacity, **choices())


@bp.post("/admin/teams/<uuid:team_id>")
@requires("teams:write")
def change_team(team_id: UUID) -> Response:
    """Change name, tier, lead or hours."""
    with transaction():
        team = teams.get_team(team_id, lock=True)
        present = vars(teams.view(team))
        changes = check_version(team.version, load_form(TeamForm, blank_is_null=True), present, LABELS)
        teams.change_team(team, changes)
        return go(f"/admin/teams/{team_id}")


@bp.post("/admin/teams/<uuid:team_id>/members")
@requires("teams:write")
def add_member(team_id: UUID) -> Response:
    """Somebody joins."""
    with transaction():
        team = teams.get_team(team_id, lock=True)
        body = load_form(NewMemberForm)
        user = members.get_colleague(body.pop("user_email"), "user_email")
        if members.is_member(team, user.id):
            raise invalid("user_email", "is in this team already")
        members.put_member(team, user.id, **body)
        return go(f"/admin/teams/{team_id}")


@bp.get("/admin/teams/<uuid:team_id>/members/<uuid:user_id>")
@requires("teams:write")
def show_member(team_id: UUID, user_id: UUID) -> Response:
    """How much somebody takes on in this team, and how well they must fit."""
    with reading():
        team = teams.get_team(team_id)
        values: dict[str, Any] = {
            "team": team,
            "member": find_member(team, user_id),
            "default": tenant_settings().capacity,
        }
        return page("routing/member.html", **values)


@bp.post("/admin/teams/<uuid:team_id>/members/<uuid:user_id>")
@requires("teams:write")
def change_member(team_id: UUID, user_id: UUID) -> Response:
    """Change capacity and weight."""
    with transaction():
        team = teams.get_team(team_id, lock=True)
        present = vars(find_member(team, user_id))
        body = check_version(team.version, load_form(MemberForm), present, LABELS)
        members.put_member(team, user_id, **body)
        return go(f"/admin/teams/{team_id}")


@bp.post("/admin/teams/<uuid:team_id>/members/<uuid:user_id>/remove")
@requires("teams:write")
def remove_member(team_id: UUID, user_id: UUID) -> Response:
    """Somebody leaves; what they hold stays with them."""
    with transaction():
        team = teams.get_team(team_id, lock=True)
        check_version(team.version, load_form(VersionForm), {}, LABELS)
        members.remove_member(team, user_id)
        return go(f"/admin/teams/{team_id}")


def find_member(team: Team, user_id: UUID) -> members.Member:
    for member in members.list_members([team])[team.id]:
        if member.user_id == user_id:
            return member
    raise NotFound


def choices() -> dict[str, Any]:
    """What the forms offer."""
    return {"calendars": sorted(current_version("calendar") or {}), "colleagues": queries.list_colleagues()}


@bp.get("/admin/skills")
@requires("teams:write")
def list_skills() -> Response:
    """Skills by name, with how many master each."""
    with reading():
        found, cursor = part(
            lambda after, limit: skills.list_skills(after=(after[0], UUID(after[1])) if after else None, limit=limit),
            lambda skill: [skill.name, str(skill.id)],
            limit=SHOWN,
        )
        return page("routing/skills.html", skills=found, cursor=cursor)


@bp.post("/admin/skills")
@requires("teams:write")
def add_skill() -> Response:
    """A new skill, which nobody masters yet."""
    with transaction():
        skills.create_skill(load_form(skill_schemas.SkillBody)["name"], now=clock.now())
        return go("/admin/skills")


@bp.get("/admin/skills/<uuid:skill_id>")
@requires("teams:write")
def show_skill(skill_id: UUID) -> Response:
    """One skill: who masters it is found among the users."""
    with reading():
        skill = skills.get_view(skill_id)
        people = queries.list_users({"skill": skill.name, "active": True}, after=None, limit=SHOWN)
        return page("routing/skill.html", skill=skill, people=people)


@bp.post("/admin/skills/<uuid:skill_id>")
@requires("teams:write")
def rename_skill(skill_id: UUID) -> Response:
    """Another name."""
    with transaction():
        policies.lock()
        skill = skills.get_skill(skill_id, lock=True)
        changes = check_version(skill.version, load_form(SkillForm), {"name": skill.name}, LABELS)
        skills.rename_skill(skill, changes.get("name", skill.name))
        return go("/admin/skills")


@bp.post("/admin/skills/<uuid:skill_id>/delete")
@requires("teams:write")
def delete_skill(skill_id: UUID) -> Response:
    """Gone, from everybody who masters it."""
    with transaction():
        policies.lock()
        skill = skills.get_skill(skill_id, lock=True)
        check_version(skill.version, load_form(VersionForm), {}, LABELS)
        skills.delete_skill(skill)
        return go("/admin/skills")
