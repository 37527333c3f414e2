"""The policy's history: every version with who saved it, when it came into force, by whom and why."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.auth.models import User
from app.db import db
from app.routing.models import PolicyPublication, PolicyVersion
from app.routing.policies import current_number
from app.routing.queries import get_policy_version

PUBLICATIONS_SHOWN = 20


@dataclass(frozen=True)
class VersionView:
    """A version as answered; `publications` are the latest, newest first. `state` is `current`, `published` (it was
    in force once) or `draft` (never yet)."""

    number: int
    state: str
    rules: list[Any]
    weights: dict[str, Any]
    rule_count: int
    created_by: User | None
    created_at: datetime
    publications: Sequence[Mapping[str, Any]]


def list_versions(*, before: int | None, limit: int) -> list[VersionView]:
    """Versions, newest first, in at most three statements."""
    asked = select(PolicyVersion).order_by(PolicyVersion.number.desc()).limit(limit)
    if before is not None:
        asked = asked.where(PolicyVersion.number < before)
    return _views(db.session.scalars(asked).all())


def get_version(number: int) -> VersionView:
    """One version with its rules; NotFound when there is none."""
    return _views([get_policy_version(number)])[0]


def _views(versions: Sequence[PolicyVersion]) -> list[VersionView]:
    publications = _publications([version.number for version in versions])
    people = _people(
        [version.created_by for version in versions] + [p.published_by for ps in publications.values() for p in ps]
    )
    current = current_number()
    return [
        VersionView(
            number=version.number,
            state=_state(version.number, current, publications[version.number]),
            rules=version.rules,
            weights=version.weights,
            rule_count=len(version.rules),
            created_by=people.get(version.created_by),
            created_at=version.created_at,
            publications=[_publication(p, people) for p in publications[version.number]],
        )
        for version in versions
    ]


def _state(number: int, current: int, publications: Sequence[PolicyPublication]) -> str:
    if number == current:
        return "current"
    return "published" if publications else "draft"


def _publications(numbers: Sequence[int]) -> Mapping[int, list[PolicyPublication]]:
    """The latest of each version, newest first; one statement."""
    place = func.row_number().over(partition_by=PolicyPublication.number, order_by=PolicyPublication.id.desc())
    ranked = select(PolicyPublication.id, place.label("place")).where(PolicyPublication.number.in_(numbers)).subquery()
    asked = (
        select(PolicyPublication)
        .join(ranked, ranked.c.id == PolicyPublication.id)
        .where(ranked.c.place <= PUBLICATIONS_SHOWN)
        .order_by(PolicyPublication.id.desc())
    )
    found: dict[int, list[PolicyPublication]] = defaultdict(list)
    for publication in db.session.scalars(asked) if numbers else ():
        found[publication.number].append(publication)
    return found


def _people(ids: Iterable[UUID | None]) -> Mapping[UUID | None, User]:
    wanted = {id_ for id_ in ids if id_ is not None}
    return {user.id: user for user in db.session.scalars(select(User).where(User.id.in_(wanted)))} if wanted else {}


def _publication(publication: PolicyPublication, people: Mapping[UUID | None, User]) -> dict[str, Any]:
    shown = ("kind", "previous_number", "published_at", "reason", "cases", "unrouted")
    members = {name: getattr(publication, name) for name in shown}
    return {**members, "published_by": people.get(publication.published_by)}
