"""Another playbook for an open case: first shown with what becomes of every task and promise, then done as shown."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.auth import queries as users
from app.errors import Conflict, invalid
from app.escalations import criteria, holders, promises, replaced_intake
from app.escalations.case import Act, Change, begin
from app.escalations.following import answers_of, holders_of, note_tasks, question_of
from app.escalations.lifecycle import IN_PROGRESS, OPEN, WAITING, StepNotAllowed, allowed
from app.escalations.owning import named
from app.escalations.replaced_intake import IntakeLine
from app.escalations.replaced_promises import BECAUSE, LadderChange, Promise, bring
from app.escalations.tasking import promise
from app.escalations.tiers import TIERS
from app.playbooks import intake
from app.playbooks import service as playbooks
from app.playbooks.definition import Playbook
from app.playbooks.models import Task
from app.playbooks.service import REPLACED, Line

ACTION, EVENT = "playbook", "playbook_replaced"


class ShownOtherwise(Conflict):
    code, title = "ground_changed", "What would happen is not what was shown; look at it again"


@dataclass(frozen=True)
class Replacement:
    """What replacing the playbook of a case does, as shown and as done."""

    was: UUID | None
    version_id: UUID
    playbook: Playbook
    old: Playbook | None
    tier: str
    lines: Sequence[Line]
    question: str | None
    intake: IntakeLine | None
    promises: Sequence[Promise]
    ladders: Sequence[LadderChange]
    criteria: Sequence[dict[str, str]]
    completeness: tuple[int, int]
    missing: Sequence[str]

    def view(self) -> dict[str, Any]:
        return {
            "digest": self.digest(),
            "name": self.playbook.name,
            "version_id": self.version_id,
            "was_version_id": self.was,
            "tasks": [line.view() for line in self.lines],
            "question": self.question,
            "intake": self.intake.view() if self.intake else None,
            "clocks": [one.view() for one in self.promises],
            "ladders": [one.view() for one in self.ladders],
            "path": {"was": list(_path(self.old)), "becomes": list(self.playbook.path), "tier": self.tier},
            "exit_criteria": self.criteria,
            "completeness": {"was": self.completeness[0], "becomes": self.completeness[1]},
            "missing": self.missing,
        }

    def digest(self) -> str:
        """Of all that was shown but moments that count from when it is done."""
        tasks = [(line.what, line.key, line.task and line.task.id, line.ready, line.changes) for line in self.lines]
        clocks = [(one.kind, one.what, one.target and one.target.to_json()) for one in self.promises]
        ladders = [one.shown() for one in self.ladders]
        asked = [self.question, self.intake and self.intake.view(), self.criteria, self.completeness]
        said = [self.was, self.version_id, self.tier, tasks, clocks, ladders, *asked]
        return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()


def preview(escalation_id: UUID, playbook_id: UUID, *, act: Act) -> Replacement:
    """What would become of the case's tasks, path, promises and criteria; nothing is written."""
    return _lay_out(_begin(escalation_id, act), playbook_id)


def replace(escalation_id: UUID, playbook_id: UUID, *, act: Act, reason: str, digest: str) -> Replacement:
    """Exactly what was shown under this digest; refused when something has changed since."""
    change = _begin(escalation_id, act)
    found = _lay_out(change, playbook_id)
    if found.digest() != digest:
        raise ShownOtherwise(digest=found.digest())
    change.record.playbook_version_id = found.version_id
    change.record.completeness = found.completeness[1]
    facts: dict[str, Any] = {"was": found.was, "version": found.version_id}
    facts["ladders"] = [one.kind for one in found.ladders]
    for what in ("kept", "ended"):
        facts[what] = [line.task.id for line in found.lines if line.what == what and line.task]
    change.note(EVENT, facts, {"reason": reason})
    _end(change, found.lines)
    begun = _keep(change, found.lines)
    new = [*_make(change, found.lines), *_ask(change, found.question), *replaced_intake.bring(change, found.intake)]
    holders.follow(change, because="playbook")
    note_tasks(change, new)
    change.rows += new
    _tell(change, [*begun, *new])
    change.save()
    return found


def _begin(escalation_id: UUID, act: Act) -> Change:
    change = begin(escalation_id, ACTION, act)
    if change.record.status not in (OPEN, IN_PROGRESS, WAITING):
        raise StepNotAllowed(ACTION, change.record.status, allowed(change.record.status))
    return change


