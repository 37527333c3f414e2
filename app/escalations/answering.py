"""Answers to what is asked of a case: merged by key, measured, and the intake task follows what is still open."""

from typing import Any

from app.auth import queries as users
from app.errors import invalid
from app.escalations import lifecycle
from app.escalations.case import Change, made
from app.escalations.following import answers_of, questions_of
from app.escalations.owning import named
from app.escalations.tasking import settle
from app.playbooks import intake
from app.playbooks import service as playbooks

MOST_ANSWERS = 100


def open_questions(change: Change) -> tuple[str, ...]:
    """The keys of what is asked and has no answer."""
    return intake.missing(answers_of(change.record), questions_of(change))


def take_answers(change: Change, changes: dict[str, Any], texts: dict[str, Any]) -> dict[str, Any]:
    """Lay answers over the known ones and their words into `texts`; null or blank takes one back. The facts name which.

    Those of the record's own texts are set there.
    """
    record = change.record
    wanted = {key: said if (said or "").strip() else None for key, said in changes["answers"].items()}
    known = answers_of(record)
    new = {key: said for key, said in wanted.items() if said != known.get(key)}
    for key in new.keys() & intake.QUESTIONS.keys():
        if key in changes:
            raise invalid(f"answers.{key}", f"expected either this or {key}")
        setattr(record, key, new[key])
    free = {**record.answers, **{key: said for key, said in new.items() if key not in intake.QUESTIONS}}
    dropped = {key for key, said in wanted.items() if said is None}
    record.answers = {key: said for key, said in free.items() if key not in dropped}
    if len(record.answers) > MOST_ANSWERS:
        raise invalid("answers", f"expected at most {MOST_ANSWERS} in all")
    texts |= {key if key in intake.QUESTIONS else intake.ANSWER + key: said for key, said in new.items()}
    return {"answers": sorted(new)} if new else {}


def measure(change: Change, before: tuple[str, ...]) -> dict[str, Any]:
    """How complete the answers are now; the facts say what is still open when that is not what it was."""
    record, asked = change.record, questions_of(change)
    record.completeness = intake.completeness(answers_of(record), asked)
    now_open = open_questions(change)
    return {} if now_open == before else {"missing": list(now_open), "completeness": record.completeness}


def follow(change: Change, before: tuple[str, ...]) -> None:
    """The intake task names what is still open and ends by itself when nothing is; what is asked anew makes one."""
    now_open = open_questions(change)
    if now_open == before:
        return
    tasks = [task for task in playbooks.list_open(change.record.id) if task.kind == "intake"]
    if not now_open:
        for task in tasks:
            settle(change, task, {"state": "done"})
            change.note("task", {"task": task.id, "state": "done", "due_at": task.due_at, "because": "answered"})
    elif tasks:
        tasks[0].title = intake.task_title(now_open, questions_of(change))
    elif set(now_open) - set(before) and change.record.status in lifecycle.LIVE:
        ask(change)


def ask(change: Change) -> None:
    """An intake task for the owner, who is told."""
    record = change.record
    task = playbooks.intake_task(answers_of(record), questions_of(change), escalation_id=record.id, now=change.now)
    if task is None:
        return
    task.assignee_id = record.owner_id
    change.rows.append(task)
    change.note("task_added", {**made(task), "assignee": record.owner_id, "due_at": None, "required": False})
    told = users.list_active(ids=[record.owner_id]) if record.owner_id else []
    change.tell(told, "task", f"{named(record, change.account)}: a task for you", task.title)
