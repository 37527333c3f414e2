"""What colleagues can do: skills by names that are one whatever their case, and how well each masters them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, select, text
from sqlalchemy.orm.attributes import flag_modified

from app.auth.models import User
from app.auth.settings import current_version
from app.db import db
from app.errors import invalid
from app.routing.errors import NoSuchSkill, SkillInUse, SkillNameTaken
from app.routing.models import PolicyVersion, Skill, UserSkill
from app.routing.names import flush_name
from app.rows import array_of, insert_all

ASKED = ("required_skills", "preferred_skills")
# Names are compared where the unique key compares them.
FIND_SKILLS = text(
    """
    select skill.id from unnest(cast(:names as text[])) with ordinality as asked (name, place)
    left join skill on lower(skill.name) = lower(asked.name) order by place
    """
)
# None of them goes before this transaction has ended.
KEEP_SKILLS = text("select id from skill where id = any(cast(:ids as uuid[])) order by id for key share")


@dataclass(frozen=True)
class SkillView:
    """A skill as answered; `people` counts the active colleagues who master it."""

    id: UUID
    name: str
    people: int
    created_at: datetime
    version: int


@dataclass(frozen=True)
class Mastery:
    """A skill of a colleague, from 1 to 5."""

    skill_id: UUID
    skill: str
    level: int


def get_skill(skill_id: UUID, *, lock: bool = False) -> Skill:
    statement = select(Skill).where(Skill.id == skill_id)
    skill = db.session.scalar(statement.with_for_update() if lock else statement)
    if skill is None:
        raise NoSuchSkill
    return skill


def _views() -> Select[Skill, int]:
    people = (
        select(func.count())
        .select_from(UserSkill)
        .join(User, User.id == UserSkill.user_id)
        .where(UserSkill.skill_id == Skill.id, User.active)
    )
    return select(Skill, people.scalar_subquery())


def _view(skill: Skill, people: int) -> SkillView:
    return SkillView(skill.id, skill.name, people, skill.created_at, skill.version)


def get_view(skill_id: UUID) -> SkillView:
    row = db.session.execute(_views().where(Skill.id == skill_id)).one_or_none()
    if row is None:
        raise NoSuchSkill
    return _view(*row)


def list_skills(*, after: tuple[str, UUID] | None, limit: int) -> list[SkillView]:
    """By name, from after a (name, id) on."""
    statement = _views()
    if after:
        name, id_ = after
        statement = statement.where((Skill.name > name) | ((Skill.name == name) & (Skill.id > id_)))
    return [_view(*row) for row in db.session.execute(statement.order_by(Skill.name, Skill.id).limit(limit))]


def find_skills(names: Sequence[str]) -> list[UUID | None]:
    """The skills of these names, case aside, in their order; None for a name that no skill has."""
    return list(db.session.scalars(FIND_SKILLS, {"names": array_of(names)})) if names else []


def create_skill(name: str, *, now: datetime) -> Skill:
    if find_skills([name]) != [None]:
        raise SkillNameTaken
    skill = Skill(name=name, created_at=now)
    db.session.add(skill)
    flush_name("uq_skill_name", SkillNameTaken)
    return skill


def rename_skill(skill: Skill, name: str) -> Skill:
    """A new name; refused while a rule in force names the old one, unless only its case changes.

    Call under the policy's lock, so that no rule that names it is published meanwhile.
    """
    taken = find_skills([name])
    if taken not in ([None], [skill.id]):
        raise SkillNameTaken
    if taken == [None]:
        _refuse_in_use(skill)
    skill.name = name
    flush_name("uq_skill_name", SkillNameTaken)
    return skill


def delete_skill(skill: Skill) -> None:
    """Gone, from everybody who masters it too; refused while a rule in force names it. Call under the policy's lock."""
    _refuse_in_use(skill)
    db.session.execute(
        delete(UserSkill).where(UserSkill.skill_id == skill.id).execution_options(synchronize_session=False)
    )
    db.session.delete(skill)
    db.session.flush()


def _refuse_in_use(skill: Skill) -> None:
    rules = _rules_naming(skill)
    if rules:
        named = ", ".join(repr(name) for name in rules)
        raise SkillInUse(f"Publish a policy first in which {named} no longer asks for {skill.name!r}", rules=rules)


def _rules_naming(skill: Skill) -> list[str]:
    """The rules of the policy in force that require or prefer the skill, by name, in their order."""
    number = current_version("policy") or 1
    rules = db.session.scalar(select(PolicyVersion.rules).where(PolicyVersion.number == number)) or []
    asked = [(rule["name"], entry["skill"]) for rule in rules for part in ASKED for entry in rule.get(part) or ()]
    found = find_skills([name for _, name in asked])
    naming = (rule for (rule, _), id_ in zip(asked, found, strict=True) if id_ == skill.id)
    return list(dict.fromkeys(naming))


def list_masteries(user_id: UUID) -> list[Mastery]:
    """The skills of a colleague by name."""
    statement = (
        select(Skill.id, Skill.name, UserSkill.level)
        .join(UserSkill, UserSkill.skill_id == Skill.id)
        .where(UserSkill.user_id == user_id)
        .order_by(func.lower(Skill.name))
    )
    return [Mastery(*row) for row in db.session.execute(statement)]


def put_skills(user: User, masteries: Sequence[Mapping[str, Any]]) -> bool:
    """Make these (`skill` by name, `level`) all that the colleague masters; whether that changed anything.

    Invalid names the entry whose skill does not exist or stands twice.
    """
    if user.role == "integration" and masteries:
        raise invalid("skills", "expected none: an integration takes no work")
    wanted = _wanted(masteries)
    present = {mastery.skill_id: mastery.level for mastery in list_masteries(user.id)}
    if present == wanted:
        return False
    theirs = delete(UserSkill).where(UserSkill.user_id == user.id)
    db.session.execute(theirs.execution_options(synchronize_session=False))
    insert_all(UserSkill(user_id=user.id, skill_id=id_, level=level) for id_, level in wanted.items())
    flag_modified(user, "name")  # skills are part of the colleague, so the ETag changes with them
    db.session.flush()
    return True


def _wanted(masteries: Sequence[Mapping[str, Any]]) -> dict[UUID, int]:
    wanted: dict[UUID, int] = {}
    found = find_skills([mastery["skill"] for mastery in masteries])
    kept = set(db.session.scalars(KEEP_SKILLS, {"ids": array_of(id_ for id_ in found if id_)}))
    for index, (mastery, skill_id) in enumerate(zip(masteries, found, strict=True)):
        if skill_id is None or skill_id not in kept:
            raise invalid(f"skills.{index}.skill", f"there is no skill with the name {mastery['skill']!r}")
        if skill_id in wanted:
            raise invalid(f"skills.{index}.skill", f"{mastery['skill']!r} stands twice")
        wanted[skill_id] = mastery["level"]
    return wanted
