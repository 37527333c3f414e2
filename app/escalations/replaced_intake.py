"""The intake task of a case under another playbook: it names what that one asks and nobody has answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.escalations.case import Change
from app.escalations.following import answers_of, questions_of
from app.escalations.tasking import settle
from app.playbooks import intake
from app.playbooks import service as playbooks
from app.playbooks.models import Task


@dataclass(frozen=True)
class IntakeLine:
    """`renamed` by what is open now, `done` as nothing is, `new` where something is and nobody is asked."""

    what: Literal["renamed", "done", "new"]
    task: Task | None
    title: str

    def view(self) -> dict[str, Any]:
        return {"what": self.what, "task_id": self.task.id if self.task else None, "title": self.title}


def lay_out(change: Change, asked: Mapping[str, str], tasks: Sequence[Task]) -> IntakeLine | None:
    """What becomes of the open intake task when these questions are asked; None if it stays as it is, or was waived and
    nothing new is open."""
    answers = answers_of(change.record)
    before, missing = intake.missing(answers, questions_of(change)), intake.missing(answers, asked)
    task = next((task for task in tasks if task.kind == "intake" and task.state == "open"), None)
    title = intake.task_title(missing, asked)
    if task is not None:
        if not missing:
            return IntakeLine("done", task, task.title)
        return IntakeLine("renamed", task, title) if task.title != title else None
    return IntakeLine("new", None, title) if set(missing) - set(before) else None


def bring(change: Change, line: IntakeLine | None) -> list[Task]:
    """Exactly that; a new task is answered and not written yet."""
    if line is None:
        return []
    if line.task is None:
        return [_new(change, line.title)]
    if line.what == "renamed":
        line.task.title = line.title
    else:
        settle(change, line.task, {"state": "done"})
        facts = {"task": line.task.id, "state": "done", "due_at": line.task.due_at, "because": "answered"}
        change.note("task", facts)
    return []


def _new(change: Change, title: str) -> Task:
    record = change.record
    return playbooks.new_task("intake", title, escalation_id=record.id, assignee_id=record.owner_id, now=change.now)
