"""A routing policy as written and as compiled: ordered rules, their targets, the weights of the score.

A rule is `{"name", "when", "target", "fallback"?, "required_skills"?, "preferred_skills"?}`; the last one's `when` is
the catch-all `{"all": []}`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from app.routing.choice import DEFAULT_WEIGHTS, PARTS, Weights
from app.routing.compare import Facts
from app.routing.lookup import Lookup
from app.routing.match import Compiled, ConditionRefused, compile_condition
from app.routing.requirements import Requirement, read_requirements

MAX_RULES = 5000
MAX_NAME = 200
MAX_WEIGHT = 1000
MAX_FAULTS = 100
ROLES = ("owner", "csm", "sponsor")
MEMBERS_OF: Mapping[str, frozenset[str]] = {
    "user": frozenset({"kind", "user_id"}),
    "role": frozenset({"kind", "role"}),
    "previous_owner": frozenset({"kind"}),
    "team": frozenset({"kind", "team_id", "strategy"}),
    "suggested": frozenset({"kind"}),
}
MEMBERS = frozenset({"name", "when", "target", "fallback", "required_skills", "preferred_skills"})
STRATEGIES = ("score",)
DEFAULT_RULES: tuple[dict[str, Any], ...] = (
    {"name": "account owner, else duty owner", "when": {"all": []}, "target": {"kind": "role", "role": "owner"}},
)


@dataclass(frozen=True)
class Fault:
    """One thing that keeps a policy from being saved; `pointer` is a JSON pointer into the body."""

    pointer: str
    detail: str
    code: str

    def as_error(self) -> dict[str, str]:
        return {"pointer": self.pointer, "detail": self.detail, "code": self.code}


class FaultyPolicy(ValueError):
    """A policy that can't be used, with every fault found, at most a hundred."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults[:MAX_FAULTS])
        super().__init__("; ".join(f"{f.pointer}: {f.detail}" for f in self.faults[:3]))


@dataclass(frozen=True)
class Target:
    """Whom a rule wants: a named user, a role on the account, the previous owner, a team by score, or whom history
    suggests."""

    kind: str
    user_id: str | None = None
    role: str | None = None
    team_id: str | None = None

    def as_record(self) -> dict[str, str]:
        members = {"kind": self.kind, "user_id": self.user_id, "role": self.role, "team_id": self.team_id}
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True)
class Rule:
    """One compiled rule; `targets` are its target and, if it has one, its fallback.

    `required` skills hold for both and never relax; `preferred` ones, the most important first, relax from the last.
    """

    name: str
    condition: Compiled
    targets: tuple[Target, ...]
    required: tuple[Requirement, ...] = ()
    preferred: tuple[Requirement, ...] = ()

    @property
    def asks_skills(self) -> bool:
        return bool(self.required or self.preferred)


Looked = tuple[Rule, bool, str]  # a rule, whether it matches, a 1 or 0 for each of its comparisons as written


@dataclass(frozen=True)
class Policy:
    """A compiled version, the same for every case and thread; `fields` are the facts its conditions ask for, `skills`
    the folded names of those its rules do."""

    number: int
    rules: tuple[Rule, ...]
    weights: Weights
    fields: frozenset[str]
    skills: frozenset[str]

    def matching(self, facts: Facts, *, today: date, now: datetime) -> list[Rule]:
        """The rules whose condition holds, in order."""
        return [rule for rule, matched, _ in self.look(facts, today=today, now=now) if matched]

    def look(self, facts: Facts, *, today: date, now: datetime) -> list[Looked]:
        """What each rule says of these facts, in order."""
        return self._lookup.ask(facts, today=today, now=now)

    @cached_property
    def _lookup(self) -> Lookup[Rule]:
        return Lookup((rule, rule.condition) for rule in self.rules)

    def targets(self) -> Iterator[tuple[str, Target]]:
        """Every target with its JSON pointer."""
        for index, rule in enumerate(self.rules):
            for member, target in zip(("target", "fallback"), rule.targets, strict=False):
                yield f"/rules/{index}/{member}", target

    def requirements(self) -> Iterator[tuple[str, Requirement]]:
        """Every skill asked for with the JSON pointer of its entry."""
        for index, rule in enumerate(self.rules):
            for member, asked in (("required_skills", rule.required), ("preferred_skills", rule.preferred)):
                for place, requirement in enumerate(asked):
                    yield f"/rules/{index}/{member}/{place}", requirement


def compile_policy(number: int, rules: Any, weights: Any) -> Policy:
    """The policy ready to be asked; a FaultyPolicy lists what is wrong with it."""
    faults: list[Fault] = []
    compiled = _rules(rules, faults)
    scores = _weights(weights, faults)
    if faults:
        raise FaultyPolicy(faults)
    fields = frozenset(leaf.field.name for rule in compiled for leaf in rule.condition.leaves)
    skills = frozenset(asked.key for rule in compiled for asked in (*rule.required, *rule.preferred))
    return Policy(number, tuple(compiled), scores, fields, skills)


def _rules(rules: Any, faults: list[Fault]) -> list[Rule]:
    if not isinstance(rules, list) or not 0 < len(rules) <= MAX_RULES:
        faults.append(Fault("/rules", f"a list of 1 to {MAX_RULES} rules", "wrong_shape"))
        return []
    compiled = [rule for index, written in enumerate(rules) if (rule := _rule(written, f"/rules/{index}", faults))]
    _refuse_equal_names(rules, faults)
    last = rules[-1]
    if not (isinstance(last, dict) and last.get("when") == {"all": []}):
        detail = 'the last rule must hold for every case: {"all": []}'
        faults.append(Fault(f"/rules/{len(rules) - 1}/when", detail, "no_catch_all"))
    return compiled


