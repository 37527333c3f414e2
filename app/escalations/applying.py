"""Apply to open: a newer service level, calendar, set of ladders or rules of a zone brought to the open cases.

First it is shown what would move, break and fire; then a job does it in batches, each case in one transaction with
everything that hangs on it, so that a kill at any moment leaves each case at its old version or its new one. What
fires at once is spread over the time asked for: a case is only moved when its turn has come.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, exists, func, or_, select, text, true

from app.accounts.models import Account
from app.db import Model, current_tenant, db, new_id
from app.errors import NotFound
from app.escalations import timeline
from app.escalations.case import basis_of
from app.escalations.lifecycle import IN_PROGRESS, LIVE, OPEN, REQUESTED, WAITING
from app.escalations.models import Escalation
from app.escalations.waiting import recount
from app.escalations.words import numbered
from app.sla import service as sla
from app.sla.clocks import Clocks, save_all
from app.sla.ledgers import load_standing
from app.sla.models import Application, CalendarVersion, Clock, ServiceLevelVersion
from app.sla.moving import CaseNow, Shift, bring

log = structlog.get_logger()

BATCH = 100
MOST_EXAMPLES = 100


@dataclass
class Moved:
    """One case brought to its new basis in memory; `save` writes any number of them."""

    record: Escalation
    clocks: Clocks
    new: sla.Basis
    shifts: list[Shift]

    @property
    def fires(self) -> int:
        return sum(shift.fires for shift in self.shifts)

    @property
    def changes(self) -> bool:
        """Whether anything becomes another; under zone rules most cases stay as they are."""
        return bool(self.shifts) or self.new != basis_of(self.record)


@dataclass
class Counted:
    """What an application would do, or did in one batch."""

    escalations: int = 0
    clocks: int = 0
    breached: int = 0
    steps: int = 0
    firing: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)
    case_ids: list[UUID] = field(default_factory=list)

    def add(self, moved: Moved) -> None:
        changed = [shift for shift in moved.shifts if shift.moved]
        self.escalations += 1
        self.case_ids.append(moved.record.id)
        self.clocks += len(changed)
        self.breached += sum(shift.breached for shift in moved.shifts)
        self.steps += moved.fires
        self.firing += moved.fires > 0
        room = MOST_EXAMPLES - len(self.examples)
        self.examples += [_example(moved.record, shift) for shift in changed[:room]]


def _example(record: Escalation, shift: Shift) -> dict[str, Any]:
    return {
        "escalation_id": record.id,
        "number": numbered(record.number),
        "clock": shift.kind,
        "what": shift.what,
        "was": shift.was,
        "becomes": shift.becomes,
        "breaches": shift.breached,
        "steps": shift.fires,
    }


# -- asking and starting ----------------------------------------------------------------------------------------------


def preview(wanted: Application, now: datetime) -> Counted:
    """What applying it now would do; nothing is written."""
    counted, after = Counted(), None
    while True:
        cases = _pending(wanted, now, after=after)
        for moved in _move(wanted, cases, now, lock=False):
            if moved.changes:
                counted.add(moved)
        db.session.expunge_all()
        if len(cases) < BATCH:
            return counted
        after = cases[-1][0].id


def start(wanted: Application) -> Application:
    """Have it done in the background; an earlier one of the same thing that still runs is replaced."""
    same = (Application.kind == wanted.kind, Application.name == wanted.name, Application.ended_at.is_(None))
    for earlier in db.session.scalars(select(Application).where(*same).with_for_update()):
        earlier.phase, earlier.ended_at = "replaced", wanted.started_at
    db.session.flush()
    found = select(func.count()).select_from(Escalation).join(Account, Account.id == Escalation.account_id)
    wanted.total = db.session.scalar(found.where(*_behind(wanted))) or 0
    db.session.add(wanted)
    db.session.flush()
    return wanted


def new_application(
    kind: str,
    name: str,
    *,
    number: int,
    now: datetime,
    spread: timedelta,
    subject_id: UUID | None = None,
    version_id: UUID | None = None,
    actor_id: UUID | None = None,
) -> Application:
    """Not stored yet: for a preview, or to be started."""
    return Application(
        id=new_id(),
        kind=kind,
        name=name,
        subject_id=subject_id,
        version_id=version_id,
        number=number,
        phase="counting" if spread or kind == "zone" else "moving",
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
    application_id = found.id
    counted = preview(found, now)
    found = get_application(application_id)  # a preview forgets what it has read
    found.firing, found.phase = counted.firing, "moving"
    if found.kind == "zone":
        found.case_ids, found.total = counted.case_ids, counted.escalations
    db.session.flush()
    return True


def _move_on(found: Application, now: datetime) -> bool:
    """The next cases in their order; with a spread those that fire something at once wait for their turn."""
    cases = _pending(found, now, after=found.after_id, lock=True)
    moved = list(_move(found, cases, now, lock=True))
    _save(found, [one for one in moved if not (found.spread_seconds and one.fires)], now)
    if cases:
        found.after_id = cases[-1][0].id
    more = len(cases) == BATCH
    if not more:
        found.after_id = None
        found.phase = "spreading"
    db.session.flush()
    return True


def _spread(found: Application, now: datetime) -> bool:
    """As many as their time has come for, and whatever fires nothing by now."""
    allowed = _allowed(found, now) - found.fired
    cases = _pending(found, now, limit=min(BATCH, max(allowed, 1)), lock=True) if allowed > 0 else []
    moved = list(_move(found, cases, now, lock=True))
    _save(found, moved, now)
    if not cases and not _is_behind(found):
        found.phase, found.ended_at = "done", now
    db.session.flush()
    return bool(cases)


def _allowed(found: Application, now: datetime) -> int:
    """How many cases that fire at once may have been moved by now: the first at once, the last when the time is up."""
    gone = int((now - found.started_at).total_seconds())
    if gone >= found.spread_seconds or found.firing < 2:
        return found.fired + BATCH
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


# -- cases ------------------------------------------------------------------------------------------------------------

Case = tuple[Escalation, str | None, str | None]  # with its account's calendar and zone


def _behind(wanted: Application) -> list[ColumnElement[bool]]:
    """Open cases that go by another version of the same thing."""
    known = LIVE if wanted.kind == "zone" else (REQUESTED, *LIVE)  # a request's 30 days count in the zone of its raise
    status = Escalation.status.in_(known)
    version: ColumnElement[bool] = true()
    if wanted.kind == "ladder":
        version = Escalation.ladder_number < wanted.number
    elif wanted.kind == "zone":
        version = true() if wanted.case_ids is None else Escalation.id.in_(wanted.case_ids)
    elif wanted.kind == "calendar":
        of_it = select(CalendarVersion.id).where(CalendarVersion.calendar_id == wanted.subject_id)
        version = Escalation.calendar_version_id.in_(of_it.where(CalendarVersion.id != wanted.version_id))
    else:
        of_it = select(ServiceLevelVersion.id).where(ServiceLevelVersion.service_level_id == wanted.subject_id)
        version = Escalation.service_level_version_id.in_(of_it.where(ServiceLevelVersion.id != wanted.version_id))
    return [status, version, Escalation.id.not_in(wanted.failed_ids or [])]


def _is_behind(found: Application) -> bool:
    query = select(Escalation.id).join(Account, Account.id == Escalation.account_id).where(*_behind(found)).limit(1)
    return db.session.scalar(query) is not None


def _pending(
    wanted: Application, now: datetime, *, after: UUID | None = None, limit: int | None = None, lock: bool = False
) -> list[Case]:
    """Cases to be moved, in order of id; locked, one that is held or has something due now is left to a later turn."""
    query = (
        select(Escalation, Account.calendar, Account.timezone)
        .join(Account, Account.id == Escalation.account_id)
        .where(*_behind(wanted))
        .order_by(Escalation.id)
        .limit(limit or BATCH)
    )
    if after is not None:
        query = query.where(Escalation.id > after)
    if lock:
        due = exists().where(Clock.escalation_id == Escalation.id, Clock.next_step_at <= now)
        asleep = or_(Escalation.status != WAITING, Escalation.wake_at.is_(None), Escalation.wake_at > now)
        query = query.where(~due, asleep).with_for_update(skip_locked=True, of=Escalation)
    return [(row[0], row[1], row[2]) for row in db.session.execute(query)]


def _move(wanted: Application, cases: Iterable[Case], now: datetime, *, lock: bool) -> Iterable[Moved]:
    """Each case's clocks under its new basis, in memory; one that cannot be moved is noted and holds up no other."""
    cases = list(cases)
    if not cases:
        return
    standing = load_standing([record.id for record, _, _ in cases], lock=lock)
    for record, calendar, zone in cases:
        old = basis_of(record)
        new = _new_basis(wanted, old, calendar, zone, now)
        clocks = Clocks(record.id, standing[record.id])
        try:
            case, rules = _case_now(record), wanted.kind == "zone"
            shifts = bring(clocks, case, old=old, new=new, at=now, because=wanted.label, rules=rules)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            log.exception("case_not_moved", escalation_id=str(record.id), because=wanted.label)
            wanted.failed_ids = [*(wanted.failed_ids or []), record.id]
            continue
        yield Moved(record, clocks, new, shifts)


