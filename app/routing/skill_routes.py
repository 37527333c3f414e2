"""Doors to skills and to who masters them."""

from typing import Any
from uuid import UUID

from flask import Response

from app import clock
from app.auth.guards import requires
from app.auth.models import User
from app.auth.queries import get_user
from app.http import ApiBlueprint, PageArguments, answer, check_if_match, page, require_if_match, transaction
from app.routing import policies, skill_schemas, skills


def guard_skill(skill_id: UUID) -> None:
    with transaction():
        skills.get_skill(skill_id)


def guard_user(user_id: UUID) -> None:
    with transaction():
        get_user(user_id)


skill_bp = ApiBlueprint("skills", __name__, url_prefix="/api/v1/skills", record_guard=guard_skill)
mastery_bp = ApiBlueprint(
    "masteries", __name__, url_prefix="/api/v1/users/<uuid:user_id>/skills", record_guard=guard_user
)


@skill_bp.get("")
@skill_bp.arguments(PageArguments, location="query")
@skill_bp.response(200, skill_schemas.SkillPage)
@requires("users:read")
def list_skills(query: dict[str, Any]) -> Response:
    """Skills by name, with how many colleagues master each."""
    with transaction():
        return page(
            skill_schemas.SkillPage,
            query,
            lambda after, limit: skills.list_skills(after=(after[0], UUID(after[1])) if after else None, limit=limit),
            lambda skill: [skill.name, str(skill.id)],
        )


@skill_bp.post("")
@skill_bp.arguments(skill_schemas.SkillBody)
@skill_bp.response(201, skill_schemas.SkillSchema)
@requires("teams:write")
def create_skill(body: dict[str, Any]) -> Response:
    """A new skill, which nobody masters yet."""
    with transaction():
        skill = skills.create_skill(body["name"], now=clock.now())
        where = {"Location": f"/api/v1/skills/{skill.id}"}
        return answer(skill_schemas.SkillSchema, skills.get_view(skill.id), 201, where)


@skill_bp.get("/<uuid:skill_id>")
@skill_bp.response(200, skill_schemas.SkillSchema)
@requires("users:read")
def get_skill(skill_id: UUID) -> Response:
    """One skill."""
    with transaction():
        return answer(skill_schemas.SkillSchema, skills.get_view(skill_id))


@skill_bp.patch("/<uuid:skill_id>")
@skill_bp.arguments(skill_schemas.SkillPatch)
@skill_bp.response(200, skill_schemas.SkillSchema)
@requires("teams:write")
def rename_skill(body: dict[str, Any], skill_id: UUID) -> Response:
    """Rename a skill; 409 while a rule of the policy in force names it."""
    with transaction():
        policies.lock()
        skill = skills.get_skill(skill_id, lock=True)
        require_if_match()
        check_if_match(skill)
        skills.rename_skill(skill, body.get("name", skill.name))
        return answer(skill_schemas.SkillSchema, skills.get_view(skill_id))


@skill_bp.delete("/<uuid:skill_id>")
@skill_bp.response(204)
@requires("teams:write")
def delete_skill(skill_id: UUID) -> Response:
    """Delete a skill, from those who master it too; 409 while a rule of the policy in force names it."""
    with transaction():
        policies.lock()
        skill = skills.get_skill(skill_id, lock=True)
        check_if_match(skill)
        skills.delete_skill(skill)
        return Response(status=204)


@mastery_bp.get("")
@mastery_bp.response(200, skill_schemas.MasteriesSchema)
@requires("users:read")
def list_masteries(user_id: UUID) -> Response:
    """What a colleague masters, and how well."""
    with transaction():
        return _masteries(get_user(user_id))


@mastery_bp.put("")
@mastery_bp.arguments(skill_schemas.MasteriesBody)
@mastery_bp.response(200, skill_schemas.MasteriesSchema)
@requires("users:write")
def put_masteries(body: dict[str, Any], user_id: UUID) -> Response:
    """Say all that a colleague masters; needs the colleague's ETag, which changes with it."""
    with transaction():
        user = get_user(user_id, lock=True)
        require_if_match()
        check_if_match(user)
        skills.put_skills(user, body["skills"])
        return _masteries(user)


def _masteries(user: User) -> Response:
    view = {"user_id": user.id, "skills": skills.list_masteries(user.id), "version": user.version}
    return answer(skill_schemas.MasteriesSchema, view)