def _rule(written: Any, pointer: str, faults: list[Fault]) -> Rule | None:
    """The compiled rule, or None after its faults are noted."""
    if not isinstance(written, dict):
        faults.append(Fault(pointer, "an object with name, when, target and maybe fallback and skills", "wrong_shape"))
        return None
    before = len(faults)
    for extra in sorted(map(str, set(written) - MEMBERS)):
        faults.append(Fault(f"{pointer}/{extra}", "unknown field", "wrong_shape"))
    name = written.get("name")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= MAX_NAME:
        faults.append(Fault(f"{pointer}/name", f"a text of 1 to {MAX_NAME} characters", "wrong_type"))
    condition = _condition(written.get("when"), f"{pointer}/when", faults)
    targets = [_target(written.get("target"), f"{pointer}/target", faults)]
    if written.get("fallback") is not None:
        targets.append(_target(written["fallback"], f"{pointer}/fallback", faults))
    required, preferred = (
        read_requirements(written.get(member), f"{pointer}/{member}", lambda *fault: faults.append(Fault(*fault)))
        for member in ("required_skills", "preferred_skills")
    )
    if condition is None or len(faults) > before:
        return None
    return Rule(str(name), condition, tuple(target for target in targets if target), required, preferred)


def _condition(tree: Any, pointer: str, faults: list[Fault]) -> Compiled | None:
    try:
        return compile_condition(tree)
    except ConditionRefused as refused:
        faults.append(Fault(pointer + refused.pointer, refused.detail, refused.code))
        return None


def _target(written: Any, pointer: str, faults: list[Fault]) -> Target | None:
    kind = written.get("kind") if isinstance(written, dict) else None
    if not isinstance(kind, str) or kind not in MEMBERS_OF:
        detail = f"an object whose kind is one of {', '.join(MEMBERS_OF)}"
        faults.append(Fault(f"{pointer}/kind" if isinstance(written, dict) else pointer, detail, "wrong_shape"))
        return None
    for extra in sorted(map(str, set(written) - MEMBERS_OF[kind])):
        faults.append(Fault(f"{pointer}/{extra}", f"unknown field of a target {kind}", "wrong_shape"))
    return _TARGETS[kind](written, pointer, faults)


def _user(written: Mapping[str, Any], pointer: str, faults: list[Fault]) -> Target | None:
    user_id = _id(written.get("user_id"))
    if user_id is None:
        faults.append(Fault(f"{pointer}/user_id", "the id of a user", "wrong_type"))
        return None
    return Target("user", user_id=user_id)


def _role(written: Mapping[str, Any], pointer: str, faults: list[Fault]) -> Target | None:
    role = written.get("role")
    if role not in ROLES:
        faults.append(Fault(f"{pointer}/role", f"one of {', '.join(ROLES)}", "wrong_type"))
        return None
    return Target("role", role=role)


def _plain(written: Mapping[str, Any], pointer: str, faults: list[Fault]) -> Target | None:
    """A target that says all by its kind."""
    return Target(str(written["kind"]))


def _team(written: Mapping[str, Any], pointer: str, faults: list[Fault]) -> Target | None:
    team_id = _id(written.get("team_id"))
    if team_id is None:
        faults.append(Fault(f"{pointer}/team_id", "the id of a team", "wrong_type"))
    if written.get("strategy", "score") not in STRATEGIES:
        faults.append(Fault(f"{pointer}/strategy", f"one of {', '.join(STRATEGIES)}", "wrong_type"))
    return Target("team", team_id=team_id) if team_id else None


_TARGETS: Mapping[str, Callable[[Mapping[str, Any], str, list[Fault]], Target | None]] = {
    "user": _user,
    "role": _role,
    "previous_owner": _plain,
    "team": _team,
    "suggested": _plain,
}


def _id(value: Any) -> str | None:
    try:
        return str(UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _refuse_equal_names(rules: Sequence[Any], faults: list[Fault]) -> None:
    """Decisions name the rule, so a name says which one."""
    seen: dict[str, int] = {}
    for index, written in enumerate(rules):
        name = written.get("name") if isinstance(written, dict) else None
        if isinstance(name, str) and seen.setdefault(name, index) != index:
            faults.append(Fault(f"/rules/{index}/name", f"rule {seen[name]} has the same name", "name_taken"))


def _weights(weights: Any, faults: list[Fault]) -> Weights:
    if not isinstance(weights, dict):
        faults.append(Fault("/weights", f"an object with points for {', '.join(PARTS)}", "wrong_shape"))
        return DEFAULT_WEIGHTS
    for name, points in weights.items():
        if name not in PARTS:
            faults.append(Fault(f"/weights/{name}", f"one of {', '.join(PARTS)}", "unknown_field"))
        elif not _is_points(points):
            faults.append(Fault(f"/weights/{name}", f"a number from 0 to {MAX_WEIGHT}", "wrong_type"))
    if faults:
        return DEFAULT_WEIGHTS
    return replace(DEFAULT_WEIGHTS, **{name: float(points) for name, points in weights.items()})


def _is_points(points: Any) -> bool:
    if isinstance(points, bool) or not isinstance(points, (int, float)):
        return False
    return 0 <= points <= MAX_WEIGHT