def _case_now(record: Escalation) -> CaseNow:
    return CaseNow(
        severity=record.severity,
        tier=record.tier,
        working=record.status in (OPEN, IN_PROGRESS, WAITING),
        waiting_on=None if record.wait_exhausted else record.waiting_party,
    )


def _new_basis(wanted: Application, old: sla.Basis, calendar: str | None, zone: str | None, now: datetime) -> sla.Basis:
    if wanted.kind == "ladder":
        return sla.basis_of(old.calendar_version_id, old.zone, wanted.number, old.level_version_id)
    if wanted.kind == "zone":
        return replace(old, zone=zone or wanted.name)
    if wanted.version_id is None:
        return old
    if wanted.kind == "calendar":
        return sla.basis_of(wanted.version_id, old.zone, old.ladder_number, old.level_version_id)
    return sla.under_level(old, wanted.version_id, calendar, now=now)


def _save(found: Application, moved: Sequence[Moved], now: datetime) -> None:
    """The cases, their clocks and events in a few statements; and what was done, on the application's row."""
    rows: list[Model] = []
    counted = Counted()
    for one in moved:
        counted.add(one)
        db.session.expunge(one.record)  # written with the others below
        rows += _take(found, one, now)
    if moved:
        taken = json.dumps([_columns(one.record) for one in moved], default=str)
        db.session.execute(TAKE, {"tenant": current_tenant(), "rows": taken})
    save_all([one.clocks for one in moved], rows)
    found.escalations += counted.escalations
    found.clocks += counted.clocks
    found.breached += counted.breached
    found.steps += counted.steps
    found.fired += counted.firing
    if found.case_ids is not None:
        found.case_ids = [id_ for id_ in found.case_ids if id_ not in counted.case_ids]


