"""The ladders a tenant has published: one number for all of them, which rises with each publication of one kind, so
that a case keeps a whole set by keeping a number.

The ladders of a playbook's version stand among them under a number of their own. Only clocks of its cases have that
number, and only for the kinds it names; for every other number these rows are not there.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select

from app.auth import service as auth
from app.auth.settings import current_version
from app.db import db, new_id
from app.errors import NotFound, invalid
from app.rows import insert_all
from app.sla.history import latest
from app.sla.ladder import Ladder, ladder_for, ladder_to_json
from app.sla.models import LadderVersion
from app.sla.offsets import LadderError
from app.sla.targets import CLOCK_KINDS

FIRST_LADDER = 1


def current_ladder() -> int:
    """The number of the tenant's ladders for cases raised now."""
    return current_version("ladder") or FIRST_LADDER


def publish_ladder(kind: str, steps: object, *, now: datetime) -> LadderVersion:
    """The next steps of this kind of clock; open cases keep the ladders they started with.

    Raises Invalid naming the step's field when the ladder cannot be meant.
    """
    ladder = check_ladder(kind, steps)
    auth.begin_publishing("ladder")
    number = _next_number()
    version = LadderVersion(id=new_id(), kind=kind, number=number, steps=ladder_to_json(ladder), created_at=now)
    insert_all([version])
    auth.set_current(ladder=number)
    return version


def check_ladder(kind: str, steps: object) -> Ladder:
    """The ladder, if its clock can climb it."""
    try:
        return ladder_for(kind, steps)
    except LadderError as error:
        raise invalid(f"steps/{error.field}".rstrip("/"), error.detail) from error


def own_ladders(ladders: Mapping[str, Ladder], *, playbook_version_id: UUID, now: datetime) -> list[LadderVersion]:
    """Rows of the ladders that a version of a playbook brings, under a number of their own; the tenant's stay."""
    if not ladders:
        return []
    auth.begin_publishing("ladder")
    number = _next_number()
    return [
        LadderVersion(
            id=new_id(),
            kind=kind,
            number=number,
            steps=ladder_to_json(ladder),
            playbook_version_id=playbook_version_id,
            created_at=now,
        )
        for kind, ladder in ladders.items()
    ]


def _next_number() -> int:
    return (db.session.scalar(select(func.max(LadderVersion.number))) or 0) + 1


def published(kind: str | None = None) -> ColumnElement[bool]:
    """The tenant's own versions, of one kind or of all; not those of playbooks."""
    of_tenant = LadderVersion.playbook_version_id.is_(None)
    return and_(of_tenant, LadderVersion.kind == kind) if kind else of_tenant


def list_ladders(kind: str | None = None) -> list[list[LadderVersion]]:
    """The latest versions of each kind, or of one, oldest first, in the order in which clocks begin; one statement."""
    found = db.session.scalars(latest(LadderVersion, LadderVersion.kind, published(kind))).all()
    by_kind = {one: [version for version in found if version.kind == one] for one in CLOCK_KINDS}
    return [versions for versions in by_kind.values() if versions]


def get_ladder(kind: str) -> list[LadderVersion]:
    """The latest versions of one kind, oldest first."""
    for versions in list_ladders(kind):
        return versions
    raise NotFound


def view(versions: list[LadderVersion]) -> dict[str, Any]:
    """One kind's ladder as it is answered; `number` is the one from which on the present steps hold."""
    last = versions[-1]
    return {"kind": last.kind, "number": last.number, "steps": last.steps, "versions": versions}
