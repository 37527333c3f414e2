"""Tasks of a case and their promises: a task that is due has a clock of its own, met by done or waived."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.auth import queries as users
from app.auth.actor import Actor
from app.auth.models import User
from app.errors import invalid
from app.escalations import lifecycle, permissions, promises
from app.escalations.attachments.states import check_files
from app.escalations.case import Act, Change, begin
from app.escalations.errors import NotYours
from app.escalations.lifecycle import StepNotAllowed
from app.escalations.outages.models import OFFERS
from app.escalations.owning import named
from app.escalations.standing import standing_of
from app.playbooks import service as playbooks
from app.playbooks.models import Task
from app.sla.clocks import BY_RESOLVE_OR_CLOSE
from app.sla.ledger import Target

LAST_YEAR = 2037  # a target's value is an integer of seconds since 1970
ENDED_BY = (*BY_RESOLVE_OR_CLOSE, "done", "waived", "playbook_replaced")


@dataclass(frozen=True)
class NewTask:
    """What somebody asks for: of the owner, or of a colleague by their address."""

    title: str
    assignee_email: str | None = None
    due_at: datetime | None = None
    required: bool = False


def add_task(escalation_id: UUID, *, act: Act, new: NewTask) -> Task:
    """A task made by hand, ready at once; with a due time it is a promise like any other."""
    change = begin(escalation_id, "add_task", act)
    record = change.record
    if record.status not in lifecycle.LIVE:
        raise StepNotAllowed("task", record.status, lifecycle.allowed(record.status))
    assignee = find_assignee(change, new.assignee_email)
    if new.due_at is not None and new.due_at <= change.now:
        raise invalid("due_at", f"expected a moment later than now, {change.now.isoformat()}")
    task = playbooks.new_task(
        "manual",
        new.title,
        escalation_id=record.id,
        assignee_id=assignee.id if assignee else record.owner_id,
        now=change.now,
        role="assignee" if assignee else "owner",
        due_at=due_moment(new.due_at),
        required=new.required,
    )
    change.rows.append(task)
    promise(change, task)
    facts = {"task": task.id, "assignee": task.assignee_id, "due_at": task.due_at, "required": task.required}
    change.note("task_added", facts, {"title": new.title})
    told = users.list_active(ids=[task.assignee_id]) if task.assignee_id else []
    change.tell(told, "task", f"{named(record, change.account)}: a task for you", new.title)
    change.sign_of_work(change.now)
    change.save()
    return task


def find_assignee(change: Change, email: str | None) -> User | None:
    """The active colleague of this address; never whom the case is about, nor who may not see a restricted one."""
    if email is None:
        return None
    user = users.find_user_by_email(email)
    if user is None or not user.active or user.id == change.record.about_user_id:
        raise invalid("assignee_email", "expected an active colleague")
    if change.record.restricted and not may_see(change, user):
        raise invalid("assignee_email", "expected somebody who may see this restricted case")
    return user


def may_see(change: Change, user: User) -> bool:
    actor = Actor(user.id, user.email, user.name, user.role)
    return permissions.may_see(standing_of(change.record, actor, now=change.now), restricted=change.record.restricted)


def due_moment(due_at: datetime | None) -> datetime | None:
    """In whole seconds, as promises are kept, and within the years that they can name."""
    if due_at is not None and due_at.year > LAST_YEAR:
        raise invalid("due_at", f"expected a moment before {LAST_YEAR + 1}")
    return due_at.replace(microsecond=0) if due_at else None


def change_task(
    escalation_id: UUID, task_id: UUID, *, act: Act, changes: dict[str, Any], check: Callable[[Task], None]
) -> Task:
    """Finish, waive or move a task of the case, or open it again. One that waits for others may be done early: that is
    noted, and what waits for it waits no more."""
    change = begin(escalation_id, "task", act)
    task = playbooks.get_task(change.record.id, task_id)
    check_theirs(change, task)
    check(task)
    if task.kind == "qualification" and changes.get("state") == "done":
        raise invalid("state", "a tier's question is answered with qualify")
    if task.kind in OFFERS and changes.get("state", task.state) not in (task.state, "waived"):
        raise invalid("state", "an outage's offer is sent, resolved with, or waived; the next word is offered anew")
    evidence, changes = changes.get("evidence"), {name: changes[name] for name in changes if name != "evidence"}
    if evidence is not None and changes.get("state", task.state) != "done":
        raise invalid("evidence", "expected only of a task that is done")
    files = (evidence or {}).get("attachments", [])
    check_files(change.record.id, files, field="evidence.attachments")
    if "due_at" in changes:
        changes = {**changes, "due_at": due_moment(changes["due_at"])}
    early = done_early(change, task, changes)
    settle(change, task, changes)
    facts = {"task": task.id, "state": task.state, "due_at": task.due_at, **early}
    if evidence is not None:
        facts |= {"evidence": True, **({"attachments": files} if files else {})}
    change.note("task", facts, {"reason": changes.get("reason"), **evidence_texts(evidence or {})})
    change.sign_of_work(change.now)
    change.save()
    return task


def check_theirs(change: Change, task: Task) -> None:
    """A task is for who does it, in person or for somebody absent, and for who works on the case."""
    actor, standing = change.act.actor, change.standing
    if not permissions.who_may("edit", standing) and task.assignee_id not in (actor.user_id, *standing.absent):
        raise NotYours(f"task: {NotYours.title.lower()}")
    change.in_place_of(task.assignee_id)


def evidence_texts(evidence: Mapping[str, Any]) -> dict[str, str | None]:
    """What shows that a task is done, as an event keeps it: links one a line, which no link can hold."""
    return {"evidence": evidence.get("text"), "evidence_links": "\n".join(evidence.get("links", ()))}


def done_early(change: Change, task: Task, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Of a task that is done while it waits, for which others it did."""
    if task.ready_at is not None or task.state != "open" or changes.get("state") != "done":
        return {}
    waiting = {one.key for one in playbooks.list_open(change.record.id)} & set(task.after)
    return {"early": True, "waited_for": sorted(map(str, waiting))}


