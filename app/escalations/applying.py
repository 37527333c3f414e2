"""Apply to open: a newer service level, calendar, set of ladders or rules of a zone brought to the open cases.

First it is shown what would move, break and fire (`counting`); then a job does it in batches, each case in one
transaction with everything that hangs on it, so that a kill at any moment leaves each case at its old version or its
new one. What fires at once is spread over the time asked for: a case is only moved when its turn has come.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from app.db import db, new_id, take_turn
from app.errors import NotFound
from app.escalations import counting, shifting
from app.sla.models import Application

# -- asking and starting ----------------------------------------------------------------------------------------------


def show_or_start(wanted: Application, now: datetime) -> shifting.Counted | Application:
    """What it would do, where that is counted at once; else the workers count or do it."""
    if wanted.preview and counting.count_behind(wanted) <= counting.MOST_AT_ONCE:
        return counting.preview(wanted, now)
    return start(wanted)


def start(wanted: Application) -> Application:
    """Have it done in the background; an earlier one of the same thing that still runs is replaced.

    One of a newer version, which another asked for meanwhile, goes on instead and is answered.
    """
    for earlier in _take_turn(wanted):
        if earlier.number > wanted.number:
            return earlier
        _end(earlier, "replaced", wanted.started_at)
    db.session.flush()
    wanted.total = counting.count_behind(wanted)
    db.session.add(wanted)
    db.session.flush()
    return wanted


def _take_turn(wanted: Application) -> Sequence[Application]:
    """What runs of the same thing; who asks at the same moment waits. Of the zone, whatever its name, there is one."""
    take_turn(f"application:{wanted.kind}")
    same = [Application.kind == wanted.kind, Application.preview.is_(wanted.preview), Application.ended_at.is_(None)]
    if wanted.kind != "zone":
        same.append(Application.name == wanted.name)
    return db.session.scalars(select(Application).where(*same).with_for_update()).all()


def new_application(
    kind: str,
    name: str,
    *,
    number: int,
    now: datetime,
    spread: timedelta = timedelta(0),
    preview: bool = False,
    subject_id: UUID | None = None,
    version_id: UUID | None = None,
    actor_id: UUID | None = None,
) -> Application:
    """Not stored yet: to be shown at once, or to be started."""
    return Application(
        id=new_id(),
        kind=kind,
        name=name,
        subject_id=subject_id,
        version_id=version_id,
        number=number,
        phase="counting" if preview or spread or kind == "zone" else "moving",
        preview=preview,
        spread_seconds=int(spread.total_seconds()),
        total=0,
        actor_id=actor_id,
        started_at=now,
    )


def get_application(application_id: UUID) -> Application:
    found = db.session.get(Application, application_id)
    if found is None:
        raise NotFound
    return found


def list_applications(*, after: UUID | None, limit: int) -> Sequence[Application]:
    """The newest first."""
    query = select(Application).order_by(Application.id.desc()).limit(limit)
    return db.session.scalars(query.where(Application.id < after) if after else query).all()


# -- the job ----------------------------------------------------------------------------------------------------------


def list_running() -> list[UUID]:
    """The applications of the tenant in scope that are not done, the oldest first."""
    query = select(Application.id).where(Application.ended_at.is_(None)).order_by(Application.id)
    return list(db.session.scalars(query))


def apply_batch(application_id: UUID, now: datetime) -> bool:
    """One batch in the caller's transaction; whether there may be more to do now. Another worker's is left to it."""
    asked = select(Application).where(Application.id == application_id, Application.ended_at.is_(None))
    found = db.session.scalars(asked.with_for_update(skip_locked=True)).one_or_none()
    if found is None:
        return False
    return PHASES[found.phase](found, now)


def _count(found: Application, now: datetime) -> bool:
    """How many cases fire something at once decides how they are spread; zone rules must find their cases first."""
    more = counting.count_batch(found, now)
    if not more and found.preview:
        _end(found, "done", now)
    elif not more:
        found.phase = "moving"
        if found.kind == "zone":
            found.total = counting.count_reached(found)
    db.session.flush()
    return found.ended_at is None


def _move_on(found: Application, now: datetime) -> bool:
    """The next cases in their order; with a spread those that fire something at once wait for their turn."""
    cases = shifting.pending(found, now, after=found.after_id, lock=True)
    moved = list(shifting.move(found, cases, now, lock=True))
    shifting.save(found, [one for one in moved if not (found.spread_seconds and one.fires)], now)
    if cases:
        found.after_id = cases[-1][0].id
    if len(cases) < shifting.BATCH:
        found.after_id = None
        found.phase = "spreading"
    db.session.flush()
    return True


def _spread(found: Application, now: datetime) -> bool:
    """As many as their time has come for, and whatever fires nothing by now."""
    allowed = _allowed(found, now) - found.fired
    cases = shifting.pending(found, now, limit=min(shifting.BATCH, max(allowed, 1)), lock=True) if allowed > 0 else []
    moved = list(shifting.move(found, cases, now, lock=True))
    shifting.save(found, moved, now)
    if not cases and not shifting.is_behind(found):
        _end(found, "done", now)
    db.session.flush()
    return bool(cases)


def _end(found: Application, phase: str, now: datetime) -> None:
    found.phase, found.ended_at = phase, now
    if found.kind == "zone":
        counting.forget_cases(found)


def _allowed(found: Application, now: datetime) -> int:
    """How many cases that fire at once may have been moved by now: the first at once, the last when the time is up."""
    gone = int((now - found.started_at).total_seconds())
    if gone >= found.spread_seconds or found.firing < 2:
        return found.fired + shifting.BATCH
    return 1 + (found.firing - 1) * gone // found.spread_seconds


def next_turn(found: Application) -> datetime:
    """When the next case of a spread has its turn."""
    if found.phase != "spreading" or found.firing < 2:
        return found.started_at
    seconds = -(-found.spread_seconds * found.fired // (found.firing - 1))
    return found.started_at + timedelta(seconds=min(seconds, found.spread_seconds))


def list_turns() -> list[datetime]:
    """When each application that is not done goes on, in the tenant's time."""
    return [next_turn(found) for found in db.session.scalars(select(Application).where(Application.ended_at.is_(None)))]


PHASES = {"counting": _count, "moving": _move_on, "spreading": _spread}
