"""Playbook versions, understood once per process: a version never changes, so none that is kept is ever stale."""

from collections.abc import Iterable
from threading import Lock
from uuid import UUID

from sqlalchemy import select

from app.auth.settings import current_version
from app.db import db
from app.playbooks.definition import Playbook, compile_playbook
from app.playbooks.models import PlaybookVersion

KEPT = 2_000

_kept: dict[UUID, Playbook] = {}
_lock = Lock()


def load(version_ids: Iterable[UUID]) -> None:
    """Have these versions at hand; one statement, none when they are kept."""
    unknown = [id_ for id_ in version_ids if id_ not in _kept]
    if not unknown:
        return
    for version in db.session.scalars(select(PlaybookVersion).where(PlaybookVersion.id.in_(unknown))):
        _keep(version.id, compile_playbook(version.definition))


def find_playbook(version_id: UUID | None) -> Playbook | None:
    """What a case's playbook says; None of a case that has none."""
    if version_id is None:
        return None
    load([version_id])
    return _kept[version_id]


def list_current() -> list[tuple[UUID, Playbook]]:
    """The published playbooks by rank, then name, with the version each is used in."""
    ids = [UUID(id_) for id_ in (current_version("playbook") or {}).values()]
    load(ids)
    return sorted(((id_, _kept[id_]) for id_ in ids), key=lambda found: (found[1].rank, found[1].name))


def _keep(version_id: UUID, playbook: Playbook) -> None:
    with _lock:
        while len(_kept) >= KEPT:
            del _kept[next(iter(_kept))]
        _kept[version_id] = playbook