def _lay_out(change: Change, playbook_id: UUID) -> Replacement:
    """The plan; the case's clocks are brought to it in memory only."""
    record, old = change.record, change.playbook
    version_id = playbooks.find_current(playbook_id)
    playbook = playbooks.find_playbook(version_id)
    if version_id is None or playbook is None:
        raise invalid("playbook_id", "expected a published playbook")
    if version_id == record.playbook_version_id:
        raise invalid("playbook_id", "expected another: the case goes by this version already")
    tasks = playbooks.list_all(record.id)
    answers, asked = answers_of(record), intake.questions_for(playbook, record.reason)
    lines = playbooks.lay_out(playbook, tasks, record.tier)
    promised, ladders = bring(change, playbook, lines)
    return Replacement(
        was=record.playbook_version_id,
        version_id=version_id,
        playbook=playbook,
        old=old,
        tier=record.tier,
        lines=lines,
        question=_question(change, playbook, tasks),
        intake=replaced_intake.lay_out(change, asked, tasks),
        promises=promised,
        ladders=ladders,
        criteria=_criteria(change, playbook),
        completeness=(record.completeness, intake.completeness(answers, asked)),
        missing=[asked[key] for key in intake.missing(answers, asked)],
    )


def _path(playbook: Playbook | None) -> tuple[str, ...]:
    return playbook.path if playbook else TIERS


def _question(change: Change, playbook: Playbook, tasks: Sequence[Task]) -> str | None:
    """What is asked of the tier the work is in, where nobody was asked so far; an open question stays as it is."""
    tier = change.record.tier
    asked = any(task.kind in ("qualification", "handover") and task.state == "open" for task in tasks)
    before = change.playbook is not None and change.playbook.tier(tier) is not None
    if asked or before or playbook.tier(tier) is None or tier == TIERS[-1]:
        return None
    return question_of(playbook, tier)


def _criteria(change: Change, playbook: Playbook) -> list[dict[str, str]]:
    """The new playbook's, with how each stands by what was said of the same words; then those that go."""
    now = {one.key: one for one in criteria.of_case(change.record, playbook)}
    old = {one.key: one.text for one in (change.playbook.criteria if change.playbook else ())}
    shown = [
        {"key": one.key, "text": one.text, "state": one.state, "what": "kept" if _kept(one, old) else "new"}
        for one in now.values()
    ]
    gone = [{"key": key, "text": text, "state": "", "what": "ended"} for key, text in old.items() if key not in now]
    return shown + gone


def _kept(one: criteria.Criterion, old: dict[str, str]) -> bool:
    return old.get(one.key) == one.text or one.key.startswith(criteria.AGREED_KEY)


def _end(change: Change, lines: Sequence[Line]) -> None:
    """What the new playbook lacks is waived; its promise ends unmet, and a broken one stays broken."""
    for line in lines:
        if line.what == "ended" and line.task is not None:
            playbooks.change_task(line.task, {"state": "waived", "reason": REPLACED}, now=change.now)
            subject = str(line.task.id)
            change.clocks.cancel("task", at=change.now, now=change.now, subject=subject, because=BECAUSE)
            change.note("task", {"task": line.task.id, "state": "waived"}, {"reason": REPLACED})


def _keep(change: Change, lines: Sequence[Line]) -> list[Task]:
    """Kept tasks say what the new playbook says; those that wait for nothing any more begin and are answered."""
    ready = []
    for line in lines:
        if line.what == "kept" and line.task is not None:
            playbooks.take_over(line)
            if line.ready and line.task.ready_at is None:
                line.task.ready_at = change.now
                ready.append(line.task)
    for task, target in promises.asked_of_tasks(change, ready):
        promise(change, task, target)
    for task in ready:
        change.note("task_ready", {"task": task.id, "due_at": task.due_at})
    return ready


def _make(change: Change, lines: Sequence[Line]) -> list[Task]:
    plans = [(line.plan, line.ready) for line in lines if line.what == "new" and line.plan is not None]
    who = holders_of(change.record, change.account, {plan.role for plan, _ in plans})
    new = [playbooks.planned(plan, ready, change.record.id, who, change.now) for plan, ready in plans]
    for task, target in promises.asked_of_tasks(change, new):
        promise(change, task, target)
    return new


def _ask(change: Change, question: str | None) -> list[Task]:
    if question is None:
        return []
    owner: dict[str, Any] = {"escalation_id": change.record.id, "assignee_id": change.record.owner_id}
    return [playbooks.new_task("qualification", question, now=change.now, **owner)]


def _tell(change: Change, new: Sequence[Task]) -> None:
    """Whoever can begin something from here on hears once what."""
    told: dict[UUID, list[str]] = {}
    for task in new:
        if task.ready_at is not None and task.assignee_id is not None:
            told.setdefault(task.assignee_id, []).append(task.title)
    for user in users.list_active(ids=list(told)) if told else []:
        subject = f"{named(change.record, change.account)}: another playbook, with tasks for you"
        change.tell([user], "task", subject, "\n".join(told[user.id]))
