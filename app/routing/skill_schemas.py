"""Bodies and answers of skills."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, pre_load, validate

from app.http import AwareDateTime, Body, Page, Schema
from app.http.schemas import words

MAX_SKILLS = 100
# An import parts skills by semicolons and levels by colons.
NAME = validate.Regexp(r"[^\s:;][^:;]*\Z", error="expected a name without : and ;")


def skill_name(**options: Any) -> fields.String:
    return fields.String(validate=[words(1, 100), NAME], **options)


class _Named(Body):
    @pre_load
    def strip(self, data: Any, **kwargs: Any) -> Any:
        """Blanks around a name are no part of it."""
        if isinstance(data, Mapping) and isinstance(data.get("name"), str):
            return {**data, "name": data["name"].strip()}
        return data


class SkillBody(_Named):
    name = skill_name(required=True)


class SkillPatch(_Named):
    name = skill_name()


class SkillSchema(Schema):
    """`people` counts the active colleagues who master it."""

    id = fields.UUID()
    name = fields.String()
    people = fields.Integer()
    created_at = AwareDateTime()


SkillPage = Page(SkillSchema)


class MasteryBody(Body):
    """A skill by its name, and how well it is mastered."""

    skill = fields.String(required=True, validate=words(1, 100))
    level = fields.Integer(strict=True, load_default=1, validate=validate.Range(1, 5))


class MasteriesBody(Body):
    """All skills of a colleague; those left out are taken away."""

    skills = fields.List(fields.Nested(MasteryBody), required=True, validate=validate.Length(max=MAX_SKILLS))


class MasterySchema(Schema):
    skill_id = fields.UUID()
    skill = fields.String()
    level = fields.Integer()


class MasteriesSchema(Schema):
    user_id = fields.UUID()
    skills = fields.List(fields.Nested(MasterySchema))
