"""Moving a task's due time: what hangs on it moves by the same business time, as shown before, and is moved back whole.

What hangs on a task are the open ones that wait for it, and for those in turn. One that is not ready and has no due
time yet does not move: its time will count from when it is ready.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from app.db import db, new_id
from app.errors import Conflict, NotFound, invalid
from app.escalations import lifecycle
from app.escalations.case import Act, Change, begin
from app.escalations.lifecycle import StepNotAllowed
from app.escalations.tasking import due_moment, settle
from app.escalations.timeline_models import Event
from app.playbooks import service as playbooks
from app.playbooks.models import Task
from app.sla.calendar import Calendar
from app.sla.ledger import Target

MOVED, UNDONE = "tasks_moved", "tasks_moved_back"
NOT_READY = "not ready: its time counts from when what it waits for is done"
NOT_ASKED = "hangs on it; moves if cascade is asked for"
NO_SPAN = "the task had no due time to move by"

# The move, and its undoing if there was one.
MOVE = text(
    f"""
    select e.kind, e.facts -> 'tasks' as tasks,
           (select json_object_agg(cast(t.id as text), t.title) from task t where t.escalation_id = e.escalation_id
            and e.facts -> 'tasks' @> jsonb_build_array(jsonb_build_object('task', cast(t.id as text)))) as titles
    from event e where e.escalation_id = :id and e.kind in ('{MOVED}', '{UNDONE}') and e.facts ->> 'move' = :move
    """  # noqa: S608 - the parts are ours
)


class MovedSince(Conflict):
    code, title = "moved_since", "Something was changed since these tasks were moved"


@dataclass(frozen=True)
class Step:
    """One task: its due time before and after, and why it stays if it does."""

    task: Task
    was: datetime | None
    becomes: datetime | None
    why: str | None = None

    @property
    def moves(self) -> bool:
        return self.was != self.becomes


@dataclass(frozen=True)
class Move:
    """What was moved together, or would be; a preview has no id."""

    steps: Sequence[Step]
    now: datetime
    id: UUID | None = None

    def view(self) -> dict[str, Any]:
        return {"move_id": self.id, "tasks": [self._line(step) for step in self.steps]}

    def _line(self, step: Step) -> dict[str, Any]:
        overdue = step.becomes is not None and step.becomes <= self.now
        shown = {"was": step.was, "becomes": step.becomes, "moves": step.moves, "overdue": overdue, "why": step.why}
        return {"task_id": step.task.id, "key": step.task.key, "title": step.task.title, **shown}


def move(
    escalation_id: UUID,
    task_id: UUID,
    *,
    act: Act,
    due_at: datetime,
    cascade: bool,
    preview: bool,
    check: Callable[[Task], None],
) -> Move:
    """The task is due at another moment, and what hangs on it with it if asked; a preview changes nothing."""
    change = _begin(escalation_id, act)
    task = playbooks.get_task(change.record.id, task_id)
    check(task)
    if task.state != "open":
        raise invalid("due_at", "expected only of an open task")
    wanted = due_moment(due_at)
    if wanted is None or wanted < task.created_at:
        raise invalid("due_at", "expected a moment after the task was made")
    steps = plan(task, wanted, playbooks.list_open(change.record.id), change.calendar, cascade=cascade)
    if preview:
        return Move(steps, change.now)
    move_id = new_id()
    kept = [_kept(change, step) for step in steps if step.moves]
    for step in steps:
        if step.moves:
            settle(change, step.task, {"due_at": step.becomes})
    change.note(MOVED, {"move": move_id, "tasks": kept})
    change.sign_of_work(change.now)
    change.save()
    return Move(steps, change.now, move_id)


def plan(task: Task, due_at: datetime, open_tasks: Iterable[Task], calendar: Calendar, *, cascade: bool) -> list[Step]:
    """The task and what hangs on it, in the order in which they wait; pure but for reading the rows."""
    steps = [Step(task, task.due_at, due_at)]
    for one in hanging(task, open_tasks):
        if one.due_at is None:
            steps.append(Step(one, None, None, NOT_READY))
        elif task.due_at is None:
            steps.append(Step(one, one.due_at, one.due_at, NO_SPAN))
        elif not cascade:
            steps.append(Step(one, one.due_at, one.due_at, NOT_ASKED))
        else:
            shifted = due_moment(shift(one.due_at, task.due_at, due_at, calendar))
            steps.append(Step(one, one.due_at, max(shifted or one.due_at, one.created_at)))
    return steps


def hanging(task: Task, open_tasks: Iterable[Task]) -> list[Task]:
    """The open tasks that wait for this one, and for those in turn; each after one that it waits for."""
    left = [one for one in open_tasks if one.key is not None and one.id != task.id]
    keys, found = {task.key}, []
    while next_ := [one for one in left if keys.intersection(one.after)]:
        found += next_
        keys |= {one.key for one in next_}
        left = [one for one in left if one not in next_]
    return found


def shift(due_at: datetime, was: datetime, becomes: datetime, calendar: Calendar) -> datetime:
    """Later or earlier by the business time that lies between the two moments."""
    if becomes >= was:
        return calendar.add(due_at, calendar.between(was, becomes))
    return calendar.subtract(due_at, calendar.between(becomes, was))


def undo(escalation_id: UUID, move_id: UUID, *, act: Act) -> Move:
    """Every task that was moved together is due as it was before, its promise as it stood; refused when one of them was
    changed since."""
    change = _begin(escalation_id, act)
    asked = (Event.escalation_id == change.record.id, Event.kind.in_((MOVED, UNDONE)))
    events = list(db.session.scalars(select(Event).where(*asked, Event.facts["move"].astext == str(move_id))))
    kept = next((event.facts["tasks"] for event in events if event.kind == MOVED), None)
    if kept is None:
        raise NotFound
    if any(event.kind == UNDONE for event in events):
        raise MovedSince("these tasks were moved back already")
    tasks = {str(task.id): task for task in playbooks.list_open(change.record.id)}
    changed = [one["task"] for one in kept if _is_changed(one, tasks.get(one["task"]))]
    if changed:
        raise MovedSince(changed=changed)
    steps = [_restore(change, tasks[one["task"]], one) for one in kept]
    change.note(UNDONE, {"move": move_id, "tasks": [step.task.id for step in steps]})
    change.sign_of_work(change.now)
    change.save()
    return Move(steps, change.now, move_id)


def get_move(escalation_id: UUID, move_id: UUID) -> dict[str, Any]:
    """What was moved together, as it was done, and whether it was moved back since."""
    rows = db.session.execute(MOVE, {"id": escalation_id, "move": str(move_id)}).all()
    kept = next((row for row in rows if row.kind == MOVED), None)
    if kept is None:
        raise NotFound
    titles = kept.titles or {}
    tasks = [
        {"task_id": one["task"], "title": titles.get(one["task"], ""), "was": _moment(one["was"]),
         "becomes": _moment(one["is"]), "why": None, "moves": True}
        for one in kept.tasks
    ]  # fmt: skip
    return {"move_id": move_id, "tasks": tasks, "undone": len(rows) > 1}


def _moment(said: str | None) -> datetime | None:
    return datetime.fromtimestamp(int(said), tz=UTC) if said else None


def _begin(escalation_id: UUID, act: Act) -> Change:
    change = begin(escalation_id, "move", act)
    if change.record.status not in lifecycle.LIVE:
        raise StepNotAllowed("move", change.record.status, lifecycle.allowed(change.record.status))
    return change


def _kept(change: Change, step: Step) -> dict[str, Any]:
    """What is needed to move it back: also what was promised, which may count in business time."""
    clock = change.clocks.get("task", str(step.task.id))
    running = clock is not None and clock.ended_at is None
    promised = {"kind": clock.target_kind, "value": clock.target_value} if clock is not None and running else None
    return {"task": step.task.id, "was": _text(step.was), "is": _text(step.becomes), "promised": promised}


def _is_changed(kept: Mapping[str, Any], task: Task | None) -> bool:
    return task is None or _text(task.due_at) != kept["is"]


def _text(at: datetime | None) -> str | None:
    return str(int(at.timestamp())) if at else None


def _restore(change: Change, task: Task, kept: Mapping[str, Any]) -> Step:
    moved_to = task.due_at
    was = datetime.fromtimestamp(int(kept["was"]), tz=change.now.tzinfo) if kept["was"] else None
    playbooks.change_task(task, {"due_at": was}, now=change.now)
    at: dict[str, Any] = {"at": change.now, "now": change.now, "subject": str(task.id)}
    if kept["promised"] is None:
        change.clocks.cancel("task", because="no_due_time", **at)
    else:
        change.clocks.retarget("task", Target.from_json(kept["promised"]), because="moved_back", **at)
    return Step(task, moved_to, was)
