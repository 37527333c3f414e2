"""Answering a tier's question: can it be resolved here, yes or no, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.auth import queries as users
from app.db import db
from app.escalations import climbing, deciding, tiers
from app.escalations.case import Act, Change, begin, made
from app.escalations.errors import AlreadyAnswered, NothingToQualify
from app.escalations.models import Escalation
from app.escalations.owning import named
from app.escalations.tasking import settle
from app.playbooks import service as playbooks
from app.playbooks.models import Task

HANDOVER = "Write the handover brief and move the work up"

# The answer that holds in the present tier; a customer's refusal and a reopening put the question anew.
STANDING_ANSWER = text(
    """
    select case when e.kind = 'qualify' then (e.facts ->> 'resolvable')::boolean end from event e
    where e.escalation_id = :id and (e.kind in ('qualify', 'escalate', 'reopen')
                                     or e.kind = 'verify' and e.facts ->> 'accepted' = 'false')
    order by e.seq desc limit 1
    """
)


@dataclass(frozen=True)
class Answer:
    """Whether the tier can resolve it, and why: of a no one of the reasons to move up.

    A no with a brief moves the work up in the same call, to `to_tier` or the next, as `escalate` would.
    """

    resolvable: bool
    reason: str
    brief: str | None = None
    to_tier: str | None = None
    vendor: dict[str, Any] | None = None


def qualify(escalation_id: UUID, *, act: Act, answer: Answer) -> Escalation:
    """The tier's question is answered; a yes leaves the work here, a no asks for the handover brief or, with one, moves
    it up; at the end of the path management is asked to decide."""
    change = begin(escalation_id, "qualify", act)
    change.in_place_of(change.standing.asked.get("qualification"))
    change.step("qualify")
    record = change.record
    if record.tier == tiers.TIERS[-1]:
        raise NothingToQualify
    task = settle_question(change)
    # An open question is answered even where the answer stands: another playbook may have asked anew.
    if task is None and db.session.scalar(STANDING_ANSWER, {"id": record.id}) is answer.resolvable:
        raise AlreadyAnswered(tier=record.tier)
    facts = {"tier": record.tier, "resolvable": answer.resolvable, "question": task.id if task else None}
    if answer.resolvable:
        change.note("qualify", facts, {"reason": answer.reason})
    else:
        change.note("qualify", {**facts, "reason": answer.reason})
    tell_owner(change, answer)
    if not answer.resolvable:
        move_on(change, answer)
    change.sign_of_work(change.now)
    return change.save()


def settle_question(change: Change) -> Task | None:
    """The question is done, and whatever brief an earlier no asked for is asked for no more; the question, if open."""
    asked = None
    for task in playbooks.list_open(change.record.id):
        if task.kind == "qualification":
            asked = end(change, task, {"state": "done"})
        elif task.kind == "handover":
            end(change, task, {"state": "waived", "reason": "It can be resolved here after all."})
    return asked


def end(change: Change, task: Task, state: Mapping[str, str]) -> Task:
    settle(change, task, dict(state))
    change.note("task", {"task": task.id, "state": task.state}, {"reason": state.get("reason")})
    return task


def move_on(change: Change, answer: Answer) -> None:
    """After a no: the hop, if its brief is given; else the brief is asked for; management's word where no tier is
    left."""
    record = change.record
    if answer.brief:
        hop = climbing.Hop(answer.reason, brief=answer.brief, to_tier=answer.to_tier, vendor=answer.vendor)
        climbing.climb(change, hop)
    elif tiers.tiers_above(record.tier, climbing.path_of(change)):
        ask_brief(change)
    elif not deciding.is_asked(record.id):
        deciding.ask(change, deciding.END_OF_PATH)


def ask_brief(change: Change) -> None:
    """Who answered writes the brief: whom the tier asked, else the owner in whose place it was answered."""
    record, user_id = change.record, change.act.actor.user_id
    mine = change.works_for_owner or not change.standing.asked
    task = playbooks.new_task(
        "handover",
        HANDOVER,
        escalation_id=record.id,
        assignee_id=record.owner_id if mine else user_id,
        now=change.now,
        role="owner" if mine else "tier",
    )
    change.rows.append(task)
    facts = {**made(task), "assignee": task.assignee_id, "due_at": None, "required": False}
    change.note("task_added", facts, {"title": HANDOVER})


def tell_owner(change: Change, answer: Answer) -> None:
    """The owner hears what a tier answered."""
    record = change.record
    said = "can be resolved" if answer.resolvable else "cannot be resolved"
    subject = f"{named(record, change.account)}: {said} in {record.tier.replace('_', ' ')}"
    owners = users.list_active(ids=[record.owner_id] if record.owner_id else [])
    reason = answer.reason if answer.resolvable else f"Why: {answer.reason.replace('_', ' ')}."
    change.tell(owners, "qualified", subject, "\n".join(part for part in (reason, change.act.note) if part))
