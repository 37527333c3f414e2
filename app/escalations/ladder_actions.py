"""What a ladder's step does beside telling somebody: whether its cause still stands, and then the engine's doing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from app.db import db
from app.escalations import deciding, engine
from app.escalations.firing import NOTIFY, action_lines
from app.escalations.lifecycle import LIVE, RESOLVED
from app.escalations.reminders import WHAT_TO_DO, long, step_of
from app.escalations.tiers import TIERS
from app.playbooks import service as playbooks
from app.routing import service as routing
from app.sla import claims
from app.sla.due import Fired, Firing

BEFORE_RESOLVED = LIVE - {RESOLVED}

LOCK_CASE = text("select status, tier, playbook_version_id from escalation where id = :id for update")
LAST_EVENT = text("select max(at) from event where escalation_id = :id and kind = :kind")


@dataclass(frozen=True, slots=True)
class CaseNow:
    """What is asked of the locked escalation before an action; a row of LOCK_CASE."""

    status: str
    tier: str
    playbook_version_id: UUID | None


def lock_case(escalation_id: UUID) -> CaseNow:
    """The escalation as it is now, locked: before its clocks, as every use case does."""
    return CaseNow(*db.session.execute(LOCK_CASE, {"id": escalation_id}).one())


def act(fired: Fired, now: datetime) -> None:
    """Perform a clock's actions after it was written; each has its line in the same transaction, and finds the case as
    the one before left it."""
    for one in fired.firings:
        if one.action != NOTIFY:
            action, case = ACTIONS[one.action], lock_case(fired.clock.escalation_id)
            *folded, line = action_lines(fired, one, done=action.still_asked_for(fired, one, case))
            new = claims.write_lines([*folded, line], now)
            if line.id in new and line.outcome == "done":
                action.do(fired, one, case, now)


@dataclass(frozen=True, slots=True)
class Action:
    """An action of a ladder: whether its cause still stands, and what is done."""

    still_asked_for: Callable[[Fired, Firing, CaseNow], bool]
    do: Callable[[Fired, Firing, CaseNow, datetime], object]


def said(fired: Fired, one: Firing) -> str:
    """The clock and the step in words, as the reason for what was done."""
    clock = fired.clock
    return f"The {clock.kind.replace('_', ' ')} clock, due {long(clock.due_at, clock.zone)}: {step_of(one.offset)}"


def _in_hand(fired: Fired, case: CaseNow) -> bool:
    """Whether the case is open; while resolved only the customer's word is awaited, and not whoever has to close."""
    return case.status in LIVE and not (fired.clock.kind == "close" and case.status == RESOLVED)


def _since(fired: Fired, kind: str, one: Firing) -> bool:
    """Whether there was an event of this kind since the step fell due."""
    last: datetime | None = db.session.scalar(LAST_EVENT, {"id": fired.clock.escalation_id, "kind": kind})
    return last is not None and last >= one.at


def _close_asked(fired: Fired, one: Firing, case: CaseNow) -> bool:
    return case.status == RESOLVED


def _close(fired: Fired, one: Firing, case: CaseNow, now: datetime) -> None:
    engine.verify_unanswered(fired.clock.escalation_id, now=now, at=one.at)


def _escalate_asked(fired: Fired, one: Firing, case: CaseNow) -> bool:
    """Not when the tier has changed since the step fell due, nor where the path leaves the move to people."""
    if case.status not in BEFORE_RESOLVED or case.tier == TIERS[-1] or _since(fired, "escalate", one):
        return False
    playbook = playbooks.find_playbook(case.playbook_version_id)
    stage = playbook.tier(case.tier) if playbook else None
    return stage is None or stage.automatic


def _escalate(fired: Fired, one: Firing, case: CaseNow, now: datetime) -> None:
    engine.hop(fired.clock.escalation_id, now=now, from_tier=case.tier)


def _reassign_asked(fired: Fired, one: Firing, case: CaseNow) -> bool:
    """Not when the owner has changed since the step fell due: the new one has had no time yet."""
    held_since = routing.held_since(fired.clock.escalation_id)
    return _in_hand(fired, case) and held_since is not None and held_since <= one.at


def _reassign(fired: Fired, one: Firing, case: CaseNow, now: datetime) -> None:
    engine.reassign(fired.clock.escalation_id, now=now, reason=said(fired, one))


def _task_asked(fired: Fired, one: Firing, case: CaseNow) -> bool:
    return _in_hand(fired, case)


def _add_task(fired: Fired, one: Firing, case: CaseNow, now: datetime) -> None:
    title = f"{said(fired, one)} {WHAT_TO_DO[fired.clock.kind].capitalize()}."
    engine.add_task(fired.clock.escalation_id, now=now, title=title, clock=fired.clock.kind, step=one.offset)


def _decision_asked(fired: Fired, one: Firing, case: CaseNow) -> bool:
    """Not while one is asked for already, nor when management has decided since the step fell due."""
    if not _in_hand(fired, case) or deciding.is_asked(fired.clock.escalation_id):
        return False
    return not _since(fired, "decision", one)


def _ask_decision(fired: Fired, one: Firing, case: CaseNow, now: datetime) -> None:
    engine.ask_decision(fired.clock.escalation_id, now=now, reason=said(fired, one))


ACTIONS: Mapping[str, Action] = {
    "close": Action(_close_asked, _close),
    "escalate": Action(_escalate_asked, _escalate),
    "reassign": Action(_reassign_asked, _reassign),
    "task": Action(_task_asked, _add_task),
    "decision": Action(_decision_asked, _ask_decision),
}
