"""A playbook as people will meet it: what is asked for which reason, what is to be done when and by whom."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.playbooks.definition import Draft, Playbook, Promised, Question, TaskPlan
from app.texts import gettext as _
from app.texts import ngettext, noted

ROLES: Mapping[str, str] = {
    "owner": noted("the owner"),
    "csm": noted("the CSM"),
    "account_owner": noted("the account owner"),
    "sponsor": noted("the executive sponsor"),
    "team_lead": noted("the team's lead"),
    "owner_manager": noted("the owner's manager"),
    "tier": noted("somebody of the tier's team"),
}


@dataclass(frozen=True)
class Asked:
    """What cases with these reasons are asked."""

    reasons: tuple[str, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Todo:
    """A task as it is said: who does it, by when, and after which others."""

    plan: TaskPlan
    who: str
    due: str
    after: tuple[str, ...]


@dataclass(frozen=True)
class Book:
    """A playbook in words; `path` has each tier with its time, `updates` how often who is told."""

    playbook: Playbook
    asked: tuple[Asked, ...]
    tasks: tuple[Todo, ...]
    path: tuple[tuple[Any, str], ...]
    updates: tuple[tuple[str, str], ...]

    @property
    def drafts(self) -> tuple[Draft, ...]:
        return self.playbook.drafts


def book_of(playbook: Playbook, reasons: Iterable[tuple[str, str]]) -> Book:
    """Tasks stand in the order in which they can be done."""
    titles = {task.key: task.title for task in playbook.tasks}
    return Book(
        playbook=playbook,
        asked=_asked(playbook, reasons),
        tasks=tuple(
            Todo(task, _(ROLES[task.role]), span(task.due), tuple(titles[key] for key in task.after))
            for task in _ordered(playbook.tasks)
        ),
        path=tuple((tier, span(tier.within)) for tier in playbook.tiers),
        updates=tuple((kind, span(due)) for kind, due in playbook.updates.items()),
    )


def span(due: Promised | None) -> str:
    """A promised length in words; nothing of none."""
    if not due:
        return ""
    if "business_days" in due:
        days = due["business_days"]
        return ngettext("%(num)s working day", "%(num)s working days", days) % {"num": days}
    hours = due["business_seconds"] // 3600
    return ngettext("%(num)s working hour", "%(num)s working hours", hours) % {"num": hours}


def _asked(playbook: Playbook, reasons: Iterable[tuple[str, str]]) -> tuple[Asked, ...]:
    """Reasons that are asked the same stand together."""
    groups: dict[tuple[Question, ...], list[str]] = {}
    for name, label in reasons:
        groups.setdefault(playbook.asked_of(name), []).append(label)
    return tuple(Asked(tuple(labels), questions) for questions, labels in groups.items() if questions)


def _ordered(tasks: tuple[TaskPlan, ...]) -> list[TaskPlan]:
    """Those that wait for others after them, else as written."""
    waiting, done, found = list(tasks), set[str](), list[TaskPlan]()
    while waiting:
        ready = [task for task in waiting if set(task.after) <= done] or waiting
        found += ready
        done |= {task.key for task in ready}
        waiting = [task for task in waiting if task.key not in done]
    return found
