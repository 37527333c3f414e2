"""The ladders a tenant has published: one number for all of them, which rises with each publication of one kind, so
that a case keeps a whole set by keeping a number."""

from datetime import datetime
from typing import Any

from sqlalchemy import true

from app.auth import service as auth
from app.auth.settings import current_version
from app.db import db, new_id
from app.errors import NotFound, invalid
from app.rows import insert_all
from app.sla.history import latest
from app.sla.ladder import Ladder, ladder_to_json, parse_ladder
from app.sla.models import LadderVersion
from app.sla.offsets import LadderError
from app.sla.targets import CLOCK_KINDS

FIRST_LADDER = 1
MOST_STEPS = 50
SHORTEST_ENDLESS = 3600


def current_ladder() -> int:
    """The number of the tenant's ladders for cases raised now."""
    return current_version("ladder") or FIRST_LADDER


def publish_ladder(kind: str, steps: object, *, now: datetime) -> LadderVersion:
    """The next steps of this kind of clock; open cases keep the ladders they started with.

    Raises Invalid naming the step's field when the ladder cannot be meant.
    """
    ladder = check_ladder(kind, steps)
    auth.begin_publishing("ladder")
    number = current_ladder() + 1
    version = LadderVersion(id=new_id(), kind=kind, number=number, steps=ladder_to_json(ladder), created_at=now)
    insert_all([version])
    auth.set_current(ladder=number)
    return version


def check_ladder(kind: str, steps: object) -> Ladder:
    """The ladder, if its clock can climb it."""
    try:
        ladder = parse_ladder(steps)
        if len(ladder) > MOST_STEPS:
            raise LadderError(str(MOST_STEPS), f"expected at most {MOST_STEPS} steps")
        _check_repeats(ladder)
        _check_closing(kind, ladder)
    except LadderError as error:
        raise invalid(f"steps/{error.field}".rstrip("/"), error.detail) from error
    return ladder


def _check_repeats(ladder: Ladder) -> None:
    """What goes on until the clock ends must not bury anybody."""
    for index, step in enumerate(ladder):
        repeat = step.repeat
        if repeat and repeat.times is None and repeat.length.days == 0 and repeat.length.seconds < SHORTEST_ENDLESS:
            raise LadderError(f"{index}/repeat/every", "without times, expected PT1H or more")


def _check_closing(kind: str, ladder: Ladder) -> None:
    """An unanswered verification closes the case at its due time, and nothing else does."""
    closing = [(index, step.offset) for index, step in enumerate(ladder) if step.action == "close"]
    if kind == "verify" and [offset for _, offset in closing] != ["0"]:
        raise LadderError("", 'expected a step that closes the case: {"offset": "0", "action": "close"}')
    if kind != "verify" and closing:
        raise LadderError(f"{closing[0][0]}/action", "only the customer's silence, the clock verify, closes a case")


def list_ladders(kind: str | None = None) -> list[list[LadderVersion]]:
    """The latest versions of each kind, or of one, oldest first, in the order in which clocks begin; one statement."""
    wanted = LadderVersion.kind == kind if kind else true()
    found = db.session.scalars(latest(LadderVersion, LadderVersion.kind, wanted)).all()
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
