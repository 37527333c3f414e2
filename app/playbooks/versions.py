"""Playbook versions, understood once per process: a version never changes, so none that is kept is ever stale."""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from sqlalchemy import func, select

from app.auth.settings import current_version
from app.db import db
from app.playbooks.compiling import compile_playbook
from app.playbooks.definition import Playbook
from app.playbooks.models import PlaybookVersion
from app.routing.kept import Kept
from app.sla.models import LadderVersion

KEPT = 10_000
LADDER_NUMBER = (
    select(func.max(LadderVersion.number))
    .where(LadderVersion.playbook_version_id == PlaybookVersion.id)
    .scalar_subquery()
)

_cache: Kept[UUID, Playbook] = Kept(KEPT)


def load(version_ids: Iterable[UUID]) -> dict[UUID, Playbook]:
    """These versions, understood; one statement, none when they are kept."""
    asked = {id_: _cache.find(id_) for id_ in version_ids}
    found = {id_: playbook for id_, playbook in asked.items() if playbook is not None}
    unknown = [id_ for id_ in asked if id_ not in found]
    wanted = select(PlaybookVersion, LADDER_NUMBER).where(PlaybookVersion.id.in_(unknown))
    for version, ladder_number in db.session.execute(wanted) if unknown else ():
        found[version.id] = replace(compile_playbook(version.definition), ladder_number=ladder_number)
        _cache.keep(version.id, found[version.id])
    return found


def find_playbook(version_id: UUID | None) -> Playbook | None:
    """What a case's playbook says; None of a case that has none."""
    if version_id is None:
        return None
    return load([version_id])[version_id]


def list_current() -> list[tuple[UUID, Playbook]]:
    """The published playbooks by rank, then name, with the version each is used in."""
    found = load(UUID(id_) for id_ in (current_version("playbook") or {}).values())
    return sorted(found.items(), key=lambda one: (one[1].rank, one[1].name))
