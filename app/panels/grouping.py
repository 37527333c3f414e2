"""In what order a person's work is shown: by what is due first, under the words for how soon that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.texts import noted

NOW, TODAY, WEEK, LATER, WAITING = "now", "today", "week", "later", "waiting"
TITLES = {
    NOW: noted("Now"),
    TODAY: noted("Today"),
    WEEK: noted("This week"),
    LATER: noted("Later"),
    WAITING: noted("Waiting"),
}
SOON = timedelta(hours=2)


@dataclass(frozen=True)
class Line:
    """One thing to do: a case with what presses on it, or a task; `due_at` is None when nothing is due."""

    kind: str
    due_at: datetime | None
    content: Mapping[str, Any]
    waits: bool = False


@dataclass
class Group:
    key: str
    title: str
    lines: list[Line] = field(default_factory=list)


def lines_of(cases: Sequence[Mapping[str, Any]], tasks: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Cases and tasks as one list. A task that has a clock also presses on its case, which then is told by the task."""
    told = {task["escalation_id"] for task in tasks if task["due_at"]}
    found = [Line("task", task["due_at"], task) for task in tasks]
    for case in cases:
        pressing = case["pressing"]
        if pressing and pressing["clock"] == "task" and case["id"] in told:
            continue
        found.append(Line("case", pressing and pressing["at"], case, waits=case["status"] == "waiting"))
    return found


def group(lines: Sequence[Line], *, now: datetime, zone: str) -> list[Group]:
    """The groups that hold something, each by due time; days are those of `zone`, a week is seven of them.

    Now is what is missed or due within two hours. What waits for somebody stands under Waiting until it is due today.
    """
    groups = {key: Group(key, title) for key, title in TITLES.items()}
    for line in sorted(lines, key=lambda one: (one.due_at is None, one.due_at or now)):
        groups[group_of(line, now=now, zone=zone)].lines.append(line)
    return [one for one in groups.values() if one.lines]


def group_of(line: Line, *, now: datetime, zone: str) -> str:
    """Under which word a line stands."""
    local = now.astimezone(ZoneInfo(zone))
    midnight = datetime(local.year, local.month, local.day, tzinfo=local.tzinfo)
    if line.due_at is not None and line.due_at <= now + SOON:
        return NOW
    if line.due_at is not None and line.due_at < midnight + timedelta(days=1):
        return TODAY
    if line.waits:
        return WAITING
    if line.due_at is not None and line.due_at < midnight + timedelta(days=7):
        return WEEK
    return LATER
