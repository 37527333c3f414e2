"""Policy versions: saved as drafts, published by number, compiled once per process."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.auth import service as auth
from app.auth.actor import Actor
from app.auth.models import User
from app.auth.settings import current_version
from app.db import Model, after_commit, current_tenant, db
from app.routing.errors import PolicyRefused
from app.routing.kept import Kept
from app.routing.models import PolicyPublication, PolicyVersion, Skill, Team
from app.routing.policy import DEFAULT_RULES, MAX_FAULTS, Fault, FaultyPolicy, Policy, compile_policy
from app.routing.queries import get_policy_version, list_policy_versions, newest_policy_version

CACHED = 256
# A version never changes, so none is ever stale.
_cache: Kept[tuple[UUID, int], Policy] = Kept(CACHED)


def first_version(now: datetime) -> list[Model]:
    """What a new tenant begins with, in force from then on: "account owner, else duty owner"."""
    return [
        PolicyVersion(number=1, rules=list(DEFAULT_RULES), weights={}, created_by=None, created_at=now),
        PolicyPublication(number=1, published_at=now),
    ]


def current_number() -> int:
    return int(current_version("policy") or 1)


def current_policy() -> Policy:
    """The version current in this transaction; no statement once it has been compiled here."""
    return compiled(current_number())


def compiled(number: int) -> Policy:
    """A version ready to be asked."""
    return _cache.find((current_tenant(), number)) or _compiled(get_policy_version(number))


def compiled_all(numbers: Collection[int]) -> Mapping[int, Policy]:
    """Versions ready to be asked, by number; one statement for all of them that were not met here before."""
    found = {number: _cache.find((current_tenant(), number)) for number in set(numbers)}
    missing = [number for number, policy in found.items() if policy is None]
    for version in list_policy_versions(missing) if missing else ():
        found[version.number] = _compiled(version)
    return {number: policy for number, policy in found.items() if policy is not None}


def _compiled(version: PolicyVersion) -> Policy:
    policy = compile_policy(version.number, version.rules, version.weights)
    # What is rolled back may not outlive the transaction.
    after_commit(partial(_cache.keep, (current_tenant(), version.number), policy))
    return policy


def save_policy(rules: Any, weights: Any, *, actor: Actor, now: datetime) -> PolicyVersion:
    """Check the rules and keep them as the newest version; it becomes current when published."""
    lock()
    written, _ = checked(rules, weights)
    version = PolicyVersion(
        number=newest_number() + 1, rules=written, weights=weights, created_by=actor.user_id, created_at=now
    )
    db.session.add(version)
    db.session.flush()
    return version


def checked(rules: Any, weights: Any) -> tuple[Any, Any]:
    """Rules and weights as they would be saved; a PolicyRefused lists what is wrong with them."""
    written, _, faults = check_policy(rules, weights)
    if faults:
        raise _refused(faults)
    return written, weights


def check_policy(rules: Any, weights: Any) -> tuple[Any, Policy | None, list[Fault]]:
    """The rules with names as ids, and compiled unless they have faults, which are then listed."""
    written = _with_ids(rules)
    try:
        policy = compile_policy(0, written, weights)
    except FaultyPolicy as faulty:
        return written, None, list(faulty.faults)
    faults = [*_unknown_targets(policy), *_unknown_skills(policy)]
    return written, None if faults else policy, faults


def publish_policy(
    number: int,
    *,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
    cases: int | None = None,
    unrouted: int | None = None,
) -> PolicyVersion:
    """Make a version current; decisions from the next transaction on use it. An older one may be taken up again.

    `unrouted` of the `cases` looked at would have found no owner by it; None when nobody looked.
    """
    lock()
    version = get_policy_version(number)
    publication = PolicyPublication(
        number=number,
        previous_number=current_number(),
        published_at=now,
        published_by=actor.user_id,
        reason=reason,
        cases=cases,
        unrouted=unrouted,
    )
    db.session.add(publication)
    db.session.flush()
    auth.set_current(policy=number)
    return version


def newest_number() -> int:
    """The number of the version saved last; what the policy's ETag shows."""
    return db.session.scalar(select(func.max(PolicyVersion.number))) or 0


