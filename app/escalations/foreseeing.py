"""What a raise would bring, shown before it is sent: from the code of the raise itself, without writing anything."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.auth.actor import Actor, UserRef
from app.auth.models import User
from app.db import new_id
from app.escalations import duplicates, lifecycle, promises
from app.escalations.case import Act, Change
from app.escalations.demand import NewEscalation
from app.escalations.likeness import Likeness
from app.escalations.owning import routing_input
from app.escalations.raising import lay_out, list_approvers
from app.playbooks import intake
from app.playbooks.definition import Question
from app.routing import service as routing
from app.sla import service as sla

__all__ = ["Change", "Foreseen", "Promise", "foresee", "laid_out", "look_alike", "questions_beside"]

# Fewer letters than these look like too much.
TELLING = 8


@dataclass(frozen=True)
class Promise:
    """A clock that would begin, and when it would fall due."""

    kind: str
    at: datetime


@dataclass(frozen=True)
class Foreseen:
    """Who would own the case, why, and what would be promised, as things stand now.

    `approvers` are asked first where there are any; `failure` is why no rule's target could take it. `promises` come by
    what is due first.
    """

    change: Change
    owner: UserRef
    rule: str | None
    why: str
    failure: str | None
    approvers: tuple[User, ...]
    promises: tuple[Promise, ...]

    @property
    def close_at(self) -> datetime:
        return self.change.record.close_target_at


def foresee(change: Change) -> Foreseen:
    """What would become of a case laid out; at most four statements."""
    routed = routing.explain(routing_input(change, change.account), now=change.now)
    approvers = list_approvers(change.account) if change.record.status == lifecycle.REQUESTED else []
    return Foreseen(
        change=change,
        owner=routed.owner,
        rule=routed.rule,
        why=routed.why,
        failure=routed.failure,
        approvers=tuple(approvers),
        promises=tuple(sorted(_promises(change), key=lambda promise: promise.at)),
    )


def _promises(change: Change) -> list[Promise]:
    """What begins with the case; of a request only the promise to close, which counts from the raise all the same."""
    record = change.record
    found = [Promise("close", record.close_target_at)]
    if record.status == lifecycle.REQUESTED:
        return found
    found.append(Promise("acknowledge", sla.acknowledge_due(change.basis, severity=record.severity, now=change.now)))
    return found + [
        Promise(kind, sla.due_if_begun(target, change.basis, record.raised_at))
        for kind, target in promises.asked_from_the_start(change)
    ]


def questions_beside(change: Change) -> tuple[Question, ...]:
    """What the playbook asks for this reason beside the three questions of every case."""
    asked = intake.asked_for(change.playbook, change.record.reason)
    return tuple(question for question in asked if question.key not in intake.QUESTIONS)


def look_alike(new: NewEscalation, change: Change, *, actor: Actor) -> list[dict[str, Any]]:
    """Cases that may be the same as the one being written, once there are words enough to tell."""
    if max(len(new.title.strip()), len((new.customer_statement or "").strip())) < TELLING:
        return []
    like = Likeness(
        account_id=change.record.account_id,
        title=new.title,
        statement=new.customer_statement,
        reason=new.reason,
        refs=new.external_refs,
        self_id=new_id(),
    )
    items: list[dict[str, Any]] = duplicates.list_duplicates(like, actor=actor, now=change.now)["items"]
    return items


def laid_out(new: NewEscalation, *, actor: Actor, now: datetime) -> Change:
    """The case of a raise that nobody has sent yet."""
    return lay_out(new, Act(actor, now))
