"""The playbook of a case, and its tasks: made by the playbook and by actions, done or waived by people."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.db import db, new_id
from app.errors import NotFound, invalid
from app.playbooks import intake, order
from app.playbooks.definition import Playbook, TaskPlan
from app.playbooks.errors import ReasonNeeded
from app.playbooks.models import PlaybookModel, Task
from app.playbooks.replacing import REPLACED, Line, lay_out, take_over
from app.playbooks.versions import find_playbook, list_current, load
from app.sla.ladder import OwnLadders

__all__ = [
    "REPLACED",
    "Line",
    "change_task",
    "choose",
    "find_current",
    "find_own_ladders",
    "find_playbook",
    "get_task",
    "has_playbooks",
    "intake_task",
    "join",
    "lay_out",
    "list_all",
    "list_open",
    "list_ready",
    "load",
    "new_task",
    "plan_tasks",
    "planned",
    "take_over",
]


def has_playbooks() -> bool:
    """Whether the tenant has published any."""
    return bool(list_current())


def choose(facts: Mapping[str, Any], *, today: date, now: datetime) -> UUID | None:
    """The version a case with these facts is handled by: of those whose condition holds the one of the lowest rank."""
    found = (id_ for id_, playbook in list_current() if playbook.when.matches(facts, today=today, now=now))
    return next(found, None)


def plan_tasks(
    playbook: Playbook,
    *,
    tier: str,
    entered: bool,
    open_keys: Collection[str] = (),
    escalation_id: UUID,
    holders: Mapping[str, UUID | None],
    now: datetime,
) -> list[Task]:
    """What the playbook asks for when the work begins (`entered` false) or comes to another tier.

    `open_keys` are those of its tasks that are open already. A role that nobody holds falls to the owner.
    """
    wanted = [task for task in playbook.tasks if task.tier == tier or (task.tier is None and not entered)]
    never = {key: [key] for key in open_keys}
    ready = order.ready({**never, **{task.key: task.after for task in wanted}}, ())
    return [planned(plan, plan.key in ready, escalation_id, holders, now) for plan in wanted]


def planned(
    plan: TaskPlan, ready: bool, escalation_id: UUID, holders: Mapping[str, UUID | None], now: datetime
) -> Task:
    """A row of a task; it keeps a role that nobody holds, for whoever will. A tier's task is one person's: with nobody
    in the tier's team, it is the owner's own."""
    holder = holders.get(plan.role)
    task = new_task(
        "playbook",
        plan.title,
        escalation_id=escalation_id,
        assignee_id=holder or holders.get("owner"),
        now=now,
        role="owner" if plan.role == "tier" and holder is None else plan.role,
        required=plan.required,
    )
    task.key, task.after, task.due = plan.key, list(plan.after), dict(plan.due) if plan.due else None
    task.customer_visible = plan.customer_visible
    task.ready_at = now if ready else None
    return task


def list_all(escalation_id: UUID) -> list[Task]:
    """Every task of a case, whatever its state, oldest first."""
    asked = select(Task).where(Task.escalation_id == escalation_id)
    return list(db.session.scalars(asked.order_by(Task.created_at, Task.id)))


def find_own_ladders(version_id: UUID | None) -> OwnLadders | None:
    """The ladders that this version gives its cases, None where the tenant's hold for all their clocks."""
    playbook = find_playbook(version_id)
    return playbook.own_ladders if playbook else None


def find_current(playbook_id: UUID) -> UUID | None:
    """The version in which this playbook is published; None of a draft, a retired one or none at all."""
    model = db.session.get(PlaybookModel, playbook_id)
    return model.current_version_id if model is not None and model.retired_at is None else None


def list_ready(escalation_id: UUID, *, now: datetime) -> list[Task]:
    """The open tasks that waited for others which have all ended by now; they are ready from here on.

    A key that a replaced playbook ended may be open anew: what counts is the open one.
    """
    tasks = [task for task in list_all(escalation_id) if task.key is not None]
    open_keys = {task.key for task in tasks if task.state == "open"}
    ended = {task.key for task in tasks} - open_keys
    ready = order.ready({str(task.key): task.after for task in tasks if task.state == "open"}, map(str, ended))
    found = [task for task in tasks if task.ready_at is None and task.state == "open" and task.key in ready]
    for task in found:
        task.ready_at = now
    return found


