"""The playbooks of a tenant: saved as numbered versions, used from the moment one is published, frozen ever after."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from app.auth import service as auth
from app.auth.actor import Actor
from app.auth.settings import current_version
from app.db import db, new_id
from app.errors import NotFound
from app.playbooks import drafts
from app.playbooks.compiling import FaultyPlaybook, compile_playbook
from app.playbooks.definition import Playbook
from app.playbooks.errors import NothingToPublish, PlaybookRefused
from app.playbooks.models import PlaybookModel, PlaybookVersion
from app.playbooks.written import Unreadable, Written, read_yaml
from app.rows import insert_all
from app.sla import service as sla


def check(definition: Any, written: Written | None = None) -> Playbook:
    """The playbook understood; PlaybookRefused names every fault, with its line where it was written as YAML."""
    try:
        return compile_playbook(definition, also=drafts.faults_of)
    except FaultyPlaybook as faulty:
        if written is not None:
            errors = written.placed(faulty.faults)
        else:
            errors = [{"pointer": f.pointer or "/", "detail": f.detail, "code": f.code} for f in faulty.faults]
        raise PlaybookRefused(str(faulty), errors=errors) from faulty


def read(text: str) -> Written:
    """YAML as plain data that can be meant."""
    try:
        written = read_yaml(text)
    except Unreadable as unreadable:
        errors = [{"pointer": "/", "detail": unreadable.detail, "line": unreadable.line}]
        raise PlaybookRefused(str(unreadable), errors=errors) from unreadable
    check(written.content, written)
    return written


def save_playbook(definition: Mapping[str, Any], *, actor: Actor, now: datetime) -> PlaybookModel:
    """A new playbook, or the next version of the one of this name; nobody gets it before it is published."""
    playbook = check(definition)
    auth.begin_publishing("playbook")
    model = db.session.scalar(select(PlaybookModel).where(PlaybookModel.name == playbook.name))
    if model is None:
        model = PlaybookModel(id=new_id(), name=playbook.name, created_at=now)
        db.session.add(model)
        db.session.flush()
    version = PlaybookVersion(
        id=new_id(),
        playbook_id=model.id,
        number=_last_number(model.id) + 1,
        definition=dict(definition),
        created_by=actor.user_id,
        created_at=now,
    )
    insert_all([version, *sla.own_ladders(playbook.ladders, playbook_version_id=version.id, now=now)])
    return model


def publish_playbook(playbook_id: UUID, number: int | None = None) -> PlaybookModel:
    """From now on cases get this version, the newest unless said; a retired playbook is taken up again."""
    auth.begin_publishing("playbook")
    model = get_playbook(playbook_id)
    number = number or _last_number(model.id)
    wanted = (PlaybookVersion.playbook_id == model.id, PlaybookVersion.number == number)
    version = db.session.scalar(select(PlaybookVersion).where(*wanted))
    if version is None:
        raise NothingToPublish(f"There is no version {number} of this playbook")
    model.current_version_id, model.retired_at = version.id, None
    db.session.flush()
    auth.set_current(playbook={**_current(), model.name: str(version.id)})
    return model


def retire_playbook(playbook_id: UUID, *, now: datetime) -> PlaybookModel:
    """No case raised from now on gets it; open ones keep it. Twice changes nothing."""
    auth.begin_publishing("playbook")
    model = get_playbook(playbook_id)
    model.retired_at = model.retired_at or now
    db.session.flush()
    auth.set_current(playbook={name: id_ for name, id_ in _current().items() if name != model.name})
    return model


def get_playbook(playbook_id: UUID) -> PlaybookModel:
    model = db.session.get(PlaybookModel, playbook_id)
    if model is None:
        raise NotFound
    return model


def get_version(playbook_id: UUID, number: int) -> PlaybookVersion:
    wanted = (PlaybookVersion.playbook_id == playbook_id, PlaybookVersion.number == number)
    version = db.session.scalar(select(PlaybookVersion).where(*wanted))
    if version is None:
        raise NotFound
    return version


def list_playbooks(*, after: tuple[str, UUID] | None, limit: int) -> list[PlaybookModel]:
    """By name, drafts and retired ones included."""
    query = select(PlaybookModel).order_by(PlaybookModel.name, PlaybookModel.id).limit(limit)
    if after is not None:
        query = query.where(PlaybookModel.name > after[0])
    return list(db.session.scalars(query))


def list_versions(playbook_id: UUID, *, after: list[Any] | None, limit: int) -> list[PlaybookVersion]:
    """All versions of one playbook, newest first, from the number `after` down."""
    asked = select(PlaybookVersion).where(PlaybookVersion.playbook_id == playbook_id)
    asked = asked.where(PlaybookVersion.number < after[0]) if after else asked
    return list(db.session.scalars(asked.order_by(PlaybookVersion.number.desc()).limit(limit)))


def views(models: Sequence[PlaybookModel]) -> list[dict[str, Any]]:
    """Playbooks as answered, each with what it says now and its newest version; one statement more."""
    shown = _shown([model.id for model in models])
    return [_view(model, shown[model.id]) for model in models]


def _view(model: PlaybookModel, versions: Sequence[PlaybookVersion]) -> dict[str, Any]:
    newest = versions[0]
    current = next((version for version in versions if version.id == model.current_version_id), None)
    used = current if model.retired_at is None else None
    return {
        "id": model.id,
        "name": model.name,
        "state": "retired" if model.retired_at else "published" if current else "draft",
        "number": used.number if used else None,
        "newest": newest.number,
        "definition": (current or newest).definition,
        "draft": newest.definition if newest is not current else None,
        "retired_at": model.retired_at,
        "created_at": model.created_at,
        "version": model.version,
    }


def _shown(ids: Iterable[UUID]) -> dict[UUID, list[PlaybookVersion]]:
    """The newest version of each and the one in use, newest first."""
    other = aliased(PlaybookVersion)
    newest = select(func.max(other.number)).where(other.playbook_id == PlaybookModel.id).scalar_subquery()
    shown: dict[UUID, list[PlaybookVersion]] = {id_: [] for id_ in ids}
    wanted = (
        select(PlaybookVersion)
        .join(PlaybookModel, PlaybookModel.id == PlaybookVersion.playbook_id)
        .where(
            PlaybookModel.id.in_(shown),
            (PlaybookVersion.number == newest) | (PlaybookVersion.id == PlaybookModel.current_version_id),
        )
        .order_by(PlaybookVersion.number.desc())
    )
    for version in db.session.scalars(wanted):
        shown[version.playbook_id].append(version)
    return shown


def _last_number(playbook_id: UUID) -> int:
    found = select(func.max(PlaybookVersion.number)).where(PlaybookVersion.playbook_id == playbook_id)
    return db.session.scalar(found) or 0


def _current() -> dict[str, str]:
    """Each published playbook's version by name."""
    return dict(current_version("playbook") or {})
