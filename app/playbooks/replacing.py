"""What becomes of a case's tasks when another playbook replaces its own; nothing is written here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.playbooks import order
from app.playbooks.definition import Playbook, TaskPlan
from app.playbooks.models import Task

What = Literal["kept", "ended", "new", "stays"]
REPLACED = "playbook replaced"
TAKEN_OVER = ("title", "role", "required", "customer_visible")


@dataclass(frozen=True)
class Line:
    """One task: kept under its key, ended because the new playbook lacks it, new, or done and so to stay.

    `ready` says whether it can be begun once the playbook is replaced; `changes` what of it becomes another.
    """

    what: What
    key: str
    task: Task | None
    plan: TaskPlan | None
    ready: bool = False
    changes: tuple[str, ...] = ()

    def view(self) -> dict[str, Any]:
        shown: Any = self.plan if self.plan is not None and self.what != "stays" else self.task
        return {
            "what": self.what,
            "key": self.key,
            "task_id": self.task.id if self.task else None,
            "title": shown.title,
            "role": shown.role,
            "required": shown.required,
            "state": self.task.state if self.task else None,
            "due_at": self.task.due_at if self.task else None,
            "due": dict(self.plan.due) if self.what == "new" and self.plan and self.plan.due else None,
            "ready": self.ready,
            "changes": list(self.changes),
        }


def lay_out(playbook: Playbook, tasks: Iterable[Task], tier: str) -> list[Line]:
    """Every task of the playbooks, in the order of the new one, then what ends.

    New are those of the beginning and of the tier the work is in. What is done stays done and counts for what waits for
    it; what an earlier replacement ended may come anew. A kept task keeps its due time, and once ready stays so.
    """
    known = [task for task in tasks if task.key is not None]
    open_ = {str(task.key): task for task in known if task.state == "open"}
    ended = {str(task.key): task for task in known if task.state != "open" and task.reason != REPLACED}
    wanted = [
        plan for plan in playbook.tasks if plan.key in open_ or (plan.key not in ended and plan.tier in (None, tier))
    ]
    ready = order.ready({plan.key: plan.after for plan in wanted}, ended.keys() - open_.keys())
    lines = [_asked(plan, open_.get(plan.key), plan.key in ready) for plan in wanted]
    keys = {plan.key for plan in wanted}
    lines += [Line("stays", key, task, None) for key, task in ended.items() if key not in keys]
    return lines + [Line("ended", key, task, None) for key, task in open_.items() if key not in keys]


def _asked(plan: TaskPlan, task: Task | None, ready: bool) -> Line:
    if task is None:
        return Line("new", plan.key, None, plan, ready)
    changes = [name for name in TAKEN_OVER if getattr(task, name) != getattr(plan, name) and not _own(task, plan, name)]
    changes += ["after"] if list(task.after) != list(plan.after) else []
    return Line("kept", plan.key, task, plan, ready or task.ready_at is not None, tuple(changes))


def _own(task: Task, plan: TaskPlan, name: str) -> bool:
    """A tier's task stays with the one person who has it, or the owner."""
    return name == "role" and plan.role == "tier"


def take_over(line: Line) -> Sequence[str]:
    """A kept task is what the new playbook says of it from now on; answers what was changed."""
    if line.task is None or line.plan is None:
        return ()
    for name in line.changes:
        value = getattr(line.plan, name)
        setattr(line.task, name, list(value) if name == "after" else value)
    line.task.due = dict(line.plan.due) if line.plan.due else None
    return line.changes
