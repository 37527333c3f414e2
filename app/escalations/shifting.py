"""Open cases under another basis: which are to be moved, what becomes of each in memory, and writing them in sets."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Uuid, all_, any_, delete, exists, literal, or_, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY

from app.accounts.models import Account
from app.db import Model, current_tenant, db
from app.escalations import timeline
from app.escalations.case import basis_of
from app.escalations.lifecycle import IN_PROGRESS, LIVE, OPEN, REQUESTED, WAITING
from app.escalations.models import Escalation
from app.escalations.waiting import recount
from app.escalations.words import numbered
from app.playbooks import service as playbooks
from app.sla import service as sla
from app.sla.clocks import Clocks, save_all
from app.sla.ledgers import load_standing
from app.sla.models import Application, ApplicationCase, CalendarVersion, Clock, ServiceLevelVersion
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


Case = tuple[Escalation, str | None, str | None]  # with its account's calendar and zone


def behind(wanted: Application) -> list[ColumnElement[bool]]:
    """Open cases that go by an older version of the same thing, or, of a zone, those that its rules are to reach."""
    known = LIVE if wanted.kind == "zone" else (REQUESTED, *LIVE)  # a request's 30 days count in the zone of its raise
    status = Escalation.status.in_(known)
    version: ColumnElement[bool] = true()
    if wanted.kind == "ladder":
        version = Escalation.ladder_number < wanted.number
    elif wanted.kind == "zone":
        version = true() if wanted.phase == "counting" else _reached(wanted)
    elif wanted.kind == "calendar":
        of_it = select(CalendarVersion.id).where(CalendarVersion.calendar_id == wanted.subject_id)
        version = Escalation.calendar_version_id.in_(of_it.where(CalendarVersion.number < wanted.number))
    else:
        of_it = select(ServiceLevelVersion.id).where(ServiceLevelVersion.service_level_id == wanted.subject_id)
        version = Escalation.service_level_version_id.in_(of_it.where(ServiceLevelVersion.number < wanted.number))
    return [status, version, Escalation.id != all_(_array(wanted.failed_ids or []))]


def _reached(wanted: Application) -> ColumnElement[bool]:
    one = (ApplicationCase.application_id == wanted.id, ApplicationCase.escalation_id == Escalation.id)
    return exists().where(*one)


def _array(ids: Sequence[UUID]) -> ColumnElement[list[UUID]]:
    """As one parameter: a statement may have 65,535."""
    return literal(list(ids), ARRAY(Uuid))


def is_behind(found: Application) -> bool:
    query = select(Escalation.id).join(Account, Account.id == Escalation.account_id).where(*behind(found)).limit(1)
    return db.session.scalar(query) is not None


def pending(
    wanted: Application, now: datetime, *, after: UUID | None = None, limit: int | None = None, lock: bool = False
) -> list[Case]:
    """Cases to be moved, in order of id; locked, one that is held or has something due now is left to a later turn."""
    query = (
        select(Escalation, Account.calendar, Account.timezone)
        .join(Account, Account.id == Escalation.account_id)
        .where(*behind(wanted))
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


def move(wanted: Application, cases: Iterable[Case], now: datetime, *, lock: bool) -> Iterable[Moved]:
    """Each case's clocks under its new basis, in memory; one that cannot be moved is noted and holds up no other."""
    cases = list(cases)
    if not cases:
        return
    standing = load_standing([record.id for record, _, _ in cases], lock=lock)
    playbooks.load(record.playbook_version_id for record, _, _ in cases if record.playbook_version_id)
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
        return sla.basis_of(old.calendar_version_id, old.zone, wanted.number, old.level_version_id, old.own)
    if wanted.kind == "zone":
        return replace(old, zone=zone or wanted.name)
    if wanted.version_id is None:
        return old
    if wanted.kind == "calendar":
        return sla.basis_of(wanted.version_id, old.zone, old.ladder_number, old.level_version_id, old.own)
    return sla.under_level(old, wanted.version_id, calendar, now=now)


def save(found: Application, moved: Sequence[Moved], now: datetime) -> None:
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
    if moved and found.kind == "zone":
        done = ApplicationCase.escalation_id == any_(_array(counted.case_ids))
        db.session.execute(delete(ApplicationCase).where(ApplicationCase.application_id == found.id, done))


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
