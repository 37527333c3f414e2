"""What another playbook does to the running promises of a case: their targets, and the steps of their ladders."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app.escalations import promises
from app.escalations.case import Change
from app.playbooks.definition import Playbook
from app.playbooks.service import Line
from app.sla import queries, service
from app.sla.ladder import Ladder, ladder_to_json
from app.sla.ledger import Target
from app.sla.models import Clock
from app.sla.moving import list_passed, other_ladder
from app.sla.targets import CLOCK_KINDS

FAR = timedelta(days=3_650)
BECAUSE = "playbook_replaced"
CLOCKS = ("tier", *promises.INTERNAL_UPDATES)


@dataclass(frozen=True)
class Promise:
    """One clock whose target the playbook gives: retargeted, started or ended."""

    kind: str
    what: str
    was: Any
    becomes: Any
    target: Target | None

    def view(self) -> dict[str, Any]:
        target = self.target.to_json() if self.target else None
        return {"kind": self.kind, "what": self.what, "was": self.was, "becomes": self.becomes, "target": target}


@dataclass(frozen=True)
class LadderChange:
    """One kind of clock that takes other steps. `clocks` of the kind are running now and start at the foot of them:
    `passed_over` are the new steps whose time has gone by, which never fire."""

    kind: str
    was: Ladder
    becomes: Ladder
    clocks: int
    passed_over: tuple[dict[str, Any], ...]
    next_at: datetime | None

    def view(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "was": ladder_to_json(self.was),
            "becomes": ladder_to_json(self.becomes),
            "clocks": self.clocks,
            "passed_over": list(self.passed_over),
            "next_at": self.next_at,
        }

    def shown(self) -> list[Any]:
        """What a confirmation is about: no moments, which may count from when it is done."""
        passed = [(one["subject"], one["step"]) for one in self.passed_over]
        return [self.kind, ladder_to_json(self.was), ladder_to_json(self.becomes), self.clocks, passed]


def bring(change: Change, playbook: Playbook, lines: Sequence[Line]) -> tuple[list[Promise], list[LadderChange]]:
    """What the new playbook promises and how its clocks climb from here on; a clock is re-targeted once for both.

    To replace a playbook is itself a sign of work.
    """
    old = change.basis
    ending = {str(line.task.id) for line in lines if line.what == "ended" and line.task is not None}
    change.basis = replace(old, own=playbook.own_ladders)
    change.sign_of_work(change.now)
    promised = [one for kind in CLOCKS if (one := _promise(change, kind, playbook)) is not None]
    return promised, _change_ladders(change, old, ending)


def _promise(change: Change, kind: str, playbook: Playbook) -> Promise | None:
    """One clock brought from what the old playbook promised to what the new one does; None where both agree."""
    before = promises.target_of(change, kind)
    after = promises.promised(change.record, change.basis, playbook, kind)
    clock = change.clocks.get(kind)
    running = clock is not None and clock.ended_at is None
    if before == after or (not running and before is not None):
        return None
    was = clock.due_at if clock is not None and running else None
    at: dict[str, Any] = {"at": change.now, "now": change.now}
    if after is None:
        if running:
            change.clocks.cancel(kind, because=BECAUSE, **at)
        return Promise(kind, "ended", was, None, None) if running else None
    if running:
        basis = other_ladder(clock, change.basis) if clock else None
        moved = change.clocks.retarget(kind, after, basis=basis, because=BECAUSE, **at)
        return Promise(kind, "retargeted", was, moved.due_at, after) if moved else None
    change.start_clock(kind, change.now, after)
    started = change.clocks.get(kind)
    return Promise(kind, "started", None, started.due_at if started else None, after)


def _change_ladders(change: Change, old: service.Basis, ending: Collection[str]) -> list[LadderChange]:
    """Bring the running clocks to the ladders of the case's basis, but for those of tasks that are to end."""
    running = [row for row in change.clocks.rows() if row.ended_at is None and row.subject not in ending]
    for row in running:
        other = other_ladder(row, change.basis)
        if other is not None:
            at: dict[str, Any] = {"at": change.now, "now": change.now}
            change.clocks.retarget(row.kind, subject=row.subject, basis=other, because=BECAUSE, **at)
    found = ((kind, service.ladder_of(kind, old), service.ladder_of(kind, change.basis)) for kind in CLOCK_KINDS)
    return [_changed(kind, was, becomes, running, change.now) for kind, was, becomes in found if was != becomes]


def _changed(kind: str, was: Ladder, becomes: Ladder, rows: list[Clock], now: datetime) -> LadderChange:
    mine = [row for row in rows if row.kind == kind]
    passed = [
        {"at": due.at, "step": due.step.offset, "subject": None if row.subject == "-" else row.subject}
        for row in mine
        for due in list_passed(row)
    ]
    coming = queries.upcoming_steps(mine, now + FAR)
    return LadderChange(kind, was, becomes, len(mine), tuple(passed), coming[0].at if coming else None)
