"""The skills a rule asks of whoever shall own the case: what is written, and who has what was asked. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_SKILLS = 20
MAX_NAME = 200
LEVELS = range(1, 6)

Note = Callable[[str, str, str], None]  # takes the pointer, what was expected, the code


@dataclass(frozen=True)
class Requirement:
    """A skill by name, in any case of letters, at this level or above."""

    skill: str
    level: int = LEVELS[0]

    @property
    def key(self) -> str:
        return self.skill.casefold()

    def as_record(self) -> dict[str, Any]:
        return {"skill": self.skill, "level": self.level}


def read_requirements(written: Any, pointer: str, note: Note) -> tuple[Requirement, ...]:
    """A list of `{"skill", "level"?}`; faults are noted and leave their entry out."""
    if written is None:
        return ()
    if not isinstance(written, list) or len(written) > MAX_SKILLS:
        note(pointer, f"a list of at most {MAX_SKILLS} skills", "wrong_shape")
        return ()
    found = [_requirement(entry, f"{pointer}/{index}", note) for index, entry in enumerate(written)]
    _refuse_twice(found, pointer, note)
    return tuple(requirement for requirement in found if requirement)


def lacks(skills: Mapping[str, int], requirements: Sequence[Requirement]) -> bool:
    """Whether one with these levels by folded name lacks any of what is asked."""
    return any(skills.get(requirement.key, 0) < requirement.level for requirement in requirements)


def _requirement(written: Any, pointer: str, note: Note) -> Requirement | None:
    if not isinstance(written, dict):
        note(pointer, "an object with skill and maybe level", "wrong_shape")
        return None
    extra = sorted(map(str, set(written) - {"skill", "level"}))
    for name in extra:
        note(f"{pointer}/{name}", "unknown field", "wrong_shape")
    skill, level = written.get("skill"), written.get("level", LEVELS[0])
    named = isinstance(skill, str) and 0 < len(skill.strip()) <= MAX_NAME
    if not named:
        note(f"{pointer}/skill", f"the name of a skill, 1 to {MAX_NAME} characters", "wrong_type")
    rated = isinstance(level, int) and not isinstance(level, bool) and level in LEVELS
    if not rated:
        note(f"{pointer}/level", f"a whole number from {LEVELS[0]} to {LEVELS[-1]}", "wrong_type")
    return Requirement(str(skill).strip(), int(level)) if named and rated and not extra else None


def _refuse_twice(found: Sequence[Requirement | None], pointer: str, note: Note) -> None:
    seen: dict[str, int] = {}
    for index, requirement in enumerate(found):
        if requirement is not None and seen.setdefault(requirement.key, index) != index:
            note(f"{pointer}/{index}/skill", f"entry {seen[requirement.key]} asks for the same skill", "skill_twice")