def find_draft() -> PolicyVersion | None:
    """The version saved last, while it has never been in force: one rolled back from is no draft any more."""
    newest = newest_policy_version()
    return newest if newest and not _was_published(newest.number) else None


def _was_published(number: int) -> bool:
    publications = select(PolicyPublication.id).where(PolicyPublication.number == number)
    return db.session.scalar(select(publications.exists())) is True


def lock() -> None:
    """One change of the policy at a time; from here on the version current is the one the change before left."""
    auth.begin_publishing("policy")


def _with_ids(rules: Any) -> Any:
    """Users named by e-mail and teams by name become ids, so that a new address or name changes no rule."""
    if not isinstance(rules, list):
        return rules
    emails = {t["email"].strip().lower() for t in _named(rules, "email")}
    names = {t["team"] for t in _named(rules, "team")}
    users = _ids(select(User.email, User.id).where(User.email.in_(emails))) if emails else {}
    teams = _ids(select(Team.name, Team.id).where(Team.name.in_(names))) if names else {}
    return [_resolved(rule, users, teams) if isinstance(rule, dict) else rule for rule in rules]


def _named(rules: Iterable[Any], member: str) -> list[Mapping[str, Any]]:
    targets = [r.get(name) for r in rules if isinstance(r, dict) for name in ("target", "fallback")]
    return [t for t in targets if isinstance(t, dict) and isinstance(t.get(member), str)]


def _ids(statement: Any) -> dict[str, str]:
    return {name: str(id_) for name, id_ in db.session.execute(statement)}


def _resolved(rule: dict[str, Any], users: Mapping[str, str], teams: Mapping[str, str]) -> dict[str, Any]:
    return {
        **rule,
        **{name: _target(rule[name], users, teams) for name in ("target", "fallback") if name in rule},
    }


def _target(target: Any, users: Mapping[str, str], teams: Mapping[str, str]) -> Any:
    """An address or name nobody has stays as written, and is refused as an unknown field or a missing id."""
    if not isinstance(target, dict):
        return target
    found = dict(target)
    if target.get("kind") == "user" and str(target.get("email")).strip().lower() in users:
        found["user_id"] = users[found.pop("email").strip().lower()]
    if target.get("kind") == "team" and target.get("team") in teams:
        found["team_id"] = teams[found.pop("team")]
    return found


def _unknown_targets(policy: Policy) -> list[Fault]:
    """Users and teams that aren't there, or that can't own work."""
    targets = list(policy.targets())
    users = _known(select(User.id).where(User.active, User.role != "integration"), User.id, targets, "user_id")
    teams = _known(select(Team.id), Team.id, targets, "team_id")
    faults = []
    for pointer, target in targets:
        if target.user_id and target.user_id not in users:
            faults.append(Fault(f"{pointer}/user_id", "the id of an active user who can own work", "unknown_user"))
        if target.team_id and target.team_id not in teams:
            faults.append(Fault(f"{pointer}/team_id", "the id of a team", "unknown_team"))
    return faults


def _unknown_skills(policy: Policy) -> list[Fault]:
    """Skills nobody has named yet; a known one that nobody has is no fault."""
    if not policy.skills:
        return []
    found = db.session.scalars(select(func.lower(Skill.name)).where(func.lower(Skill.name).in_(policy.skills)))
    known = {name.casefold() for name in found}
    return [
        Fault(f"{pointer}/skill", f"there is no skill {asked.skill!r}", "unknown_skill")
        for pointer, asked in policy.requirements()
        if asked.key not in known
    ]


def _known(statement: Any, column: Any, targets: Iterable[tuple[str, Any]], member: str) -> set[str]:
    ids = {UUID(value) for _, target in targets if (value := getattr(target, member))}
    return {str(id_) for id_ in db.session.scalars(statement.where(column.in_(ids)))} if ids else set()


def _refused(faults: Iterable[Fault]) -> PolicyRefused:
    first = list(faults)[:MAX_FAULTS]
    return PolicyRefused(listed(first), errors=[fault.as_error() for fault in first])


def listed(faults: Sequence[Fault]) -> str:
    """The first three in words."""
    return "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults[:3])