def new_task(
    kind: str,
    title: str,
    *,
    escalation_id: UUID,
    assignee_id: UUID | None,
    now: datetime,
    role: str = "owner",
    due_at: datetime | None = None,
    required: bool = False,
) -> Task:
    """A task ready at once, as a row to insert. One of role `owner` follows whoever owns the case."""
    return Task(
        id=new_id(),
        escalation_id=escalation_id,
        kind=kind,
        title=title,
        role=role,
        assignee_id=assignee_id,
        required=required,
        state="open",
        version=1,
        due_at=due_at,
        ready_at=now,
        created_at=now,
    )


def intake_task(
    answers: dict[str, Any], asked: Mapping[str, str], *, escalation_id: UUID, now: datetime
) -> Task | None:
    """One task that names the questions still open, or none; whose it is follows from who comes to own the case."""
    open_questions = intake.missing(answers, asked)
    if not open_questions:
        return None
    title = intake.task_title(open_questions, asked)
    return new_task("intake", title, escalation_id=escalation_id, assignee_id=None, now=now)


def list_open(escalation_id: UUID) -> list[Task]:
    """The open tasks; the required ones must be done or waived before the case is resolved."""
    asked = (Task.escalation_id == escalation_id, Task.state == "open")
    return list(db.session.scalars(select(Task).where(*asked).order_by(Task.created_at, Task.id)))


def get_task(escalation_id: UUID, task_id: UUID) -> Task:
    """The task, locked."""
    asked = (Task.id == task_id, Task.escalation_id == escalation_id)
    task = db.session.scalar(select(Task).where(*asked).with_for_update())
    if task is None:
        raise NotFound
    return task


def change_task(task: Task, changes: dict[str, Any], *, now: datetime) -> Task:
    """Done, waived with a reason, opened again, or due at another time."""
    state = changes.get("state", task.state)
    if state == "waived" and not (changes.get("reason") or "").strip():
        raise ReasonNeeded(errors=[{"pointer": "/reason", "detail": "expected why the task is waived"}])
    if "due_at" in changes:
        if state != "open":
            raise invalid("due_at", "expected only of an open task")
        if changes["due_at"] is not None and changes["due_at"] < task.created_at:
            raise invalid("due_at", "expected a moment after the task was made")
        task.due_at = changes["due_at"]
    task.state = state
    task.reason = changes.get("reason", task.reason)
    task.ended_at = None if state == "open" else task.ended_at or now
    return task


def join(loser_id: UUID, survivor_id: UUID, *, now: datetime) -> list[Task]:
    """In a merge, open tasks join the survivor with their origin; one that stands there already is waived, and so is
    what was asked of the merged one's own tier. Whose they are there is to be found afterwards."""
    kept = {_sameness(task) for task in list_open(survivor_id)} - {None}
    joined, waived = [], set()
    for task in list_open(loser_id):
        if _sameness(task) in kept or task.kind in ("qualification", "handover"):
            change_task(task, {"state": "waived", "reason": "stands in the case this was merged into"}, now=now)
            waived.add(task.key)
            continue
        task.escalation_id, task.origin_id = survivor_id, task.origin_id or loser_id
        joined.append(task)
    for task in joined:
        _rename(task, loser_id.hex[-8:], waived)
    return joined


def _sameness(task: Task) -> tuple[str, str] | None:
    """By what two open tasks are one; None of what somebody asked for by hand, and of customers' messages."""
    return None if task.kind in ("manual", "customer_message") else (task.kind, f"{task.key} {task.title}")


def _rename(task: Task, mark: str, waived: Collection[str | None]) -> None:
    """The keys of another case's playbook must not be taken for the survivor's own; what was waived since it stands
    there is waited for there."""
    if task.key is not None:
        task.key = f"{mark}_{task.key}"
        task.after = [key if key in waived else f"{mark}_{key}" for key in task.after]
