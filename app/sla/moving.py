"""Bringing the clocks of an open case to other versions: what moves, ends, begins, breaches and fires at once."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from app.sla.basis import Basis, find_default_target
from app.sla.clocks import Clocks
from app.sla.due import first_due, timing_of_row
from app.sla.ledger import Target
from app.sla.models import Clock
from app.sla.steps import Due, next_step, passed_over
from app.sla.targets import ASKED_BY_LEVEL
from app.sla.versions import find_calendar, find_ladders

What = Literal["retargeted", "started", "ended"]


@dataclass(frozen=True, slots=True)
class Shift:
    """What became of one clock: its due time before and after, whether it broke by it, and the steps that fire now."""

    kind: str
    what: What
    was: datetime | None
    becomes: datetime | None
    breached: bool = False
    fires: int = 0

    @property
    def moved(self) -> bool:
        """Whether its due time is another one, or it began or ended."""
        return self.what != "retargeted" or self.was != self.becomes


@dataclass(frozen=True, slots=True)
class CaseNow:
    """What of the case decides its targets; `working` is while it is worked on, not resolved or requested."""

    severity: int
    tier: str
    working: bool
    waiting_on: str | None = None


def bring(
    clocks: Clocks, case: CaseNow, *, old: Basis, new: Basis, at: datetime, because: str, rules: bool = False
) -> list[Shift]:
    """Re-target what stands from one basis to another; nothing is written before the clocks are saved.

    Elapsed and paused time survive, nothing falls due before `at`. `close` keeps its due time and calendar whatever
    happens and only climbs another ladder. A target that was not the old basis's own (a severity that fell kept it, or
    it was given for this one clock) stays, unless the new service level states another. `rules`: due times that were
    stored under other rules of their zone follow today's.
    """
    running = [row for row in clocks.rows() if row.ended_at is None]
    adrift = {row.id for row in running if rules and row.kind != "close" and clocks.is_adrift(row)}
    shifts = [_bring_one(clocks, row, case, old, new, at, because, adrift=row.id in adrift) for row in running]
    if case.working and old.level_version_id != new.level_version_id:
        shifts += _begin_asked(clocks, case, old, new, at, because)
    return [shift for shift in shifts if shift is not None]


def align(clocks: Clocks, rows: Iterable[Clock], basis: Basis, *, at: datetime) -> None:
    """What is taken up again counts by the versions that were applied to its case meanwhile."""
    for row in rows:
        other = _other_basis(row, basis)
        if other is not None:
            clocks.retarget(row.kind, subject=row.subject, basis=other, at=at, now=at, because="applied meanwhile")


def _bring_one(
    clocks: Clocks, row: Clock, case: CaseNow, old: Basis, new: Basis, at: datetime, because: str, *, adrift: bool
) -> Shift | None:
    was, state = row.due_at, row.state
    before, after = _targets(row.kind, case, old, new)
    if row.kind in ASKED_BY_LEVEL and after is None and before == _target_of(row):
        clocks.cancel(row.kind, at=at, now=at, subject=row.subject, because=because)
        return Shift(row.kind, "ended", was, None)
    target, basis = _new_target(row, case, old, new, before, after), _other_basis(row, new)
    if adrift:
        basis = basis or _own_basis(row)
    if target is None and basis is None:
        return None
    stood = was if adrift else None
    clocks.retarget(row.kind, target, subject=row.subject, basis=basis, at=at, now=at, because=because, was=stood)
    breached = row.state == "breached" and state != "breached"
    return Shift(row.kind, "retargeted", was, row.due_at, breached, count_due(row, at))


def _new_target(
    row: Clock, case: CaseNow, old: Basis, new: Basis, before: Target | None, after: Target | None
) -> Target | None:
    """What is promised from now on, None if that is what is promised already."""
    present = _target_of(row)
    if row.kind == "close" or after is None or after == present:
        return None
    if present == before:
        return after
    softer = after.kind == present.kind and after.value >= present.value
    kept = not _states(row.kind, case, old, new) or (row.kind == "customer_update" and softer)
    return None if kept else after


def _begin_asked(
    clocks: Clocks, case: CaseNow, old: Basis, new: Basis, at: datetime, because: str
) -> list[Shift | None]:
    """What the new service level asks for and the old one did not begins now."""
    shifts: list[Shift | None] = []
    for kind in ASKED_BY_LEVEL:
        before, target = _targets(kind, case, old, new)
        running = clocks.get(kind)
        if before is not None or target is None or (running is not None and running.ended_at is None):
            continue
        row = clocks.start(kind, at=at, now=at, target=target, basis=new, waiting_on=case.waiting_on, asked_by=because)
        shifts.append(Shift(kind, "started", None, row.due_at))
    return shifts


def count_due(row: Clock, at: datetime) -> int:
    """How many steps the sweep will fire at once; they fold into one message for each person."""
    if row.next_step_at is None or row.next_step_at > at:
        return 0
    ladder = find_ladders(row.ladder_number)[row.kind]
    timing = timing_of_row(row, find_calendar(row.calendar_version_id))
    due, count = first_due(row, ladder, timing), 0
    while due is not None and due.at <= at:
        count, due = count + 1, next_step(ladder, timing, after=due)
    return count


def _target_of(row: Clock) -> Target:
    return Target.from_json({"kind": row.target_kind, "value": row.target_value})


def _targets(kind: str, case: CaseNow, old: Basis, new: Basis) -> tuple[Target | None, Target | None]:
    """What either basis promises for this kind in this case."""
    before, after = (find_default_target(kind, one, severity=case.severity, tier=case.tier) for one in (old, new))
    return before, after


def _states(kind: str, case: CaseNow, old: Basis, new: Basis) -> bool:
    """Whether a new service level has its own word on this kind."""
    if new.level is None or new.level_version_id == old.level_version_id:
        return False
    variants = {kind, f"{kind}.{case.severity}", f"{kind}.{case.tier}"}
    return not variants.isdisjoint(new.level.targets)


def _other_basis(row: Clock, new: Basis) -> Basis | None:
    """What this clock counts by from now on, None if that is what it counts by already.

    A ladder that reads the same is no other.
    """
    number = _number_for(row, new)
    if row.kind == "close":
        wanted = Basis(row.calendar_version_id, row.zone, number)
    else:
        wanted = replace(new, ladder_number=number, level_version_id=None, own=None)
    return wanted if wanted != _own_basis(row) else None


def other_ladder(row: Clock, new: Basis) -> Basis | None:
    """As this clock counts, with the ladder of another basis; None if that reads the same."""
    number = _number_for(row, new)
    return None if number == row.ladder_number else replace(_own_basis(row), ladder_number=number)


def _number_for(row: Clock, new: Basis) -> int:
    ladders = (find_ladders(number)[row.kind] for number in (row.ladder_number, new.number_of(row.kind)))
    return row.ladder_number if len(set(ladders)) == 1 else new.number_of(row.kind)


def list_passed(row: Clock) -> list[Due]:
    """The steps that lie behind a clock's start, last re-target or reopening and never fire."""
    if row.due_at is None or row.ended_at is not None:
        return []
    ladder = find_ladders(row.ladder_number)[row.kind]
    return passed_over(ladder, timing_of_row(row, find_calendar(row.calendar_version_id)))


def _own_basis(row: Clock) -> Basis:
    return Basis(row.calendar_version_id, row.zone, row.ladder_number)