def settle(change: Change, task: Task, changes: dict[str, Any]) -> None:
    """Change a task and its promise with it: an end meets it, another due time moves it, none takes it back."""
    was_state, was_due = task.state, task.due_at
    playbooks.change_task(task, changes, now=change.now)
    at: dict[str, Any] = {"at": change.now, "now": change.now, "subject": str(task.id)}
    if task.state != was_state and task.state != "open":
        change.clocks.fulfil("task", because=task.state, **at)
        make_ready(change, task)
    elif task.state != was_state and change.record.status in lifecycle.LIVE:
        change.clocks.reopen(("task",), ended_by=ENDED_BY, **at)
        if task.ready_at is None:  # it was done early, and what it waited for may have ended since
            make_ready(change, task)
    if task.due_at == was_due or change.record.status not in lifecycle.LIVE:
        return
    if task.due_at is None:
        change.clocks.cancel("task", because="no_due_time", **at)
    elif not change.clocks.retarget("task", Target.at(task.due_at), because="moved", **at):
        promise(change, task)


def make_ready(change: Change, ended: Task) -> None:
    """What waited for this one, and for nothing else any more, begins: who does it is told, and its time counts."""
    if ended.key is None or change.record.status not in lifecycle.LIVE:
        return
    ready = playbooks.list_ready(change.record.id, now=change.now)
    for task, target in promises.asked_of_tasks(change, ready):
        promise(change, task, target)
    people = {user.id: user for user in users.list_active(ids=[t.assignee_id for t in ready if t.assignee_id])}
    for task in ready:
        change.note("task_ready", {"task": task.id, "after": ended.id, "due_at": task.due_at})
        told = [people[task.assignee_id]] if task.assignee_id in people else []
        change.tell(told, "task", f"{named(change.record, change.account)}: a task for you", task.title)


def promise(change: Change, task: Task, target: Target | None = None) -> None:
    """A ready task that is due starts its clock; `target` in business time says when, and the task shows it."""
    if target is None and task.due_at is None:
        return
    clock = change.clocks.start(
        "task",
        at=change.now,
        now=change.now,
        target=target or Target.at(task.due_at or change.now),
        subject=str(task.id),
        basis=change.basis,
        because="moved",
    )
    task.due_at = task.due_at if target is None else clock.due_at


def take_up_again(change: Change) -> None:
    """A case that is reopened goes on with the promises of the tasks that are still open."""
    for task in playbooks.list_open(change.record.id):
        subject = str(task.id)
        change.clocks.reopen(("task",), at=change.now, now=change.now, subject=subject, ended_by=ENDED_BY)


def promise_all(survivor: Change, tasks: Iterable[Task]) -> None:
    """Tasks that joined the survivor of a merge are due there as they were."""
    for task in tasks:
        promise(survivor, task)