# What an application may change of a case: its versions, what follows from them, and where its timeline stands.
TAKEN = (
    "calendar_version_id",
    "zone",
    "ladder_number",
    "service_level_version_id",
    "resolve_by_at",
    "wait_used_seconds",
    "wake_at",
    "event_count",
    "event_hash",
)
TAKE = text(
    f"""
    update escalation e set {", ".join(f"{name} = r.{name}" for name in TAKEN)}, version = e.version + 1
    from jsonb_populate_recordset(null::escalation, cast(:rows as jsonb)) r
    where e.tenant_id = :tenant and e.id = r.id
    """  # noqa: S608 - column names are ours
)


def _columns(record: Escalation) -> dict[str, Any]:
    columns = {"id": record.id, **{name: getattr(record, name) for name in TAKEN}}
    return {**columns, "event_hash": "\\x" + record.event_hash.hex()}


def _take(found: Application, moved: Moved, now: datetime) -> list[Model]:
    """The record goes by its new versions; the timeline says so."""
    record, new = moved.record, moved.new
    old = basis_of(record)
    record.calendar_version_id, record.zone = new.calendar_version_id, new.zone
    record.ladder_number, record.service_level_version_id = new.ladder_number, new.level_version_id
    record.resolve_by_at = sla.resolve_by(record.due_at, new)
    recount(record, old, new, now)
    facts = {"because": found.label, "application": found.id, "clocks": [shift.kind for shift in moved.shifts]}
    return timeline.append(record, "retarget", actor_id=found.actor_id, at=now, now=now, facts=facts)
